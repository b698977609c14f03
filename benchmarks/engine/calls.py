"""One mutation for 10,000 instances, compared with 100 mutations for 100 each, sent to the API in this process."""

import time

import asyncpg
import httpx2

from benchmarks.engine import night
from graphql_api import app
from renewals import integrity
from renewals.accounts import api_keys
from renewals.db import connection as database

INSTANCES = 10_000
ACCOUNT = "a-0000000"
MUTATION = """mutation ($input: RenewInstancesInput!) { renewInstances(input: $input) {
  __typename
  ... on RenewInstancesSuccess { order { id total } account { balance }
    instances(first: 1000) { id expiresAt } instanceCount }
} }"""
INSTANCES_SQL = """
INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial,
  status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
SELECT 'm-' || lpad(n::text, 5, '0'), $1, 'web-' || n, (ARRAY['kec', 'eip', 'ebs', 'kes'])[1 + n % 4], 'bj-6', '[]',
  'PREPAID', FALSE, 'RUNNING', 'MANUAL', 1, timestamptz '2027-02-10 15:59:59Z' + n % 10 * interval '1 day', 10 + n % 10,
  1000, timestamptz '2026-12-01Z'
FROM generate_series(0, $2::int - 1) AS n
"""
SEARCH_TEXTS_SQL = """
INSERT INTO search_texts (account_id, instance_id, text)
SELECT account_id, id, concat_ws(chr(31), id, name) FROM instances WHERE id LIKE 'm-%'
"""
MONEY_SQL = """
WITH paid AS (UPDATE accounts SET balance_cents = balance_cents + 100000000, ledger_number = ledger_number + 1
              WHERE id = $1 RETURNING *)
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
SELECT id, ledger_number, 'TOP_UP', 100000000, balance_cents, 'Top-up', created_at FROM paid
"""


async def fill(url: str) -> None:
    """Add 10,000 MANUAL instances, and the money to renew them, to an account that `night.fill` has inserted."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(INSTANCES_SQL, ACCOUNT, INSTANCES)
        await connection.execute(SEARCH_TEXTS_SQL)
        await connection.execute(MONEY_SQL, ACCOUNT)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def renew(url: str, instances_per_call: int) -> tuple[float, float]:
    """Renew the 10,000 instances, `instances_per_call` in each mutation; return the seconds and processor seconds.

    Raises AssertionError if the result is wrong.
    """
    ids = [f"m-{number:05}" for number in range(INSTANCES)]
    batches = [ids[at : at + instances_per_call] for at in range(0, INSTANCES, instances_per_call)]
    async with database.connect(url):
        key = await api_keys.create(database.pool(), ACCOUNT, night.NOW)
        transport = httpx2.ASGITransport(app=app.create(clock=lambda: night.NOW))
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(transport=transport, headers=headers, timeout=120) as client:
            started, cpu_started = time.perf_counter(), time.process_time()
            for number, batch in enumerate(batches):
                await _call(client, batch, f"call {number}")
            seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        lines = await database.fetch(
            database.pool(), "SELECT count(*), count(DISTINCT instance_id) FROM order_lines"
        )
        assert tuple(lines[0]) == (INSTANCES, INSTANCES)
        assert not any((await integrity.check_invariants()).values())
    return seconds, cpu_seconds


async def _call(client: httpx2.AsyncClient, ids: list[str], key: str) -> None:
    variables = {"selection": {"ids": ids}, "months": 1, "idempotencyKey": key}
    response = await client.post(
        "http://here/graphql", json={"query": MUTATION, "variables": {"input": variables}}
    )
    result = response.json()["data"]["renewInstances"]
    assert result["__typename"] == "RenewInstancesSuccess", result
    assert (result["instanceCount"], len(result["instances"])) == (len(ids), min(len(ids), 1_000))
