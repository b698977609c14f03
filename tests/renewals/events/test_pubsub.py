"""The connection to Redis for announcements between processes can be closed at any moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from renewals.concurrency import cancellation
from renewals.events import pubsub

END_SECONDS_MAX = 5


@pytest.mark.parametrize("is_unused", [False, True], ids=["in use", "not in use"])
async def test_the_connection_to_redis_can_be_closed_at_any_moment_of_its_opening(
    redis_url: str, is_unused: bool
) -> None:
    for turns in range(40):
        async with asyncio.timeout(END_SECONDS_MAX), pubsub.connect(redis_url, listening=True):
            if not is_unused:
                pubsub.publish(["a"])
            for _ in range(turns):
                await asyncio.sleep(0)


async def test_the_connection_to_redis_can_be_closed_while_it_is_reopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pubsub, "PAUSE_SECONDS", 0)
    async with serve_closed_connections() as url:
        for turns in range(40):
            async with asyncio.timeout(END_SECONDS_MAX), pubsub.connect(url, listening=True):
                for _ in range(turns):
                    await asyncio.sleep(0)


async def test_a_task_that_suppresses_its_first_cancellations_is_cancelled_until_it_ends() -> None:
    suppressed_count = 0

    async def work() -> None:
        nonlocal suppressed_count
        while suppressed_count < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                suppressed_count += 1
        await asyncio.sleep(60)

    async def fail() -> None:
        raise ValueError

    tasks = [asyncio.create_task(work()), asyncio.create_task(fail())]
    await asyncio.sleep(0)
    async with asyncio.timeout(END_SECONDS_MAX):
        await cancellation.end_tasks(tasks)
    assert (suppressed_count, tasks[0].cancelled()) == (3, True)


@contextlib.asynccontextmanager
async def serve_closed_connections() -> AsyncIterator[str]:
    """Yield the URL of a Redis that closes every connection immediately."""

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
