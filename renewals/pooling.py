"""Tortoise's engine: asyncpg's pool, which gives back a connection at once that there is nothing to be done about.

asyncpg does so in a task of its own, within a time, and with a round trip: a seventh of a short request.
"""

from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tortoise.backends.asyncpg.client import AsyncpgDBClient

STATEMENTS_MAX = 50_000
"""After so many a connection is closed, and with it what PostgreSQL keeps for it."""


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
        return not self._is_cut and not self.is_in_transaction()

    async def reset(self, **within: float | None) -> None:
        """Makes it as it was when it was opened, if it is not."""
        if not self.is_at_rest():
            self._is_cut = False
            await super().reset(**within)

    def is_to_be_closed(self) -> bool:
        """Whether it has served for long enough."""
        return bool(self._protocol.queries_count >= STATEMENTS_MAX)


class Pool(asyncpg.Pool):  # type: ignore[misc]
    """asyncpg's, but for what it does lest a cancellation come while it waits: most often it need not wait."""

    async def release(self, connection: PoolConnectionProxy, **within: float | None) -> None:
        held: Connection | None = connection._con
        if held is None or not held.is_at_rest() or held.is_to_be_closed():
            await super().release(connection, **within)
            return
        # Nothing below waits.
        held._on_release()
        await connection._holder.release(None)


class Client(AsyncpgDBClient):
    """Tortoise's client with this pool."""

    connection_class = Connection

    async def create_pool(self, **settings: Any) -> asyncpg.Pool:
        return await Pool(max_queries=STATEMENTS_MAX, record_class=asyncpg.Record, **settings)


client_class = Client
