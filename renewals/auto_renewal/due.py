"""Due instances: the running AUTO instances, each from its `due_at` until its expiry (rule 20).

An instance whose `due_at` is before the account's `auto_renew_from` is left to its owner: no run renews it (rule 38).
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals import config
from renewals.db import connection as database
from renewals.db import sql
from renewals.db.connection import Connection
from renewals.domain import dates, errors, model
from renewals.domain.messages import Message
from renewals.instances import repository as instances_repository

_MICROSECOND = dt.timedelta(microseconds=1)


class _DueDay(NamedTuple):
    """A day on which due instances expire, for one time zone and one number of lead days.

    The instances are due from `due_at` on; they expire after `begins_after`, and not later than `ends_at`.
    """

    time_zone: str
    lead_days: int
    due_at: dt.datetime
    begins_after: dt.datetime
    ends_at: dt.datetime


async def count_due(connection: Connection, now: dt.datetime) -> dict[str, int]:
    """Return the number of due instances that a run at `now` tries to renew, by account id.

    Test accounts are omitted (rule 37), and so are instances that are left to their owner (rule 38).
    """
    default = config.get_settings().auto_renew_lead_days
    rows = await database.fetch(
        connection, "SELECT DISTINCT time_zone, coalesce(lead_days, $1)::int FROM accounts", default
    )
    time = config.get_settings().auto_renew_time
    days = [
        day for time_zone, lead_days in map(tuple, rows) for day in _due_days(now, time, time_zone, lead_days)
    ]
    rows = await database.fetch(
        connection,
        # Counting before the join keeps PostgreSQL from a plan that reads all instances of every account.
        """SELECT e.account_id, sum(e.count)::bigint AS count
           FROM (SELECT account_id, expires_at, count(*) AS count FROM instances
                 WHERE status = 'RUNNING' AND renewal_mode = 'AUTO' AND expires_at >= $7 AND expires_at <= $8
                 GROUP BY account_id, expires_at) AS e
           JOIN accounts a ON a.id = e.account_id
           JOIN unnest($1::text[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
               AS d(time_zone, lead_days, due_at, begins_after, ends_at)
             ON d.time_zone = a.time_zone AND d.lead_days = coalesce(a.lead_days, $6)
               AND e.expires_at > d.begins_after AND e.expires_at <= d.ends_at
           WHERE d.due_at >= a.auto_renew_from AND a.test_clock IS NULL GROUP BY e.account_id""",
        *sql.transpose(days, 5),
        default,
        now,
        max((day.ends_at for day in days), default=now),
    )
    return {row["account_id"]: row["count"] for row in rows}


def _due_days(now: dt.datetime, time: dt.time, time_zone: str, lead_days: int) -> Iterator[_DueDay]:
    """Yield the days, today first, whose expiring instances are due at `now`.

    There are `lead_days` or `lead_days + 1` such days.
    """
    zone = ZoneInfo(time_zone)
    day, last = (
        now.astimezone(zone).date(),
        dates.last_due_day(now, zone, time=time, lead_days=lead_days),
    )
    while day <= last:
        due = dates.due_at(day, zone, time=time, lead_days=lead_days)
        day_before = day - dt.timedelta(days=1)
        yield _DueDay(
            time_zone, lead_days, due, dates.end_of_day(day_before, zone), dates.end_of_day(day, zone)
        )
        day += dt.timedelta(days=1)


def latest_due_expiry(now: dt.datetime, account: model.Account) -> dt.datetime:
    """Return the latest expiry with which an instance of the account is due at `now`."""
    time, zone = account.auto_renew_time, account.zone
    return dates.end_of_day(dates.last_due_day(now, zone, time=time, lead_days=account.lead_days), zone)


def left_until(account: model.Account) -> dt.datetime:
    """Return the latest expiry with which an instance was due before `auto_renew_from` (rule 38)."""
    return latest_due_expiry(account.auto_renew_from - _MICROSECOND, account)


def refuse_left(instance: model.Instance, account: model.Account) -> errors.Refusal | None:
    """Return the refusal of an AUTO instance that was due before `auto_renew_from`, or None if it was not (rule 38)."""
    at = due_at(instance, account)
    if at >= account.auto_renew_from:
        return None
    due, start = (
        f"{instant.astimezone(account.zone):%Y-%m-%d %H:%M}" for instant in (at, account.auto_renew_from)
    )
    message = Message(
        "Its due time, {due}, is before {start}, when the account's automatic renewals start; renew it manually.",
        due=due,
        start=start,
    )
    return errors.Refusal(instance.id, errors.RefusalCode.BEFORE_CUT_OVER, message)


def due_at(instance: model.Instance, account: model.Account) -> dt.datetime:
    """Return the time from which an instance is due."""
    assert instance.expires_at is not None
    day = dates.last_day(instance.expires_at, account.zone)
    return dates.due_at(day, account.zone, time=account.auto_renew_time, lead_days=account.lead_days)


def next_run_at(account: model.Account, now: dt.datetime) -> dt.datetime:
    """Return the time of an account's next hourly run: at or after `now`, or strictly after `now` for a test account.

    If a test clock is at the time of a run, that run is already over.
    """
    next_run = dates.next_scheduled_at if account.test_clock is None else dates.next_scheduled_after
    return next_run(now, account.auto_renew_time.minute)


def due_day(instance: model.Instance, account: model.Account) -> dt.date:
    """Return the day, in the account's zone, on which an instance becomes due."""
    assert instance.expires_at is not None
    return dates.last_day(instance.expires_at, account.zone) - dt.timedelta(days=account.lead_days)


async def read_due_instances(
    connection: Connection, accounts: Mapping[str, model.Account], now: dt.datetime
) -> dict[str, list[model.Instance]]:
    """Return the due instances of accounts by account id, without those that are left to their owner (rule 38)."""
    cutoffs = [latest_due_expiry(now, account) for account in accounts.values()]
    left = [left_until(account) for account in accounts.values()]
    rows = await database.fetch(
        connection,
        f"""SELECT {instances_repository.COLUMNS}
            FROM unnest($1::text[], $2::timestamptz[], $4::timestamptz[]) AS a(id, cutoff, left_until)
            JOIN instances i ON i.account_id = a.id AND i.status = 'RUNNING' AND i.renewal_mode = 'AUTO'
              AND coalesce(i.expires_at, 'infinity') >= $3 AND coalesce(i.expires_at, 'infinity') <= a.cutoff
              AND coalesce(i.expires_at, 'infinity') > a.left_until""",
        list(accounts),
        cutoffs,
        now,
        left,
    )
    return instances_repository.group_by_account(rows)


async def find_earliest_due_at(connection: Connection, account: model.Account) -> dt.datetime | None:
    """Return the earliest due time of a test account's AUTO instances, or None if there are none.

    Expired instances and instances that are left to their owner do not count (rule 38). If a run has refused the
    instance that is due first, the time is in the past.
    """
    rows = await database.fetch(
        connection,
        """SELECT min(expires_at) AS expires_at FROM instances
           WHERE account_id = $1 AND status = 'RUNNING' AND renewal_mode = 'AUTO'
             AND expires_at >= $2 AND expires_at > $3""",
        account.id,
        account.test_clock,
        left_until(account),
    )
    expires_at = rows[0]["expires_at"]
    if expires_at is None:
        return None
    day = dates.last_day(expires_at, account.zone)
    return dates.due_at(day, account.zone, time=account.auto_renew_time, lead_days=account.lead_days)


def lead_days(account: model.Account) -> int:
    """Return the number of days from the due day of the account's instances to their day of expiry (rule 20)."""
    return account.lead_days
