"""The catalog. Only this module writes `products`, `discount_tiers`, `data_center_types` and `data_centers`."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from renewals.db import connection as database
from renewals.db import sql, statements
from renewals.db.connection import Connection, Row
from renewals.domain import model, pricing


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A product with its names and discount tiers; a product that cannot be renewed has a reason (rule 2)."""

    code: str
    name: str
    name_zh: str
    unsupported_reason: str | None = None
    unsupported_reason_zh: str | None = None
    max_term_months: int = model.TERM_MONTHS_DEFAULT
    retention_days: int = model.RETENTION_DAYS_DEFAULT
    tiers: tuple[pricing.DiscountTier, ...] = ()

    @property
    def renewable(self) -> bool:
        """Whether instances of the product can be renewed."""
        return self.unsupported_reason is None and self.unsupported_reason_zh is None


@dataclass(frozen=True, slots=True)
class DataCenterTypeRecord:
    """A type of data centers, with its names (rule 4)."""

    code: str
    name: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class DataCenterRecord:
    """A data center; `type` is the code of its type."""

    code: str
    name: str
    type: str


async def upsert_products(connection: database.Connection, products: Sequence[ProductRecord]) -> None:
    """Insert products or update all their columns, and replace their discount tiers."""
    rows = [
        (
            p.code,
            p.name,
            p.name_zh,
            p.unsupported_reason,
            p.unsupported_reason_zh,
            p.max_term_months,
            p.retention_days,
            p.renewable,
        )
        for p in products
    ]
    await database.execute(
        connection,
        """INSERT INTO products
             (code, name, name_zh, unsupported_reason, unsupported_reason_zh, max_term_months, retention_days,
              renewable)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[],
             $8::boolean[])
           ON CONFLICT (code) DO UPDATE SET
             name = excluded.name, name_zh = excluded.name_zh, renewable = excluded.renewable,
             unsupported_reason = excluded.unsupported_reason,
             unsupported_reason_zh = excluded.unsupported_reason_zh,
             max_term_months = excluded.max_term_months, retention_days = excluded.retention_days""",
        *sql.transpose(rows, 8),
    )
    await database.execute(
        connection, "DELETE FROM discount_tiers WHERE product_code = ANY($1)", [p.code for p in products]
    )
    tiers = [(p.code, tier.months, tier.discount_bps) for p in products for tier in p.tiers]
    await database.execute(
        connection,
        """INSERT INTO discount_tiers (product_code, months, discount_bps)
           SELECT * FROM unnest($1::text[], $2::int[], $3::int[])""",
        *sql.transpose(tiers, 3),
    )


async def upsert_data_center_types(
    connection: database.Connection, types: Sequence[DataCenterTypeRecord]
) -> None:
    """Insert types of data centers or update their names."""
    await database.execute(
        connection,
        """INSERT INTO data_center_types (code, name, name_zh)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
           ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_zh = excluded.name_zh""",
        *sql.transpose([(t.code, t.name, t.name_zh) for t in types], 3),
    )


async def upsert_data_centers(connection: database.Connection, centers: Sequence[DataCenterRecord]) -> None:
    """Insert data centers or update all their columns."""
    await database.execute(
        connection,
        """INSERT INTO data_centers (code, name, type_code) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
           ON CONFLICT (code) DO UPDATE SET name = excluded.name, type_code = excluded.type_code""",
        *sql.transpose([(c.code, c.name, c.type) for c in centers], 3),
    )


async def lock_catalog(connection: database.Connection) -> None:
    """Lock the catalog against writes by other transactions until the current transaction ends."""
    await database.execute(
        connection, "LOCK TABLE products, data_center_types, data_centers IN SHARE ROW EXCLUSIVE MODE"
    )


async def list_products(connection: database.Connection) -> list[ProductRecord]:
    """Return all products in order of code, with their names and discount tiers."""
    rows = await database.fetch(
        connection,
        """SELECT p.code, p.name, p.name_zh, p.unsupported_reason, p.unsupported_reason_zh,
             p.max_term_months, p.retention_days,
             array(SELECT t.months FROM discount_tiers t WHERE t.product_code = p.code ORDER BY t.months) AS months,
             array(SELECT t.discount_bps FROM discount_tiers t WHERE t.product_code = p.code ORDER BY t.months) AS bps
           FROM products p ORDER BY p.code""",
    )
    return [
        ProductRecord(
            code=row["code"],
            name=row["name"],
            name_zh=row["name_zh"],
            unsupported_reason=row["unsupported_reason"],
            unsupported_reason_zh=row["unsupported_reason_zh"],
            max_term_months=row["max_term_months"],
            retention_days=row["retention_days"],
            tiers=tuple(map(pricing.DiscountTier, row["months"], row["bps"])),
        )
        for row in rows
    ]


async def list_data_center_types(connection: database.Connection) -> list[DataCenterTypeRecord]:
    """Return all types of data centers in order of code."""
    return [DataCenterTypeRecord(*row) for row in await fetch_data_center_types(connection)]


async def list_data_centers(connection: database.Connection) -> list[DataCenterRecord]:
    """Return all data centers in order of code."""
    rows = await fetch_data_centers(connection)
    return [DataCenterRecord(row["code"], row["name"], row["type_code"]) for row in rows]


async def read_products(connection: database.Connection) -> dict[str, model.Product]:
    """Return all products by code, with their discount tiers, for the planner."""
    return await PRODUCTS.fetch(connection)


def _build_products(rows: statements.Rows) -> dict[str, model.Product]:
    products = {}
    for product, product_rows in itertools.groupby(rows, key=lambda row: row[:6]):
        tiers = tuple(pricing.DiscountTier(*row[6:]) for row in product_rows if row[6] is not None)
        products[product[0]] = model.Product(*(*product, tiers))
    return products


PRODUCTS = statements.Query(
    """SELECT p.code, p.renewable, p.unsupported_reason, p.unsupported_reason_zh, p.max_term_months, p.retention_days,
         t.months, t.discount_bps
       FROM products p LEFT JOIN discount_tiers t ON t.product_code = p.code ORDER BY p.code, t.months""",
    (),
    _build_products,
)
"""The query of `read_products`."""


async def fetch_products(connection: Connection) -> Sequence[Row]:
    """Return the rows of all products in order of code, for the API."""
    return await database.fetch(
        connection,
        """SELECT code, name, name_zh, renewable, unsupported_reason, unsupported_reason_zh,
             max_term_months, retention_days
           FROM products ORDER BY code""",
    )


async def fetch_data_center_types(connection: Connection) -> Sequence[Row]:
    """Return the rows of all types of data centers in order of code, for the API."""
    return await database.fetch(connection, "SELECT code, name, name_zh FROM data_center_types ORDER BY code")


async def fetch_discount_tiers(connection: Connection, codes: Sequence[str]) -> dict[str, list[Row]]:
    """Return the discount tiers of the given products, by product code; each list is sorted by months."""
    rows = await database.fetch(
        connection,
        """SELECT product_code, months, discount_bps FROM discount_tiers
           WHERE product_code = ANY($1) ORDER BY product_code, months""",
        codes,
    )
    return sql.group_by_column(rows, "product_code")


async def fetch_data_centers(connection: Connection) -> Sequence[Row]:
    """Return the rows of all data centers in order of code, for the API."""
    return await database.fetch(connection, "SELECT code, name, type_code FROM data_centers ORDER BY code")
