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
    pipe, chosen = asyncio.subprocess.PIPE, json.dumps(constants)
    command = (sys.executable, "-c", MIGRATOR, url, chosen, *folders)
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)


async def test_an_empty_database_is_brought_up_to_date(empty_database_url: str) -> None:
    assert await migrate.migrate(empty_database_url) == NAMES


async def test_migrating_twice_applies_nothing(database_url: str) -> None:
    assert await migrate.migrate(database_url) == []
    assert await migrate.migrate(database_url) == []


async def test_of_two_migrators_at_once_one_does_the_work_and_both_succeed(empty_database_url: str) -> None:
    started = [await start_migrator(empty_database_url) for _ in range(2)]
    ended = await asyncio.gather(*(process.communicate() for process in started))
    assert sorted(said.decode() for _, said in ended) == [
        "",
        "another process is migrating the database; waiting for it\n",
    ]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted(applied.decode().split() for applied, _ in ended) == [[], NAMES]


@pytest.fixture
def behind_url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database that lacks the later migration, which alters `renewal_chunks`."""
    monkeypatch.setattr(loader, "reload", lambda module: module)  # a reload would reset the path
    monkeypatch.setattr(migrations, "__path__", [*migrations.__path__, LATER_FOLDER])
    migrate.known_migrations.cache_clear()
    yield database_url
    migrate.known_migrations.cache_clear()


async def test_a_migration_gives_way_while_its_table_is_in_use_and_holds_nobody_up_for_long(
    behind_url: str,
) -> None:
    holder, reader = await asyncpg.connect(behind_url), await asyncpg.connect(behind_url)
    try:
        held = holder.transaction()
        await held.start()
        await holder.execute("SELECT FROM renewal_chunks")
        migrator = await start_migrator(behind_url, LATER_FOLDER, LOCK_SECONDS_MAX=1, PAUSE_SECONDS=0.5)
        longest, until = 0.0, time.monotonic() + 8
        while time.monotonic() < until:
            began = time.monotonic()
            await reader.execute("SELECT FROM renewal_chunks")
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.05)
        assert 0.1 < longest < 3, "who reads waits behind the migration for its moment, and no longer"
        assert migrator.returncode is None
        await held.rollback()
        applied, said = await asyncio.wait_for(migrator.communicate(), 30)
        assert applied.decode().split() == [LATER]
        assert f"a table is in use; open transactions: process {holder.get_server_pid()} (" in said.decode()
    finally:
        await holder.close()
        await reader.close()


async def test_a_table_that_stays_in_use_is_named_with_who_uses_it_and_nothing_is_half_done(
    behind_url: str,
) -> None:
    holder = await asyncpg.connect(behind_url, server_settings={"application_name": "report"})
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM renewal_chunks")
            migrator = await start_migrator(
                behind_url, LATER_FOLDER, LOCK_SECONDS_MAX=1, PAUSE_SECONDS=0.1, ATTEMPTS_MAX=2
            )
            applied, said = await asyncio.wait_for(migrator.communicate(), 30)
        assert (applied, migrator.returncode) == (b"", 1)
        assert (
            "TablesInUseError: A table was in use during all 2 attempts. Open transactions: process"
            in said.decode()
        )
        assert "(report, idle in transaction, for " in said.decode()
        found = await holder.fetch("SELECT name FROM tortoise_migrations ORDER BY name")
        assert [row["name"] for row in found] == NAMES
        assert await migrate.migrate(behind_url) == [LATER]
    finally:
        await holder.close()


CUT_AT_THE_NOTE = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END';
CREATE TRIGGER cut BEFORE INSERT ON tortoise_migrations FOR EACH ROW EXECUTE FUNCTION cut()
"""


async def test_notes_that_cannot_be_read_take_nothing_back(
    behind_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tortoise treats unreadable records of migrations as if there were none."""
    assert await migrate.migrate(behind_url) == [LATER]
    read = MigrationRecorder.applied_migrations

    async def read_in_transactions(recorder: MigrationRecorder) -> object:
        return await read(recorder) if isinstance(recorder.connection, TransactionWrapper) else []

    with monkeypatch.context() as patched:
        patched.setattr(MigrationRecorder, "applied_migrations", read_in_transactions)
        with pytest.raises(ValueError, match="Backward"):
            await migrate.migrate(behind_url)
    assert await migrate.migrate(behind_url) == []


async def test_a_migration_that_is_cut_before_it_is_noted_is_not_applied(behind_url: str) -> None:
    mender = await asyncpg.connect(behind_url)
    try:
        await mender.execute(CUT_AT_THE_NOTE)
        migrator = await start_migrator(behind_url, LATER_FOLDER)
        _, said = await asyncio.wait_for(migrator.communicate(), 30)
        assert "terminating connection" in said.decode()
        await mender.execute("DROP FUNCTION cut CASCADE")
        assert await migrate.migrate(behind_url) == [LATER]
    finally:
        await mender.close()


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
