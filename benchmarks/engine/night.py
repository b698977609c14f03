"""The data of the engine benchmark: accounts with due instances. Some have vouchers, a bundle or too little money.

An account has 10 due instances and 10 that are not due. The data is consistent before the run, so that
`integrity.check_invariants` afterwards finds only errors of the contender.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import asyncpg

NOW = dt.datetime(2027, 1, 31, 4, tzinfo=dt.UTC)
"""Noon in Shanghai on the day of the expiry: the due instances have been due since 00:30 and expire at midnight."""
ZONE = ZoneInfo("Asia/Shanghai")
DUE_AT = dt.datetime(2027, 1, 30, 16, 30, tzinfo=dt.UTC)
EXPIRES_AT = dt.datetime(2027, 1, 31, 15, 59, 59, tzinfo=dt.UTC)
DUE_PER_ACCOUNT = 10

CATALOGUE = """
INSERT INTO products (code, name, name_zh, renewable, max_term_months, retention_days) VALUES
  ('kec', 'Elastic Compute', '云服务器', TRUE, 36, 7), ('eip', 'Elastic IP', '弹性IP', TRUE, 36, 7),
  ('ebs', 'Elastic Block Storage', '云硬盘', TRUE, 36, 7), ('kes', 'Elasticsearch', 'Elasticsearch服务', TRUE, 36, 7);
INSERT INTO discount_tiers (product_code, months, discount_bps) VALUES
  ('kec', 12, 1700), ('eip', 6, 500), ('eip', 12, 1700), ('ebs', 3, 300);
INSERT INTO data_center_types (code, name, name_zh) VALUES
  ('VPC', 'Virtual private cloud', '专有网络'), ('CLASSIC', 'Classic network', '经典网络');
INSERT INTO data_centers (code, name, type_code) VALUES ('bj-6', '北京6区', 'VPC'), ('bj-1', '北京1区', 'CLASSIC')
"""

ACCOUNTS = """
INSERT INTO accounts (id, name, currency, time_zone, language, balance_cents, ledger_number, created_at,
  auto_renew_from)
SELECT 'a-' || lpad(n::text, 7, '0'), 'Account ' || n, 'CNY', 'Asia/Shanghai', 'zh', 0, 0,
  $2::timestamptz - interval '90 days', $2::timestamptz - interval '90 days'
FROM generate_series(0, $1::int - 1) AS n
"""

# Every fifth account has a bundle of its first three instances, with equal expiry, anchor and policy (rule 11).
BUNDLES = """
INSERT INTO bundles (id, account_id, name)
SELECT 'b-' || right(id, 7), id, 'Bundle' FROM accounts WHERE right(id, 7)::int % 5 = 0
"""

INSTANCES = """
INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial,
  status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, bundle_id, created_at)
SELECT format('i-%s-%s', right(a.id, 7), lpad(k::text, 2, '0')), a.id, 'web-' || k,
  (ARRAY['kec', 'eip', 'ebs', 'kes'])[1 + k % 4], (ARRAY['bj-6', 'bj-1'])[1 + k % 2],
  '[{"label": "CPU", "value": "4"}, {"label": "RAM", "value": "16 GB"}]', 'PREPAID', FALSE, 'RUNNING', 'AUTO',
  CASE WHEN k > 2 AND k % 5 = 0 THEN 3 ELSE 1 END,
  timestamptz '2027-01-31 15:59:59Z' + CASE WHEN k >= $1::int THEN k * interval '1 day' ELSE interval '0' END,
  CASE WHEN k >= $1::int THEN extract(day FROM date '2027-01-31' + k) ELSE 31 END,
  1000 + (hashtext(a.id || k) & 65535), CASE WHEN k < 3 THEN b.id END, a.created_at
FROM accounts a LEFT JOIN bundles b ON b.account_id = a.id, generate_series(0, 2 * $1::int - 1) AS k
ORDER BY a.id, k
"""

SEARCH_TEXTS = """
INSERT INTO search_texts (account_id, instance_id, text)
SELECT account_id, id, concat_ws(chr(31), id, name, '4', '16 gb') FROM instances
"""

# Every third account has a voucher, and every sixth has a second one, which is limited to two products.
VOUCHERS = """
INSERT INTO vouchers (id, account_id, face_cents, available_cents, expires_at, product_codes, created_at)
SELECT gen_random_uuid(), id, 60000, 60000, $1::timestamptz + k * interval '7 days',
  CASE WHEN k = 2 THEN ARRAY['kec', 'eip'] ELSE ARRAY[]::text[] END, created_at
FROM accounts, generate_series(1, 2) AS k WHERE right(id, 7)::int % (3 * k) = 0
"""

# Every tenth account can pay for only some of its due instances.
BALANCES = """
UPDATE accounts a SET balance_cents = CASE WHEN right(a.id, 7)::int % 10 = 7 THEN s.cents / 2 ELSE s.cents * 2 END,
  ledger_number = 1 + (SELECT count(*) FROM vouchers v WHERE v.account_id = a.id)
FROM (SELECT account_id, sum(monthly_price_cents * auto_renew_months) AS cents
      FROM instances WHERE expires_at < '2027-02-01Z' GROUP BY account_id) AS s WHERE s.account_id = a.id
"""

ENTRIES = """
INSERT INTO ledger_entries
  (account_id, number, kind, amount_cents, balance_after_cents, voucher_id, memo, created_at)
SELECT account_id, row_number() OVER (PARTITION BY account_id ORDER BY id NULLS FIRST), 'TOP_UP', cents, cents, id,
  'Top-up', '2026-12-01Z'
FROM (SELECT id AS account_id, NULL::uuid AS id, balance_cents AS cents FROM accounts
      UNION ALL SELECT account_id, id, face_cents FROM vouchers) AS given
"""


async def fill(url: str, accounts: int) -> None:
    """Fill a migrated database with the given number of accounts."""
    connection = await asyncpg.connect(url, timeout=60)
    try:
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        await connection.execute(CATALOGUE)
        await connection.execute(ACCOUNTS, accounts, NOW)
        await connection.execute(BUNDLES)
        await connection.execute(INSTANCES, DUE_PER_ACCOUNT)
        await connection.execute(SEARCH_TEXTS)
        await connection.execute(VOUCHERS, NOW)
        await connection.execute(BALANCES)
        await connection.execute(ENTRIES)
        await connection.execute("VACUUM (ANALYZE, FREEZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
