"""The API and the worker use PgBouncer in transaction mode, with the configuration of docs/scaling.md."""

import asyncio
import collections
import datetime as dt
import re
import signal
import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest

from renewals.db import configuration_errors, migrate, sessions
from renewals.db import connection as database
from renewals.db import errors as db_errors
from tests.conftest import postgres_major
from tests.races.test_two_servers import renew_everywhere
from tests.support import integrity, pgbouncer
from tests.support.fixtures import World
from tests.support.live_server import served
from tests.support.waiting import eventually, free_port
from tests.workers.conftest import Start
from tests.workers.test_worker import all_ended, put_due

AT_ONCE = 20
FORECAST = "{ forecast(days: 30) { topUpNeeded } }"
_LIMITS = re.compile(r"^ALTER ROLE renewals_service (SET .*);$", re.MULTILINE)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A direct connection of the database's owner."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def bouncer(database_url: str, owner: asyncpg.Connection) -> AsyncIterator[pgbouncer.PgBouncer]:
    """A PgBouncer for the test's database, and for a role to which the page's limits are not applied yet."""
    pgbouncer.program()
    role = f"renewals_pooled_{uuid.uuid4().hex[:12]}"
    await owner.execute(f"CREATE ROLE {role} LOGIN IN ROLE renewals")
    try:
        with pgbouncer.PgBouncer(database_url, role) as server:
            yield server
    finally:
        await owner.execute(f"DROP ROLE {role}")


async def set_limits(owner: asyncpg.Connection, bouncer: pgbouncer.PgBouncer) -> None:
    """Execute the page's statements for the role."""
    statements = _LIMITS.findall(pgbouncer.PAGE.read_text(encoding="utf-8"))
    assert len(statements) == 4
    for statement in statements:
        if "SET transaction_timeout" not in statement or postgres_major() >= 17:
            await owner.execute(f"ALTER ROLE {bouncer.role} {statement}")


async def test_two_servers_and_two_workers_charge_once_through_pgbouncer(
    world: World, owner: asyncpg.Connection, bouncer: pgbouncer.PgBouncer, start: Start
) -> None:
    await set_limits(owner, bouncer)
    variables = {"DATABASE_URL": bouncer.url}
    next_month = str((dt.datetime.now(dt.UTC) + dt.timedelta(days=20)).date())
    await world.account("hand", balance="950.00")
    ids = await world.instances(
        [f"i-{n:02d}" for n in range(AT_ONCE)], account="hand", expires=next_month, price="300.00"
    )
    key = await world.key("hand")
    await put_due(world, *"abcdefgh")
    async with served(bouncer.url, **variables) as first, served(bouncer.url, **variables) as second:
        urls = [first.url, second.url]
        workers = [start(**variables, RENEWALS_INSTANCES_PER_CHUNK="1") for _ in range(2)]
        same = await renew_everywhere(urls, key, [(ids[:1], "once")] * AT_ONCE)
        assert same[0]["__typename"] == "RenewInstancesSuccess"
        assert same == [same[0]] * AT_ONCE
        results = await renew_everywhere(urls, key, [([instance_id], instance_id) for instance_id in ids])
        types = collections.Counter(result["__typename"] for result in results)
        assert types == {"RenewInstancesSuccess": 2, "InsufficientFunds": 18}
        await eventually(lambda: all_ended(world))
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as client:
            reads = [
                client.get(f"http://{server.address}/export/instances.csv") for server in (first, second) * 4
            ]
            reads += [client.post(url, json={"query": FORECAST}) for url in urls * 4]
            responses = await asyncio.gather(*reads)
        assert {len(response.text.splitlines()) for response in responses[:8]} == {AT_ONCE + 1}
        assert {"errors" in response.json() for response in responses[8:]} == {False}
        for worker in workers:
            worker.signal(signal.SIGTERM)
        assert [await worker.ended() for worker in workers] == [0, 0]
    assert (await world.count("order_lines"), await world.balance("hand")) == (3 + 16, "50.00")
    assert [await world.balance(account) for account in "abcdefgh"] == ["80.00"] * 8
    assert await world.value(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{bouncer.role}'") <= 4
    await integrity.assert_holds()


async def test_a_session_without_time_limits_is_refused_and_limits_stay_after_an_error(
    owner: asyncpg.Connection, bouncer: pgbouncer.PgBouncer
) -> None:
    remedy = f"run ALTER ROLE {bouncer.role} SET idle_in_transaction_session_timeout = '60s'"
    async with database.connect(bouncer.url, pool_size=1, statement=300):
        with pytest.raises(sessions.LimitMissingError, match=remedy) as missing:
            await database.fetch(database.pool(), "SELECT 1")
    assert configuration_errors.summarize(missing.value) == configuration_errors.POOLER_REFUSED
    await set_limits(owner, bouncer)
    await owner.execute(f"ALTER ROLE {bouncer.role} SET statement_timeout = '200ms'")
    await owner.execute(
        f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = '{bouncer.role}'"
    )
    async with database.connect(bouncer.url, pool_size=1, statement=300):
        for _ in range(2):
            with pytest.raises(asyncpg.QueryCanceledError):
                await database.fetch(database.pool(), "SELECT pg_sleep(60)")


async def test_statements_are_prepared_only_if_the_pooler_keeps_them(
    owner: asyncpg.Connection, bouncer: pgbouncer.PgBouncer, database_url: str
) -> None:
    await set_limits(owner, bouncer)
    for url, is_kept in ((database_url, True), (bouncer.url, pgbouncer.has_prepared_statements())):
        async with database.connect(url, pool_size=1, statement=300):
            await database.fetch(database.pool(), "SELECT 1")
            [row] = await database.fetch(database.pool(), "SELECT count(*) FROM pg_prepared_statements")
            assert (row["count"] > 0) is is_kept


async def test_a_migration_through_pgbouncer_is_refused(bouncer: pgbouncer.PgBouncer) -> None:
    with pytest.raises(asyncpg.ProtocolViolationError) as refused:
        await migrate.migrate(bouncer.url)
    assert "Name PostgreSQL itself in DATABASE_URL" in (configuration_errors.explain(refused.value) or "")


async def test_a_pooler_whose_server_is_down_is_an_outage_and_not_a_configuration_error() -> None:
    pgbouncer.program()
    nowhere = f"postgres://127.0.0.1:{free_port()}/renewals"
    with pgbouncer.PgBouncer(nowhere, "renewals_pooled", query_wait_timeout="1") as server:
        for _ in range(2):
            with pytest.raises(asyncpg.PostgresError) as raised:
                await asyncpg.connect(server.url, timeout=10)
            assert db_errors.is_unavailable(raised.value)
            assert configuration_errors.explain(raised.value) is None
            assert configuration_errors.summarize(raised.value) is None
