"""The operator API as a subgraph: its entities are the accounts, instances and orders of all customers."""

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated

import strawberry
from strawberry.federation.schema import FederationAny

from renewals.db import connection as database
from renewals.db.connection import Row
from renewals.instances import queries as instances_queries
from renewals.operators import queries as operators_queries
from renewals.orders import queries as orders_queries
from schema.execution import federation
from schema.execution.schema import RenewalSchema
from schema.operator import accounts, instances, orders, query, schema
from schema.operator.context import Info

Entity = Annotated[
    accounts.Account | instances.Instance | orders.RenewOrder, strawberry.union(federation.ENTITY)
]


async def _resolve_entities(info: Info, representations: list[FederationAny]) -> list[Entity | None]:
    async def fetch_instances(ids: Sequence[str]) -> Mapping[str, Row]:
        return await instances_queries.fetch_instances_of_accounts(database.pool(), ids, info.context.now)

    return await federation.resolve_entities(
        representations,
        {"Account": _fetch_accounts, "Instance": fetch_instances, "RenewOrder": _fetch_orders},
    )


async def _fetch_accounts(ids: Sequence[str]) -> Mapping[str, Row]:
    return await operators_queries.fetch_accounts_by_id(database.pool(), ids)


async def _fetch_orders(ids: Sequence[str]) -> Mapping[str, Row | None]:
    return await federation.fetch_by_uuid(
        ids, functools.partial(orders_queries.fetch_orders_by_id, database.pool(), None)
    )


@strawberry.type(name="Query", description=query.DESCRIPTION)
class Query(query.Query):
    subgraph = federation.service_field()
    entities = strawberry.field(
        name="_entities",
        resolver=_resolve_entities,
        description="The entity of each representation. Null: it does not exist.",
    )


@functools.cache
def build() -> RenewalSchema:
    """Return the subgraph, which the first call builds."""
    return schema.build(Query, federation.SubgraphSchema)
