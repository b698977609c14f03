"""The catalogue as its provider puts it: all entries of a call, or none."""

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from renewals import catalog
from renewals.catalog import DataCenterRecord, ProductRecord
from renewals.db.connection import Connection
from renewals.domain import pricing
from renewals.domain import validation as domain_validation
from renewals.operators import audit_log, validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest

Entry = TypeVar("Entry", ProductRecord, DataCenterRecord)


async def put_products(call: OperatorRequest, entries: Sequence[ProductRecord]) -> IdempotentResult:
    """Adds products or replaces what is known of them, tiers included; answers counts."""
    validation.require_rows("products", entries)
    domain_validation.require_unique("products", "code", [entry.code for entry in entries])
    for number, entry in enumerate(entries):
        for field, problem in validate_product(entry):
            domain_validation.raise_if_invalid(f"products.{number}.{field}", problem)

    async def work(connection: Connection) -> AuditedChange:
        return await put_in(connection, PRODUCTS, entries)

    return await audit_log.run_once(
        call, Action.PUT_PRODUCTS, {"entries": [normalized(entry) for entry in entries]}, work
    )


async def put_data_centers(call: OperatorRequest, entries: Sequence[DataCenterRecord]) -> IdempotentResult:
    """Adds data centres or replaces what is known of them; answers counts."""
    validation.require_rows("dataCenters", entries)
    domain_validation.require_unique("dataCenters", "code", [entry.code for entry in entries])
    for number, entry in enumerate(entries):
        for field, problem in validate_data_center(entry):
            domain_validation.raise_if_invalid(f"dataCenters.{number}.{field}", problem)

    async def work(connection: Connection) -> AuditedChange:
        return await put_in(connection, DATA_CENTERS, entries)

    return await audit_log.run_once(call, Action.PUT_DATA_CENTERS, {"entries": entries}, work)


class CatalogTable(NamedTuple, Generic[Entry]):
    """How one of the two lists is read and written."""

    read: Callable[[Connection], Awaitable[list[Entry]]]
    write: Callable[[Connection, Sequence[Entry]], Awaitable[None]]


PRODUCTS = CatalogTable(catalog.list_products, catalog.upsert_products)
DATA_CENTERS = CatalogTable(catalog.list_data_centers, catalog.upsert_data_centers)


async def put_in(
    connection: Connection, shelf: CatalogTable[Entry], entries: Sequence[Entry]
) -> AuditedChange:
    """Adds entries that are in order, and replaces those that are others; no code may be there twice."""
    await catalog.lock_catalog(connection)
    known: dict[str, Entry] = {entry.code: entry for entry in await shelf.read(connection)}
    ordered = [normalized(entry) for entry in entries]
    created: list[Entry] = [entry for entry in ordered if entry.code not in known]
    changed: list[Entry] = [entry for entry in ordered if entry.code in known and entry != known[entry.code]]
    await shelf.write(connection, created + changed)
    counts = {
        "created_count": len(created),
        "changed_count": len(changed),
        "unchanged_count": len(entries) - len(created) - len(changed),
    }
    return AuditedChange(
        counts,
        before={entry.code: known[entry.code] for entry in changed},
        after={entry.code: entry for entry in (*created, *changed)},
    )


def normalized(entry: Entry) -> Entry:
    """The entry with its tiers as the catalogue has them."""
    if isinstance(entry, ProductRecord):
        return dataclasses.replace(entry, tiers=tuple(sorted(entry.tiers)))
    return entry


def validate_product(entry: ProductRecord) -> Iterator[tuple[str, str | None]]:
    """What may be wrong with each field of a product: its path, and the problem or None."""
    yield "code", domain_validation.identifier(entry.code)
    yield "name", domain_validation.name(entry.name)
    yield "nameZh", domain_validation.name(entry.name_zh)
    if entry.unsupported_reason is not None:
        yield "unsupportedReason", domain_validation.text(entry.unsupported_reason, 1)
    yield (
        "maxTermMonths",
        domain_validation.check_range(entry.max_term_months, 1, domain_validation.TERM_MONTHS_MAX),
    )
    yield (
        "retentionDays",
        domain_validation.check_range(entry.retention_days, 0, domain_validation.RETENTION_DAYS_MAX),
    )
    yield "tiers", _wrong_tiers(entry.tiers)
    for number, tier in enumerate(entry.tiers):
        yield (
            f"tiers.{number}.months",
            domain_validation.check_range(tier.months, 1, domain_validation.TERM_MONTHS_MAX),
        )
        bps_problem = domain_validation.check_decimal_range(tier.discount_bps, 0, pricing.BASIS_POINTS)
        yield f"tiers.{number}.discountPercent", bps_problem


def validate_data_center(entry: DataCenterRecord) -> Iterator[tuple[str, str | None]]:
    """The same of a data centre."""
    yield "code", domain_validation.identifier(entry.code)
    yield "name", domain_validation.name(entry.name)


def _wrong_tiers(tiers: Sequence[pricing.DiscountTier]) -> str | None:
    months = [tier.months for tier in tiers]
    return "has the same months more than once" if len(set(months)) < len(months) else None
