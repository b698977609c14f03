"""What the coming days bring to an account, for its calendar: what expires by itself, what the worker renews or cannot.

MANUAL instances are there on their last day, and so are AUTO ones that were due before the account's cut-over;
other AUTO ones on the day of their renewal, as the forecast sees it. NONE lapses on purpose, and is left out.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.accounts import queries as accounts_queries
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import due
from renewals.db import connection as database
from renewals.domain import dates, errors, model
from renewals.forecasts import forecast
from renewals.instances import filters

INSTANCES_PER_ENTRY_MAX = 20
"""So many are named; of the others it is said how many they are."""


class EntryKind(StrEnum):
    """What is to happen on a day."""

    EXPIRY = "EXPIRY"
    RENEWAL = "RENEWAL"
    FAILURE = "FAILURE"


class CalendarItem(NamedTuple):
    """One instance: what it costs in cents (an expiry: a month of it), or why the worker cannot renew it."""

    id: str
    price_cents: int | None
    code: errors.RefusalCode | None = None
    name: str = ""


class CalendarEntry(NamedTuple):
    """One day's instances of one kind; `balance_after_cents` is left after the day's renewals."""

    date: dt.date
    kind: EntryKind
    instance_count: int
    total_cents: int
    items: Sequence[CalendarItem]
    balance_after_cents: int = 0


@dataclass(frozen=True, slots=True)
class CalendarEntries:
    """The entries of an account, by day."""

    account_id: str
    account_name: str
    currency: str
    zone: ZoneInfo
    entries: Sequence[CalendarEntry]


async def build_calendar(account_id: str, days: int, now: dt.datetime) -> CalendarEntries:
    """The agenda of so many days, today first."""
    async with database.read_snapshot() as connection:
        row = await accounts_queries.fetch_account(connection, account_id)
        account = await accounts_repository.read_account(connection, account_id)
        expiries = await _read_expiries(connection, account, days, now)
        foreseen = await forecast.find_or_compute(connection, account, foresee, days, now, renewals_max=None)
    assert foreseen is not None
    end = now.astimezone(account.zone).date() + dt.timedelta(days=days)
    renewals = [entry for entry in foreseen.value if entry.date < end]
    entries = sorted([*expiries, *renewals], key=lambda entry: (entry.date, entry.kind))
    named = await _name(account_id, entries)
    return CalendarEntries(account_id, row["name"], row["currency"], account.zone, named)


async def _read_expiries(
    connection: database.Connection, account: model.Account, days: int, now: dt.datetime
) -> list[CalendarEntry]:
    """Return what expires unless somebody renews it: all of a day has the same instant of expiry."""
    last = now.astimezone(account.zone).date() + dt.timedelta(days=days - 1)
    coming = filters.InstanceFilter(
        status=[model.InstanceStatus.RUNNING],
        expires_from=now,
        expires_before=dates.end_of_day(last, account.zone) + dt.timedelta(seconds=1),
    )
    conditions = filters.build_conditions(account.id, coming, now)
    left_until = due.left_until(account)
    if left_until < now:
        conditions.add("i.renewal_mode = 'MANUAL'")
    else:  # rule 38: AUTO ones that are left to the owner
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
            [CalendarItem(*each) for each in zip(ids, prices, strict=True)],
        )
        for expires_at, count, total_cents, ids, prices in map(tuple, rows)
    ]


def foresee(held: forecast.AccountSnapshot, days: int, now: dt.datetime) -> list[CalendarEntry]:
    """What the worker will do, and what it will not be able to; pure."""
    return list(_foresee(held, days, now))


def _foresee(held: forecast.AccountSnapshot, days: int, now: dt.datetime) -> Iterator[CalendarEntry]:
    for run in forecast.simulate_days(held, held.account.balance_cents, days, now):
        paid = [outcome for outcome in run.outcomes if outcome.payment is not None]
        unpaid = [outcome for outcome in run.outcomes if outcome.payment is None]
        done = [
            CalendarItem(line.instance.id, line.price.price_cents) for each in paid for line in each.lines
        ]
        failed = [CalendarItem(each.instance_id, None, each.code) for out in unpaid for each in out.refusals]
        for kind, outcomes, items in ((EntryKind.RENEWAL, paid, done), (EntryKind.FAILURE, unpaid, failed)):
            if items:
                yield CalendarEntry(
                    run.date,
                    kind,
                    len(items),
                    sum(outcome.price_cents for outcome in outcomes),
                    items[:INSTANCES_PER_ENTRY_MAX],
                    run.wallet.balance_cents,
                )


async def _name(account_id: str, entries: Iterable[CalendarEntry]) -> list[CalendarEntry]:
    """The entries with their instances' names."""
    entries = list(entries)
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
