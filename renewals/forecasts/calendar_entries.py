"""The entries of an account's calendar: expiries, automatic renewals, and renewals that will fail.

MANUAL instances appear on their last day, and so do AUTO instances that were due before the cut-over. Other AUTO
instances appear on each day on which, according to the forecast, they are renewed or their renewal fails. NONE
instances are omitted, because their owners let them expire.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.accounts import queries as accounts_queries
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import due
from renewals.db import connection as database
from renewals.db import replica
from renewals.domain import dates, errors, model
from renewals.forecasts import forecast, simulation
from renewals.forecasts.simulation import AccountSnapshot
from renewals.instances import filters

INSTANCES_PER_ENTRY_MAX = 20
"""The maximum number of instances that an entry lists; further instances are only counted."""


class EntryKind(StrEnum):
    """The kind of a day's entry: an expiry, a renewal, or a failing renewal."""

    EXPIRY = "EXPIRY"
    RENEWAL = "RENEWAL"
    FAILURE = "FAILURE"


class CalendarItem(NamedTuple):
    """An instance of an entry, with its price in cents (for an expiry, of one month) or the code of its refusal."""

    id: str
    price_cents: int | None
    code: errors.RefusalCode | None = None
    name: str = ""


class CalendarEntry(NamedTuple):
    """The instances of one kind on one day; `balance_after_cents` is the balance after the run, or 0 for expiries."""

    date: dt.date
    kind: EntryKind
    instance_count: int
    total_cents: int
    items: Sequence[CalendarItem]
    balance_after_cents: int = 0


@dataclass(frozen=True, slots=True)
class CalendarEntries:
    """The calendar entries of an account, in order of their days."""

    account_id: str
    account_name: str
    currency: str
    zone: ZoneInfo
    language: model.Language
    entries: Sequence[CalendarEntry]


async def build_calendar(account_id: str, days: int, now: dt.datetime) -> CalendarEntries:
    """Return the calendar entries of an account for the next `days` days, today first."""
    async with replica.read_snapshot() as connection:
        row = await accounts_queries.fetch_account(connection, account_id)
        account = await accounts_repository.read_account(connection, account_id)
        expiries = await _read_expiries(connection, account, days, now)
        computed = await forecast.find_or_compute(
            connection, account, simulate_entries, days, now, renewals_max=None
        )
    assert computed is not None
    end = now.astimezone(account.zone).date() + dt.timedelta(days=days)
    renewals = [entry for entry in computed.value if entry.date < end]
    entries = sorted([*expiries, *renewals], key=lambda entry: (entry.date, entry.kind))
    entries = await _add_names(account_id, entries)
    return CalendarEntries(account_id, row["name"], row["currency"], account.zone, account.language, entries)


async def _read_expiries(
    connection: database.Connection, account: model.Account, days: int, now: dt.datetime
) -> list[CalendarEntry]:
    """Return an entry for each day with expiries; all expiries of a day are at the same instant."""
    last = now.astimezone(account.zone).date() + dt.timedelta(days=days - 1)
    instance_filter = filters.InstanceFilter(
        status=[model.InstanceStatus.RUNNING],
        expires_from=now,
        expires_before=dates.end_of_day(last, account.zone) + dt.timedelta(seconds=1),
    )
    conditions = filters.build_conditions(account.id, instance_filter, now)
    left_until = due.left_until(account)
    if left_until < now:
        conditions.add("i.renewal_mode = 'MANUAL'")
    else:  # rule 38: also the AUTO instances that were due before the cut-over
        mode = "(i.renewal_mode = 'MANUAL' OR i.renewal_mode = 'AUTO' AND i.expires_at <= {})"
        conditions.add(mode, left_until)
    rows = await database.fetch(
        connection,
        f"""SELECT i.expires_at, count(*), sum(i.monthly_price_cents)::bigint,
              (array_agg(i.id ORDER BY i.id))[:{INSTANCES_PER_ENTRY_MAX}],
              (array_agg(i.monthly_price_cents ORDER BY i.id))[:{INSTANCES_PER_ENTRY_MAX}]
            FROM instances i WHERE {conditions.where} GROUP BY i.expires_at""",
        *conditions.values,
    )
    return [
        CalendarEntry(
            dates.last_day(expires_at, account.zone),
            EntryKind.EXPIRY,
            count,
            total_cents,
            [CalendarItem(*item) for item in zip(ids, prices, strict=True)],
        )
        for expires_at, count, total_cents, ids, prices in map(tuple, rows)
    ]


def simulate_entries(snapshot: AccountSnapshot, days: int, now: dt.datetime) -> list[CalendarEntry]:
    """Return the entries of renewals and failing renewals for the next `days` days."""
    return list(_simulate_entries(snapshot, days, now))


def _simulate_entries(snapshot: AccountSnapshot, days: int, now: dt.datetime) -> Iterator[CalendarEntry]:
    for run in simulation.simulate_days(snapshot, snapshot.account.balance_cents, days, now):
        results = run.outcomes
        paid = [result for result in results if result.payment is not None]
        unpaid = [result for result in results if result.payment is None]
        renewed = [
            CalendarItem(line.instance.id, line.price.price_cents) for result in paid for line in result.lines
        ]
        failed = [
            CalendarItem(refusal.instance_id, None, refusal.code)
            for result in unpaid
            for refusal in result.refusals
        ]
        for kind, unit_results, items in (
            (EntryKind.RENEWAL, paid, renewed),
            (EntryKind.FAILURE, unpaid, failed),
        ):
            if items:
                yield CalendarEntry(
                    run.date,
                    kind,
                    len(items),
                    sum(result.price_cents for result in unit_results),
                    items[:INSTANCES_PER_ENTRY_MAX],
                    run.wallet.balance_cents,
                )


async def _add_names(account_id: str, entries: Sequence[CalendarEntry]) -> list[CalendarEntry]:
    rows = await database.fetch(
        database.pool(),
        "SELECT id, name FROM instances WHERE account_id = $1 AND id = ANY($2)",
        account_id,
        list({item.id for entry in entries for item in entry.items}),
    )
    names = {row[0]: row[1] for row in rows}
    return [
        entry._replace(items=[item._replace(name=names.get(item.id, "")) for item in entry.items])
        for entry in entries
    ]
