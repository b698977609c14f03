"""The data set of the read benchmarks: one large account among many.

The dates are relative to the day of loading; all other values are the same every day. Independent hashes of the row
number decide the product, the data center, the mode, the day, the price and the months, so that these do not correlate.
The stored statuses are correct for a day after loading, because no instance expires or is released within that day.
"""

import asyncio
import datetime as dt
import functools
from dataclasses import dataclass

import asyncpg

from benchmarks import sizes, stage
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import search_text

DATABASE = "reads"
LARGE_ACCOUNT = "a-0"
EXPIRY_DAYS = 365
"""The maximum number of days until a running instance expires. All expiries are at the end of a day in Shanghai."""

FILL = """
INSERT INTO products (code, name, name_zh, renewable, unsupported_reason, max_term_months, retention_days)
  SELECT 'product-' || n, 'Product ' || n, '产品' || n, n < 9, CASE WHEN n >= 9 THEN 'Not served' END, 36, 7
  FROM generate_series(0, 9) n;
INSERT INTO data_center_types (code, name, name_zh)
  VALUES ('VPC', 'Private network', '专有网络'), ('CLASSIC', 'Classic network', '经典网络'), ('EDGE', 'Edge', '边缘');
INSERT INTO data_centers (code, name, type_code)
  SELECT 'dc-' || n, '北京' || n || '区', (ARRAY['VPC', 'CLASSIC', 'EDGE'])[1 + n % 3] FROM generate_series(0, 5) n;
INSERT INTO accounts (id, name, currency, time_zone, language, balance_cents, ledger_number, created_at,
    auto_renew_from)
  SELECT 'a-' || n, 'Account ' || n, 'CNY', 'Asia/Shanghai', 'zh', 100000, 1, now(), now() - interval '30 days'
  FROM generate_series(0, {accounts} - 1) n;
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
  SELECT id, 1, 'TOP_UP', balance_cents, balance_cents, 'Top-up', created_at FROM accounts ORDER BY id;
INSERT INTO api_keys (id, account_id, role, name, prefix, secret_hash, created_at)
  SELECT gen_random_uuid(), id, 'RENEWER', '', 'none', sha256(convert_to('nobody has this key: ' || id, 'UTF8')), now()
  FROM accounts;
CREATE TEMP TABLE drawn AS
  SELECT n, CASE WHEN n <= {large} THEN 0 ELSE 1 + n % ({accounts} - 1) END AS account,
    pick(n, 1, 10) AS product, pick(n, 2, 6) AS data_center, pick(n, 3, 100) AS kind, pick(n, 4, 100) AS mode,
    1 + pick(n, 5, {days}) AS day, pick(n, 6, 100) AS lapsed, pick(n, 7, 90000) AS price, pick(n, 8, 12) AS months
  FROM generate_series(1, {instances}) n;
INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial,
    status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
  SELECT 'i-' || lpad(n::text, 10, '0'), 'a-' || account, 'instance ' || n, 'product-' || product, 'dc-' || data_center,
    '[{{"label": "CPU", "value": "4核"}}, {{"label": "内存", "value": "8GB"}}]',
    CASE WHEN kind < 82 THEN 'PREPAID' WHEN kind < 94 THEN 'PAY_AS_YOU_GO' ELSE 'ONE_OFF' END, kind % 20 = 0,
    CASE WHEN lapsed >= 8 OR expires_at IS NULL THEN 'RUNNING' WHEN lapsed < 5 THEN 'EXPIRED' ELSE 'RELEASED' END,
    CASE WHEN mode < 30 THEN 'AUTO' WHEN mode < 90 THEN 'MANUAL' ELSE 'NONE' END, 1 + months,
    expires_at, extract(day FROM expires_at AT TIME ZONE 'Asia/Shanghai'), 1000 + price,
    timestamptz '{today} 15:59:59Z' - interval '1 year' - n * interval '7 seconds' + n * interval '1 microsecond'
  FROM drawn CROSS JOIN LATERAL (SELECT CASE WHEN kind BETWEEN 82 AND 93 OR (kind >= 94 AND n % 2 = 0) THEN NULL
    ELSE timestamptz '{today} 15:59:59Z' + interval '1 day'
      * CASE WHEN lapsed < 5 THEN -1 - day % 5 WHEN lapsed < 8 THEN -9 - day ELSE day END END AS expires_at) AS due;
INSERT INTO search_texts (account_id, instance_id, text)
  SELECT account_id, id, id || chr(31) || name || chr(31) || '{values}' FROM instances;
"""
"""SQL that inserts the data. Of the instances with an expiry, 5 % expired in the last 5 days and 3 % are released."""

PICK = """CREATE FUNCTION pg_temp.pick(number bigint, seed bigint, count integer) RETURNS integer LANGUAGE sql IMMUTABLE
  RETURN ((hashint8extended(number, seed) % count) + count) % count"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A filled database, the key of its large account, and the day to which its dates are relative."""

    url: str
    key: str
    today: dt.date


@functools.cache
def loaded(environment: stage.Stage, size: sizes.Size) -> Loaded:
    """Return the database with the data set; the first call creates it."""
    return asyncio.run(load(environment.create_database(DATABASE), size))


async def load(url: str, size: sizes.Size) -> Loaded:
    """Fill a migrated database with the data set, and create a key of the large account."""
    now = dt.datetime.now(dt.UTC)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(PICK)
        statements = FILL.format(
            accounts=size.accounts,
            instances=size.instances,
            large=size.large_account_instances,
            days=EXPIRY_DAYS,
            today=now.date(),
            values=search_text.fold(search_text.SEPARATOR.join(("4核", "8GB"))),
        )
        await connection.execute(statements.replace("pick(", "pg_temp.pick("), timeout=3_600)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    async with database.connect(url, pool_size=1):
        key = await api_keys.create(database.pool(), LARGE_ACCOUNT, now)
    return Loaded(url, key, now.date())
