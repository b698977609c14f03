"""Work that is put off for a moment, and then done once for all who have asked for it."""

import asyncio
from collections.abc import Callable
from contextvars import Context


class Debouncer:
    """Work, and how many seconds it is put off; none is until the loop has done what it is at."""

    def __init__(self, work: Callable[[], None], seconds: float = 0) -> None:
        self._work = work
        self._seconds = seconds
        self._asked: asyncio.AbstractEventLoop | None = None

    def schedule(self) -> bool:
        """Has the running loop do it; False without one. One that ended first has left it to the next that is asked."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if loop is not self._asked:
            self._asked = loop
            loop.call_later(self._seconds, self._do, context=Context())
        return True

    def _do(self) -> None:
        self._asked = None
        self._work()
