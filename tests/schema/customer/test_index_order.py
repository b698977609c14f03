"""A page of a long history is read in the order of an index; the history is not sorted."""

import contextlib
import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import pytest

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db import pagination
from renewals.domain import model
from renewals.events import event_log
from renewals.exports import queries as export_queries
from renewals.exports import tables
from renewals.operators import queries as operators_queries
from renewals.orders import queries as orders_queries
from tests.support import sql_log
from tests.support.fixtures import NOW, World

COUNT = 5_000
FIRST = pagination.PageRequest(first=10)
ALL_DATES = export_queries.DateRange()
ALL_ENTRIES = accounts_queries.LedgerFilter()
ALL_ORDERS = orders_queries.ALL_ORDERS
LONG_AGO, LATER = NOW - dt.timedelta(minutes=4_000), NOW - dt.timedelta(minutes=3_000)


def build_export(name: str) -> export_queries.Export:
    """Return the export of all orders or all ledger entries of account `a`."""
    if name == "orders":
        return export_queries.export_orders(
            "a", ALL_DATES, columns=tables.ORDERS.select_columns(None), now=NOW
        )
    return export_queries.export_ledger(
        "a", ALL_ENTRIES, ALL_DATES, columns=tables.LEDGER.select_columns(None), now=NOW
    )


HISTORY = [
    """INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, refusals, created_at)
       SELECT gen_random_uuid(), 'a', (ARRAY['MANUAL_RENEWAL', 'AUTO_RENEWAL', 'UNIFY_EXPIRY'])[1 + n % 3],
         100, 0, 100, '[]', $1::timestamptz - make_interval(mins => n)
       FROM generate_series(1, $2::int) n""",
    """INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents,
         anchor_day_before)
       SELECT o.id, i.id, o.created_at, o.created_at + interval '1 month', 1, 0, 50, 50, 31
       FROM orders o CROSS JOIN instances i""",
    """INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
       SELECT 'a', n, CASE WHEN n % 2 = 0 THEN 'TOP_UP' ELSE 'RENEWAL' END, CASE WHEN n % 2 = 0 THEN 100 ELSE -100 END,
         100 * (n % 2), '', $1::timestamptz - make_interval(mins => $2 - n)
       FROM generate_series(1, $2::int) n""",
    """INSERT INTO audit_log (operator_name, action, account_ids, idempotency_key, request_hash, request, answer,
         created_at)
       SELECT 'ops', 'TOP_UP', ARRAY[CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END], n::text, '', '{}', '{}',
         $1::timestamptz - make_interval(mins => $2 - n)
       FROM generate_series(1, $2::int) n""",
    """INSERT INTO events
         (account_id, sequence, type, occurred_at, instance_id, payload, actor_kind, actor_name)
       SELECT 'a', n, (ARRAY['policy.changed', 'instance.renewed'])[1 + n % 2],
         $1::timestamptz - make_interval(mins => $2 - n), 'i-' || n % 50, '{}', 'WORKER', 'worker'
       FROM generate_series(1, $2::int) n""",
]


@pytest.fixture
async def long_history(world: World) -> World:
    """Account `a` with thousands of orders with two lines each, of ledger entries, of events and of audit entries."""
    await world.account("a")
    await world.instances(["i-1", "i-2"])
    for sql in HISTORY:
        values = (NOW, COUNT) if "$" in sql else ()
        await database.execute(database.pool(), sql, *values)
    await database.execute(database.pool(), "ANALYZE")
    return world


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a plan with their descendants."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


async def assert_history_is_not_sorted(
    connection: database.Connection, sql: str, values: Sequence[object]
) -> None:
    [[explained]] = await database.fetch(connection, f"EXPLAIN (FORMAT JSON) {sql}", *values)
    [plan] = json.loads(explained)
    sorts = [node for node in nodes(plan["Plan"]) if node["Node Type"] == "Sort"]
    of_pages = [sort for sort in sorts if any(below["Node Type"] == "Limit" for below in nodes(sort))]
    assert sorts == of_pages, json.dumps(plan, indent=1)


async def test_pages_of_orders_ledger_events_and_audit_log_are_read_in_the_order_of_an_index(
    long_history: World,
) -> None:
    pool = database.pool()
    with sql_log.noted() as seen:
        page = await orders_queries.fetch_orders(pool, "a", ALL_ORDERS, FIRST, counted=False)
        cursor = page.cursor(page.rows[-1])
        assert len(page.rows) == 10
        await orders_queries.fetch_orders(
            pool, "a", ALL_ORDERS, pagination.PageRequest(first=10, after=cursor), counted=False
        )
        await orders_queries.fetch_orders(
            pool, "a", ALL_ORDERS, pagination.PageRequest(last=5, before=cursor), counted=False
        )
        await accounts_queries.fetch_ledger(pool, "a", ALL_ENTRIES, FIRST, counted=False)
        await event_log.read_events("a", COUNT // 2)
        for account_id in (None, "a"):
            await operators_queries.fetch_audit_log(
                pool, FIRST, account_id=account_id, action=None, counted=False
            )
    assert len(seen) == 7
    for statement in seen:
        await assert_history_is_not_sorted(pool, statement.sql, statement.values)


@pytest.mark.parametrize(
    "order_filter",
    [
        orders_queries.OrderFilter(kinds=[model.OrderKind.MANUAL_RENEWAL]),
        orders_queries.OrderFilter(kinds=[model.OrderKind.UNIFY_EXPIRY]),
        orders_queries.OrderFilter(kinds=list(model.OrderKind)),
        orders_queries.OrderFilter(created_from=LONG_AGO, created_before=LATER),
    ],
    ids=str,
)
async def test_a_filtered_page_of_orders_is_read_in_the_order_of_an_index(
    long_history: World, order_filter: orders_queries.OrderFilter
) -> None:
    with sql_log.noted() as seen:
        await orders_queries.fetch_orders(database.pool(), "a", order_filter, FIRST, counted=False)
    [statement] = seen
    await assert_history_is_not_sorted(database.pool(), statement.sql, statement.values)


@pytest.mark.parametrize(
    "ledger_filter",
    [
        accounts_queries.LedgerFilter(kinds=[model.LedgerEntryKind.TOP_UP]),
        accounts_queries.LedgerFilter(kinds=[model.LedgerEntryKind.RENEWAL]),
        accounts_queries.LedgerFilter(created_from=LONG_AGO, created_before=LATER),
        accounts_queries.LedgerFilter(vouchers=False, kinds=[model.LedgerEntryKind.TOP_UP]),
    ],
    ids=str,
)
async def test_a_filtered_page_of_the_ledger_is_read_in_the_order_of_an_index(
    long_history: World, ledger_filter: accounts_queries.LedgerFilter
) -> None:
    with sql_log.noted() as seen:
        await accounts_queries.fetch_ledger(database.pool(), "a", ledger_filter, FIRST, counted=False)
    [statement] = seen
    await assert_history_is_not_sorted(database.pool(), statement.sql, statement.values)


async def test_the_orders_of_an_instance_are_read_without_a_scan_of_all_orders(long_history: World) -> None:
    order_filter = orders_queries.OrderFilter(instance_id="i-1")
    with sql_log.noted() as seen:
        await orders_queries.fetch_orders(database.pool(), "a", order_filter, FIRST, counted=False)
    [statement] = seen
    [[explained]] = await database.fetch(
        database.pool(), f"EXPLAIN (FORMAT JSON) {statement.sql}", *statement.values
    )
    [plan] = json.loads(explained)
    scanned = [node for node in nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"]
    assert all(node["Relation Name"] != "orders" for node in scanned), plan


@pytest.mark.parametrize("name", ["orders", "ledger"])
async def test_an_export_returns_its_first_page_without_sorting_the_whole_history(
    long_history: World, name: str
) -> None:
    export = build_export(name)
    async with database.read_snapshot() as connection:
        async with contextlib.aclosing(export_queries.read_rows(connection, export)) as rows:
            assert len(await anext(rows)) == export_queries.ROWS_PER_PAGE
        await assert_history_is_not_sorted(connection, *export.statement())


async def test_an_export_does_not_change_the_sort_setting_of_other_transactions(long_history: World) -> None:
    async with (
        database.read_snapshot() as connection,
        contextlib.aclosing(export_queries.read_rows(connection, build_export("ledger"))) as rows,
    ):
        await anext(rows)
    assert await long_history.value("SHOW enable_sort") == "on"
