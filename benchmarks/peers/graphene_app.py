"""Graphene with starlette-graphene3, a documented way to serve it over ASGI; asyncpg and a join.

Reading the rows costs the same as in the tuned Strawberry, so only the libraries are compared.
"""

from typing import Any

import graphene
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Mount
from starlette_graphene3 import GraphQLApp

from benchmarks.peers import store


class BillingMode(graphene.Enum):
    PREPAID = "PREPAID"
    ONE_OFF = "ONE_OFF"
    PAY_AS_YOU_GO = "PAY_AS_YOU_GO"


class InstanceStatus(graphene.Enum):
    RUNNING = "RUNNING"
    EXPIRED = "EXPIRED"
    RELEASED = "RELEASED"


class RenewalMode(graphene.Enum):
    MANUAL = "MANUAL"
    AUTO = "AUTO"
    NONE = "NONE"


class RenewalTab(graphene.Enum):
    MANUAL = "MANUAL"
    AUTO = "AUTO"
    NONE = "NONE"
    NO_EXPIRY = "NO_EXPIRY"


class Product(graphene.ObjectType):
    name = graphene.String(required=True)


class DataCenter(graphene.ObjectType):
    name = graphene.String(required=True)


class Instance(graphene.ObjectType):
    id = graphene.ID(required=True)
    name = graphene.String(required=True)
    billing_mode = graphene.Field(BillingMode, required=True)
    is_trial = graphene.Boolean(required=True)
    status = graphene.Field(InstanceStatus, required=True)
    renewal_mode = graphene.Field(RenewalMode, required=True)
    auto_renew_months = graphene.Int(required=True)
    expires_at = graphene.DateTime()
    monthly_price = graphene.String(required=True)
    created_at = graphene.DateTime(required=True)
    product = graphene.Field(Product, required=True)
    data_center = graphene.Field(DataCenter, required=True)

    @classmethod
    def of(cls, row: Any) -> "Instance":
        return cls(
            id=row["id"],
            name=row["name"],
            billing_mode=row["billing_mode"],
            is_trial=row["is_trial"],
            status=row["status"],
            renewal_mode=row["renewal_mode"],
            auto_renew_months=row["auto_renew_months"],
            expires_at=row["expires_at"],
            monthly_price=store.money(row["monthly_price_cents"]),
            created_at=row["created_at"],
            product=Product(name=row["product_name"]),
            data_center=DataCenter(name=row["data_center_name"]),
        )


class InstanceConnection(graphene.ObjectType):
    total_count = graphene.Int(required=True)
    nodes = graphene.List(graphene.NonNull(Instance), required=True)


class InstanceFilter(graphene.InputObjectType):
    tab = graphene.Field(RenewalTab, required=True)
    expires_from = graphene.DateTime(required=True)
    expires_before = graphene.DateTime(required=True)


class Query(graphene.ObjectType):
    instances = graphene.Field(
        graphene.NonNull(InstanceConnection),
        filter=InstanceFilter(required=True),
        first=graphene.Int(required=True),
    )

    async def resolve_instances(
        self,
        info: Any,
        filter: Any,  # noqa: A002
        first: int,
    ) -> InstanceConnection:
        window = filter.expires_from, filter.expires_before
        total, rows = await store.fetch_instances(
            info.context["account_id"], filter.tab.value, *window, first
        )
        return InstanceConnection(total_count=total, nodes=[Instance.of(row) for row in rows])


async def context_of(connection: HTTPConnection) -> dict[str, Any]:
    return {"account_id": await store.authenticate(connection), "request": connection}


app = Starlette(
    routes=[Mount("/graphql", GraphQLApp(graphene.Schema(query=Query), context_value=context_of))],
    lifespan=store.opened,
)
