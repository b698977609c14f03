"""Ariadne with its own ASGI application: schema first, plain dicts, asyncpg and a join.

Reading the rows costs the same as in the tuned Strawberry, so only the libraries are compared.
"""

import datetime as dt
from typing import Any

from ariadne import QueryType, ScalarType, make_executable_schema
from ariadne.asgi import GraphQL
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from benchmarks.peers import store

SDL = """
scalar DateTime
scalar Money
enum BillingMode { PREPAID ONE_OFF PAY_AS_YOU_GO }
enum InstanceStatus { RUNNING EXPIRED RELEASED }
enum RenewalMode { MANUAL AUTO NONE }
enum RenewalTab { MANUAL AUTO NONE NO_EXPIRY }
type Product { name: String! }
type DataCenter { name: String! }
type Instance {
  id: ID!
  name: String!
  billingMode: BillingMode!
  isTrial: Boolean!
  status: InstanceStatus!
  renewalMode: RenewalMode!
  autoRenewMonths: Int!
  expiresAt: DateTime
  monthlyPrice: Money!
  createdAt: DateTime!
  product: Product!
  dataCenter: DataCenter!
}
type InstanceConnection { totalCount: Int!  nodes: [Instance!]! }
input InstanceFilter { tab: RenewalTab!  expiresFrom: DateTime!  expiresBefore: DateTime! }
type Query { instances(filter: InstanceFilter!, first: Int!): InstanceConnection! }
"""

query = QueryType()


@query.field("instances")
async def resolve_instances(
    _: object,
    info: Any,
    filter: dict[str, Any],  # noqa: A002
    first: int,
) -> dict[str, Any]:
    window = filter["expiresFrom"], filter["expiresBefore"]
    total, rows = await store.fetch_instances(info.context["account_id"], filter["tab"], *window, first)
    return {"totalCount": total, "nodes": [store.node(row) for row in rows]}


async def context_of(request: Request, _: object) -> dict[str, Any]:
    return {"account_id": await store.authenticate(request)}


date_time = ScalarType("DateTime", serializer=dt.datetime.isoformat, value_parser=dt.datetime.fromisoformat)
money = ScalarType("Money", serializer=str)
schema = make_executable_schema(SDL, query, date_time, money)
app = Starlette(routes=[Mount("/graphql", GraphQL(schema, context_value=context_of))], lifespan=store.opened)
