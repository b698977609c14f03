"""Histories of equal accounts over the same days: one by the worker on a simulated clock, others by a test clock.

A test opens three accounts with equal contents in one database. The worker is called every hour for `real`. The other
two are test accounts: one moves day by day, and one in as few calls as possible. A test compares their `read_rows`.
"""

import datetime as dt
import functools
import uuid
from typing import Any

import orjson

from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew, runs, schedule
from renewals.instances import lifecycle
from renewals.test_clocks import advance
from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import Client

REAL, DAILY, AT_ONCE = "real", "daily", "at-once"
ACCOUNTS = (REAL, DAILY, AT_ONCE)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)

TABLES = {
    "instances": """SELECT id, status, renewal_mode, expires_at, anchor_day FROM instances
                    WHERE account_id = $1 ORDER BY id""",
    "vouchers": "SELECT face_cents, available_cents, expires_at FROM vouchers WHERE account_id = $1 ORDER BY 1, 2, 3",
    "ledger": """SELECT number, kind, amount_cents, balance_after_cents, memo, created_at FROM ledger_entries
                 WHERE account_id = $1 ORDER BY number""",
    "orders": """SELECT o.kind, o.total_cents, o.voucher_cents, o.created_at, l.instance_id, l.starts_at, l.expires_at,
                   l.price_cents FROM orders o JOIN order_lines l ON l.order_id = o.id
                 WHERE o.account_id = $1 ORDER BY o.created_at, l.instance_id""",
    "attempts": """SELECT t.instance_id, t.due_at, t.attempted_at, t.succeeded, t.code, t.message
                   FROM renewal_attempts t JOIN instances i ON i.id = t.instance_id
                   WHERE i.account_id = $1 ORDER BY t.attempted_at, t.instance_id""",
    "events": """SELECT sequence, type, occurred_at, instance_id, payload::text FROM events
                 WHERE account_id = $1 ORDER BY sequence""",
    "reminders": """SELECT r.instance_id, r.expires_at, r.days FROM reminders r JOIN instances i ON i.id = r.instance_id
                    WHERE i.account_id = $1 ORDER BY 1""",
    "watch": """SELECT seen_on, seen_sequence, seen_ledger_number, told_sequence, told_ledger_number
                FROM account_watches WHERE account_id = $1""",
}


async def run_worker_hourly(after: dt.datetime, until: dt.datetime) -> None:
    """Call the worker's functions with the clock at every hour after an instant."""
    tick = schedule.next_scheduled_at(after + dt.timedelta(microseconds=1))
    while tick <= until:
        clock = functools.partial(_return_instant, tick)
        assert await runs.start_scheduled_run(tick) is not None
        await lifecycle.expire_and_release(tick)
        await renew.renew_pending_runs(clock)
        await balance_alerts.check_changed_accounts(clock)
        tick += HOUR


def _return_instant(instant: dt.datetime) -> dt.datetime:
    return instant


async def move(account_id: str, to: dt.datetime, **options: Any) -> Any:
    """Move a test clock with a new idempotency key."""
    request = advance.MoveRequest(to, str(uuid.uuid4()))
    return await advance.advance(account_id, request, lambda: to, seconds_max=600, **options)


async def move_daily(account_id: str, after: dt.datetime, until: dt.datetime) -> None:
    """Move a test clock in steps of one day."""
    while after < until:
        after = min(after + DAY, until)
        await move(account_id, after)


async def read_rows(world: World, account_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of an account without its name, its ids and the flag of a test account."""
    return {
        table: [
            tuple(_neutral(value, account_id) for value in row) for row in await world.rows(sql, account_id)
        ]
        for table, sql in TABLES.items()
    }


def _neutral(value: Any, account_id: str) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace(f"{account_id}:", "")
    if not text.startswith("{"):
        return text
    payload = orjson.loads(text)
    return {name: member for name, member in payload.items() if name not in ("testClock", "orderId")}


async def buyer(world: World, account_id: str) -> customer.Buyer:
    """Return a customer of an account."""
    return await customer.of(world, Client(), account_id)
