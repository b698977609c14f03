"""Strawberry with the usual optimizations: cached parsing and validation, one statement through asyncpg, orjson."""

from typing import Any

import orjson
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from benchmarks.peers import store
from benchmarks.peers.strawberry_types import (
    CONFIG,
    DataCenter,
    Instance,
    InstanceConnection,
    InstanceFilter,
    Product,
)
from renewals.domain import model


def instance_of(row: Any) -> Instance:
    return Instance(
        id=row["id"],
        name=row["name"],
        billing_mode=model.BillingMode(row["billing_mode"]),
        is_trial=row["is_trial"],
        status=model.InstanceStatus(row["status"]),
        renewal_mode=model.RenewalMode(row["renewal_mode"]),
        auto_renew_months=row["auto_renew_months"],
        expires_at=row["expires_at"],
        monthly_price=row["monthly_price_cents"],
        created_at=row["created_at"],
        product=Product(name=row["product_name"]),
        data_center=DataCenter(name=row["data_center_name"]),
    )


@strawberry.type
class Query:
    @strawberry.field
    async def instances(
        self,
        info: strawberry.Info[Any, None],
        filter: InstanceFilter,  # noqa: A002
        first: int,
    ) -> InstanceConnection:
        rows = await store.fetch_instances(
            info.context["account_id"], filter.tab, filter.expires_from, filter.expires_before, first
        )
        return InstanceConnection(
            total_count=rows[0]["total"] if rows else 0, nodes=[instance_of(row) for row in rows]
        )


class View(GraphQL[dict[str, Any], None]):
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> dict[str, Any]:
        return {"account_id": await store.authenticate(request)}

    def decode_json(self, data: str | bytes) -> Any:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


schema = strawberry.Schema(
    Query,
    config=CONFIG,
    extensions=[lambda: ParserCache(maxsize=200), lambda: ValidationCache(maxsize=200)],
)
app = Starlette(routes=[Route("/graphql", View(schema))], lifespan=store.opened)
