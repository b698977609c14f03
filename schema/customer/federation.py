"""The customer API as a subgraph: its entities are the caller's account, its instances and its orders."""

import functools
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated

import strawberry
from strawberry.federation.schema import FederationAny

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db.connection import Row
from schema.context import Context, Info
from schema.customer import accounts, instances, orders, query, schema
from schema.execution import federation
from schema.execution.schema import RenewalSchema

Entity = Annotated[
    accounts.Account | instances.Instance | orders.RenewOrder, strawberry.union(federation.ENTITY)
]


async def _resolve_entities(info: Info, representations: list[FederationAny]) -> list[Entity | None]:
    fetch = _Fetch(info.context)
    return await federation.resolve_entities(
        representations,
        {"Account": fetch.accounts, "Instance": fetch.instances, "RenewOrder": fetch.orders},
    )


class _Fetch:
    """The queries of entities by id. Like the fields of the API, they find only rows of the request's account."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def accounts(self, ids: Sequence[str]) -> Mapping[str, Row | None]:
        own_id = self._context.account_id
        if own_id not in ids:
            return {}
        return {own_id: await accounts_queries.fetch_account(database.pool(), own_id)}

    async def instances(self, ids: Sequence[str]) -> Mapping[str, Row | None]:
        rows = await self._context.load.instance.load_many([*ids])
        return dict(zip(ids, rows, strict=True))

    async def orders(self, ids: Sequence[str]) -> Mapping[str, Row | None]:
        async def fetch(keys: list[uuid.UUID]) -> Mapping[uuid.UUID, Row | None]:
            return dict(zip(keys, await self._context.load.order.load_many(keys), strict=True))

        return await federation.fetch_by_uuid(ids, fetch)


@strawberry.type(name="Query", description=query.DESCRIPTION)
class Query(query.Query):
    subgraph = federation.service_field()
    entities = strawberry.field(
        name="_entities",
        resolver=_resolve_entities,
        description="The entity of each representation. Null: the account has none with this id.",
    )


@functools.cache
def build() -> RenewalSchema:
    """Return the subgraph, which the first call builds."""
    return schema.build(Query, federation.SubgraphSchema)
