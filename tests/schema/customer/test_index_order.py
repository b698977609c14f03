"""A page of a long history is read in the order of an index, without sorting the history."""

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db import pagination
from renewals.events import event_log
from renewals.exports import queries as export_queries
from renewals.exports import tables
from renewals.operators import queries as operators_queries
from renewals.orders import queries as orders_queries
from tests.support import sql_log
from tests.support.fixtures import NOW, World

COUNT = 5_000
FIRST = pagination.PageRequest(first=10)
EVERYTHING = export_queries.DateRange()
ALL_ENTRIES = accounts_queries.LedgerFilter()


def whole_export(name: str) -> export_queries.Export:
    """Return the export of all orders or all ledger entries of account `a`."""
    if name == "orders":
        return export_queries.export_orders(
            "a", EVERYTHING, columns=tables.ORDERS.select_columns(None), now=NOW
        )
    return export_queries.export_ledger(
        "a", ALL_ENTRIES, EVERYTHING, columns=tables.LEDGER.select_columns(None), now=NOW
    )


HISTORY = [
    """INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, refusals, created_at)
       SELECT gen_random_uuid(), 'a', 'MANUAL_RENEWAL', 100, 0, 100, '[]', $1::timestamptz - make_interval(mins => n)
       FROM generate_series(1, $2::int) n""",
    """INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents)
       SELECT o.id, i.id, o.created_at, o.created_at + interval '1 month', 1, 0, 50, 50
       FROM orders o CROSS JOIN instances i""",
    """INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
       SELECT 'a', n, 'TOP_UP', 100, 100 * n, '', $1::timestamptz - make_interval(mins => $2 - n)
       FROM generate_series(1, $2::int) n""",
    """INSERT INTO audit_log (operator_name, action, account_ids, idempotency_key, request_hash, request, answer,
         created_at)
       SELECT 'ops', 'TOP_UP', ARRAY[CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END], n::text, '', '{}', '{}',
         $1::timestamptz - make_interval(mins => $2 - n)
       FROM generate_series(1, $2::int) n""",
    """INSERT INTO events (account_id, sequence, type, occurred_at, payload)
       SELECT 'a', n, 'policy.changed', $1::timestamptz - make_interval(mins => $2 - n), '{}'
       FROM generate_series(1, $2::int) n""",
]


@pytest.fixture
async def long_history(world: World) -> World:
    """Account `a` with thousands of orders of two lines each, ledger entries, events and audit entries."""
    await world.account("a")
    await world.instances(["i-1", "i-2"])
    for sql in HISTORY:
        values = (NOW, COUNT) if "$" in sql else ()
        await database.execute(database.pool(), sql, *values)
    await database.execute(database.pool(), "ANALYZE")
    return world


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Yield the nodes of a plan with their descendants."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


async def assert_nothing_is_sorted_whole(
    connection: database.Connection, sql: str, values: Sequence[object]
) -> None:
    [[explained]] = await database.fetch(connection, f"EXPLAIN (FORMAT JSON) {sql}", *values)
    [plan] = json.loads(explained)
    sorts = [node for node in nodes(plan["Plan"]) if node["Node Type"] == "Sort"]
    assert sorts == [], json.dumps(plan, indent=1)


async def test_a_page_of_any_history_is_read_in_the_order_of_an_index(long_history: World) -> None:
    pool = database.pool()
    with sql_log.noted() as seen:
        page = await orders_queries.fetch_orders(pool, "a", FIRST, counted=False)
        cursor = page.cursor(page.rows[-1])
        assert len(page.rows) == 10
        await orders_queries.fetch_orders(
            pool, "a", pagination.PageRequest(first=10, after=cursor), counted=False
        )
        await orders_queries.fetch_orders(
            pool, "a", pagination.PageRequest(last=5, before=cursor), counted=False
        )
        await accounts_queries.fetch_ledger(pool, "a", ALL_ENTRIES, FIRST, counted=False)
        await event_log.read_events("a", COUNT // 2)
        for account_id in (None, "a"):
            await operators_queries.fetch_audit_log(
                pool, FIRST, account_id=account_id, action=None, counted=False
            )
    assert len(seen) == 7
    for statement in seen:
        await assert_nothing_is_sorted_whole(pool, statement.sql, statement.values)


@pytest.mark.parametrize("name", ["orders", "ledger"])
async def test_an_export_of_a_history_has_its_first_rows_before_the_last_are_read(
    long_history: World, name: str
) -> None:
    export = whole_export(name)
    async with database.read_snapshot() as connection:
        async with contextlib.aclosing(export_queries.read_rows(connection, export)) as rows:
            assert len(await anext(rows)) == export_queries.ROWS_PER_PAGE
        await assert_nothing_is_sorted_whole(connection, *export.statement())


async def test_only_its_own_transaction_reads_in_that_way(long_history: World) -> None:
    async with (
        database.read_snapshot() as connection,
        contextlib.aclosing(export_queries.read_rows(connection, whole_export("ledger"))) as rows,
    ):
        await anext(rows)
    assert await long_history.value("SHOW enable_sort") == "on"
