"""The pool and its transactions if tasks are cancelled or connections are lost."""

import asyncio
import time
import uuid

import asyncpg
import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.db import models, pool, server_version
from renewals.db.sessions import IDLE_SECONDS_MAX
from tests.conftest import postgres_major
from tests.support import sql_log
from tests.support.fixtures import NOW, World


async def test_a_transaction_cancelled_at_any_moment_returns_its_connection_to_the_pool(
    database_url: str,
) -> None:
    """The pool has one connection, so that a single leak blocks the next task."""

    async def work() -> None:
        async with database.transaction() as connection:
            await database.fetch(connection, "SELECT 1")

    async with database.connect(database_url, pool_size=1):
        for moment in range(60):
            task = asyncio.create_task(work())
            for _ in range(moment % 20):
                await asyncio.sleep(0.0001)
            task.cancel()
            await asyncio.wait([task])
            async with asyncio.timeout(5):
                await work()


async def test_a_statement_cancelled_at_any_moment_leaves_its_connection_without_a_transaction(
    database_url: str,
) -> None:
    """A statement that is cancelled while it is prepared leaves an implicit transaction, which a BEGIN would join."""
    cancelled_count = 0
    async with database.connect(database_url, pool_size=1):
        for moment in range(200):
            statement = f"SELECT {moment} AS moment_{moment}, count(*) FROM products WHERE code <> $1"
            task = asyncio.create_task(database.fetch(database.pool(), statement, "x"))
            for _ in range(moment % 8):
                await asyncio.sleep(0.0002 * (moment % 3))
            task.cancel()
            await asyncio.wait([task])
            cancelled_count += task.cancelled()
            async with asyncio.timeout(5), database.read_snapshot() as connection:
                await database.fetch(connection, "SELECT 1")
    assert cancelled_count > 50


async def test_a_transaction_cancelled_in_its_block_is_rolled_back(world: World) -> None:
    await world.account("a", balance="10.00")
    before = await world.snapshot()
    reached = asyncio.Event()

    async def work() -> None:
        async with database.transaction() as connection:
            await database.execute(connection, "UPDATE accounts SET name = 'half done'")
            reached.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await world.snapshot() == before


async def test_releasing_a_connection_waits_only_for_the_rollback_of_an_open_transaction(
    database_url: str,
) -> None:
    async with database.connect(database_url, pool_size=2):
        await database.fetch(database.pool(), "SELECT 1")  # opens the pool
        pool = database.pool()._pool
        idle_connection = await pool.acquire()
        with pytest.raises(StopIteration):
            pool.release(idle_connection).send(None)
        in_transaction = await pool.acquire()
        await in_transaction.execute("BEGIN; CREATE TABLE half_done ()")
        await pool.release(in_transaction)
        [row] = await database.fetch(database.pool(), "SELECT to_regclass('half_done')")
        assert row[0] is None


async def test_statements_get_a_connection_in_the_order_in_which_they_began_to_wait(
    database_url: str,
) -> None:
    order = []

    async def run_statements(name: str, times: int) -> None:
        for _ in range(times):
            await database.fetch(database.pool(), "SELECT 1")
            order.append(name)

    async with database.connect(database_url, pool_size=1):
        await asyncio.gather(
            run_statements("many", 90), run_statements("one", 1), run_statements("another", 1)
        )
    assert order.index("one") < order.index("another") <= 4


async def test_a_connection_is_usable_after_the_fetch_of_a_row_was_cancelled(database_url: str) -> None:
    async with database.connect(database_url, pool_size=1):
        async with database.pool().acquire_connection() as connection:
            fetching = asyncio.create_task(connection.fetchrow("SELECT pg_sleep(60)"))
            await asyncio.sleep(0.05)
            fetching.cancel()
            await asyncio.wait([fetching])
        async with asyncio.timeout(5):
            assert await database.fetch(database.pool(), "SELECT 1")


async def test_a_connection_is_closed_after_its_maximum_number_of_statements(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "STATEMENTS_MAX", 10)
    async with database.connect(database_url, pool_size=1):
        pids = [(await database.fetch(database.pool(), "SELECT pg_backend_pid()"))[0][0] for _ in range(20)]
    assert len(set(pids)) > 1 and pids[0] == pids[1]


async def test_after_every_connection_was_killed_the_pool_opens_new_ones(
    world: World, database_url: str
) -> None:
    await asyncio.gather(*(world.count("accounts") for _ in range(10)))
    other_connections = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    killer = await asyncpg.connect(database_url)
    assert await killer.fetchval(f"SELECT bool_and(pg_terminate_backend(pid, 5000)) {other_connections}")
    await killer.close()
    await asyncio.sleep(0.1)  # until the pool has noticed that the connections are closed
    async with asyncio.timeout(5):
        await world.account("a", balance="10.00")
    assert await world.balance() == "10.00"


def test_using_the_pool_before_it_is_opened_raises_an_error() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        database.pool()


def test_new_ids_are_unique_uuids_of_version_7_in_ascending_order() -> None:
    ids = []
    for _ in range(5):
        ids += [database.new_id() for _ in range(100)]
        time.sleep(0.002)
    assert len(set(ids)) == len(ids)
    assert {(new_id.version, new_id.variant) for new_id in ids} == {(7, uuid.RFC_4122)}
    assert ids == sorted(ids)
    assert abs((ids[-1].int >> 80) / 1_000 - time.time()) < 5
    assert uuid.UUID(str(ids[0])) == ids[0]


async def test_every_connection_sets_transaction_timeout_if_the_server_has_it(database_url: str) -> None:
    """This includes the first connection, which reads the server's version, and a connection that was reset."""
    if postgres_major() < server_version.TRANSACTION_TIMEOUT_MAJOR_MIN:
        pytest.skip("this PostgreSQL has no transaction_timeout")
    async with database.connect(database_url, pool_size=2, pool_size_min=0, transaction=123):
        async with database.transaction() as first, database.transaction() as second:
            for connection in (first, second):
                assert (await database.fetch(connection, "SHOW transaction_timeout"))[0][0] == "123s"
        async with database.transaction(), database.pool().acquire_connection() as connection:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connection.fetch("SELECT pg_sleep(60)"), 0.1)
        for _ in range(2):
            assert (await database.fetch(database.pool(), "SHOW transaction_timeout"))[0][0] == "123s"


async def test_transaction_timeout_is_not_set_on_a_server_that_does_not_have_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older server refuses a connection or a statement that names `transaction_timeout`."""
    monkeypatch.setattr(server_version, "TRANSACTION_TIMEOUT_MAJOR_MIN", 99)
    with sql_log.counted() as seen:
        async with database.connect(database_url, pool_size=1, transaction=123):
            async with database.read_snapshot(seconds_max=7) as connection:
                assert (await database.fetch(connection, "SELECT 1"))[0][0] == 1
            settings = await database.fetch(
                database.pool(), "SELECT setting FROM pg_settings WHERE name = 'transaction_timeout'"
            )
            idle = await database.fetch(database.pool(), "SHOW idle_in_transaction_session_timeout")
    assert [row[0] for row in settings] in ([], ["0"])
    assert idle[0][0] == f"{IDLE_SECONDS_MAX // 60}min"
    assert not [sql for sql in seen if sql.startswith("SET") and "transaction_timeout" in sql]


async def test_a_server_that_is_too_old_is_an_outage_whose_message_names_the_required_version(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_version, "MAJOR_MIN", 99)
    async with database.connect(database_url, pool_size=1):
        with pytest.raises(server_version.UnsupportedServerError) as refused:
            await database.fetch(database.pool(), "SELECT 1")
    assert db_errors.is_unavailable(refused.value)
    assert str(refused.value) == (
        f"The database server is PostgreSQL {postgres_major()}, but 99 or later is required: "
        "upgrade the server, or name another server in DATABASE_URL (for a replica, in RENEWALS_DATABASE_REPLICA_URL)."
    )


@pytest.mark.parametrize("parameters", ["sslmode=prefer", "sslmode=disable&target_session_attrs=any"])
async def test_a_database_url_with_ssl_and_session_parameters_is_accepted(
    database_url: str, parameters: str
) -> None:
    async with database.connect(f"{database_url}?{parameters}", pool_size=1):
        [row] = await database.fetch(database.pool(), "SELECT 1 AS one")
    assert row["one"] == 1


async def test_the_postgresql_error_that_caused_a_tortoise_error_is_recognized(opened: str) -> None:
    async def insert() -> None:
        await models.WriteCheck.create(id=7, checked_at=NOW)

    await insert()
    with pytest.raises(IntegrityError) as repeated:
        await insert()
    assert db_errors.is_unique_violation(repeated.value)
    assert not db_errors.is_unavailable(repeated.value)
    await database.execute(database.pool(), "DROP TABLE write_checks")
    with pytest.raises(OperationalError) as missing:
        await insert()
    assert isinstance(db_errors.original_error(missing.value), asyncpg.UndefinedTableError)
