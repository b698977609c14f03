"""Cancellation of tasks whose libraries may swallow it."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.1


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until each of them has ended, and drop what they raise.

    redis-py can lose a cancellation that meets an answer, so that one `cancel()` may never end its task.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()  # else asyncio logs it as never retrieved
