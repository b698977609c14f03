"""A database that is in use is brought up to date: nothing in it is lost, and it works on.

`rows/` has what there was at each version; a new table or column needs a row there.
"""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg
import pytest

from renewals.auto_renewal import renew, runs
from renewals.db import connection as database
from renewals.db import migrate
from tests.renewals.db import versions
from tests.support import integrity
from tests.support.customer import Buyer
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

KEY = "rk_0a0a0a0a_of-the-first-version"
NIGHT = runs.Chunk(14, 0)
"""What a worker of the first version was killed over: a bundle of `a`, and an instance that `b` cannot pay."""

ADDED = {
    ("accounts", "auto_renew_from"): dt.datetime(2025, 12, 1, tzinfo=dt.UTC),  # when they were made
    ("accounts", "is_demo"): False,
    ("accounts", "price_rise_cap_bps"): None,
    ("api_keys", "expires_at"): None,
    ("api_keys", "last_used_at"): None,
    ("api_keys", "name"): "",
    ("api_keys", "revoked_at"): None,
    ("api_keys", "role"): "RENEWER",
    ("instances", "agreed_price_cents"): None,
    ("instances", "refund_count"): 0,
    ("ledger_entries", "refund_id"): None,
    ("order_lines", "anchor_day_before"): None,
    ("order_lines", "refund_count"): 0,
    ("renewal_chunks", "error"): None,
    ("renewal_runs", "broken_rules"): None,
    ("renewal_runs", "parked_count"): None,
}
"""What a row of the first version has in the columns that came later."""

REFUNDS_NAMED = "0013_ledger_refunds"

Tables = Mapping[str, Sequence[str]]
"""The columns of each table."""


async def read_tables(connection: asyncpg.Connection) -> Tables:
    rows = await connection.fetch(
        """SELECT table_name, array_agg(column_name::text ORDER BY column_name) AS columns
           FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name <> 'tortoise_migrations' GROUP BY table_name"""
    )
    return {row["table_name"]: row["columns"] for row in rows}


async def read_rows(connection: asyncpg.Connection, tables: Tables) -> dict[str, Counter[str]]:
    """What these columns have in each row of their tables."""
    return {
        table: Counter(map(repr, await connection.fetch(f"SELECT {', '.join(columns)} FROM {table}")))
        for table, columns in tables.items()
    }


async def find_unfilled(connection: asyncpg.Connection, tables: Tables) -> list[str]:
    """The columns that have nothing in any row, of which there may be none."""
    unfilled = []
    for table, columns in tables.items():
        counts = ", ".join(f"count({column})" for column in columns)
        row = await connection.fetchrow(f"SELECT {counts} FROM {table}")
        unfilled += [f"{table}.{column}" for column, count in zip(columns, row, strict=True) if not count]
    return unfilled


@pytest.fixture
async def connection(empty_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that stands it when the tables change."""
    opened = await asyncpg.connect(empty_database_url, statement_cache_size=0)
    yield opened
    await opened.close()


async def test_no_migration_loses_what_any_version_before_it_has_written(
    empty_database_url: str, connection: asyncpg.Connection
) -> None:
    tables, rows = {}, {}
    for name in versions.NAMES:
        await versions.migrate_to(empty_database_url, name)
        assert await read_rows(connection, tables) == rows, name
        await versions.put_rows(connection, name)
        tables = await read_tables(connection)
        rows = await read_rows(connection, tables)
        assert await find_unfilled(connection, tables) == [], name
    async with database.connect(empty_database_url):
        await integrity.assert_holds()


@pytest.fixture
async def first(empty_database_url: str, connection: asyncpg.Connection) -> Tables:
    """The tables of the first version, with its rows in them."""
    await versions.migrate_to(empty_database_url, versions.NAMES[0])
    await versions.put_rows(connection, versions.NAMES[0])
    return await read_tables(connection)


async def test_what_was_there_at_first_has_in_each_later_column_what_it_means(
    empty_database_url: str, connection: asyncpg.Connection, first: Tables
) -> None:
    before = await read_rows(connection, first)
    assert await migrate.migrate(empty_database_url) == versions.NAMES[1:]
    assert await read_rows(connection, first) == before
    now = await read_tables(connection)
    found = {
        (table, column): await connection.fetch(f"SELECT DISTINCT {column} FROM {table}")
        for table in first
        for column in set(now[table]) - set(first[table])
    }
    assert {place: [value for (value,) in values] for place, values in found.items()} == {
        place: [value] for place, value in ADDED.items()
    }


TWO_REFUNDS = """
INSERT INTO refunds (id, order_id, account_id, total_cents, voucher_cents, balance_cents, reason, created_at) VALUES
  ('00000000-0000-7000-8000-0000000000f2', lpad('14', 32, '0')::uuid, 'a', 14194, 194, 14000, 'x', '2027-01-10 02:40Z'),
  ('00000000-0000-7000-8000-0000000000f3', lpad('14', 32, '0')::uuid, 'a', 3548, 3548, 0, 'x', '2027-01-10 02:40Z');
INSERT INTO ledger_entries
  (account_id, number, kind, amount_cents, balance_after_cents, order_id, voucher_id, memo, created_at)
  SELECT 'a', n, 'REFUND', cents, 0, lpad('14', 32, '0')::uuid, voucher::uuid, 'x', '2027-01-10 02:40Z' FROM (VALUES
    (100, 194, '00000000-0000-7000-8000-0000000000b1'), (101, 14000, NULL),
    (102, 3548, '00000000-0000-7000-8000-0000000000b1')) AS v(n, cents, voucher)
"""


async def test_entries_from_before_they_named_their_refund_name_it(
    empty_database_url: str, connection: asyncpg.Connection
) -> None:
    before = [name for name in versions.NAMES if name < REFUNDS_NAMED]
    for name in before:
        await versions.migrate_to(empty_database_url, name)
        await versions.put_rows(connection, name)
    await connection.execute(TWO_REFUNDS)
    await migrate.migrate(empty_database_url)
    rows = await connection.fetch(
        "SELECT number, right(refund_id::text, 2) FROM ledger_entries WHERE kind = 'REFUND' ORDER BY number"
    )
    assert [tuple(row) for row in rows] == [(19, "f1"), (100, "f2"), (101, "f2"), (102, "f3")]


async def test_a_customer_and_a_worker_go_on_where_they_were_in_the_first_version(
    empty_database_url: str, first: Tables
) -> None:
    await migrate.migrate(empty_database_url)
    async with database.connect(empty_database_url):
        world, client = World(), Client()
        client.key = KEY
        buyer = Buyer(client)
        again = await buyer.renew(["i-1"], key="by hand")
        assert again["order"]["createdAt"] == "2026-12-29T04:00:00+00:00"
        assert await world.balance() == "6062.58"
        new = await buyer.renew(["i-1"], key="another")
        assert (new["order"]["total"], new["order"]["voucherTotal"]) == ("300.00", "50.00")
        assert [line["expiresAt"] for line in new["order"]["lines"]] == ["2027-03-15T15:59:59+00:00"]

        assert await runs.pending_chunks() == [NIGHT]
        assert await renew.process_chunk(NIGHT, lambda: NOW)
        await renew.finish_runs(lambda: NOW)
        night = await runs.read_run(NIGHT.run_id)
        assert (night.renewed_count, night.refused_count, night.broken_rules) == (2, 1, [])
        assert str((await world.read("k-2")).expires_at) == "2027-02-12 15:59:59+00:00"
        await client.http.aclose()
        await integrity.assert_holds()
