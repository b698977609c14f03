"""Warnings of shortfalls, and the check of an account, which sends these warnings and the expiry reminders.

An account is checked when its day begins, when it has new events or ledger entries, and after `mark_for_recheck`. A
shortfall is reported once, and again only if it remains after the customer or the provider has acted, or if it recurs.
Besides this module, only the reset of the demo account writes `account_watches`.
"""

import asyncio
import datetime as dt
import logging
import random
from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.accounts import repository as accounts_repository
from renewals.alerts import expiry_reminders
from renewals.auto_renewal import chunks, due
from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.db import models
from renewals.domain import clock as clocks
from renewals.domain import dates, errors, model, money
from renewals.domain.clock import Clock
from renewals.events import event_log
from renewals.forecasts import forecast, simulation

log = logging.getLogger(__name__)

SHORTFALL_DAYS = 15
"""The number of days, today included, whose forecast is checked for a shortfall."""
FORECAST_DAYS = max(expiry_reminders.DAYS_BEFORE) + 1
"""The number of days, today included, that a check searches for automatic renewals that will fail."""


class ChangeMarker(NamedTuple):
    """The state of an account: the sequence of its last event and the number of its last ledger entry."""

    sequence: int
    ledger_number: int


async def check_changed_accounts(clock: Clock = clocks.utc_now) -> None:
    """Check the accounts that `find_changed_accounts` returns. Log the error of a check that fails, and continue.

    Raises the error if the database is unavailable.
    """
    account_ids = await find_changed_accounts(clock())
    random.shuffle(account_ids)  # concurrent workers begin with different accounts
    for account_id in account_ids:
        await check_or_log(account_id, clock)


async def check_or_log(account_id: str, clock: Clock) -> None:
    """Check one account with `check_account`; log an error, but raise it if the database is unavailable."""
    try:
        await check_account(account_id, clock)
    except Exception as error:
        if db_errors.is_unavailable(error):
            raise
        log.exception("cannot check the balance of account %s", account_id)


async def find_changed_accounts(now: dt.datetime) -> list[str]:
    """Return the ids of the accounts that changed after their last check, or were not yet checked on their current day.

    Accounts in a pending chunk of a run are omitted until the run has processed the chunk, because it can change them.
    Test accounts are omitted, because each is checked when its clock moves (rule 37).
    """
    rows = await database.fetch(database.pool(), "SELECT DISTINCT time_zone FROM accounts")
    zones = [row["time_zone"] for row in rows]
    rows = await database.fetch(
        database.pool(),
        """SELECT a.id FROM accounts a
           JOIN unnest($1::text[], $2::date[]) AS z(time_zone, day) ON z.time_zone = a.time_zone
           LEFT JOIN event_streams s ON s.account_id = a.id LEFT JOIN account_watches w ON w.account_id = a.id
           WHERE (w.seen_on, w.seen_sequence, w.seen_ledger_number)
               IS DISTINCT FROM (z.day, coalesce(s.last_sequence, 0), a.ledger_number)
             AND a.test_clock IS NULL AND NOT a.id = ANY($3::text[])
           ORDER BY a.id""",
        zones,
        [now.astimezone(ZoneInfo(zone)).date() for zone in zones],
        await chunks.list_pending_account_ids(),
    )
    return [row["id"] for row in rows]


@database.retry_on_conflict
async def check_account(account_id: str, clock: Clock) -> None:
    """Check one account: send the reminders that are due, and a warning if a shortfall must be reported.

    The account is not locked while its forecast is computed. If the account has changed in the meantime, nothing is
    sent, and the next check handles the change.
    """
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        now = account.instant(clock())
        marker = await _read_marker(connection, account)
        watch = await _find_watch(connection, account_id)
        if watch and (watch.seen_on, watch.seen_sequence, watch.seen_ledger_number) == (
            _day(account, now),
            *marker,
        ):
            return  # already checked, for example by another worker
        snapshot = await forecast.read_snapshot(connection, account, FORECAST_DAYS, now)
    failing = await asyncio.to_thread(find_failing, snapshot, now)
    result = await asyncio.to_thread(simulation.simulate, snapshot, SHORTFALL_DAYS, now) if failing else None
    async with accounts_repository.locked_account(account_id) as (connection, account):
        if await _read_marker(connection, account) != marker:
            return
        await expiry_reminders.send_reminders(connection, account, failing, now)
        last_alert = _last_alert(await _find_watch(connection, account_id))
        if result is None or not result.required_top_up_cents:
            last_alert = None
        elif last_alert is None or await _has_acted(connection, account_id, last_alert):
            await event_log.append_events(connection, [_shortfall_event(account, result)], now, model.WORKER)
            last_alert = await _read_marker(connection, account)
        await _upsert(connection, account, _day(account, now), last_alert)


class NextCheck(NamedTuple):
    """The next day on which a check can write an event if the account does not change, or None if there is none."""

    day: dt.date | None


async def read_next_check(connection: database.Connection, account: model.Account) -> NextCheck | None:
    """Return a test account's next check; None if the account was never checked, or if it changed after its last check.

    While no shortfall is reported, a check writes no event if no instance expires or is due in its forecast.
    """
    watch = await _find_watch(connection, account.id)
    if watch is None or (watch.seen_sequence, watch.seen_ledger_number) != await _read_marker(
        connection, account
    ):
        return None
    tomorrow = watch.seen_on + dt.timedelta(days=1)
    if _last_alert(watch) is not None:
        return NextCheck(tomorrow)
    rows = await database.fetch(
        connection,
        """SELECT min(expires_at) AS expires_at FROM instances
           WHERE account_id = $1 AND status = 'RUNNING' AND renewal_mode <> 'NONE'""",
        account.id,
    )
    expires_at = rows[0]["expires_at"]
    if expires_at is None:
        return NextCheck(None)
    quiet_days = dt.timedelta(days=FORECAST_DAYS - 1 + account.lead_days)
    return NextCheck(max(tomorrow, dates.last_day(expires_at, account.zone) - quiet_days))


async def mark_for_recheck(connection: database.Connection, account_ids: Sequence[str]) -> None:
    """Mark accounts to be checked again after a change (for example, of lead days) that may have written no event."""
    sql = "UPDATE account_watches SET seen_sequence = -1 WHERE account_id = ANY($1)"
    await database.execute(connection, sql, account_ids)


def find_failing(snapshot: simulation.AccountSnapshot, now: dt.datetime) -> dict[str, errors.Refusal]:
    """Return the refusals, by instance id, of the AUTO instances whose next renewal will fail.

    Only instances that are due within FORECAST_DAYS are considered; instances that are left to their owner are
    included (rule 38).
    """
    refusals = [due.refuse_left(instance, snapshot.account) for instance in snapshot.instances]
    failing = {refusal.instance_id: refusal for refusal in refusals if refusal}
    seen: set[str] = set()
    for run in simulation.simulate_days(snapshot, snapshot.account.balance_cents, FORECAST_DAYS, now):
        if run.unpaid_units:
            for outcome in run.outcomes:
                failing |= {
                    refusal.instance_id: refusal
                    for refusal in outcome.refusals
                    if refusal.instance_id not in seen
                }
        seen.update([instance.id for instance in run.due])
    return failing


def _day(account: model.Account, now: dt.datetime) -> dt.date:
    return now.astimezone(account.zone).date()


def _shortfall_event(account: model.Account, result: simulation.Forecast) -> event_log.NewEvent:
    payload = {
        "days": SHORTFALL_DAYS,
        "firstShortfallOn": result.first_shortfall_on,
        "topUpNeeded": money.format_cents(result.required_top_up_cents),
        "balance": money.format_cents(account.balance_cents),
    }
    return event_log.NewEvent(account.id, event_log.EventType.ACCOUNT_SHORTFALL, None, payload)


async def _find_watch(connection: database.Connection, account_id: str) -> models.AccountWatch | None:
    return await models.AccountWatch.filter(account_id=account_id).using_db(connection).first()


def _last_alert(watch: models.AccountWatch | None) -> ChangeMarker | None:
    """Return the marker of the last warning; None if there was no check, or if the last check found no shortfall."""
    if watch is None or watch.told_sequence is None or watch.told_ledger_number is None:
        return None
    return ChangeMarker(watch.told_sequence, watch.told_ledger_number)


async def _has_acted(connection: database.Connection, account_id: str, since: ChangeMarker) -> bool:
    """Return whether, after the marker `since`, a policy changed or money moved other than by an automatic renewal."""
    rows = await database.fetch(
        connection,
        """SELECT EXISTS (SELECT FROM ledger_entries e LEFT JOIN orders o ON o.id = e.order_id
             WHERE e.account_id = $1 AND e.number > $2
               AND (e.kind, o.kind) IS DISTINCT FROM ('RENEWAL', 'AUTO_RENEWAL'))
           OR EXISTS (SELECT FROM events WHERE account_id = $1 AND sequence > $3 AND type = $4) AS has_acted""",
        account_id,
        since.ledger_number,
        since.sequence,
        event_log.EventType.POLICY_CHANGED,
    )
    return bool(rows[0]["has_acted"])


async def _read_marker(connection: database.Connection, account: model.Account) -> ChangeMarker:
    return ChangeMarker(await event_log.last_sequence(connection, account.id), account.ledger_number)


async def _upsert(
    connection: database.Connection, account: model.Account, day: dt.date, last_alert: ChangeMarker | None
) -> None:
    seen = await _read_marker(connection, account)
    watch = models.AccountWatch(
        account_id=account.id,
        seen_on=day,
        seen_sequence=seen.sequence,
        seen_ledger_number=seen.ledger_number,
        told_sequence=last_alert.sequence if last_alert else None,
        told_ledger_number=last_alert.ledger_number if last_alert else None,
    )
    await models.AccountWatch.bulk_create(
        [watch],
        on_conflict=["account_id"],
        update_fields=[
            "seen_on",
            "seen_sequence",
            "seen_ledger_number",
            "told_sequence",
            "told_ledger_number",
        ],
        using_db=connection,
    )
