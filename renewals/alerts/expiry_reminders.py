"""This module alone writes `reminders`: which instances are to be reminded of, each time once (rule 25).

An instance has one row, for the expiry and the number of days it was last reminded of; a new expiry begins anew.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import dates, errors, model
from renewals.events import event_log
from renewals.instances import filters
from renewals.instances import repository as instances_repository

DAYS_BEFORE = (1, 3, 7, 15, 30)
"""So many days before its last day an instance is reminded of (rule 25)."""


def due_days(days_left: int) -> int | None:
    """The reminder that is the latest to be due so many days before the last day; None if none is yet."""
    return next((days for days in DAYS_BEFORE if days_left <= days), None)


def select_due(
    unreminded: Sequence[tuple[model.Instance, int | None]],
    failing: Mapping[str, errors.Refusal],
    account: model.Account,
    now: dt.datetime,
) -> list[tuple[model.Instance, int]]:
    """Who is to be reminded of, with how many days; pure.

    Each instance comes with the days it was last reminded of for this expiry. AUTO is reminded of only if it
    is `failing`, NONE never.
    """
    today = now.astimezone(account.zone).date()
    found = []
    for instance, reminded_days in unreminded:
        assert instance.expires_at is not None
        days = due_days((dates.last_day(instance.expires_at, account.zone) - today).days)
        is_lapsing = instance.renewal_mode == model.RenewalMode.MANUAL or instance.id in failing
        if days is not None and is_lapsing and (reminded_days is None or days < reminded_days):
            found.append((instance, days))
    return found


async def send_reminders(
    connection: database.Connection,
    account: model.Account,
    failing: Mapping[str, errors.Refusal],
    now: dt.datetime,
) -> None:
    """Writes the reminders of a locked account that are due, and their events."""
    decided = select_due(await _read(connection, account, now), failing, account, now)
    if not decided:
        return
    await database.execute(
        connection,
        """INSERT INTO reminders (instance_id, expires_at, days)
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int[])
           ON CONFLICT (instance_id) DO UPDATE SET expires_at = excluded.expires_at, days = excluded.days""",
        *sql.transpose([(instance.id, instance.expires_at, days) for instance, days in decided], 3),
    )
    happened = [_event(instance, days, failing.get(instance.id)) for instance, days in decided]
    await event_log.append_events(connection, happened, now)


async def _read(
    connection: database.Connection, account: model.Account, now: dt.datetime
) -> list[tuple[model.Instance, int | None]]:
    """The running instances that expire soon and are not left to lapse, each with its last reminder."""
    last = now.astimezone(account.zone).date() + dt.timedelta(days=max(DAYS_BEFORE))
    rows = await database.fetch(
        connection,
        f"""SELECT {instances_repository.COLUMNS}, r.days FROM instances i
            LEFT JOIN reminders r ON r.instance_id = i.id AND r.expires_at = i.expires_at
            WHERE i.account_id = $1 AND i.status = 'RUNNING' AND i.renewal_mode <> 'NONE'
              AND {filters.EXPIRY} BETWEEN $2 AND $3 AND {filters.MANAGEABLE} ORDER BY i.expires_at, i.id""",
        account.id,
        now,
        dates.end_of_day(last, account.zone),
    )
    return [(model.Instance._make(values), days) for *values, days in rows]


def _event(instance: model.Instance, days: int, failure: errors.Refusal | None) -> event_log.NewEvent:
    payload = {
        "expiresAt": instance.expires_at,
        "daysBefore": days,
        "renewalMode": instance.renewal_mode,
        "code": failure.code if failure else None,
        "message": failure.message if failure else None,
    }
    return event_log.NewEvent(
        instance.account_id, event_log.EventType.INSTANCE_EXPIRING, instance.id, payload
    )
