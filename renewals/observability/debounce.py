"""Debouncing: a function that is requested several times is called once."""

import asyncio
from collections.abc import Callable
from contextvars import Context


class Debouncer:
    """A function that is called once for several requests, `seconds` after the first of these requests.

    0 seconds means the next turn of the event loop.
    """

    def __init__(self, work: Callable[[], None], seconds: float = 0) -> None:
        self._work = work
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop that will make the call."""

    def schedule(self) -> bool:
        """Schedule the call on the running loop, and return False if no loop is running.

        If a loop ends before it makes the call, the next loop that schedules a call makes it.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if loop is not self._loop:
            self._loop = loop
            loop.call_later(self._seconds, self._call, context=Context())
        return True

    def _call(self) -> None:
        self._loop = None
        self._work()
