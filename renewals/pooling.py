"""Tortoise's engine: asyncpg's pool, which gives back a connection at once that there is nothing to be done about.

asyncpg does so in a task of its own, within a time, and with a round trip: a seventh of a short request.
"""

import asyncio
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy, _PoolConnectionHolderQueue
from tortoise.backends.asyncpg.client import AsyncpgDBClient

STATEMENTS_MAX = 50_000
"""After so many a connection is closed, and with it what PostgreSQL keeps for it."""
PASSED_OVER_MAX = 8
"""So many statements may come before one that waits for a connection: to stand in line each time takes a seventh
longer, for every one of them then waits for the next turn of the loop."""


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection of the pool. Nothing is ever set on it for a session, so there is nothing to reset when it is
    given back, and no round trip for that; unless a statement was cut short, which may leave it half-way."""

    _is_cut = False

    async def fetch(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().fetch(*args, **kwargs)
        except BaseException:
            self._is_cut = True
            raise

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().execute(*args, **kwargs)
        except BaseException:
            self._is_cut = True
            raise

    def is_at_rest(self) -> bool:
        """Whether the next one can have it as it is."""
        return not (self._is_cut or self.is_in_transaction() or self._protocol._is_cancelling())

    async def reset(self, **within: float | None) -> None:
        """Makes it as it was when it was opened, if it is not."""
        if not self.is_at_rest():
            await super().reset(**within)
            self._is_cut = False

    def has_served_for(self, statements: int) -> bool:
        """Whether it has been asked so often."""
        return bool(self._protocol.queries_count >= statements)


class _Free(_PoolConnectionHolderQueue):  # type: ignore[misc]
    """What is free. Who waits keeps its place, and is passed over a few times only by who comes just in time."""

    def __init__(self, size_max: int) -> None:
        super().__init__(size_max)
        self._turn = asyncio.Lock()
        self._passed_over = 0

    async def get(self) -> Any:
        is_awaited = self._turn.locked()
        if not self.empty() and (not is_awaited or self._passed_over < PASSED_OVER_MAX):
            self._passed_over += is_awaited
            return self.get_nowait()
        async with self._turn:
            found = await super().get()
            self._passed_over = 0
            return found


class Pool(asyncpg.Pool):  # type: ignore[misc]
    """asyncpg's, but for what it does lest a cancellation come while it waits: most often it need not wait."""

    _queue: Any

    async def _initialize(self) -> None:
        await super()._initialize()
        free, unfair = _Free(self._maxsize), self._queue
        while not unfair.empty():
            free.put_nowait(unfair.get_nowait())
        self._queue = free

    async def release(self, connection: PoolConnectionProxy, **within: float | None) -> None:
        held: Connection | None = connection._con
        holder = connection._holder
        if held is None or not held.is_at_rest() or held.has_served_for(holder._max_queries):
            await super().release(connection, **within)
            return
        held._on_release()
        await holder.release(None)  # which does not wait


class Client(AsyncpgDBClient):
    """Tortoise's client with this pool."""

    connection_class = Connection

    def acquire_connection(self) -> Any:
        """A connection, for as long as the block runs; asyncpg's own way to one that is open."""
        return super().acquire_connection() if self._pool is None else self._pool.acquire()

    async def create_pool(self, **settings: Any) -> asyncpg.Pool:
        return await Pool(**{"max_queries": STATEMENTS_MAX, "record_class": asyncpg.Record, **settings})


client_class = Client
