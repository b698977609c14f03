"""The creation and update of products, data centers and data center types.

If one entry of a request is invalid, the whole request is refused.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from renewals import catalog
from renewals.catalog import DataCenterRecord, DataCenterTypeRecord, ProductRecord
from renewals.db.connection import Connection
from renewals.domain import pricing
from renewals.domain import validation as domain_validation
from renewals.domain.messages import CountedMessage, Message
from renewals.operators import audit_log, validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest

Entry = TypeVar("Entry", ProductRecord, DataCenterTypeRecord, DataCenterRecord)


async def put_products(call: OperatorRequest, products: Sequence[ProductRecord]) -> IdempotentResult:
    """Create or replace products with their discount tiers; return how many were created, changed and unchanged.

    Raises InvalidInputError.
    """
    _check_entries("products", products, validate_product)
    entries = [normalized(product) for product in products]
    return await audit_log.run_once(
        call, Action.PUT_PRODUCTS, {"entries": entries}, _put_in, PRODUCTS, entries
    )


async def put_data_center_types(
    call: OperatorRequest, types: Sequence[DataCenterTypeRecord]
) -> IdempotentResult:
    """Create or rename types of data centers; return how many were created, changed and unchanged.

    Raises InvalidInputError.
    """
    _check_entries("dataCenterTypes", types, validate_data_center_type)
    return await audit_log.run_once(
        call, Action.PUT_DATA_CENTER_TYPES, {"entries": types}, _put_in, DATA_CENTER_TYPES, types
    )


async def put_data_centers(call: OperatorRequest, centers: Sequence[DataCenterRecord]) -> IdempotentResult:
    """Create or replace data centers; return how many were created, changed and unchanged.

    Raises InvalidInputError, including for a type that is not in the catalog.
    """
    _check_entries("dataCenters", centers, validate_data_center)
    return await audit_log.run_once(
        call, Action.PUT_DATA_CENTERS, {"entries": centers}, _put_data_centers_in, centers
    )


class CatalogTable(NamedTuple, Generic[Entry]):
    """The functions that read and write one table of the catalog."""

    list_entries: Callable[[Connection], Awaitable[list[Entry]]]
    upsert_entries: Callable[[Connection, Sequence[Entry]], Awaitable[None]]


PRODUCTS = CatalogTable(catalog.list_products, catalog.upsert_products)
DATA_CENTER_TYPES = CatalogTable(catalog.list_data_center_types, catalog.upsert_data_center_types)
DATA_CENTERS = CatalogTable(catalog.list_data_centers, catalog.upsert_data_centers)


async def _put_in(
    connection: Connection, _: OperatorRequest, table: CatalogTable[Entry], entries: Sequence[Entry]
) -> AuditedChange:
    return await put_entries_in(connection, table, entries)


async def _put_data_centers_in(
    connection: Connection, _: OperatorRequest, centers: Sequence[DataCenterRecord]
) -> AuditedChange:
    problems = await find_unknown_types_in(connection, centers)
    for number, center in enumerate(centers):
        domain_validation.raise_if_invalid(f"dataCenters.{number}.type", problems.get(center.type))
    return await put_entries_in(connection, DATA_CENTERS, centers)


async def find_unknown_types_in(
    connection: Connection, centers: Sequence[DataCenterRecord]
) -> dict[str, Message]:
    """Return, by code, the problem with each type that the data centers have and the catalog lacks.

    The catalog is locked, so that the types exist until the transaction ends.
    """
    await catalog.lock_catalog(connection)
    known = {entry.code for entry in await catalog.list_data_center_types(connection)}
    return {
        code: Message("unknown data center type {code!r}; add it to the catalog first", code=code)
        for code in {center.type for center in centers} - known
    }


async def put_entries_in(
    connection: Connection, table: CatalogTable[Entry], entries: Sequence[Entry]
) -> AuditedChange:
    """Insert the entries with new codes, update the entries that differ from the catalog, and return the change.

    The entries must be valid and have unique codes.
    """
    await catalog.lock_catalog(connection)
    before: dict[str, Entry] = {entry.code: entry for entry in await table.list_entries(connection)}
    after = [normalized(entry) for entry in entries]
    created: list[Entry] = [entry for entry in after if entry.code not in before]
    changed: list[Entry] = [entry for entry in after if entry.code in before and entry != before[entry.code]]
    await table.upsert_entries(connection, created + changed)
    counts = {
        "created_count": len(created),
        "changed_count": len(changed),
        "unchanged_count": len(entries) - len(created) - len(changed),
    }
    return AuditedChange(
        counts,
        before={entry.code: before[entry.code] for entry in changed},
        after={entry.code: entry for entry in (*created, *changed)},
    )


def normalized(entry: Entry) -> Entry:
    """Return the entry; the discount tiers of a product are sorted as in the catalog."""
    if isinstance(entry, ProductRecord):
        return dataclasses.replace(entry, tiers=tuple(sorted(entry.tiers)))
    return entry


def validate_product(entry: ProductRecord) -> Iterator[tuple[str, Message | None]]:
    """Yield the path of each checked field of a product, and the problem with its value or None."""
    yield "code", domain_validation.identifier(entry.code)
    yield "name", domain_validation.name(entry.name)
    yield "nameZh", domain_validation.name(entry.name_zh)
    if entry.unsupported_reason is not None:
        yield "unsupportedReason", domain_validation.text(entry.unsupported_reason, 1)
    if entry.unsupported_reason_zh is not None:
        yield "unsupportedReasonZh", domain_validation.text(entry.unsupported_reason_zh, 1)
    yield (
        "maxTermMonths",
        domain_validation.check_range(entry.max_term_months, 1, domain_validation.TERM_MONTHS_MAX),
    )
    yield (
        "retentionDays",
        domain_validation.check_range(entry.retention_days, 0, domain_validation.RETENTION_DAYS_MAX),
    )
    yield "tiers", _validate_tiers(entry.tiers)
    for number, tier in enumerate(entry.tiers):
        yield (
            f"tiers.{number}.months",
            domain_validation.check_range(tier.months, 1, domain_validation.TERM_MONTHS_MAX),
        )
        bps_problem = domain_validation.check_decimal_range(tier.discount_bps, 0, pricing.BASIS_POINTS)
        yield f"tiers.{number}.discountPercent", bps_problem


def validate_data_center_type(entry: DataCenterTypeRecord) -> Iterator[tuple[str, Message | None]]:
    """Yield the path of each field of a type of data centers, and the problem with its value or None."""
    yield "code", domain_validation.identifier(entry.code)
    yield "name", domain_validation.name(entry.name)
    yield "nameZh", domain_validation.name(entry.name_zh)


def validate_data_center(entry: DataCenterRecord) -> Iterator[tuple[str, Message | None]]:
    """Yield the path of each checked field of a data center, and the problem with its value or None."""
    yield "code", domain_validation.identifier(entry.code)
    yield "name", domain_validation.name(entry.name)


def _check_entries(
    field: str,
    entries: Sequence[Entry],
    validate_entry: Callable[[Entry], Iterator[tuple[str, Message | None]]],
) -> None:
    validation.require_rows(field, entries)
    domain_validation.require_unique(field, "code", [entry.code for entry in entries])
    for number, entry in enumerate(entries):
        for path, problem in validate_entry(entry):
            domain_validation.raise_if_invalid(f"{field}.{number}.{path}", problem)


def _validate_tiers(tiers: Sequence[pricing.DiscountTier]) -> Message | None:
    repeated = domain_validation.find_repeated(tier.months for tier in tiers)
    if repeated is None:
        return None
    return CountedMessage(
        "must have only one tier for {count} month",
        "must have only one tier for {count} months",
        count=repeated,
    )
