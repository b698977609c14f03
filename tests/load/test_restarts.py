"""Processes that share a port are replaced under load, killed, orphaned and stopped. `make restarts` runs longer."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

import asyncpg
import httpx2
import pytest

from renewals.db import connection as database
from tests.graphql_api.devserver.test_up import processes
from tests.load import load, restarts
from tests.load.load import Outcome
from tests.support import waiting
from tests.support.fixtures import World
from tests.support.live_server import served

DRAIN_SECONDS = 60
PLAN = restarts.Plan(times=1, seconds=5, drain_seconds=10, rate=50)


async def wait_for_replacement(find: Callable[[], set[int]], before: set[int]) -> set[int]:
    """Return the processes once their number is that of `before`, and at least one of them is new."""
    async with asyncio.timeout(20):
        while len(now := find()) != len(before) or now == before:  # noqa: ASYNC110  # other processes: no event
            await asyncio.sleep(0.05)
    return now


@pytest.mark.parametrize("way", [restarts.of_processes, restarts.of_pods])
async def test_no_request_is_lost_while_every_process_is_replaced(
    opened: str, way: Callable[..., Awaitable[Outcome]]
) -> None:
    outcome = await way(opened, await restarts.prepare(), PLAN)
    assert not outcome.wrong, outcome
    assert outcome.ended >= load.STEADY + load.RESTING, "an earlier connection was not ended"
    [(orders,)] = await database.fetch(database.pool(), "SELECT count(*) FROM orders")
    assert orders == outcome.answered // len(restarts.BODIES) > 10


async def test_a_killed_process_is_restarted_while_the_others_serve(database_url: str) -> None:
    async with served(database_url, RENEWALS_WORKERS="2") as server, httpx2.AsyncClient() as client:
        before = restarts.children(server.process.pid)
        assert len(before) == 2
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        for _ in range(20):
            async with httpx2.AsyncClient() as another:
                assert (await another.get(f"http://{server.address}/healthz")).status_code == 200
        now = await wait_for_replacement(lambda: restarts.children(server.process.pid), before)
        assert before - now == {killed}
        assert (await client.get(f"http://{server.address}/healthz")).status_code == 200


async def test_processes_without_a_supervisor_exit(database_url: str) -> None:
    async with served(database_url, RENEWALS_WORKERS="2", RENEWALS_DRAIN_SECONDS="2") as server:
        workers_left = restarts.children(server.process.pid)
        server.process.signal(signal.SIGKILL)
        async with asyncio.timeout(10):
            while workers_left & {pid for pid, _, _ in processes()}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def refuses_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_shutdown_serves_a_connected_client_once_more_with_connection_close(
    world: World, database_url: str, workers: str
) -> None:
    await world.account("a", balance="10.00")
    headers = {"Authorization": f"Bearer {await world.key('a')}"}
    async with (
        served(database_url, RENEWALS_WORKERS=workers, RENEWALS_DRAIN_SECONDS=str(DRAIN_SECONDS)) as server,
        httpx2.AsyncClient(headers=headers) as client,
    ):
        request_body = {"query": "{ account { balance } }"}
        response = await client.post(server.url, json=request_body)
        assert "connection" not in response.headers
        started_at = time.monotonic()
        server.process.signal(signal.SIGTERM)
        await waiting.eventually(lambda: refuses_connections(server.port))
        await asyncio.sleep(0.5)  # a server that does not drain would close the client's connection
        assert server.process.is_alive
        response = await client.post(server.url, json=request_body)
        assert (response.status_code, response.headers["connection"]) == (200, "close")
        assert response.json()["data"] == {"account": {"balance": "10.00"}}
        with pytest.raises(httpx2.ConnectError):
            await client.post(server.url, json=request_body)
        await server.process.ended()
        assert time.monotonic() - started_at < DRAIN_SECONDS / 4, (
            "the server waited although no client was connected"
        )


async def test_a_shutdown_completes_a_running_renewal_and_ends_a_slow_renewal_with_503(
    world: World, database_url: str
) -> None:
    await world.account("a", balance="10.00")
    await world.instances(["i-0"], price="1.00")
    headers = {"Authorization": f"Bearer {await world.key('a')}"}
    blocker = await asyncpg.connect(database_url)
    try:
        for wait, is_answered in ((1.0, True), (30.0, False)):
            async with (
                served(database_url, RENEWALS_DRAIN_SECONDS="4") as server,
                httpx2.AsyncClient(headers=headers, timeout=60) as client,
            ):
                lock = blocker.transaction()
                await lock.start()
                await blocker.execute("SELECT FROM accounts FOR UPDATE")
                request_task = asyncio.create_task(
                    client.post(
                        server.url, content=restarts.renewal(0), headers={"Content-Type": "application/json"}
                    )
                )
                await asyncio.sleep(0.5)
                server.process.signal(signal.SIGTERM)
                started_at = time.monotonic()
                if is_answered:
                    await asyncio.sleep(wait)
                    await lock.rollback()
                    assert (await request_task).json()["data"]["renewInstances"] == {
                        "__typename": "RenewInstancesSuccess"
                    }
                else:
                    cut = await request_task
                    assert (cut.status_code, cut.json()["errors"][0]["extensions"]) == (
                        503,
                        {"code": "UNAVAILABLE"},
                    )
                await server.process.ended()
                assert time.monotonic() - started_at < 8
                if not is_answered:
                    await lock.rollback()
    finally:
        await blocker.close()
    assert await world.count("orders") == 1
