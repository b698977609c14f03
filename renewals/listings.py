"""The catalogue as its provider puts it: all entries of a call, or none."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from renewals import audit, catalogue, checks, pricing
from renewals.audit import Action, Call, Deed, Told
from renewals.catalogue import DataCenterEntry, ProductEntry
from renewals.database import Connection

Entry = TypeVar("Entry", ProductEntry, DataCenterEntry)


async def put_products(call: Call, entries: Sequence[ProductEntry]) -> Told:
    """Adds products or replaces what is known of them, tiers included; answers counts."""
    checks.require_rows("products", entries)
    checks.require_once("products", "code", [entry.code for entry in entries])
    for number, entry in enumerate(entries):
        _check_product(f"products.{number}", entry)
    sorted_entries = [dataclasses.replace(entry, tiers=tuple(sorted(entry.tiers))) for entry in entries]
    return await _put(
        call, Action.PUT_PRODUCTS, sorted_entries, catalogue.list_products, catalogue.put_products
    )


async def put_data_centers(call: Call, entries: Sequence[DataCenterEntry]) -> Told:
    """Adds data centres or replaces what is known of them; answers counts."""
    checks.require_rows("dataCenters", entries)
    checks.require_once("dataCenters", "code", [entry.code for entry in entries])
    for number, entry in enumerate(entries):
        checks.require(f"dataCenters.{number}.code", checks.identifier(entry.code))
        checks.require(f"dataCenters.{number}.name", checks.name(entry.name))
    return await _put(
        call, Action.PUT_DATA_CENTERS, entries, catalogue.list_data_centers, catalogue.put_data_centers
    )


async def _put(
    call: Call,
    action: Action,
    entries: Sequence[Entry],
    read: Callable[[Connection], Awaitable[list[Entry]]],
    put: Callable[[Connection, Sequence[Entry]], Awaitable[None]],
) -> Told:
    async def work(connection: Connection) -> Deed:
        await catalogue.lock(connection)
        known: dict[str, Entry] = {entry.code: entry for entry in await read(connection)}
        created: list[Entry] = [entry for entry in entries if entry.code not in known]
        changed: list[Entry] = [
            entry for entry in entries if entry.code in known and entry != known[entry.code]
        ]
        await put(connection, created + changed)
        counts = {
            "created_count": len(created),
            "changed_count": len(changed),
            "unchanged_count": len(entries) - len(created) - len(changed),
        }
        return Deed(
            counts,
            before={entry.code: known[entry.code] for entry in changed},
            after={entry.code: entry for entry in (*created, *changed)},
        )

    return await audit.once(call, action, {"entries": entries}, work)


def _check_product(path: str, entry: ProductEntry) -> None:
    checks.require(f"{path}.code", checks.identifier(entry.code))
    checks.require(f"{path}.name", checks.name(entry.name))
    checks.require(f"{path}.nameZh", checks.name(entry.name_zh))
    if entry.unsupported_reason is not None:
        checks.require(f"{path}.unsupportedReason", checks.text(entry.unsupported_reason, 1))
    checks.require(f"{path}.maxTermMonths", checks.within(entry.max_term_months, 1, checks.TERM_MONTHS_MAX))
    checks.require(f"{path}.retentionDays", checks.within(entry.retention_days, 0, checks.RETENTION_DAYS_MAX))
    checks.require(f"{path}.tiers", _wrong_tiers(entry.tiers))
    for number, tier in enumerate(entry.tiers):
        months, bps = f"{path}.tiers.{number}.months", f"{path}.tiers.{number}.discountPercent"
        checks.require(months, checks.within(tier.months, 1, checks.TERM_MONTHS_MAX))
        checks.require(bps, checks.within_hundredths(tier.discount_bps, 0, pricing.WHOLE_BPS))


def _wrong_tiers(tiers: Sequence[pricing.DiscountTier]) -> str | None:
    months = [tier.months for tier in tiers]
    return "has the same months more than once" if len(set(months)) < len(months) else None
