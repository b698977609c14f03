"""What is due: AUTO, running, `due_at` has come and the expiry has not passed (rule 20)."""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from renewals import database, inventory, periods, settings, terms
from renewals.database import Connection


async def count(connection: Connection, now: dt.datetime) -> dict[str, int]:
    """How many AUTO instances are due, by account (rule 20)."""
    default = settings.get().auto_renew_lead_days
    rows = await database.fetch(
        connection, "SELECT DISTINCT time_zone, coalesce(lead_days, $1)::int FROM accounts", default
    )
    kinds = [tuple(row) for row in rows]
    cutoffs = [due_before(now, ZoneInfo(zone), lead_days) for zone, lead_days in kinds]
    rows = await database.fetch(
        connection,
        # Counted before it is joined: else PostgreSQL may ask every account, and read all instances there are.
        """SELECT e.account_id, sum(e.count)::bigint AS count
           FROM (SELECT account_id, expires_at, count(*) AS count FROM instances
                 WHERE status = 'RUNNING' AND renewal_mode = 'AUTO' AND expires_at >= $5 AND expires_at <= $6
                 GROUP BY account_id, expires_at) AS e
           JOIN accounts a ON a.id = e.account_id
           JOIN unnest($1::text[], $2::int[], $3::timestamptz[]) AS k(time_zone, lead_days, cutoff)
             ON k.time_zone = a.time_zone AND k.lead_days = coalesce(a.lead_days, $4)
           WHERE e.expires_at <= k.cutoff GROUP BY e.account_id""",
        [zone for zone, _ in kinds],
        [lead_days for _, lead_days in kinds],
        cutoffs,
        default,
        now,
        max(cutoffs, default=now),
    )
    return {row["account_id"]: row["count"] for row in rows}


def due_before(now: dt.datetime, zone: ZoneInfo, lead_days: int) -> dt.datetime:
    """The latest expiry that is due at `now`: `due_at <= now`, said of the expiry."""
    time = settings.get().auto_renew_time
    return periods.end_of_day(periods.last_due_day(now, zone, time=time, lead_days=lead_days), zone)


def due_at(instance: terms.Instance, account: terms.Account) -> dt.datetime:
    """The instant from which an instance is due."""
    assert instance.expires_at is not None
    day = periods.last_day(instance.expires_at, account.zone)
    time = settings.get().auto_renew_time
    return periods.due_at(day, account.zone, time=time, lead_days=lead_days(account))


def due_day(instance: terms.Instance, account: terms.Account) -> dt.date:
    """The day, in the account's zone, on which the worker first tries to renew an instance."""
    assert instance.expires_at is not None
    return periods.last_day(instance.expires_at, account.zone) - dt.timedelta(days=lead_days(account))


async def read(
    connection: Connection, accounts: Mapping[str, terms.Account], now: dt.datetime
) -> dict[str, list[terms.Instance]]:
    """The due instances of some accounts, by account."""
    cutoffs = [due_before(now, account.zone, lead_days(account)) for account in accounts.values()]
    rows = await database.fetch(
        connection,
        f"""SELECT {inventory.COLUMNS} FROM unnest($1::text[], $2::timestamptz[]) AS a(id, cutoff)
            JOIN instances i ON i.account_id = a.id AND i.status = 'RUNNING' AND i.renewal_mode = 'AUTO'
              AND coalesce(i.expires_at, 'infinity') >= $3 AND coalesce(i.expires_at, 'infinity') <= a.cutoff""",
        list(accounts),
        cutoffs,
        now,
    )
    found: dict[str, list[terms.Instance]] = {}
    for row in rows:
        instance = terms.Instance._make(row)
        found.setdefault(instance.account_id, []).append(instance)
    return found


def lead_days(account: terms.Account) -> int:
    """How many days before the day of expiry the account's instances are renewed (rule 20)."""
    return settings.get().auto_renew_lead_days if account.lead_days is None else account.lead_days
