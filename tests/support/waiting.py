"""Waiting for a condition, and free ports for the servers of tests."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.01
SECONDS_MAX = 20.0
"""The default time limit of a wait, long enough for a busy machine."""


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = SECONDS_MAX) -> None:
    """Wait until a condition is true. Raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(POLL_SECONDS)


def holds_within(condition: Callable[[], bool], seconds: float = SECONDS_MAX) -> bool:
    """Return whether a condition becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return condition()


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
