"""Both APIs as subgraphs of Apollo Federation 2: the keys of entities, and their resolution in batches.

`schema.graphql` and `operator.graphql` do not contain the types and directives of federation: a subgraph is a second
schema. It is built if the setting `federation` is on, and for `renewals schema --federation`.
"""

import dataclasses
import functools
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import strawberry
from strawberry import federation
from strawberry.federation import schema_directives
from strawberry.federation.types import FieldSet, LinkImport
from strawberry.schema.schema_converter import GraphQLCoreConverter

from renewals.db.connection import Row
from renewals.domain import errors, limits, validation
from renewals.domain.messages import Message
from schema.execution.schema import RenewalSchema

LINK = "https://specs.apollo.dev/federation/v2.0"
"""The oldest version that has @key and @shareable, for gateways that do not support newer versions."""
ENTITY = "_Entity"
_REPRESENTATIONS = "representations"
_TYPENAME = "__typename"
_ENTITIES = ("Account", "Instance", "RenewOrder")
"""The types that both APIs identify by `id`."""
_SHARED = ("PageInfo",)
"""Value types that other subgraphs define as well, for Relay's connections."""

FetchEntities = Callable[[Sequence[str]], Awaitable[Mapping[str, Row | None]]]
"""A function that reads entities of one type by id.

An entity that does not exist, or that the caller may not read, is missing or None.
"""


class SubgraphSchema(RenewalSchema, federation.Schema):
    """A schema whose query type has `_service` and `_entities`."""

    def __init__(self, **settings: Any) -> None:
        link = schema_directives.Link(url=LINK, import_=[LinkImport("@key"), LinkImport("@shareable")])
        super().__init__(schema_directives=[link], **settings)
        # The Python types belong to the other schema too, which must not have the directives.
        for name in _ENTITIES:
            self._add_directive(name, schema_directives.Key(fields=FieldSet("id")))
        for name in _SHARED:
            self._add_directive(name, schema_directives.Shareable())
        union: Any = self._schema.type_map[ENTITY]
        union.resolve_type = None  # rows have their type as `__typename`

    def _add_directive(self, name: str, directive: object) -> None:
        graphql_type = self._schema.type_map[name]
        key = GraphQLCoreConverter.DEFINITION_BACKREF
        definition = dataclasses.replace(graphql_type.extensions[key], directives=[directive])
        graphql_type.extensions = {**graphql_type.extensions, key: definition}

    @functools.cached_property
    def sdl(self) -> str:
        """The schema as text. It is printed only once, because printing takes 0.1 s."""
        return self.as_str() + "\n"


@strawberry.type(name="_Service", description="The subgraph for a gateway.")
class Service:
    sdl: str = strawberry.field(description="The schema with the directives of federation.")


def _resolve_service(info: strawberry.Info) -> Service:
    """Return the subgraph, with its schema as text."""
    schema: Any = info.schema
    return Service(sdl=schema.sdl)


def service_field() -> object:
    """Build the query field from which a gateway reads the schema of the subgraph."""
    return strawberry.field(
        name="_service", resolver=_resolve_service, description="The subgraph for a gateway."
    )


async def resolve_entities(
    representations: Sequence[object], fetches: Mapping[str, FetchEntities]
) -> list[Any]:
    """Return the entity of each representation, or None where the caller can read none; fetch once for each type.

    Raises InvalidInputError if a representation has no known type or no id that is a string, or if there are more than
    PAGE_ROWS_MAX representations.
    """
    if len(representations) > limits.PAGE_ROWS_MAX:
        problem = validation.at_most_items(limits.PAGE_ROWS_MAX, representations)
        raise errors.InvalidInputError(_REPRESENTATIONS, problem)
    references = [
        _parse_reference(number, representation, fetches)
        for number, representation in enumerate(representations)
    ]
    ids: dict[str, list[str]] = defaultdict(list)
    for type_name, entity_id in dict.fromkeys(references):
        ids[type_name].append(entity_id)
    rows = {type_name: await fetches[type_name](type_ids) for type_name, type_ids in ids.items()}
    return [_build_entity(type_name, rows[type_name].get(entity_id)) for type_name, entity_id in references]


def _parse_reference(number: int, representation: object, known: Mapping[str, object]) -> tuple[str, str]:
    """Return the type and the id that a representation names. Raises InvalidInputError."""
    field = f"{_REPRESENTATIONS}.{number}"
    members = representation if isinstance(representation, dict) else {}
    type_name, entity_id = members.get(_TYPENAME), members.get("id")
    if not isinstance(type_name, str) or type_name not in known:
        names = ", ".join(sorted(known))
        raise errors.InvalidInputError(
            f"{field}.{_TYPENAME}",
            Message("must be one of the entity types of this subgraph: {names}", names=names),
        )
    if not isinstance(entity_id, str):
        raise errors.InvalidInputError(f"{field}.id", Message("must be a string"))
    return type_name, entity_id


def _build_entity(type_name: str, row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {**row, _TYPENAME: type_name}


async def fetch_by_uuid(
    ids: Sequence[str], fetch: Callable[[list[uuid.UUID]], Awaitable[Mapping[uuid.UUID, Row | None]]]
) -> dict[str, Row | None]:
    """Return rows by id, in the caller's spelling of the id. An id that is not a UUID is left out."""
    uuids: dict[str, uuid.UUID] = {}
    for entity_id in ids:
        try:
            uuids[entity_id] = uuid.UUID(entity_id)
        except ValueError:
            continue
    rows = await fetch([*dict.fromkeys(uuids.values())]) if uuids else {}
    return {entity_id: rows.get(key) for entity_id, key in uuids.items()}
