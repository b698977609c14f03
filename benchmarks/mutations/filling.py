"""The data of the mutation benchmark: accounts with money, and instances that can each be renewed 30 times."""

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import asyncpg

from benchmarks.engine import night
from renewals.accounts import api_keys
from renewals.db import connection as database

ACCOUNTS = 32
INSTANCES_PER_ACCOUNT = 8_000

ACCOUNTS_SQL = """
INSERT INTO accounts (id, name, currency, time_zone, language, balance_cents, ledger_number, created_at,
  auto_renew_from)
SELECT 'a-' || n, 'Account ' || n, 'CNY', 'Asia/Shanghai', 'en', 1000000000000, 1, now(), now()
FROM generate_series(0, $1::int - 1) AS n
"""
INSTANCES_SQL = """
INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial,
  status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
SELECT format('i-%s-%s', n, k), 'a-' || n, 'web-' || k, (ARRAY['kec', 'eip', 'ebs', 'kes'])[1 + k % 4],
  (ARRAY['bj-6', 'bj-1'])[1 + k % 2], '[{"label": "CPU", "value": "4"}]', 'PREPAID', FALSE, 'RUNNING', 'MANUAL', 1,
  at, extract(day FROM at AT TIME ZONE 'Asia/Shanghai'), 1000 + k, now()
FROM generate_series(0, $1::int - 1) AS n, generate_series(0, $2::int - 1) AS k,
  LATERAL (SELECT date_trunc('day', now()) + interval '15:59:59' + (1 + k % 28) * interval '1 day' AS at) AS expiry
"""
ENTRIES_SQL = """
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
SELECT id, 1, 'TOP_UP', balance_cents, balance_cents, 'Top-up', created_at FROM accounts
"""


class Renewal(NamedTuple):
    """One request: an account, one of its instances, and a new idempotency key."""

    account_id: str
    instance_id: str
    key: str


def renewals(account: int, client: int, clients: int) -> Iterator[Renewal]:
    """Yield an endless sequence of renewals of one client; two clients of an account never renew the same instance.

    The renewals begin at a random instance, so that repeated runs are unlikely to renew one instance beyond its
    longest term.
    """
    first = client + clients * random.randrange(INSTANCES_PER_ACCOUNT // clients)
    for number in itertools.count(first, clients):
        instance_id = f"i-{account}-{number % INSTANCES_PER_ACCOUNT}"
        yield Renewal(f"a-{account}", instance_id, uuid.uuid4().hex)


async def fill(url: str) -> None:
    """Fill a migrated database with the accounts and their instances."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(night.CATALOGUE)
        await connection.execute(ACCOUNTS_SQL, ACCOUNTS)
        await connection.execute(INSTANCES_SQL, ACCOUNTS, INSTANCES_PER_ACCOUNT)
        await connection.execute(ENTRIES_SQL)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def create_keys(url: str) -> list[str]:
    """Create an API key for each account, and return them in the order of the accounts."""
    now = dt.datetime.now(dt.UTC)
    async with database.connect(url, pool_size=1):
        return [await api_keys.create(database.pool(), f"a-{number}", now) for number in range(ACCOUNTS)]
