"""The transaction of a renewal, written by hand: plain statements that write the product's rows and check few rules."""

import asyncio
import datetime as dt
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from benchmarks.mutations import filling
from renewals import config
from renewals.db import connection as database
from renewals.domain import dates

TERM_DAYS_MAX = 36 * 31


class Measured(NamedTuple):
    """The count of renewals, the seconds and the processor seconds of a loop, and the count including the warm-up."""

    renewed: int
    seconds: float
    cpu_seconds: float
    renewed_in_all: int


class _Plan(NamedTuple):
    """The values that a renewal reads and computes before it writes."""

    order_id: uuid.UUID
    now: dt.datetime
    instance: asyncpg.Record
    expires_at: dt.datetime
    price_cents: int
    balance_cents: int
    ledger_number: int


async def renew(connection: asyncpg.Connection, renewal: filling.Renewal) -> dict[str, object]:
    """Renew one instance for a month; return the order's id, the balance, and the instance's id and new expiry."""
    async with connection.transaction():
        account = await _lock_account(connection, renewal)
        instance = await _read_instance(connection, renewal)
        now = dt.datetime.now(dt.UTC)
        await _check_vouchers(connection, renewal, now)
        plan = _plan(account, instance, now)
        await _insert_order(connection, renewal, plan)
        await _pay(connection, renewal, plan)
        await _extend_instance(connection, renewal, plan)
        await _insert_event(connection, renewal, plan)
    return {
        "order": plan.order_id,
        "balance": plan.balance_cents,
        "instance": renewal.instance_id,
        "expires": plan.expires_at,
    }


async def _lock_account(connection: asyncpg.Connection, renewal: filling.Renewal) -> asyncpg.Record:
    """Lock and return the account, and check that the idempotency key is new."""
    account = await connection.fetchrow(
        "SELECT balance_cents, ledger_number, time_zone FROM accounts WHERE id = $1 FOR NO KEY UPDATE",
        renewal.account_id,
    )
    used = await connection.fetchval(
        "SELECT id FROM orders WHERE account_id = $1 AND idempotency_key = $2",
        renewal.account_id,
        renewal.key,
    )
    assert used is None
    return account


async def _read_instance(connection: asyncpg.Connection, renewal: filling.Renewal) -> asyncpg.Record:
    return await connection.fetchrow(
        """SELECT i.expires_at, i.anchor_day, i.monthly_price_cents, i.refund_count,
             (SELECT max(t.discount_bps) FROM discount_tiers t WHERE t.product_code = p.code AND t.months <= 1)
               AS discount_bps
           FROM instances i JOIN products p ON p.code = i.product_code
           WHERE i.account_id = $1 AND i.id = $2 AND p.renewable AND NOT i.is_trial
             AND i.billing_mode = 'PREPAID' AND i.bundle_id IS NULL AND i.status <> 'RELEASED'""",
        renewal.account_id,
        renewal.instance_id,
    )


async def _check_vouchers(connection: asyncpg.Connection, renewal: filling.Renewal, now: dt.datetime) -> None:
    """Check that the account has no usable voucher, so that its balance pays for the renewal."""
    vouchers = await connection.fetch(
        """SELECT id, available_cents FROM vouchers
           WHERE account_id = $1 AND available_cents > 0 AND expires_at >= $2""",
        renewal.account_id,
        now,
    )
    assert not vouchers


def _plan(account: asyncpg.Record, instance: asyncpg.Record, now: dt.datetime) -> _Plan:
    """Compute the new expiry, the price, and the balance after the payment."""
    zone = ZoneInfo(account["time_zone"])
    last_day = dates.add_months(instance["anchor_day"], dates.last_day(instance["expires_at"], zone), 1)
    expires_at = dates.end_of_day(last_day, zone)
    price_cents = (
        instance["monthly_price_cents"] * (10_000 - (instance["discount_bps"] or 0)) + 5_000
    ) // 10_000
    balance_cents = account["balance_cents"] - price_cents
    assert now < expires_at <= now + dt.timedelta(days=TERM_DAYS_MAX) and balance_cents >= 0
    ledger_number = account["ledger_number"] + 1
    return _Plan(database.new_id(), now, instance, expires_at, price_cents, balance_cents, ledger_number)


async def _insert_order(connection: asyncpg.Connection, renewal: filling.Renewal, plan: _Plan) -> None:
    """Insert the order and its line."""
    await connection.execute(
        """INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, idempotency_key,
             request_hash, refusals, created_at)
           VALUES ($1, $2, 'MANUAL_RENEWAL', $3, 0, $3, $4, $5, '[]', $6)""",
        plan.order_id,
        renewal.account_id,
        plan.price_cents,
        renewal.key,
        hashlib.sha256(f"{renewal.instance_id} 1".encode()).digest(),
        plan.now,
    )
    await connection.execute(
        """INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents,
             price_cents, anchor_day_before, refund_count)
           VALUES ($1, $2, $3, $4, 1, 0, $5, $6, $7, $8)""",
        plan.order_id,
        renewal.instance_id,
        plan.instance["expires_at"],
        plan.expires_at,
        plan.instance["monthly_price_cents"],
        plan.price_cents,
        plan.instance["anchor_day"],
        plan.instance["refund_count"],
    )


async def _pay(connection: asyncpg.Connection, renewal: filling.Renewal, plan: _Plan) -> None:
    """Insert the ledger entry, and update the balance."""
    await connection.execute(
        """INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, memo,
             created_at)
           VALUES ($1, $2, 'RENEWAL', $3, $4, $5, 'Instances renewed: 1', $6)""",
        renewal.account_id,
        plan.ledger_number,
        -plan.price_cents,
        plan.balance_cents,
        plan.order_id,
        plan.now,
    )
    await connection.execute(
        "UPDATE accounts SET balance_cents = $2, ledger_number = $3 WHERE id = $1",
        renewal.account_id,
        plan.balance_cents,
        plan.ledger_number,
    )


async def _extend_instance(connection: asyncpg.Connection, renewal: filling.Renewal, plan: _Plan) -> None:
    status = await connection.execute(
        """UPDATE instances SET expires_at = $3, status = 'RUNNING', agreed_price_cents = NULL
           WHERE id = $1 AND expires_at = $2""",
        renewal.instance_id,
        plan.instance["expires_at"],
        plan.expires_at,
    )
    assert status == "UPDATE 1"


async def _insert_event(connection: asyncpg.Connection, renewal: filling.Renewal, plan: _Plan) -> None:
    """Insert the event with the next sequence number of the account."""
    sequence = await connection.fetchval(
        """INSERT INTO event_streams (account_id, last_sequence) VALUES ($1, 1)
           ON CONFLICT (account_id) DO UPDATE SET last_sequence = event_streams.last_sequence + 1
           RETURNING last_sequence""",
        renewal.account_id,
    )
    await connection.execute(
        """INSERT INTO events (account_id, sequence, type, occurred_at, instance_id, payload, actor_kind,
             actor_name)
           VALUES ($1, $2, 'instance.renewed', $3, $4, $5, 'CUSTOMER', '')""",
        renewal.account_id,
        sequence,
        plan.now,
        renewal.instance_id,
        _payload(plan),
    )


def _payload(plan: _Plan) -> str:
    return json.dumps(
        {
            "orderId": str(plan.order_id),
            "orderKind": "MANUAL_RENEWAL",
            "startsAt": plan.instance["expires_at"].isoformat(),
            "expiresAt": plan.expires_at.isoformat(),
            "months": 1,
            "days": 0,
            "price": f"{plan.price_cents // 100}.{plan.price_cents % 100:02}",
        }
    )


async def load(url: str, clients: int, accounts: int, warm_up_seconds: float, seconds: float) -> Measured:
    """Measure clients that each start a renewal after the previous one, with at most as many connections as the API."""
    size = min(clients, config.get_settings().database_pool_size)
    async with asyncpg.create_pool(url, min_size=size, max_size=size, reset=_leave) as connections:
        loops = [filling.renewals(number % accounts, number, clients) for number in range(clients)]
        warm_up_count, _ = await _run(connections, loops, warm_up_seconds)
        before = time.process_time()
        count, elapsed = await _run(connections, loops, seconds)
        return Measured(count, elapsed, time.process_time() - before, warm_up_count + count)


async def _leave(_: object) -> None:
    """Leave a released connection unchanged, because no statement changes its session."""


async def _run(
    connections: asyncpg.Pool, loops: list[Iterator[filling.Renewal]], seconds: float
) -> tuple[int, float]:
    started = time.perf_counter()

    async def repeat(renewals: Iterator[filling.Renewal]) -> int:
        count = 0
        while time.perf_counter() < started + seconds:
            async with connections.acquire() as connection:
                await renew(connection, next(renewals))
            count += 1
        return count

    counts = await asyncio.gather(*map(repeat, loops))
    return sum(counts), time.perf_counter() - started


async def count_round_trips(url: str) -> int:
    """Return the number of statements of one renewal, including BEGIN and COMMIT."""
    connection = await asyncpg.connect(url)
    statements: list[object] = []
    connection.add_query_logger(statements.append)
    await renew(connection, next(filling.renewals(0, 0, 1)))
    await connection.close()
    return len(statements)
