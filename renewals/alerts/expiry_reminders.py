"""Reminders before an expiry, each sent once (rule 25).

Besides this module, only the reset of the demo account writes `reminders`.

The table holds the last reminder of each instance: the expiry, and the number of days before the expiry. After a change
of the expiry, every reminder can be sent again.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import dates, errors, model
from renewals.events import event_log, factories
from renewals.i18n import catalogs
from renewals.instances import filters
from renewals.instances import repository as instances_repository

DAYS_BEFORE = (1, 3, 7, 15, 30)
"""The numbers of days before an instance's last day at which its reminders become due (rule 25)."""


def due_days(days_left: int) -> int | None:
    """Return the smallest number in DAYS_BEFORE that is at least `days_left`, or None if there is no such number.

    The reminder with this number is due.
    """
    return next((days for days in DAYS_BEFORE if days_left <= days), None)


def select_due(
    unreminded: Sequence[tuple[model.Instance, int | None]],
    failing: Mapping[str, errors.Refusal],
    account: model.Account,
    now: dt.datetime,
) -> list[tuple[model.Instance, int]]:
    """Return the instances with a due reminder, each with the reminder's number of days, one of DAYS_BEFORE.

    `unreminded` pairs each instance with the number of days of its last reminder for this expiry, or None. MANUAL
    instances are included; other instances are included only if they are in `failing`.
    """
    today = now.astimezone(account.zone).date()
    selected = []
    for instance, reminded_days in unreminded:
        assert instance.expires_at is not None
        days = due_days((dates.last_day(instance.expires_at, account.zone) - today).days)
        is_lapsing = instance.renewal_mode == model.RenewalMode.MANUAL or instance.id in failing
        if days is not None and is_lapsing and (reminded_days is None or days < reminded_days):
            selected.append((instance, days))
    return selected


async def send_reminders(
    connection: database.Connection,
    account: model.Account,
    failing: Mapping[str, errors.Refusal],
    now: dt.datetime,
) -> None:
    """Upsert the due reminders of a locked account, and append their events."""
    reminders = select_due(await _read(connection, account, now), failing, account, now)
    if not reminders:
        return
    await database.execute(
        connection,
        """INSERT INTO reminders (instance_id, expires_at, days)
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int[])
           ON CONFLICT (instance_id) DO UPDATE SET expires_at = excluded.expires_at, days = excluded.days""",
        *sql.transpose([(instance.id, instance.expires_at, days) for instance, days in reminders], 3),
    )
    events = [
        _event(instance, days, failing.get(instance.id), account.language) for instance, days in reminders
    ]
    await event_log.append_events(connection, events, now, model.WORKER)


async def _read(
    connection: database.Connection, account: model.Account, now: dt.datetime
) -> list[tuple[model.Instance, int | None]]:
    """Return the instances that can have a due reminder, each with the number of its last reminder, or None.

    They are AUTO or MANUAL, running and manageable, and expire within max(DAYS_BEFORE) days. Only reminders for the
    current expiry count.
    """
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


def _event(
    instance: model.Instance, days: int, failure: errors.Refusal | None, language: model.Language
) -> event_log.NewEvent:
    payload = {
        "expiresAt": instance.expires_at,
        "daysBefore": days,
        "renewalMode": instance.renewal_mode,
        "code": failure.code if failure else None,
        "message": catalogs.translate(failure.message, language) if failure else None,
        **factories.refusal_facts(failure.facts if failure else errors.NO_FACTS),
    }
    return event_log.NewEvent(
        instance.account_id, event_log.EventType.INSTANCE_EXPIRING, instance.id, payload
    )
