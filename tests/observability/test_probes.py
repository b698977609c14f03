"""/healthz and /readyz: the failures that make a process unready or only degrade it, and the time of the checks."""

import asyncio
import contextlib
import datetime as dt
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from graphql_api.devserver import services
from graphql_api.rest import api_probes
from graphql_api.server import graceful_shutdown
from renewals import config
from renewals.auto_renewal import runs
from renewals.db import connection as database
from renewals.db import migrate, server_version
from renewals.domain.clock import Clock
from renewals.health import checks
from tests.graphql_api.graphql.test_http import block_connections
from tests.observability.conftest import Lines
from tests.support.fixtures import NOW, World, fixed_clock
from tests.support.waiting import free_port
from tests.workers.conftest import Start, start

__all__ = ["start"]

HOST = "http://testserver"
UNREACHABLE_REDIS = "redis://:hunter2@127.0.0.1:1/0"


@contextlib.asynccontextmanager
async def open_client(
    database_url: str | None, redis_url: str | None, clock: Clock = lambda: NOW
) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the probes of an API with these servers."""
    settings = config.Settings(DATABASE_URL=database_url, REDIS_URL=redis_url)  # type: ignore[call-arg]
    probes = api_probes.ProbeRoutes(settings, clock)
    transport = httpx2.ASGITransport(app=Starlette(routes=probes.routes()))
    async with probes.running(), httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client


async def open_run(at: dt.datetime = NOW) -> None:
    assert await runs.start_scheduled_run(at)


@contextlib.asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Run a server that accepts connections and sends nothing; yield its port."""

    writers: list[asyncio.StreamWriter] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()


async def test_a_process_is_ready_if_all_checks_pass(world: World, database_url: str, redis_url: str) -> None:
    await open_run()
    async with open_client(database_url, redis_url) as client:
        response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    checks = {name: {"ok": True} for name in ("database", "migrations", "writes", "run", "redis")}
    assert response.json() == {"status": "ready", "checks": checks}


async def test_a_process_without_redis_is_degraded_and_returns_200(world: World, database_url: str) -> None:
    await open_run()
    async with open_client(database_url, UNREACHABLE_REDIS) as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["redis"] == {"ok": False, "why": "cannot be reached"}
    assert "hunter2" not in response.text


async def test_an_unsupported_database_version_makes_a_process_unready_with_the_reason(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_version, "MAJOR_MIN", 99)
    async with open_client(database_url, None) as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "unready")
    assert "99 or later is required" in response.json()["checks"]["database"]["why"]


async def wait_for_next_check() -> None:
    """Wait until the next check is due."""
    await asyncio.sleep(checks.CACHE_SECONDS)


async def test_a_read_only_database_makes_a_process_unready_until_writes_succeed_again(
    world: World, database_url: str
) -> None:
    await open_run()
    name = await world.value("SELECT current_database()")
    await database.execute(database.pool(), f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    async with open_client(database_url, None) as client:
        response = await client.get("/readyz")
        assert (response.status_code, response.json()["status"]) == (503, "unready")
        checks = response.json()["checks"]
        assert checks["database"] == {"ok": True}
        assert checks["writes"] == {"ok": False, "why": "the database is read-only"}
        async with database.transaction() as connection:
            await database.execute(connection, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await database.execute(
            database.pool(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'renewals-health'"
            " AND datname = current_database()",
        )
        await wait_for_next_check()
        await client.get("/readyz")  # the check finds its connection closed
        await wait_for_next_check()
        assert (await client.get("/readyz")).json()["status"] == "ready"


async def test_a_write_is_checked_once_per_interval_and_not_at_every_request(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CACHE_SECONDS", 0)
    async with open_client(database_url, None) as client:
        for _ in range(5):
            assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}
        first = await world.value("SELECT checked_at FROM write_checks")
        monkeypatch.setattr(checks, "WRITE_CHECK_SECONDS", 0)
        assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}
    assert await world.value("SELECT checked_at > $1 FROM write_checks", first)
    assert await world.count("write_checks") == 1


async def test_a_blocked_write_makes_a_process_unready_and_opens_at_most_two_sessions(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CACHE_SECONDS", 0)
    monkeypatch.setattr(checks, "WRITE_CHECK_SECONDS", 0)
    async with open_client(database_url, None) as client:
        await client.get("/readyz")
        async with database.transaction() as connection:
            await database.execute(connection, "LOCK TABLE write_checks")
            for _ in range(2):
                response = await client.get("/readyz")
                assert (response.status_code, response.json()["status"]) == (503, "unready")
                assert not response.json()["checks"]["writes"]["ok"]
            sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'renewals-health'"
            assert await world.value(f"{sessions} AND datname = current_database()") <= 2
        assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a small disk, and yield its folder; skip the test if mounting is not permitted."""
    folder = Path(tempfile.mkdtemp(prefix="renewals-disk-"))
    folder.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("a small disk can be mounted by root only, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


async def test_a_full_disk_makes_a_process_unready_until_space_is_freed() -> None:
    with small_disk(160) as room, services.Postgres(room) as postgres:
        await migrate.migrate(postgres.url)
        async with open_client(postgres.url, None) as client:
            assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}
            filler = room / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(checks, "WRITE_CHECK_SECONDS", 0)  # the next check is due now
                await wait_for_next_check()
                response = await client.get("/readyz")
            assert (response.status_code, response.json()["status"]) == (503, "unready")
            assert response.json()["checks"]["database"] == {"ok": True}
            assert response.json()["checks"]["writes"] == {
                "ok": False,
                "why": "the database has no free disk space, or lacks another resource",
            }
            filler.unlink()
            await wait_for_next_check()
            assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}


async def test_a_late_run_makes_a_process_degraded_and_the_delay_is_shown(
    world: World, database_url: str
) -> None:
    await open_run()  # noon is 04:00 UTC, so this is the run of 03:30
    responses = []
    for minutes in (34, 40):
        async with open_client(
            database_url, None, fixed_clock(NOW + dt.timedelta(minutes=minutes))
        ) as client:
            responses.append(await client.get("/readyz"))
    assert [response.status_code for response in responses] == [200, 200]
    on_time, late = (response.json() for response in responses)
    assert on_time["checks"]["run"]["ok"] is True and late["checks"]["run"]["ok"] is False
    assert late["status"] == "degraded"
    assert late["checks"]["run"]["why"] == "the hourly run is 600 s late"


async def test_a_process_is_degraded_if_no_run_exists(world: World, database_url: str) -> None:
    async with open_client(database_url, None) as client:
        assert (await client.get("/readyz")).json()["status"] == "degraded"


async def test_a_process_without_its_database_is_unready_but_healthy(
    world: World, database_url: str, redis_url: str
) -> None:
    await open_run()
    name = await world.value("SELECT current_database()")
    async with open_client(database_url, redis_url) as client:
        assert (await client.get("/readyz")).status_code == 200
        await asyncio.sleep(checks.CACHE_SECONDS)
        async with block_connections(name):
            response = await client.get("/readyz")
            assert (response.status_code, response.json()["status"]) == (503, "unready")
            assert response.json()["checks"]["database"] == {"ok": False, "why": "cannot be reached"}
            assert not response.json()["checks"]["migrations"]["ok"]
            assert response.json()["checks"]["redis"] == {"ok": True}
            assert name not in response.text
            assert (await client.get("/healthz")).text == "ok"
        await asyncio.sleep(checks.CACHE_SECONDS)
        assert (await client.get("/readyz")).status_code == 200


async def test_the_checks_of_silent_servers_time_out_after_two_seconds(world: World) -> None:
    async with (
        silent_server() as port,
        open_client(f"postgres://a:hunter2@127.0.0.1:{port}/x", f"redis://127.0.0.1:{port}/0") as client,
    ):
        started_at = time.monotonic()
        responses = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
        assert time.monotonic() - started_at < 2 * checks.SECONDS_MAX
        assert (await client.get("/healthz")).status_code == 200
    for response in responses:
        assert response.status_code == 503
        assert response.json()["checks"]["database"]["why"] == "no response within 2 s"
        assert response.json()["checks"]["redis"]["why"] == "no response within 2 s"
        assert "hunter2" not in response.text


async def test_a_missing_migration_makes_a_process_unready_and_is_named(
    world: World, database_url: str
) -> None:
    await world.rows("DELETE FROM tortoise_migrations WHERE name LIKE '0001%'")
    async with open_client(database_url, None) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == {"ok": False, "why": "not applied: 0001_schema"}


async def test_a_missing_table_of_runs_does_not_hide_a_missing_migration(
    world: World, database_url: str
) -> None:
    await world.rows("DELETE FROM tortoise_migrations WHERE name LIKE '0001%'")
    await world.rows("DROP TABLE renewal_runs CASCADE")
    async with open_client(database_url, None) as client:
        results = (await client.get("/readyz")).json()["checks"]
    assert results["migrations"] == {"ok": False, "why": "not applied: 0001_schema"}
    assert results["run"] == {"ok": False, "why": "the table renewal_runs does not exist"}
    assert results["database"] == results["writes"] == {"ok": True}


async def test_a_missing_table_of_runs_makes_a_migrated_process_unready(
    world: World, database_url: str
) -> None:
    await world.rows("DROP TABLE renewal_runs CASCADE")
    async with open_client(database_url, None) as client:
        response = await client.get("/readyz")
    missing = {"ok": False, "why": "the table renewal_runs does not exist"}
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, missing)


async def test_an_unknown_newer_migration_passes_the_check(world: World, database_url: str) -> None:
    await world.rows(
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('renewals', '9999_later', now())"
    )
    async with open_client(database_url, None) as client:
        assert (await client.get("/readyz")).json()["checks"]["migrations"] == {"ok": True}


async def test_a_database_without_tables_makes_a_process_unready(empty_database_url: str) -> None:
    async with database.connect(empty_database_url), open_client(empty_database_url, None) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == {"ok": True}
    assert response.json()["checks"]["migrations"] == {"ok": False, "why": "the database has no tables"}


async def test_a_pool_without_a_free_connection_does_not_make_a_process_unready(
    database_url: str,
) -> None:
    async with database.connect(database_url, pool_size=1), open_client(database_url, None) as client:
        async with database.transaction():
            response = await client.get("/readyz")
        assert response.status_code == 200
        assert response.json()["checks"]["database"] == {"ok": True}


async def test_the_results_of_the_checks_are_cached_for_a_second(world: World, database_url: str) -> None:
    async with open_client(database_url, None) as client:
        await client.get("/readyz")
        await world.rows("DROP TABLE tortoise_migrations")
        assert (await client.get("/readyz")).json()["checks"]["migrations"] == {"ok": True}
        await asyncio.sleep(checks.CACHE_SECONDS)
        assert (await client.get("/readyz")).status_code == 503


async def test_each_change_of_readiness_is_logged_once(world: World, database_url: str, lines: Lines) -> None:
    await open_run()
    async with open_client(database_url, None) as client:
        for app in ("renewals", "another", "renewals"):
            await world.rows("UPDATE tortoise_migrations SET app = $1", app)
            for _ in range(2):
                await client.get("/readyz")
                await asyncio.sleep(checks.CACHE_SECONDS)
    entries = [entry for entry in lines.entries if entry["logger"] == "renewals.health.checks"]
    assert [entry["event"].rpartition(" ")[2] for entry in entries] == ["ready", "unready", "ready"]
    assert entries[1]["failing"].keys() == {"migrations"}


async def test_a_worker_serves_probes_and_metrics_on_its_own_port(
    world: World, database_url: str, start: Start
) -> None:
    port = free_port()
    process = start(RENEWALS_WORKER_METRICS_PORT=str(port))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get("/readyz")).json().get("status") == "ready":
                        break
                await asyncio.sleep(0.1)
        assert (await client.get("/healthz")).text == "ok"
        assert (await client.get("/metrics?x=1")).text.startswith("# HELP")
        assert (await client.get("/anything")).status_code == 404
        assert (await client.post("/metrics")).status_code == 405
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01" + b"x" * 100_000)
        with contextlib.suppress(OSError):
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        assert (await client.get("/healthz")).text == "ok"
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0


async def test_a_draining_process_is_unready_but_healthy(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.connect(database_url), open_client(database_url, None) as client:
        assert (await client.get("/readyz")).status_code == 200
        draining = threading.Event()
        draining.set()
        monkeypatch.setattr(graceful_shutdown, "_draining", draining)
        response = await client.get("/readyz")
        assert (response.status_code, response.json()) == (503, {"status": "draining"})
        assert (await client.get("/healthz")).status_code == 200
