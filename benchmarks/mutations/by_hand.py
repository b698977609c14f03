"""The transaction of a renewal written by hand: the same rows, by plain statements, and no other rules."""

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
    """The renewals of a loop, its duration, the processor seconds of its process, and all renewals with the warm-up."""

    renewed: int
    seconds: float
    cpu_seconds: float
    renewed_in_all: int


async def renew(connection: asyncpg.Connection, renewal: filling.Renewal) -> dict[str, object]:
    """Renew one instance for a month, and return the order, the balance and the instance."""
    async with connection.transaction():
        account = await connection.fetchrow(
            "SELECT balance_cents, ledger_number, time_zone FROM accounts WHERE id = $1 FOR NO KEY UPDATE",
            renewal.account_id,
        )
        used = await connection.fetchval(
            "SELECT id FROM orders WHERE account_id = $1 AND idempotency_key = $2",
            renewal.account_id,
            renewal.key,
        )
        instance = await connection.fetchrow(
            """SELECT i.expires_at, i.anchor_day, i.monthly_price_cents, i.refund_count,
                 (SELECT max(t.discount_bps) FROM discount_tiers t WHERE t.product_code = p.code AND t.months <= 1)
                   AS discount_bps
               FROM instances i JOIN products p ON p.code = i.product_code
               WHERE i.account_id = $1 AND i.id = $2 AND p.renewable AND NOT i.is_trial
                 AND i.billing_mode = 'PREPAID' AND i.bundle_id IS NULL AND i.status <> 'RELEASED'""",
            renewal.account_id,
            renewal.instance_id,
        )
        now = dt.datetime.now(dt.UTC)
        vouchers = await connection.fetch(
            """SELECT id, available_cents FROM vouchers
               WHERE account_id = $1 AND available_cents > 0 AND expires_at >= $2""",
            renewal.account_id,
            now,
        )
        assert used is None and not vouchers
        zone = ZoneInfo(account["time_zone"])
        starts_at, anchor_day = instance["expires_at"], instance["anchor_day"]
        last_day = dates.add_months(anchor_day, dates.last_day(starts_at, zone), 1)
        expires_at = dates.end_of_day(last_day, zone)
        list_cents = instance["monthly_price_cents"]
        price_cents = (list_cents * (10_000 - (instance["discount_bps"] or 0)) + 5_000) // 10_000
        balance_cents = account["balance_cents"] - price_cents
        assert now < expires_at <= now + dt.timedelta(days=TERM_DAYS_MAX) and balance_cents >= 0
        order_id = database.new_id()
        await connection.execute(
            """INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, idempotency_key,
                 request_hash, refusals, created_at)
               VALUES ($1, $2, 'MANUAL_RENEWAL', $3, 0, $3, $4, $5, '[]', $6)""",
            order_id,
            renewal.account_id,
            price_cents,
            renewal.key,
            hashlib.sha256(f"{renewal.instance_id} 1".encode()).digest(),
            now,
        )
        await connection.execute(
            """INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents,
                 price_cents, anchor_day_before, refund_count)
               VALUES ($1, $2, $3, $4, 1, 0, $5, $6, $7, $8)""",
            order_id,
            renewal.instance_id,
            starts_at,
            expires_at,
            list_cents,
            price_cents,
            anchor_day,
            instance["refund_count"],
        )
        await connection.execute(
            """INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, memo,
                 created_at)
               VALUES ($1, $2, 'RENEWAL', $3, $4, $5, 'Instances renewed: 1', $6)""",
            renewal.account_id,
            account["ledger_number"] + 1,
            -price_cents,
            balance_cents,
            order_id,
            now,
        )
        await connection.execute(
            "UPDATE accounts SET balance_cents = $2, ledger_number = $3 WHERE id = $1",
            renewal.account_id,
            balance_cents,
            account["ledger_number"] + 1,
        )
        status = await connection.execute(
            """UPDATE instances SET expires_at = $3, status = 'RUNNING', agreed_price_cents = NULL
               WHERE id = $1 AND expires_at = $2""",
            renewal.instance_id,
            starts_at,
            expires_at,
        )
        assert status == "UPDATE 1"
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
            now,
            renewal.instance_id,
            _payload(order_id, starts_at, expires_at, price_cents),
        )
    return {
        "order": order_id,
        "balance": balance_cents,
        "instance": renewal.instance_id,
        "expires": expires_at,
    }


def _payload(order_id: uuid.UUID, starts_at: dt.datetime, expires_at: dt.datetime, price_cents: int) -> str:
    return json.dumps(
        {
            "orderId": str(order_id),
            "orderKind": "MANUAL_RENEWAL",
            "startsAt": starts_at.isoformat(),
            "expiresAt": expires_at.isoformat(),
            "months": 1,
            "days": 0,
            "price": f"{price_cents // 100}.{price_cents % 100:02}",
        }
    )


async def load(url: str, clients: int, accounts: int, warm_up_seconds: float, seconds: float) -> Measured:
    """Run clients that each start their next renewal after the previous one, with as many connections as the API."""
    size = min(clients, config.get_settings().database_pool_size)
    async with asyncpg.create_pool(url, min_size=size, max_size=size, reset=_leave) as connections:
        loops = [filling.renewals(number % accounts, number, clients) for number in range(clients)]
        warm_up_count, _ = await _run(connections, loops, warm_up_seconds)
        before = time.process_time()
        count, elapsed = await _run(connections, loops, seconds)
        return Measured(count, elapsed, time.process_time() - before, warm_up_count + count)


async def _leave(_: object) -> None:
    """Reset no connection, because no statement changes the session."""


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
    count = 0

    def note(_: object) -> None:
        nonlocal count
        count += 1

    connection.add_query_logger(note)
    await renew(connection, next(filling.renewals(0, 0, 1)))
    await connection.close()
    return count
