"""Products with their discount tiers, and data centres, as operators list them."""

import strawberry

from renewals import catalog
from renewals.db import connection as database
from schema.customer import catalog as customer_catalog
from schema.fields import sources
from schema.operator.scalars import Percent


@strawberry.type
class DiscountTier:
    months: int = strawberry.field(description="From so many months on.")
    discount_percent: Percent = sources.column("discount_bps")


@strawberry.type
class Product:
    code: strawberry.ID
    name: str
    name_zh: str
    renewable: bool
    unsupported_reason: str | None
    max_term_months: int
    retention_days: int
    tiers: list[DiscountTier]


async def resolve_products() -> list[Product]:
    found: list[Product] = await catalog.list_products(database.pool())  # type: ignore[assignment]
    return found


resolve_data_centers = customer_catalog.resolve_data_centers
