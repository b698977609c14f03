"""Exports and forecasts read a streaming replica, never with older data, or the primary if there is no replica."""

import contextlib
import logging
from collections.abc import Iterator

import asyncpg
import pytest

from graphql_api.devserver import services
from renewals.db import connection as database
from renewals.db import migrate, replica
from renewals.observability import metrics
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.replica import Replica


@pytest.fixture
def primary() -> Iterator[services.Postgres]:
    with services.Postgres(durable=False) as server:
        yield server


def count_reads(server: str) -> float:
    return metrics.REGISTRY.get_sample_value("renewals_replica_reads_total", {"server": server}) or 0


async def read_balance() -> tuple[int, bool]:
    """Return the balance of account `a`, and whether the replica was read."""
    async with replica.read_snapshot() as connection:
        sql = "SELECT balance_cents, pg_is_in_recovery() FROM accounts WHERE id = 'a'"
        return tuple((await database.fetch(connection, sql))[0])


async def test_exports_and_forecasts_read_the_replica_unless_it_is_behind_or_unavailable(
    primary: services.Postgres, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replica, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(replica, "WAIT_SECONDS_MAX", 30)
    owner = await asyncpg.connect(primary.url)
    await owner.execute("ALTER DATABASE renewals SET synchronous_commit = on")  # it is off in tests
    await owner.close()
    await migrate.migrate(primary.url)
    with contextlib.ExitStack() as servers:
        standby = servers.enter_context(Replica(primary))
        async with database.connect(primary.url, pool_size=4, replica_url=standby.url):
            world = World()
            await world.put_catalogue()
            await world.account("a", balance="0.01")
            for cents in range(2, 12):
                await world.top_up("0.01")
                assert await read_balance() == (cents, True)

            client = Client()
            client.key = await world.key("a")
            await world.instance("i-1", expires="2027-01-31", price="10.00")
            before = count_reads("replica")
            async with client.http:
                assert await client("{ forecast(days: 30) { topUpNeeded } }")
                export = await client.http.get(
                    "/export/instances.csv", headers={"Authorization": f"Bearer {client.key}"}
                )
            assert len(export.text.splitlines()) == 2
            assert count_reads("replica") == before + 2

            admin = await asyncpg.connect(standby.url)
            await admin.execute("SELECT pg_wal_replay_pause()")
            await world.top_up("0.01")
            monkeypatch.setattr(replica, "WAIT_SECONDS_MAX", 0.5)
            with caplog.at_level(logging.WARNING, replica.__name__):
                assert await read_balance() == (12, False)
            assert "the replica is more than" in caplog.text
            await admin.execute("SELECT pg_wal_replay_resume()")
            await admin.close()
            monkeypatch.setattr(replica, "WAIT_SECONDS_MAX", 30)
            assert await read_balance() == (12, True)

            servers.close()
            primary_reads = count_reads("primary")
            assert await read_balance() == (12, False)
            assert "the replica is unavailable" in caplog.text
            assert count_reads("primary") == primary_reads + 1
