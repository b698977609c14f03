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
AWAY = "redis://:hunter2@127.0.0.1:1/0"


@contextlib.asynccontextmanager
async def asked(
    database_url: str | None, redis_url: str | None, clock: Clock = lambda: NOW
) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the probes of an API with these servers."""
    settings = config.Settings(DATABASE_URL=database_url, REDIS_URL=redis_url)  # type: ignore[call-arg]
    probing = api_probes.ProbeRoutes(settings, clock)
    transport = httpx2.ASGITransport(app=Starlette(routes=probing.routes()))
    async with probing.running(), httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
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


async def test_all_is_well_where_all_is_there(world: World, database_url: str, redis_url: str) -> None:
    await open_run()
    async with asked(database_url, redis_url) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    checks = {name: {"ok": True} for name in ("database", "migrations", "writes", "run", "redis")}
    assert answer.json() == {"status": "ready", "checks": checks}


async def test_without_redis_reads_and_renewals_go_on_so_the_process_is_degraded_and_stays(
    world: World, database_url: str
) -> None:
    await open_run()
    async with asked(database_url, AWAY) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["redis"] == {"ok": False, "why": "cannot be reached"}
    assert "hunter2" not in answer.text


async def test_a_database_that_is_too_old_makes_a_process_unready_and_is_said(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_version, "MAJOR_MIN", 99)
    async with asked(database_url, None) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert "99 or later is required" in answer.json()["checks"]["database"]["why"]


async def until_seen() -> None:
    """Wait until the next check is due."""
    await asyncio.sleep(checks.CACHE_SECONDS)


async def test_a_database_that_is_read_only_makes_a_process_unready_until_it_takes_writes_again(
    world: World, database_url: str
) -> None:
    await open_run()
    name = await world.value("SELECT current_database()")
    await database.execute(database.pool(), f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    async with asked(database_url, None) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unready")
        checks = answer.json()["checks"]
        assert checks["database"] == {"ok": True}
        assert checks["writes"] == {"ok": False, "why": "the database is read-only"}
        async with database.transaction() as connection:
            await database.execute(connection, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await database.execute(
            database.pool(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'renewals-health'"
            " AND datname = current_database()",
        )
        await until_seen()
        await client.get("/readyz")  # the check finds its connection closed
        await until_seen()
        assert (await client.get("/readyz")).json()["status"] == "ready"


async def test_a_write_is_tried_every_ten_seconds_and_not_at_every_look(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CACHE_SECONDS", 0)
    async with asked(database_url, None) as client:
        for _ in range(5):
            assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}
        first = await world.value("SELECT checked_at FROM write_checks")
        monkeypatch.setattr(checks, "WRITE_CHECK_SECONDS", 0)
        assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}
    assert await world.value("SELECT checked_at > $1 FROM write_checks", first)
    assert await world.count("write_checks") == 1


async def test_a_write_that_waits_makes_a_process_unready_and_leaves_no_session_behind(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CACHE_SECONDS", 0)
    monkeypatch.setattr(checks, "WRITE_CHECK_SECONDS", 0)
    async with asked(database_url, None) as client:
        await client.get("/readyz")
        async with database.transaction() as connection:
            await database.execute(connection, "LOCK TABLE write_checks")
            for _ in range(2):
                answer = await client.get("/readyz")
                assert (answer.status_code, answer.json()["status"]) == (503, "unready")
                assert not answer.json()["checks"]["writes"]["ok"]
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


async def test_a_full_disk_makes_a_process_unready_until_there_is_room() -> None:
    with small_disk(160) as room, services.Postgres(room) as postgres:
        await migrate.migrate(postgres.url)
        async with asked(postgres.url, None) as client:
            assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}
            filler = room / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(checks, "WRITE_CHECK_SECONDS", 0)  # the next check is due now
                await until_seen()
                answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (503, "unready")
            assert answer.json()["checks"]["database"] == {"ok": True}
            assert answer.json()["checks"]["writes"] == {
                "ok": False,
                "why": "the disk of the database is full",
            }
            filler.unlink()
            await until_seen()
            assert (await client.get("/readyz")).json()["checks"]["writes"] == {"ok": True}


async def test_a_run_that_is_late_degrades_and_says_by_how_much(world: World, database_url: str) -> None:
    await open_run()  # noon is 04:00 UTC, so this is the run of 03:30
    answers = []
    for minutes in (34, 40):
        async with asked(database_url, None, fixed_clock(NOW + dt.timedelta(minutes=minutes))) as client:
            answers.append(await client.get("/readyz"))
    assert [answer.status_code for answer in answers] == [200, 200]
    on_time, late = (answer.json() for answer in answers)
    assert on_time["checks"]["run"]["ok"] is True and late["checks"]["run"]["ok"] is False
    assert late["status"] == "degraded"
    assert late["checks"]["run"]["why"] == "the hourly run is 600 s late"


async def test_a_database_where_no_run_was_ever_is_degraded(world: World, database_url: str) -> None:
    async with asked(database_url, None) as client:
        assert (await client.get("/readyz")).json()["status"] == "degraded"


async def test_without_its_database_a_process_is_unready_and_lives(
    world: World, database_url: str, redis_url: str
) -> None:
    await open_run()
    name = await world.value("SELECT current_database()")
    async with asked(database_url, redis_url) as client:
        assert (await client.get("/readyz")).status_code == 200
        await asyncio.sleep(checks.CACHE_SECONDS)
        async with block_connections(name):
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (503, "unready")
            assert answer.json()["checks"]["database"] == {"ok": False, "why": "cannot be reached"}
            assert not answer.json()["checks"]["migrations"]["ok"]
            assert answer.json()["checks"]["redis"] == {"ok": True}
            assert name not in answer.text
            assert (await client.get("/healthz")).text == "ok"
        await asyncio.sleep(checks.CACHE_SECONDS)
        assert (await client.get("/readyz")).status_code == 200


async def test_servers_that_say_nothing_are_waited_for_two_seconds_in_all(world: World) -> None:
    async with (
        silent_server() as port,
        asked(f"postgres://a:hunter2@127.0.0.1:{port}/x", f"redis://127.0.0.1:{port}/0") as client,
    ):
        began = time.monotonic()
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
        assert time.monotonic() - began < 2 * checks.SECONDS_MAX
        assert (await client.get("/healthz")).status_code == 200
    for answer in answers:
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"]["why"] == "no response within 2 s"
        assert answer.json()["checks"]["redis"]["why"] == "no response within 2 s"
        assert "hunter2" not in answer.text


async def test_a_migration_that_is_missing_is_named(world: World, database_url: str) -> None:
    await world.rows("DELETE FROM tortoise_migrations WHERE name LIKE '0001%'")
    async with asked(database_url, None) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == {"ok": False, "why": "not applied: 0001_schema"}


async def test_a_migration_of_tomorrow_does_not_stop_today_s_process(world: World, database_url: str) -> None:
    await world.rows(
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('renewals', '9999_later', now())"
    )
    async with asked(database_url, None) as client:
        assert (await client.get("/readyz")).json()["checks"]["migrations"] == {"ok": True}


async def test_a_database_without_tables_is_unready(empty_database_url: str) -> None:
    async with database.connect(empty_database_url), asked(empty_database_url, None) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == {"ok": True}
    assert answer.json()["checks"]["migrations"] == {"ok": False, "why": "the database has no tables"}


async def test_a_pool_without_a_free_connection_is_not_a_database_that_is_away(
    database_url: str,
) -> None:
    async with database.connect(database_url, pool_size=1), asked(database_url, None) as client:
        async with database.transaction():
            answer = await client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["checks"]["database"] == {"ok": True}


async def test_however_often_it_is_asked_the_database_is_asked_once_a_second(
    world: World, database_url: str
) -> None:
    async with asked(database_url, None) as client:
        await client.get("/readyz")
        await world.rows("DROP TABLE tortoise_migrations")
        assert (await client.get("/readyz")).json()["checks"]["migrations"] == {"ok": True}
        await asyncio.sleep(checks.CACHE_SECONDS)
        assert (await client.get("/readyz")).status_code == 503


async def test_the_log_is_told_what_goes_away_and_what_comes_back_once_each(
    world: World, database_url: str, lines: Lines
) -> None:
    await open_run()
    async with asked(database_url, None) as client:
        for app in ("renewals", "another", "renewals"):
            await world.rows("UPDATE tortoise_migrations SET app = $1", app)
            for _ in range(2):
                await client.get("/readyz")
                await asyncio.sleep(checks.CACHE_SECONDS)
    told = [entry for entry in lines.entries if entry["logger"] == "renewals.health.checks"]
    assert [entry["event"].rpartition(" ")[2] for entry in told] == ["ready", "unready", "ready"]
    assert told[1]["failing"].keys() == {"migrations"}


async def test_a_worker_says_how_it_is_on_a_port_of_its_own(
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


async def test_a_process_that_drains_is_unready_and_lives(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.connect(database_url), asked(database_url, None) as client:
        assert (await client.get("/readyz")).status_code == 200
        draining = threading.Event()
        draining.set()
        monkeypatch.setattr(graceful_shutdown, "_draining", draining)
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining"})
        assert (await client.get("/healthz")).status_code == 200
