"""This module alone writes `account_watches`: who is to be warned that money will be short, or reminded.

An account is looked at when its day begins and when it has changed: when it has events or ledger entries that
were not there at the last look. That money is short is told once, and again if something was done about it in
vain.
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
from renewals.auto_renewal import due, runs
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import errors, model, money
from renewals.domain.clock import Clock
from renewals.events import event_log
from renewals.forecasts import forecast

log = logging.getLogger(__name__)

SHORTFALL_DAYS = 15
"""So far ahead an account is warned that its money will not do."""
FORESEEN_DAYS = max(expiry_reminders.DAYS_BEFORE) + 1


class ChangeMarker(NamedTuple):
    """A moment of an account: the last event and the last ledger entry there were."""

    sequence: int
    ledger_number: int


async def check_changed_accounts(clock: Clock = clocks.utc_now) -> None:
    """Looks at all accounts that are to be looked at; one that cannot be does not hold up the others."""
    account_ids = await find_changed_accounts(clock())
    random.shuffle(account_ids)  # whoever else does the same does others first
    for account_id in account_ids:
        try:
            await check_account(account_id, clock)
        except Exception as problem:
            if database.is_unavailable(problem):
                raise
            log.exception("account %s cannot be looked at", account_id)


async def find_changed_accounts(now: dt.datetime) -> list[str]:
    """The accounts that have changed, or whose day has begun, since they were last looked at.

    Not those that a run is at work on: it changes each of them more than once.
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
             AND NOT a.id = ANY($3::text[])
           ORDER BY a.id""",
        zones,
        [now.astimezone(ZoneInfo(zone)).date() for zone in zones],
        await runs.read_pending_accounts(),
    )
    return [row["id"] for row in rows]


@database.retry_on_conflict
async def check_account(account_id: str, clock: Clock) -> None:
    """Looks at one account: reminds of what will expire, and warns that its money will not do.

    What is foreseen takes a while for a large account, so the account is locked only afterwards. If it has
    changed meanwhile, it is looked at again in a minute.
    """
    now = clock()
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        mark = await _mark(connection, account)
        if await _read_seen(connection, account_id) == (_day(account, now), *mark):
            return  # another worker was here
        held = await forecast.read_snapshot(connection, account, FORESEEN_DAYS, now)
    failing = await asyncio.to_thread(find_failing, held, now)
    foreseen = await asyncio.to_thread(forecast.simulate, held, SHORTFALL_DAYS, now) if failing else None
    async with accounts_repository.locked_account(account_id) as (connection, account):
        if await _mark(connection, account) != mark:
            return
        await expiry_reminders.send_reminders(connection, account, failing, now)
        told = await _read_last_alert(connection, account_id)
        if foreseen is None or not foreseen.required_top_up_cents:
            told = None
        elif told is None or await _has_acted(connection, account_id, told):
            await event_log.append_events(connection, [_shortfall(account, foreseen)], now)
            told = await _mark(connection, account)
        await _store(connection, account, _day(account, now), told)


async def recheck_account(connection: database.Connection, account_ids: Sequence[str]) -> None:
    """Have accounts looked at anew, though no event tells of what changed: a lead time or a cut-over."""
    sql = "UPDATE account_watches SET seen_sequence = -1 WHERE account_id = ANY($1)"
    await database.execute(connection, sql, account_ids)


def find_failing(held: forecast.AccountSnapshot, now: dt.datetime) -> dict[str, errors.Refusal]:
    """Return the AUTO instances that the worker will not renew when they are next due, with why not; pure."""
    left = [due.refuse_left(instance, held.account) for instance in held.instances]
    failing = {refusal.instance_id: refusal for refusal in left if refusal}
    seen: set[str] = set()
    for run in forecast.simulate_days(held, held.account.balance_cents, FORESEEN_DAYS, now):
        if run.unpaid_units:
            for outcome in run.outcomes:
                failing |= {
                    each.instance_id: each for each in outcome.refusals if each.instance_id not in seen
                }
        seen.update([instance.id for instance in run.due])
    return failing


def _day(account: model.Account, now: dt.datetime) -> dt.date:
    return now.astimezone(account.zone).date()


def _shortfall(account: model.Account, foreseen: forecast.Forecast) -> event_log.NewEvent:
    payload = {
        "days": SHORTFALL_DAYS,
        "firstShortfallOn": foreseen.first_shortfall_on,
        "topUpNeeded": money.format_cents(foreseen.required_top_up_cents),
        "balance": money.format_cents(account.balance_cents),
    }
    return event_log.NewEvent(account.id, event_log.EventType.ACCOUNT_SHORTFALL, None, payload)


async def _read_seen(connection: database.Connection, account_id: str) -> tuple[dt.date, int, int] | None:
    """The day of the last look, and the mark there was."""
    rows = await database.fetch(
        connection,
        "SELECT seen_on, seen_sequence, seen_ledger_number FROM account_watches WHERE account_id = $1",
        account_id,
    )
    return tuple(rows[0]) if rows else None


async def _read_last_alert(connection: database.Connection, account_id: str) -> ChangeMarker | None:
    """When the account was told that it falls short; None if it was not, or no longer does."""
    rows = await database.fetch(
        connection,
        """SELECT told_sequence, told_ledger_number FROM account_watches
           WHERE account_id = $1 AND told_sequence IS NOT NULL""",
        account_id,
    )
    return ChangeMarker(*rows[0]) if rows else None


async def _has_acted(connection: database.Connection, account_id: str, since: ChangeMarker) -> bool:
    """Whether anybody but the worker has moved money or changed a policy."""
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


async def _mark(connection: database.Connection, account: model.Account) -> ChangeMarker:
    return ChangeMarker(await event_log.last_sequence(connection, account.id), account.ledger_number)


async def _store(
    connection: database.Connection, account: model.Account, day: dt.date, told: ChangeMarker | None
) -> None:
    await database.execute(
        connection,
        """INSERT INTO account_watches
             (account_id, seen_on, seen_sequence, seen_ledger_number, told_sequence, told_ledger_number)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (account_id) DO UPDATE SET seen_on = excluded.seen_on,
             seen_sequence = excluded.seen_sequence, seen_ledger_number = excluded.seen_ledger_number,
             told_sequence = excluded.told_sequence, told_ledger_number = excluded.told_ledger_number""",
        account.id,
        day,
        *await _mark(connection, account),
        *(told or (None, None)),
    )
