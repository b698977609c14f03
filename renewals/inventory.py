"""This module alone writes `instances` and `bundles`."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals import database, errors, filters, ledger, periods, planning, terms

COLUMNS = ", ".join(f"i.{name}" for name in terms.Instance._fields)
"""The columns of `terms.Instance` in its order, from `instances i`."""


def columns_at(now: str) -> str:
    """COLUMNS with the status as it is at a placeholder's instant, noted or not."""
    return COLUMNS.replace("i.status", f"{filters.status_at(now)} AS status")


@dataclass(frozen=True, slots=True)
class Registration:
    """An instance as the provider reports it; without a last day it has no expiry."""

    id: str
    name: str
    product_code: str
    data_center_code: str
    monthly_price_cents: int
    created_at: dt.datetime
    last_day: dt.date | None
    anchor_day: int | None = None
    billing_mode: terms.BillingMode = terms.BillingMode.PREPAID
    is_trial: bool = False
    status: terms.InstanceStatus = terms.InstanceStatus.RUNNING
    renewal_mode: terms.RenewalMode = terms.RenewalMode.MANUAL
    auto_renew_months: int = 1
    bundle_id: str | None = None
    configuration: Mapping[str, str] = field(default_factory=dict)

    @property
    def anchor(self) -> int | None:
        """The anchor day that registration sets: the given one, else the last day's (rule 6)."""
        return self.last_day.day if self.anchor_day is None and self.last_day else self.anchor_day


class Lapsed(NamedTuple):
    """An instance that expired or was released."""

    account_id: str
    id: str
    expires_at: dt.datetime
    renewal_mode: str


async def register(
    connection: database.Connection,
    account_id: str,
    registrations: Sequence[Registration],
    bundles: Mapping[str, str],
) -> None:
    """Adds instances and the bundles (name by id) they belong to; raises InvalidInput against rules 6 and 11."""
    zone = (await ledger.lock(connection, [account_id]))[account_id].zone
    for registration in registrations:
        _check_anchor(registration)
    await _check_bundles(connection, zone, registrations)
    await database.execute(
        connection,
        "INSERT INTO bundles (account_id, id, name) SELECT $1, * FROM unnest($2::text[], $3::text[])",
        account_id,
        list(bundles),
        list(bundles.values()),
    )
    await database.execute(
        connection,
        """INSERT INTO instances (account_id, id, name, product_code, data_center_code, configuration,
             billing_mode, is_trial, status, renewal_mode, auto_renew_months, expires_at, anchor_day,
             monthly_price_cents, bundle_id, created_at)
           SELECT $1, r.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[],
             $8::boolean[], $9::text[], $10::text[], $11::int[], $12::timestamptz[], $13::int[], $14::bigint[],
             $15::text[], $16::timestamptz[]) AS r""",
        account_id,
        *database.columns([_row(registration, zone) for registration in registrations], 15),
    )


def _row(registration: Registration, zone: ZoneInfo) -> tuple[object, ...]:
    r = registration
    configuration = [{"label": label, "value": value} for label, value in r.configuration.items()]
    return (
        r.id,
        r.name,
        r.product_code,
        r.data_center_code,
        json.dumps(configuration, ensure_ascii=False),
        r.billing_mode,
        r.is_trial,
        r.status,
        r.renewal_mode,
        r.auto_renew_months,
        periods.end_of_day(r.last_day, zone) if r.last_day else None,
        r.anchor,
        r.monthly_price_cents,
        r.bundle_id,
        r.created_at,
    )


def _check_anchor(registration: Registration) -> None:
    day, anchor = registration.last_day, registration.anchor
    if day is None or anchor is None:
        if anchor is not None:
            raise errors.InvalidInput("instances.anchorDay", f"{registration.id} has no expiry to anchor")
    elif not 1 <= anchor <= 31 or periods.on_anchor(anchor, day.year, day.month) != day:
        reason = f"{registration.id} expires on {day}, which is not on anchor day {anchor}"
        raise errors.InvalidInput("instances.anchorDay", reason)


async def _check_bundles(
    connection: database.Connection, zone: ZoneInfo, registrations: Sequence[Registration]
) -> None:
    """Rule 11: the members of a bundle, new and old, share expiry, anchor and policy."""
    old = await database.fetch(
        connection,
        """SELECT DISTINCT bundle_id, expires_at, anchor_day, renewal_mode, auto_renew_months
           FROM instances WHERE bundle_id = ANY($1)""",
        sorted({r.bundle_id for r in registrations if r.bundle_id is not None}),
    )
    shared: dict[str, tuple[object, ...]] = {row[0]: tuple(row)[1:] for row in old}
    for r in registrations:
        if r.bundle_id is not None:
            expires_at = periods.end_of_day(r.last_day, zone) if r.last_day else None
            own = (expires_at, r.anchor, r.renewal_mode, r.auto_renew_months)
            if shared.setdefault(r.bundle_id, own) != own:
                reason = f"{r.id} does not share expiry, anchor and policy with its bundle {r.bundle_id}"
                raise errors.InvalidInput("instances.bundleId", reason)


async def find_running(connection: database.Connection, instance_ids: Sequence[str]) -> frozenset[str]:
    """Those of the instances that are noted as RUNNING, whatever the clock says."""
    rows = await database.fetch(
        connection, "SELECT id FROM instances WHERE id = ANY($1) AND status = 'RUNNING'", instance_ids
    )
    return frozenset(row["id"] for row in rows)


async def extend(connection: database.Connection, lines: Iterable[planning.Line]) -> None:
    """Gives each instance its new expiry and anchor; an expired one runs again (rule 22)."""
    rows = [(line.instance.id, line.expires_at, line.anchor_day) for line in lines]
    await database.execute(
        connection,
        """UPDATE instances i SET expires_at = u.expires_at, anchor_day = u.anchor_day, status = 'RUNNING'
           FROM unnest($1::text[], $2::timestamptz[], $3::int[]) AS u(id, expires_at, anchor_day)
           WHERE i.id = u.id""",
        *database.columns(rows, 3),
    )


async def set_policy(
    connection: database.Connection,
    instance_ids: Sequence[str],
    mode: terms.RenewalMode,
    auto_renew_months: int | None,
) -> None:
    """Sets the mode, and autoRenewMonths where given."""
    await database.execute(
        connection,
        """UPDATE instances SET renewal_mode = $2, auto_renew_months = coalesce($3, auto_renew_months)
           WHERE id = ANY($1)""",
        instance_ids,
        mode,
        auto_renew_months,
    )


async def expire(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> list[Lapsed]:
    """Marks EXPIRED what ran out, whatever its mode, and answers it (rule 22)."""
    rows = await database.fetch(
        connection,
        """UPDATE instances SET status = 'EXPIRED'
           WHERE account_id = ANY($1) AND status = 'RUNNING' AND expires_at < $2
           RETURNING account_id, id, expires_at, renewal_mode""",
        account_ids,
        now,
    )
    return sorted(Lapsed(*row) for row in rows)


async def release(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> list[Lapsed]:
    """Marks RELEASED what has outlived its retention, and answers it (rule 22)."""
    rows = await database.fetch(
        connection,
        f"""UPDATE instances i SET status = 'RELEASED' WHERE i.account_id = ANY($1) AND i.status = 'EXPIRED'
              AND i.expires_at < $2 AND {filters.status_at("$2")} = 'RELEASED'
            RETURNING i.account_id, i.id, i.expires_at, i.renewal_mode""",
        account_ids,
        now,
    )
    return sorted(Lapsed(*row) for row in rows)
