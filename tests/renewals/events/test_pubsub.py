"""Announcements between processes end when their process ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from renewals.concurrency import cancellation
from renewals.events import pubsub

END_SECONDS_MAX = 5


@pytest.mark.parametrize("is_quiet", [False, True], ids=["in use", "not in use"])
async def test_it_ends_at_any_moment_of_its_connecting(redis_url: str, is_quiet: bool) -> None:
    for turns in range(40):
        async with asyncio.timeout(END_SECONDS_MAX), pubsub.connect(redis_url, listening=True):
            if not is_quiet:
                pubsub.publish(["a"])
            for _ in range(turns):
                await asyncio.sleep(0)


async def test_it_ends_while_redis_is_being_reached_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "PAUSE_SECONDS", 0)
    async with hanging_up() as url:
        for turns in range(40):
            async with asyncio.timeout(END_SECONDS_MAX), pubsub.connect(url, listening=True):
                for _ in range(turns):
                    await asyncio.sleep(0)


async def test_a_task_that_loses_its_first_cancellations_ends() -> None:
    lost = 0

    async def work() -> None:
        nonlocal lost
        while lost < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(60)

    async def fail() -> None:
        raise ValueError

    tasks = [asyncio.create_task(work()), asyncio.create_task(fail())]
    await asyncio.sleep(0)
    async with asyncio.timeout(END_SECONDS_MAX):
        await cancellation.end_tasks(tasks)
    assert (lost, tasks[0].cancelled()) == (3, True)


@contextlib.asynccontextmanager
async def hanging_up() -> AsyncIterator[str]:
    """Yield the URL of a Redis that closes every connection immediately."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
