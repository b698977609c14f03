"""Servers that refuse or drop connections: each command prints one sentence, and no output contains a secret."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
import redis

from graphql_api.devserver import services
from renewals import config
from renewals.db import connection as database
from renewals.db import migrate
from renewals.domain import clock as clocks
from renewals.health import checks
from tests.support.cli import Renewals, query
from tests.support.fixtures import World

SECRET = "hunter2"
COMMANDS = [
    ("serve", "--port", "0"),
    ("worker",),
    ("migrate",),
    ("demo",),
    ("api-key", "demo"),
    ("operator-key", "Night shift"),
    ("run-now",),
    ("runs",),
    ("forecast", "demo"),
    ("webhooks",),
    ("verify",),
    ("up",),
]
CUT = """CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
  CREATE TRIGGER cut BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION cut()"""


class RefusingServers(NamedTuple):
    """URLs of a PostgreSQL with passwords, one for each kind of error, and of a Valkey with a password."""

    databases: dict[str, str]
    redis: str


@pytest.fixture(scope="module")
def refusing() -> Iterator[RefusingServers]:
    with services.Postgres(durable=False) as postgres, services.Valkey(durable=False) as valkey:
        asyncio.run(require_passwords(postgres.url))
        asyncio.run(migrate.migrate(postgres.url))
        with redis.Redis.from_url(valkey.url) as client:
            client.config_set("requirepass", "right")
        host = f"127.0.0.1:{postgres.port}"
        databases = {
            "password": f"postgres://app:{SECRET}@{host}/renewals",
            "role": f"postgres://nobody:{SECRET}@{host}/renewals",
            "host": f"postgres://other:{SECRET}@{host}/renewals",
            "name": f"postgres://app:right@{host}/nothing",
            "connect": f"postgres://app:right@{host}/closed",
            "tables": f"postgres://app:right@{host}/renewals",
            "extensions": f"postgres://app:right@{host}/plain",
        }
        yield RefusingServers(databases, f"redis://:{SECRET}@127.0.0.1:{valkey.port}/0")


async def require_passwords(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE ROLE app LOGIN PASSWORD 'right'")
    await connection.execute("CREATE DATABASE closed")
    await connection.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    await asyncio.to_thread(
        Path(await connection.fetchval("SHOW hba_file")).write_text,
        "host all renewals 127.0.0.1/32 trust\nhost all app,nobody 127.0.0.1/32 scram-sha-256\n",
    )
    await connection.execute("SELECT pg_reload_conf()")
    await connection.execute("CREATE DATABASE plain")
    await connection.close()
    plain = await asyncpg.connect(url, database="plain")
    await plain.execute("GRANT ALL ON SCHEMA public TO app")
    await plain.close()


def data_dir_option(command: str, folder: Path) -> tuple[str, ...]:
    """Return the option that keeps the files of `renewals up` in a folder, for that command."""
    return ("--data-dir", str(folder)) if command == "up" else ()


SENTENCES = {
    "password": "PostgreSQL refuses the login: password authentication failed for user",
    "role": "PostgreSQL refuses the login: password authentication failed for user",
    "host": "PostgreSQL refuses the login: no pg_hba.conf entry for host",
    "name": 'PostgreSQL refuses the login: database "nothing" does not exist.',
    "connect": 'PostgreSQL denies a permission to the role in DATABASE_URL: permission denied for database "closed".',
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("cause", SENTENCES)
def test_every_command_prints_in_one_line_why_postgresql_refuses_the_connection(
    renewals: Renewals,
    refusing: RefusingServers,
    redis_url: str,
    tmp_path: Path,
    command: tuple[str, ...],
    cause: str,
) -> None:
    variables = {"DATABASE_URL": refusing.databases[cause], "REDIS_URL": redis_url}
    done = renewals(*command, *data_dir_option(command[0], tmp_path), **variables)
    assert done.exit_code == 1, done.output
    [line] = done.stderr.splitlines()
    assert line.startswith(SENTENCES[cause])
    assert SECRET not in done.output


@pytest.mark.parametrize("command", ["migrate", "demo", "runs", "verify", "worker", "run-now"])
def test_a_command_prints_that_the_role_has_no_permission_on_a_table(
    renewals: Renewals, refusing: RefusingServers, redis_url: str, command: str
) -> None:
    done = renewals(command, DATABASE_URL=refusing.databases["tables"], REDIS_URL=redis_url)
    assert done.exit_code == 1, done.output
    assert "PostgreSQL denies a permission to the role in DATABASE_URL: permission denied for " in done.stderr


def test_migrate_prints_how_to_create_the_extensions_that_the_role_cannot_create(
    renewals: Renewals, refusing: RefusingServers
) -> None:
    done = renewals("migrate", DATABASE_URL=refusing.databases["extensions"])
    assert done.exit_code == 1, done.output
    assert (
        "permission denied to create the extensions pg_trgm and btree_gin; create both in this database as a "
        "superuser, or let the role create them (GRANT CREATE ON DATABASE)"
    ) in done.stderr


def test_an_import_prints_why_postgresql_refuses_the_connection(
    renewals: Renewals, refusing: RefusingServers, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,name\na,A\n", encoding="utf-8")
    done = renewals("import", "accounts", str(file), DATABASE_URL=refusing.databases["password"])
    assert done.exit_code == 1, done.output
    assert SENTENCES["password"] in done.stderr
    assert SECRET not in done.output


def test_a_worker_prints_that_redis_refuses_the_login(
    renewals: Renewals, refusing: RefusingServers, database_url: str
) -> None:
    done = renewals("worker", DATABASE_URL=database_url, REDIS_URL=refusing.redis)
    assert done.exit_code == 1, done.output
    assert done.stderr.splitlines()[-1].startswith("Redis refuses the login or a command: ")
    assert SECRET not in done.output


@pytest.mark.parametrize("url", ["postgres://app:a/hunter2@host/x", "postgres://app:hunter2@host:99999/x"])
def test_an_invalid_database_url_is_explained_without_its_password(renewals: Renewals, url: str) -> None:
    done = renewals("verify", DATABASE_URL=url)
    assert done.exit_code == 1
    assert done.stderr.startswith("DATABASE_URL: must look like postgres://user:password@host:5432/name")
    assert SECRET not in done.output


def test_verify_names_the_missing_migration_and_the_command_that_applies_it(
    renewals: Renewals, database_url: str
) -> None:
    last = max(migrate.known_migrations())
    query(database_url, "ALTER TABLE accounts RENAME balance_cents TO cents")
    query(database_url, f"DELETE FROM tortoise_migrations WHERE name = '{last}'")
    done = renewals("verify", DATABASE_URL=database_url)
    assert done.stderr == f"The database lacks migrations ({last}): run `renewals migrate`.\n"
    assert done.exit_code == 1


@pytest.mark.parametrize("is_migration_missing", [False, True])
def test_a_database_of_a_later_version_is_refused_and_not_migrated(
    renewals: Renewals, redis_url: str, tmp_path: Path, database_url: str, is_migration_missing: bool
) -> None:
    query(database_url, "ALTER TABLE accounts RENAME balance_cents TO cents")
    query(
        database_url,
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('renewals', '9999_future', now())",
    )
    if is_migration_missing:
        last = max(migrate.known_migrations())
        query(database_url, f"DELETE FROM tortoise_migrations WHERE name = '{last}'")
    applied = query(database_url, "SELECT name FROM tortoise_migrations ORDER BY name")
    variables = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    for command in ("migrate", "verify", "up"):
        done = renewals(command, *data_dir_option(command, tmp_path), **variables)
        assert done.stderr == (
            "The database has migrations that this version does not have (9999_future): "
            "run the version that applied them, or a newer one.\n"
        )
        assert (done.exit_code, "up to date" in done.stdout) == (1, False)
    assert query(database_url, "SELECT name FROM tortoise_migrations ORDER BY name") == applied


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("password", "refuses the role, the password or the connection"),
        ("role", "refuses the role, the password or the connection"),
        ("host", "refuses the role, the password or the connection"),
        ("name", "has no database of that name"),
        ("connect", "denies the role a permission"),
        ("tables", "denies the role a permission"),
    ],
)
async def test_the_readiness_report_has_the_reason_of_a_refusal_without_any_name(
    refusing: RefusingServers, cause: str, reason: str
) -> None:
    settings = config.Settings(DATABASE_URL=refusing.databases[cause], REDIS_URL=refusing.redis)  # type: ignore[call-arg]
    checker = checks.HealthChecker(settings, clocks.utc_now, required=("database",))
    report = await checker.report()
    await checker.close()
    assert (report.status, report.checks["database"].error) == ("unready", reason)
    assert report.checks["redis"].error == "refuses the user, the password or a command"


async def test_an_exception_in_a_transaction_is_raised_even_if_the_connection_is_lost(opened: str) -> None:
    class RefusedError(Exception):
        pass

    async def refuse() -> None:
        async with database.transaction() as connection:
            with pytest.raises(asyncpg.PostgresError):
                await database.execute(connection, "SELECT pg_terminate_backend(pg_backend_pid())")
            raise RefusedError

    for _ in range(20):  # more than the pool has connections
        with pytest.raises(RefusedError):
            await refuse()
    assert (await database.fetch(database.pool(), "SELECT 1"))[0][0] == 1


async def test_a_lost_connection_in_a_transaction_raises_a_connection_error(opened: str) -> None:
    with pytest.raises(asyncpg.PostgresConnectionError):
        async with database.transaction() as connection:
            await database.execute(connection, "SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
async def cut_url(database_url: str) -> str:
    """Return a database that ends the connection during each renewal."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="500.00")
        await world.instance("i-1", expires="2026-11-10", mode="AUTO", price="300.00")
        await database.execute(database.pool(), CUT)
    return database_url


def test_run_now_that_loses_its_connection_charges_nothing_and_can_be_repeated(
    renewals: Renewals, cut_url: str
) -> None:
    done = renewals("run-now", "--at", "2026-11-10T12:00", DATABASE_URL=cut_url)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("A server cannot be reached: ")
    assert "Traceback" not in done.output
    assert not isinstance(done.exception, ExceptionGroup)
    assert query(cut_url, "SELECT balance_cents FROM accounts") == [(500_00,)]
    query(cut_url, "DROP TRIGGER cut ON orders")
    again = renewals("run-now", "--at", "2026-11-10T12:00", DATABASE_URL=cut_url)
    assert again.exit_code == 0, again.output
    assert query(cut_url, "SELECT balance_cents FROM accounts") == [(200_00,)]
