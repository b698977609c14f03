"""Conversion of values from REST parameters by the GraphQL types, so that REST and GraphQL use the same parser."""

import datetime as dt
from typing import Any, TypeVar

from graphql import GraphQLError, coerce_input_value
from graphql.utilities import validate_input_value
from strawberry.types.arguments import convert_argument

from renewals.domain import errors
from renewals.domain.messages import Message
from schema.customer import schema as customer_schema

Input = TypeVar("Input")


def read_input(value: object, input_type: type[Input], path: str) -> Input | None:
    """Return a value as an input object; None stays None. Raises InvalidInputError if GraphQL would refuse it."""
    schema, definition = customer_schema.schema, input_type.__strawberry_definition__  # type: ignore[attr-defined]
    coerced = _coerce(value, definition.name, path)
    result: Any = convert_argument(
        coerced, input_type, schema.schema_converter.scalar_registry, schema.config
    )
    return result  # type: ignore[no-any-return]


def read_instant(value: object, path: str) -> dt.datetime | None:
    """Return a value as an instant; None stays None. Raises InvalidInputError if GraphQL would refuse it."""
    instant: dt.datetime | None = _coerce(value, "DateTime", path)
    return instant


def _coerce(value: object, type_name: str, path: str) -> Any:
    """Return the value as graphql-core coerces it; raise InvalidInputError with the path of the first wrong part."""
    graphql_type: Any = customer_schema.schema._schema.type_map[type_name]

    def refuse(error: GraphQLError, subpath: list[str | int]) -> None:
        reason = Message("{reason}", reason=error.message)
        raise errors.InvalidInputError(".".join(map(str, [path, *subpath])), reason)

    validate_input_value(value, graphql_type, refuse, hide_suggestions=True)
    return coerce_input_value(value, graphql_type)
