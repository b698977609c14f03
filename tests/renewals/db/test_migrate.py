"""Migrations: each is applied once, even if several processes migrate at the same time."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.migrations import loader
from tortoise.migrations.recorder import MigrationRecorder

from renewals.db import migrate, migrations

NAMES = ["0001_schema"]
LATER = "9001_later"
LATER_FOLDER = str(Path(__file__).parent / "later")

# A separate process, because a process has only one pool.
MIGRATOR = """
import asyncio, json, sys
from tortoise.migrations import loader
from renewals.db import migrate, migrations
loader.reload = lambda module: module
migrations.__path__.extend(sys.argv[3:])
vars(migrate).update(json.loads(sys.argv[2]))
print(*asyncio.run(migrate.migrate(sys.argv[1])))
"""


async def start_migrator(url: str, *folders: str, **constants: float) -> asyncio.subprocess.Process:
    pipe, overrides = asyncio.subprocess.PIPE, json.dumps(constants)
    command = (sys.executable, "-c", MIGRATOR, url, overrides, *folders)
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)


async def test_migrating_an_empty_database_applies_all_migrations(empty_database_url: str) -> None:
    assert await migrate.migrate(empty_database_url) == NAMES


async def test_migrating_an_up_to_date_database_applies_no_migration(database_url: str) -> None:
    assert await migrate.migrate(database_url) == []
    assert await migrate.migrate(database_url) == []


async def test_of_two_concurrent_migrators_one_applies_the_migrations_and_both_succeed(
    empty_database_url: str,
) -> None:
    started = [await start_migrator(empty_database_url) for _ in range(2)]
    ended = await asyncio.gather(*(process.communicate() for process in started))
    assert sorted(messages.decode() for _, messages in ended) == [
        "",
        "another process is migrating the database; waiting for it\n",
    ]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted(applied.decode().split() for applied, _ in ended) == [[], NAMES]


@pytest.fixture
def outdated_url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database that lacks the later migration, which alters `renewal_chunks`."""
    monkeypatch.setattr(loader, "reload", lambda module: module)  # a reload would reset the path
    monkeypatch.setattr(migrations, "__path__", [*migrations.__path__, LATER_FOLDER])
    migrate.known_migrations.cache_clear()
    yield database_url
    migrate.known_migrations.cache_clear()


async def test_a_migration_of_a_table_in_use_retries_its_lock_and_blocks_readers_only_briefly(
    outdated_url: str,
) -> None:
    holder, reader = await asyncpg.connect(outdated_url), await asyncpg.connect(outdated_url)
    try:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("SELECT FROM renewal_chunks")
        migrator = await start_migrator(outdated_url, LATER_FOLDER, LOCK_SECONDS_MAX=1, PAUSE_SECONDS=0.5)
        longest, until = 0.0, time.monotonic() + 8
        while time.monotonic() < until:
            began = time.monotonic()
            await reader.execute("SELECT FROM renewal_chunks")
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.05)
        assert 0.1 < longest < 3, "a reader waits while the migration tries to get its lock, and not longer"
        assert migrator.returncode is None
        await transaction.rollback()
        applied, messages = await asyncio.wait_for(migrator.communicate(), 30)
        assert applied.decode().split() == [LATER]
        assert (
            f"a table is in use; oldest open transactions: process {holder.get_server_pid()} ("
            in messages.decode()
        )
    finally:
        await holder.close()
        await reader.close()


async def test_a_migration_of_a_table_that_stays_in_use_is_undone_and_names_the_transaction(
    outdated_url: str,
) -> None:
    holder = await asyncpg.connect(outdated_url, server_settings={"application_name": "report"})
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM renewal_chunks")
            migrator = await start_migrator(
                outdated_url, LATER_FOLDER, LOCK_SECONDS_MAX=1, PAUSE_SECONDS=0.1, ATTEMPTS_MAX=2
            )
            applied, messages = await asyncio.wait_for(migrator.communicate(), 30)
        assert (applied, migrator.returncode) == (b"", 1)
        assert (
            "TablesInUseError: A table was in use during all 2 attempts. Oldest open transactions: process"
            in messages.decode()
        )
        assert "(report, idle in transaction, for " in messages.decode()
        rows = await holder.fetch("SELECT name FROM tortoise_migrations ORDER BY name")
        assert [row["name"] for row in rows] == NAMES
        assert await migrate.migrate(outdated_url) == [LATER]
    finally:
        await holder.close()


DISCONNECT_BEFORE_THE_RECORD = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END';
CREATE TRIGGER cut BEFORE INSERT ON tortoise_migrations FOR EACH ROW EXECUTE FUNCTION cut()
"""


async def test_unreadable_migration_records_do_not_cause_a_backward_migration(
    outdated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tortoise treats unreadable records of migrations as if there were none."""
    assert await migrate.migrate(outdated_url) == [LATER]
    read = MigrationRecorder.applied_migrations

    async def read_in_transactions(recorder: MigrationRecorder) -> object:
        return await read(recorder) if isinstance(recorder.connection, TransactionWrapper) else []

    with monkeypatch.context() as patched:
        patched.setattr(MigrationRecorder, "applied_migrations", read_in_transactions)
        with pytest.raises(ValueError, match="Backward"):
            await migrate.migrate(outdated_url)
    assert await migrate.migrate(outdated_url) == []


async def test_a_migration_interrupted_before_it_is_recorded_is_rolled_back(outdated_url: str) -> None:
    connection = await asyncpg.connect(outdated_url)
    try:
        await connection.execute(DISCONNECT_BEFORE_THE_RECORD)
        migrator = await start_migrator(outdated_url, LATER_FOLDER)
        _, messages = await asyncio.wait_for(migrator.communicate(), 30)
        assert "terminating connection" in messages.decode()
        await connection.execute("DROP FUNCTION cut CASCADE")
        assert await migrate.migrate(outdated_url) == [LATER]
    finally:
        await connection.close()


@pytest.mark.parametrize("applied", [("0001_tables", "0002_guards"), ("0001_initial",)])
async def test_a_database_from_before_the_first_release_is_refused_with_a_remedy(
    empty_database_url: str, applied: tuple[str, ...]
) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute("""
            CREATE TABLE tortoise_migrations (
              id serial PRIMARY KEY, app text NOT NULL, name text NOT NULL, applied_at timestamptz)""")
        await connection.executemany(
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('renewals', $1, now())",
            [(name,) for name in applied],
        )
        with pytest.raises(
            migrate.UnknownMigrationsError, match=r"before the first release.*rm -r \.renewals"
        ):
            await migrate.migrate(empty_database_url)
        assert await connection.fetchval("SELECT to_regclass('accounts')") is None
    finally:
        await connection.close()
