"""The duration and memory of `renewals verify` on a large generated database.

.venv/bin/python -m benchmarks.verify --instances 1000000
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import asyncpg

from graphql_api.devserver import services
from renewals.db import migrate

PERIODS = 3
PRICE_CENTS = 1_000

FILL = """
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO products (code, name, name_zh, renewable, max_term_months, retention_days)
  VALUES ('kec', 'Cloud server', '云服务器', TRUE, 36, 7);
INSERT INTO data_center_types (code, name, name_zh) VALUES ('VPC', 'Virtual private cloud', '专有网络');
INSERT INTO data_centers (code, name, type_code) VALUES ('bj-6', '北京6区', 'VPC');
INSERT INTO accounts (id, name, currency, time_zone, language, balance_cents, ledger_number, created_at,
    auto_renew_from)
  SELECT 'a-' || n, 'Account', 'CNY', 'Asia/Shanghai', 'zh', 500, 0, now(), now() - interval '30 days'
  FROM generate_series(0, {accounts} - 1) n;
INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial,
    status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
  SELECT 'i-' || n, 'a-' || n % {accounts}, 'Instance', 'kec', 'bj-6', '[]', 'PREPAID', FALSE, 'RUNNING', 'AUTO', 1,
    timestamptz '2027-01-31 15:59:59Z' + {periods} * interval '30 days', 31, {price}, now()
  FROM generate_series(1, {instances}) n;
INSERT INTO search_texts (account_id, instance_id, text)
  SELECT account_id, id, id || chr(31) || lower(name) FROM instances;
CREATE TEMP TABLE paid AS
  SELECT gen_random_uuid() AS order_id, n, k, 'a-' || n % {accounts} AS account_id,
    row_number() OVER (PARTITION BY n % {accounts} ORDER BY k, n) AS place
  FROM generate_series(1, {instances}) n, generate_series(0, {periods} - 1) k;
INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, refusals, created_at)
  SELECT order_id, account_id, 'MANUAL_RENEWAL', {price}, 0, {price}, '[]', now() FROM paid;
INSERT INTO order_lines
    (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents, anchor_day_before)
  SELECT order_id, 'i-' || n, timestamptz '2027-01-31 15:59:59Z' + k * interval '30 days',
    timestamptz '2027-01-31 15:59:59Z' + (k + 1) * interval '30 days', 1, 0, {price}, {price}, 31 FROM paid;
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
  SELECT account_id, 1, 'TOP_UP', count(*) * {price} + 500, count(*) * {price} + 500, 'Top-up', now()
  FROM paid GROUP BY account_id;
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, memo, created_at)
  SELECT p.account_id, 1 + p.place, 'RENEWAL', -{price}, t.amount_cents - p.place * {price}, p.order_id, 'x', now()
  FROM paid p JOIN ledger_entries t ON t.account_id = p.account_id AND t.number = 1;
UPDATE accounts a SET ledger_number = e.last
  FROM (SELECT account_id, max(number) AS last FROM ledger_entries GROUP BY account_id) AS e WHERE e.account_id = a.id;
SET session_replication_role = origin;
ANALYZE
"""


async def fill(url: str, instances: int) -> None:
    """Migrate a database, and fill it with consistent data."""
    await migrate.migrate(url)
    connection = await asyncpg.connect(url)
    sql = FILL.format(
        instances=instances, accounts=max(1, instances // 100), periods=PERIODS, price=PRICE_CENTS
    )
    for statement in statements(sql):
        await connection.execute(statement, timeout=3_600)
    await connection.close()


def statements(sql: str) -> Iterator[str]:
    yield from (text for text in sql.split(";") if text.strip())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1_000_000)
    instances = parser.parse_args().instances
    with services.Postgres(durable=False) as postgres:
        started = time.perf_counter()
        asyncio.run(fill(postgres.url, instances))
        print(
            f"{instances:,} instances, {instances * PERIODS:,} lines made in {time.perf_counter() - started:.0f} s"
        )
        started = time.perf_counter()
        command = [sys.executable, "-m", "graphql_api", "verify"]
        process = subprocess.run(command, env=os.environ | {"DATABASE_URL": postgres.url}, check=False)
        elapsed = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"renewals verify: exit {process.returncode}, {elapsed:.1f} s, largest child {peak} MB")


if __name__ == "__main__":
    main()
