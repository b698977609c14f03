"""Products, data centers and their types."""

from typing import cast

import strawberry

from renewals import catalog
from renewals.db import connection as database
from renewals.db.connection import Row
from renewals.domain import pricing
from renewals.domain.messages import ProvidedText
from renewals.i18n import catalogs
from schema.context import Info
from schema.fields import sources


def _format_discount(tier: strawberry.Parent[Row]) -> str:
    return pricing.format_percent(sources.read(tier, "discount_bps"))


@strawberry.type(description="A discount for longer renewals.")
class DiscountTier:
    months: int = strawberry.field(
        description=(
            "The minimum number of months for this discount. If a renewal reaches several tiers, the one with the most "
            "months applies."
        )
    )
    discount_percent = sources.computed(
        _format_discount,
        "discount_bps",
        description='Percent of the list price, without trailing zeros, such as "17", "12.5" or "8.25".',
    )


def _read_reason(row: strawberry.Parent[Row], info: Info) -> str | None:
    """Return the reason in the caller's language, or else in the other language; None if there is no reason."""
    reason = ProvidedText(row["unsupported_reason"], row["unsupported_reason_zh"])
    return catalogs.translate(reason, info.context.language) or None


@strawberry.type(description="A product of the catalog.")
class Product:
    code: strawberry.ID = strawberry.field(description="The provider's code, such as kec.")
    name: str = strawberry.field(description="The name in English.")
    name_zh: str = strawberry.field(description="The name in Chinese.")
    renewable: bool = strawberry.field(
        description="Whether renewal management serves the product. If not, see unsupportedReason."
    )
    unsupported_reason = sources.computed(
        _read_reason,
        "unsupported_reason",
        "unsupported_reason_zh",
        description=(
            "Why renewal management does not serve the product. If the provider has no text in the caller's language, "
            "the text is in the other language. Null for a product that is served."
        ),
    )
    max_term_months: int = strawberry.field(
        description=(
            "The longest term. A renewal can set an expiry at most this number of months from now or, if the worker "
            "renews, from the old expiry."
        )
    )
    retention_days: int = strawberry.field(
        description=(
            "Days from an instance's expiry until it is released permanently unless it is renewed. In a bundle, the "
            "longest retention of any member applies."
        )
    )
    discount_tiers: list[DiscountTier] = sources.loaded(
        lambda load: load.discount_tiers,
        "code",
        description="The discounts for longer renewals, ordered by months. Empty if there are none.",
    )


@strawberry.type(description="A type of data centers (机房类型): a row of the provider's catalog.")
class DataCenterType:
    code: strawberry.ID = strawberry.field(
        description="The provider's code, such as VPC. Filters and facets use it."
    )
    name: str = strawberry.field(description="The name in English.")
    name_zh: str = strawberry.field(description="The name in Chinese.")


@strawberry.type(description="A data center (机房) of the catalog.")
class DataCenter:
    code: strawberry.ID = strawberry.field(description="The provider's code, such as bj-1.")
    name: str = strawberry.field(description="The display name.")
    type: DataCenterType = sources.loaded(
        lambda load: load.data_center_type,
        "type_code",
        joined="type",
        description="The kind of network or site (机房类型).",
    )


async def resolve_products() -> list[Product]:
    """Return all products of the catalog."""
    return cast("list[Product]", await catalog.fetch_products(database.pool()))


async def resolve_data_center_types() -> list[DataCenterType]:
    """Return all types of data centers of the catalog."""
    return cast("list[DataCenterType]", await catalog.fetch_data_center_types(database.pool()))


async def resolve_data_centers() -> list[DataCenter]:
    """Return all data centers of the catalog."""
    return cast("list[DataCenter]", await catalog.fetch_data_centers(database.pool()))
