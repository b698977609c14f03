"""A history for the data set of the read benchmarks: one renewal of each instance that has an expiry.

Each renewal has an order, an order line, a ledger entry and an event. The orders of an account are spread
over the last 30 days; the sums of the ledger are consistent, as `renewals verify` requires.
"""

import asyncpg

FILL = """
SET session_replication_role = replica;
SET synchronous_commit = off;
CREATE TEMP TABLE paid AS
  SELECT account_id, id AS instance_id, monthly_price_cents AS cents, gen_random_uuid() AS order_id,
    row_number() OVER (PARTITION BY account_id ORDER BY id) AS place,
    sum(monthly_price_cents) OVER (PARTITION BY account_id ORDER BY id) AS spent_cents,
    now() - interval '30 days' + interval '30 days' * row_number() OVER (PARTITION BY account_id ORDER BY id)
      / (1 + count(*) OVER (PARTITION BY account_id)) AS at,
    expires_at
  FROM instances WHERE expires_at IS NOT NULL;
CREATE TEMP TABLE topped_up AS
  SELECT account_id, sum(cents) + 100000 AS cents, max(place) AS orders FROM paid GROUP BY account_id;
TRUNCATE ledger_entries;
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
  SELECT account_id, 1, 'TOP_UP', cents, cents, 'Top-up', now() - interval '30 days' FROM topped_up;
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, memo, created_at)
  SELECT p.account_id, 1 + place, 'RENEWAL', -p.cents, t.cents - spent_cents, order_id, '', at
  FROM paid p JOIN topped_up t USING (account_id) ORDER BY at;
UPDATE accounts a SET balance_cents = 100000, ledger_number = 1 + t.orders FROM topped_up t WHERE t.account_id = a.id;
INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, refusals, created_at)
  SELECT order_id, account_id, 'MANUAL_RENEWAL', cents, 0, cents, '[]', at FROM paid ORDER BY at;
INSERT INTO order_lines
    (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents, anchor_day_before)
  SELECT order_id, instance_id, expires_at - interval '30 days', expires_at, 1, 0, cents, cents, 31
  FROM paid ORDER BY at;
INSERT INTO event_streams (account_id, last_sequence) SELECT account_id, orders FROM topped_up;
INSERT INTO events (account_id, sequence, type, occurred_at, instance_id, payload, actor_kind, actor_name)
  SELECT account_id, place, 'instance.renewed', at, instance_id, json_build_object('orderId', order_id,
      'orderKind', 'MANUAL_RENEWAL', 'startsAt', to_char((expires_at - interval '30 days') AT TIME ZONE 'UTC', {iso}),
      'expiresAt', to_char(expires_at AT TIME ZONE 'UTC', {iso}), 'months', 1, 'days', 0,
      'price', to_char(cents / 100.0, 'FM9999990.00')), 'CUSTOMER', 'key'
  FROM paid ORDER BY at;
SET session_replication_role = origin;
VACUUM ANALYZE;
"""
ISO = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'"""


async def add(url: str) -> None:
    """Add the history to a database that is a copy of `data.DATABASE`."""
    connection = await asyncpg.connect(url)
    try:
        for statement in FILL.format(iso=ISO).split(";"):
            if statement.strip():
                await connection.execute(statement, timeout=3_600)
        await connection.execute("CHECKPOINT", timeout=3_600)
    finally:
        await connection.close()
