"""One PostgreSQL and one Valkey for the whole run, and a database for each test.

The process that distributes the tests starts both servers, and passes their URLs to its workers in the environment. The
database of a test is a copy of a migrated template; for tests that use `world`, the template has the catalog.

`--postgres-bin=/usr/lib/postgresql/15/bin` starts that PostgreSQL instead of the wheel's. If DATABASE_URL or REDIS_URL
is set, the tests use that server and start none. The PostgreSQL user must be able to create databases. Tests empty the
logical databases 1 to 15 of the Redis.
"""

import asyncio
import contextlib
import os
import signal
import threading
import urllib.parse
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
import redis

from graphql_api.devserver import services
from renewals import config
from renewals.concurrency import cancellation
from renewals.db import connection as database
from renewals.db import migrate
from renewals.domain import limits
from renewals.events import event_log, payload_schemas
from renewals.observability import gc_tuning
from tests.support import databases, fixtures, graphql_client

# These names are neither settings (RENEWALS_...) nor DATABASE_URL and REDIS_URL, which the tested code reads.
POSTGRES, REDIS = "TEST_POSTGRES_URL", "TEST_REDIS_URL"
TEMPLATE, WORLD = "TEST_TEMPLATE_DATABASE", "TEST_WORLD_DATABASE"
REDIS_DATABASES = 16

POSTGRES_MAJOR = "TEST_POSTGRES_MAJOR"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres-bin", type=Path, help="The folder of another PostgreSQL's initdb and postgres."
    )


def pytest_configure() -> None:
    """Restore the default handler of SIGINT if it is ignored, as under `nohup` or `&`: tests send it to children."""
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        and threading.current_thread() is threading.main_thread()
    ):
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return

    servers = contextlib.ExitStack()
    session.config.add_cleanup(servers.close)
    database_url, redis_url = (os.environ.pop(name, None) for name in ("DATABASE_URL", "REDIS_URL"))
    for name in [name for name in os.environ if name.startswith("RENEWALS_")]:
        del os.environ[name]
    if database_url is None:
        programs = session.config.getoption("postgres_bin")
        database_url = servers.enter_context(services.Postgres(durable=False, programs=programs)).url
    os.environ[POSTGRES] = database_url
    os.environ[REDIS] = redis_url or servers.enter_context(services.Valkey(durable=False)).url
    run = uuid.uuid4().hex[:12]
    os.environ[TEMPLATE], os.environ[WORLD] = f"renewals_template_{run}", f"renewals_world_{run}"
    servers.callback(lambda: asyncio.run(_drop_templates()))
    asyncio.run(_make_templates())


# With the default thresholds, the collector scans the modules and the thousands of collected tests again and again.
def pytest_collection(session: pytest.Session) -> None:
    gc_tuning.collect_rarely()


def pytest_collection_finish(session: pytest.Session) -> None:
    gc_tuning.tune_gc()


async def _make_templates() -> None:
    template, world = os.environ[TEMPLATE], os.environ[WORLD]
    connection = await asyncpg.connect(os.environ[POSTGRES])
    os.environ[POSTGRES_MAJOR] = str(connection.get_server_version().major)
    await connection.close()
    await _administer(f'CREATE DATABASE "{template}"')
    await migrate.migrate(_url_of(template))
    await _administer(f'CREATE DATABASE "{world}" TEMPLATE "{template}"')
    async with database.connect(_url_of(world)):
        await fixtures.World().put_catalogue()


async def _drop_templates() -> None:
    for name in (os.environ[WORLD], os.environ[TEMPLATE]):
        await _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _administer(statement: str) -> None:
    connection = await asyncpg.connect(os.environ[POSTGRES])
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _url_of(name: str) -> str:
    return databases.url_of(os.environ[POSTGRES], name)


def postgres_major() -> int:
    """Return the major version of the PostgreSQL that the tests run on."""
    return int(os.environ[POSTGRES_MAJOR])


@pytest.fixture(scope="session")
async def server_connection() -> AsyncIterator[asyncpg.Connection]:
    """The connection that creates and drops the test databases of this process."""
    connection = await asyncpg.connect(os.environ[POSTGRES])
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def test_databases(server_connection: asyncpg.Connection) -> AsyncIterator[databases.DatabasePool]:
    """The databases of this process, which its tests use one after the other."""
    pool = databases.DatabasePool(os.environ[POSTGRES], postgres_major(), server_connection)
    yield pool
    await pool.close()


@pytest.fixture
async def database_copy(
    request: pytest.FixtureRequest, test_databases: databases.DatabasePool
) -> AsyncIterator[databases.DatabaseCopy]:
    """Yield a migrated database without rows, or with the catalog if the test uses `world`."""
    template = os.environ[WORLD if "world" in request.fixturenames else TEMPLATE]
    async with test_databases.use(template) as copy:
        before = asyncio.all_tasks()
        yield copy
        # A task that a failed test has left would otherwise use the database of a later test.
        await cancellation.end_tasks(asyncio.all_tasks() - before - {asyncio.current_task()})


@pytest.fixture
def database_url(database_copy: databases.DatabaseCopy) -> str:
    """Return the URL of the test's database."""
    return database_copy.url


@pytest.fixture
async def empty_database_url(server_connection: asyncpg.Connection) -> AsyncIterator[str]:
    """The URL of a new database without tables."""
    name = f"renewals_test_empty_{uuid.uuid4().hex[:12]}"
    await server_connection.execute(databases.copy_statement(name, "template0", postgres_major()))
    yield _url_of(name)
    await server_connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def opened(database_copy: databases.DatabaseCopy) -> AsyncIterator[str]:
    """The domain's pool, open on the test's database; yields the URL."""
    async with database_copy.domain_pool():
        yield database_copy.url


FREE_MEMBERS = frozenset({"n", "of"})
"""The members by which tests of deliveries distinguish events. Such payloads are not checked against a schema."""


@pytest.fixture(autouse=True)
def valid_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validate the payload of each event that this process appends against the schema of its type."""
    encode = event_log.encode_payload

    def encode_valid(event: event_log.NewEvent) -> str:
        payload = encode(event)
        if not event.payload.keys() <= FREE_MEMBERS:
            payload_schemas.BY_TYPE[event.type].model_validate_json(payload)
        return payload

    monkeypatch.setattr(event_log, "encode_payload", encode_valid)


@pytest.fixture
def world(opened: str) -> fixtures.World:
    """A new database with a catalog, and helpers to create accounts and instances."""
    return fixtures.World()


@pytest.fixture
async def graphql(world: fixtures.World) -> AsyncIterator[graphql_client.Client]:
    """A client of the application. A test opens an account with `world.account("a", ...)`, and sets `key`."""
    client = graphql_client.Client()
    async with client.http:
        yield client


@pytest.fixture
def redis_url() -> str:
    """The URL of an empty logical database of Redis that only this pytest worker uses."""
    number = 1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    assert number < REDIS_DATABASES, f"no more than {REDIS_DATABASES - 1} workers can have a database each"
    url = urllib.parse.urlsplit(os.environ[REDIS])._replace(path=f"/{number}").geturl()
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def settings_override(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change settings for the rest of the test: `settings_override(instances_per_chunk=5)`."""

    def override(**values: object) -> None:
        assert values.keys() <= config.Settings.model_fields.keys()
        changed = config.get_settings().model_copy(update=values)
        monkeypatch.setattr(config, "get_settings", lambda: changed)

    return override


@pytest.fixture
def limits_override(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change limits of the contract for the rest of the test: `limits_override(ROWS_PER_CALL_MAX=2)`."""

    def override(**values: int) -> None:
        for name, value in values.items():
            monkeypatch.setattr(limits, name, value)

    return override
