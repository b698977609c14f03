"""Strawberry with Tortoise's models, as their documentation shows: stock view, prefetched relations, no caches."""

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from tortoise import Tortoise
from tortoise.expressions import Q

from benchmarks.peers import store
from benchmarks.peers.strawberry_types import (
    CONFIG,
    DataCenter,
    Instance,
    InstanceConnection,
    InstanceFilter,
    Money,
    Product,
)
from renewals.db import models
from renewals.domain import model


def instance_of(model: models.Instance) -> Instance:
    return Instance(
        id=strawberry.ID(model.id),
        name=model.name,
        billing_mode=model.billing_mode,
        is_trial=model.is_trial,
        status=model.status,
        renewal_mode=model.renewal_mode,
        auto_renew_months=model.auto_renew_months,
        expires_at=model.expires_at,
        monthly_price=Money(model.monthly_price_cents),
        created_at=model.created_at,
        product=Product(name=model.product.name),
        data_center=DataCenter(name=model.data_center.name),
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
        released, one_off = model.InstanceStatus.RELEASED, model.BillingMode.ONE_OFF
        matching = models.Instance.filter(
            account_id=info.context["account_id"],
            product__renewable=True,
            is_trial=False,
            renewal_mode=filter.tab.value,
            expires_at__gte=filter.expires_from,
            expires_at__lt=filter.expires_before,
        ).exclude(Q(billing_mode=one_off) | Q(status=released))
        page = matching.order_by("expires_at", "id").limit(first).prefetch_related("product", "data_center")
        return InstanceConnection(
            total_count=await matching.count(), nodes=[instance_of(model) for model in await page]
        )


class View(GraphQL[dict[str, Any], None]):
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> dict[str, Any]:
        key = await models.ApiKey.get_or_none(secret_hash=store.secret_hash(request)).values("account_id")
        if key is None:
            raise HTTPException(401)
        return key


@contextlib.asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    address = os.environ["DATABASE_URL"].partition("://")[2]
    await Tortoise.init(
        db_url=f"asyncpg://{address}?minsize=1&maxsize={store.POOL_SIZE}",
        modules={"renewals": ["renewals.db.models"]},
        _enable_global_fallback=True,
    )
    yield
    await Tortoise.close_connections()


view = View(strawberry.Schema(Query, config=CONFIG))
app = Starlette(routes=[Route("/graphql", view)], lifespan=lifespan)
