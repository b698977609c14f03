"""Waiting for a condition, and the ports that servers of tests listen at."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.01
SECONDS_MAX = 20.0
"""How long tests wait by default, on a busy machine."""


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = SECONDS_MAX) -> None:
    """Wait until a condition is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(POLL_SECONDS)


def holds_within(condition: Callable[[], bool], seconds: float = SECONDS_MAX) -> bool:
    """Return whether a condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return condition()


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
