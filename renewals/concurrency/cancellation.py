"""Cancellation of tasks, even if a library that they call suppresses a cancellation."""

import asyncio
from collections.abc import Iterable

AGAIN_SECONDS = 0.1
"""The interval between two cancellations of the same task."""


async def end_tasks(tasks: Iterable[asyncio.Task[object]]) -> None:
    """Cancel tasks until all of them have ended, and ignore their exceptions.

    redis-py can lose a cancellation that arrives at the same time as a response, so one `cancel()` may not end a task.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()  # otherwise asyncio logs it as never retrieved
