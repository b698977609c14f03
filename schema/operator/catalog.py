"""Products with their discount tiers, data centers and their types."""

import strawberry

from renewals import catalog
from renewals.db import connection as database
from schema.customer import catalog as customer_catalog
from schema.fields import sources
from schema.operator.scalars import Percent


@strawberry.type(
    description=(
        "A discount for longer renewals. If a renewal reaches several tiers, the one with the most months applies."
    )
)
class DiscountTier:
    months: int = strawberry.field(description="The minimum number of months for this discount.")
    discount_percent: Percent = sources.column("discount_bps", description="Percent off the list price.")


@strawberry.type(description="A product of the catalog.")
class Product:
    code: strawberry.ID = strawberry.field(description="Identifies the product in instances and vouchers.")
    name: str = strawberry.field(description="English name.")
    name_zh: str = strawberry.field(description="Chinese name.")
    renewable: bool = strawberry.field(
        description="False if there is an unsupported reason in either language."
    )
    unsupported_reason: str | None = strawberry.field(
        description="Why instances of the product cannot be renewed here, in English. Customers read this text."
    )
    unsupported_reason_zh: str | None = strawberry.field(
        description="The reason in Chinese. Null in both languages: instances of the product can be renewed."
    )
    max_term_months: int = strawberry.field(
        description=(
            "The longest term. A renewal can set an expiry at most this number of months from now or, if the worker "
            "renews, from the old expiry."
        )
    )
    retention_days: int = strawberry.field(
        description=(
            "Days between the expiry of an instance and its release. In a bundle, the longest retention of any member "
            "applies."
        )
    )
    tiers: list[DiscountTier] = strawberry.field(description="Discount tiers, ordered by months.")


async def resolve_products() -> list[Product]:
    """Return all products, ordered by code."""
    products: list[Product] = await catalog.list_products(database.pool())  # type: ignore[assignment]
    return products


resolve_data_center_types = customer_catalog.resolve_data_center_types
resolve_data_centers = customer_catalog.resolve_data_centers
