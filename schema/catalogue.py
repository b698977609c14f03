"""Products and data centres."""

from typing import Self

import strawberry

from renewals import database, details, terms
from renewals.database import Row


@strawberry.type
class Product:
    code: strawberry.ID
    name: str
    name_zh: str
    renewable: bool
    unsupported_reason: str | None = strawberry.field(description="Why renewal management does not serve it.")
    max_term_months: int
    retention_days: int

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(**dict(row))


@strawberry.type
class DataCenter:
    code: strawberry.ID
    name: str
    type: terms.DataCenterType

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(code=row["code"], name=row["name"], type=terms.DataCenterType(row["type"]))


async def resolve_products() -> list[Product]:
    return [Product.of(row) for row in await details.fetch_products(database.pool())]


async def resolve_data_centers() -> list[DataCenter]:
    return [DataCenter.of(row) for row in await details.fetch_data_centers(database.pool())]
