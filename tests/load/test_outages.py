"""PostgreSQL and Valkey stopped, restarted and frozen under load: the responses meanwhile, and the recovery times."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import gql
import httpx2
import pytest
import websockets
from gql.transport.websockets import WebsocketsTransport

from renewals.auto_renewal import runs
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.events import pubsub
from renewals.instances import policy, selection
from tests.chaos import processes, stage
from tests.chaos.work import Batch, Work, until
from tests.load import restarts
from tests.load.load import Load
from tests.support import integrity
from tests.support.fixtures import NOW
from tests.support.live_server import LiveServer, served
from tests.support.waiting import free_port
from workers import main

RECOVERY_SECONDS_MAX = 40
OUTAGE_SECONDS = 2


@pytest.fixture(scope="module")
def servers() -> Iterator[stage.Servers]:
    with stage.started(durable=True) as started:
        yield started


@pytest.fixture
async def opened(servers: stage.Servers) -> AsyncIterator[stage.Stage]:
    async with stage.opened(servers) as opened:
        yield opened


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_a_postgresql_restart_under_load_causes_only_503_and_no_second_charge(
    opened: stage.Stage, number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    key = await restarts.prepare()
    async with served(opened.database_url, RENEWALS_LOG_LEVEL="ERROR") as server:
        load = Load(lambda: server.port, key, restarts.BODIES, rest_seconds_max=1)
        running = asyncio.create_task(load.run(100))
        await asyncio.sleep(2)
        await asyncio.to_thread(opened.postgres.strike, number)
        await asyncio.sleep(OUTAGE_SECONDS)
        before = load.outcome.answered
        await asyncio.to_thread(opened.postgres.start_again)
        started_at = time.monotonic()
        async with asyncio.timeout(RECOVERY_SECONDS_MAX):
            while load.outcome.answered < before + 100:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        seconds = time.monotonic() - started_at
        failed = load.outcome.wrong.total()
        await asyncio.sleep(1)
        assert load.outcome.wrong.total() == failed, "requests fail again after the recovery"
        load.end()
        outcome = await running
        with capfd.disabled():
            sys.stderr.write(
                f"\n100 requests answered {seconds:.1f} s after PostgreSQL was available: {outcome}\n"
            )
        assert outcome.wrong.total() > 20
        assert set(outcome.wrong) <= {"503 UNAVAILABLE"}, outcome
        await repeat_renewals(server.url, key, outcome.sent)
    await integrity.assert_holds()


async def repeat_renewals(url: str, key: str, sent: int) -> None:
    """Repeat each renewal, and check that each succeeds and that exactly one order exists for each."""
    numbers = [number for number in range(sent) if number % len(restarts.BODIES) == len(restarts.BODIES) - 1]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    async with httpx2.AsyncClient(headers=headers) as client:
        for number in numbers:
            result = (await client.post(url, content=restarts.renewal(number))).json()
            assert result["data"]["renewInstances"]["__typename"] == "RenewInstancesSuccess", result
    [(orders,)] = await database.fetch(database.pool(), "SELECT count(*) FROM orders")
    assert orders == len(numbers)


async def change_elsewhere(number: int) -> None:
    """Change an instance in this process, not in the server."""
    mode = model.RenewalMode.AUTO
    pick = selection.ById((f"i-{number}",))
    await policy.set_policy("a", policy.PolicyRequest(pick, mode), lambda: NOW)


@contextlib.asynccontextmanager
async def following(
    server: LiveServer, headers: dict[str, str]
) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Run a subscription; yield a function that returns the number of the next event."""
    transport = WebsocketsTransport(
        f"ws://{server.address}/graphql",
        headers=headers,
        subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
    )
    async with gql.Client(transport=transport) as session:
        events = session.subscribe(gql.gql("subscription { events(after: 0) { sequence } }"))

        async def next_number() -> int:
            return int((await asyncio.wait_for(anext(events), 15))["events"]["sequence"])

        yield next_number


async def test_the_api_starts_and_serves_without_redis_and_connects_later(
    opened: stage.Stage,
) -> None:
    headers = {"Authorization": f"Bearer {await restarts.prepare()}", "Content-Type": "application/json"}
    opened.valkey.strike(signal.SIGKILL)
    async with (
        contextlib.AsyncExitStack() as later,
        served(opened.database_url, REDIS_URL=opened.valkey.url) as server,
        httpx2.AsyncClient(headers=headers) as client,
        following(server, headers) as next_number,
    ):
        revive = later.callback(opened.valkey.start_again)
        response = await client.post(server.url, content=restarts.renewal(0))
        assert response.json()["data"] == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}
        assert await next_number() == 1
        await change_elsewhere(1)  # the server can detect this change only by polling
        assert await next_number() == 2
        later.pop_all()
        await asyncio.to_thread(revive)
        await asyncio.sleep(3)  # until the server listens to Redis again
        async with pubsub.connect(opened.valkey.url):
            started_at = time.monotonic()
            await change_elsewhere(2)
            assert await next_number() == 3
        assert time.monotonic() - started_at < 1, (
            "the server was not notified, and found the event by polling"
        )


async def test_a_frozen_redis_delays_no_renewal_and_no_shutdown(opened: stage.Stage) -> None:
    headers = {"Authorization": f"Bearer {await restarts.prepare()}", "Content-Type": "application/json"}
    async with (
        served(opened.database_url, REDIS_URL=opened.valkey.url) as server,
        httpx2.AsyncClient(headers=headers, timeout=2) as client,
    ):
        os.kill(opened.valkey.pid, signal.SIGSTOP)
        try:
            for number in range(0, 100, 20):
                response = await client.post(server.url, content=restarts.renewal(number))
                assert response.json()["data"] == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}
            await client.aclose()
            server.process.signal(signal.SIGTERM)
            await asyncio.wait_for(server.process.ended(), 10)
        finally:
            os.kill(opened.valkey.pid, signal.SIGCONT)


@pytest.mark.parametrize("way", ["killed", "frozen"])
async def test_a_worker_continues_after_its_queue_was_killed_or_frozen(opened: stage.Stage, way: str) -> None:
    work = await Work.begun()
    first = await work.put(2)
    worker = opened.plain_worker(instances_per_chunk=1)
    await wait_until_charged(work, first)
    if way == "killed":
        opened.valkey.strike(signal.SIGKILL)
        await asyncio.sleep(OUTAGE_SECONDS)
    else:
        os.kill(opened.valkey.pid, signal.SIGSTOP)
        await asyncio.sleep(main.QUEUE_SECONDS_MAX + OUTAGE_SECONDS)
    second = await work.put(2)
    now = clocks.utc_now()
    await runs.start_run(runs.Trigger.OPERATOR, now, now)
    assert worker.is_alive
    if way == "killed":
        await asyncio.to_thread(opened.valkey.start_again)
    else:
        os.kill(opened.valkey.pid, signal.SIGCONT)
    await wait_until_charged(work, second)
    assert worker.is_alive
    assert "waiting for a server" in (opened.folder / "worker.log").read_text()
    await integrity.assert_holds()


async def wait_until_charged(work: Work, batch: Batch) -> None:
    """Wait until the whole batch is charged."""

    async def is_charged() -> bool:
        return await work.charged_count(batch) == len(batch.ids)

    assert await until(is_charged, RECOVERY_SECONDS_MAX) is not None


async def test_a_worker_started_first_waits_for_the_database_its_tables_and_the_queue(
    opened: stage.Stage, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    address, _, _ = opened.database_url.rpartition("/")
    addresses = {"DATABASE_URL": f"{address}/first", "REDIS_URL": opened.valkey.url}
    await database.execute(database.pool(), "CREATE DATABASE first TEMPLATE template0")
    opened.postgres.strike(signal.SIGINT)
    opened.valkey.strike(signal.SIGKILL)
    worker = processes.start(["worker"], addresses, log)
    try:
        await wait_for_log(log, "waiting for a server: [Errno 111]")
        await asyncio.to_thread(opened.postgres.start_again)
        await wait_for_log(log, "does not exist")
        migrating = processes.start(["migrate"], addresses, tmp_path / "migrate.log")
        assert await migrating.ended() == 0
        await wait_for_log(log, "waiting for a server: Error 111")
        await asyncio.to_thread(opened.valkey.start_again)
        await wait_for_log(log, "Starting worker for")
        async with asyncio.timeout(RECOVERY_SECONDS_MAX):
            while not await count_rows(addresses["DATABASE_URL"], "renewal_runs"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert worker.is_alive
        worker.signal(signal.SIGTERM)
        assert await worker.ended() == 0
    finally:
        await worker.kill()


async def count_rows(url: str, table: str) -> int:
    """Return the number of rows of a table in another database."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()


async def test_a_worker_that_waits_for_its_queue_exits_on_sigterm(database_url: str, tmp_path: Path) -> None:
    addresses = {"DATABASE_URL": database_url, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    worker = processes.start(["worker"], addresses, tmp_path / "log")
    try:
        await wait_for_log(tmp_path / "log", "waiting for a server")
        worker.signal(signal.SIGTERM)
        assert await asyncio.wait_for(worker.ended(), RECOVERY_SECONDS_MAX) == 0
    finally:
        await worker.kill()


async def wait_for_log(log: Path, words: str) -> None:
    """Wait until a log contains `words`."""
    async with asyncio.timeout(RECOVERY_SECONDS_MAX):
        while words not in log.read_text():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.05)
