"""Products and data centres."""

import strawberry

from renewals import catalog
from renewals.db import connection as database
from renewals.domain import model


@strawberry.type
class Product:
    code: strawberry.ID
    name: str
    name_zh: str
    renewable: bool
    unsupported_reason: str | None = strawberry.field(description="Why renewal management does not serve it.")
    max_term_months: int
    retention_days: int


@strawberry.type
class DataCenter:
    code: strawberry.ID
    name: str
    type: model.DataCenterType


async def resolve_products() -> list[Product]:
    return list(await catalog.fetch_products(database.pool()))


async def resolve_data_centers() -> list[DataCenter]:
    return list(await catalog.fetch_data_centers(database.pool()))
