"""Tortoise's PostgreSQL client with a fair connection pool.

The pool is asyncpg's with three additions: waiting requests are served in turns, a connection that needs no reset is
returned without a round trip and without a task, and a server that is too old or applies no limits is refused.
"""

import contextlib
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from renewals.db import sessions
from renewals.db.connection_turns import Share, Turns, current_share

STATEMENTS_MAX = 50_000
"""Number of statements after which a connection is closed, which frees PostgreSQL's memory for it."""


def computing() -> contextlib.AbstractAsyncContextManager[None]:
    """Wait for a place to compute something long in the current request, and hold it while the block runs."""
    share = current_share.get()
    return contextlib.nullcontext() if share is None else share.computing


class sharing:  # noqa: N801 - a context manager, twice as fast as one by contextlib
    """Limit the connections of one request while the block runs, in all tasks that it starts."""

    __slots__ = ("_share", "_token")

    def __init__(self, account_id: str) -> None:
        self._share = Share(account_id)

    def __enter__(self) -> None:
        self._token = current_share.set(self._share)

    def __exit__(self, *_: object) -> None:
        current_share.reset(self._token)


class PooledConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection with a flag that it must be reset before the next use.

    No statement of the service changes the session, so a reset is needed only after a statement that raised: a
    cancelled one may leave a transaction open.
    """

    has_failed = False

    async def fetch(self, *args: object, **kwargs: object) -> object:
        """Fetch rows as asyncpg does, and note a failure."""
        try:
            return await super().fetch(*args, **kwargs)
        except BaseException:
            self.has_failed = True
            raise

    async def execute(self, *args: object, **kwargs: object) -> object:
        """Execute a statement as asyncpg does, and note a failure."""
        try:
            return await super().execute(*args, **kwargs)
        except BaseException:
            self.has_failed = True
            raise

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as in asyncpg
        """Reset the session if a statement has failed; the pool calls this for each connection that is returned.

        The pool's own `reset=` costs two timeouts a request, which are 30 of 1,300 function calls.
        """
        if self.has_failed or self.is_in_transaction():
            await super().reset(timeout=timeout)
            self.has_failed = False

    def is_clean(self) -> bool:
        """Return whether the connection can be used again without a reset."""
        # asyncpg has no public way to learn that a cancellation is under way.
        return not (self.has_failed or self.is_in_transaction() or self._protocol._is_cancelling())


class ConnectionPool(asyncpg.Pool):  # type: ignore[misc]
    """asyncpg's pool with turns; `transaction_seconds_max` limits every transaction (PostgreSQL 17), 0 is no limit."""

    def __init__(
        self, *, transaction_seconds_max: int = 0, is_replica: bool = False, **settings: object
    ) -> None:
        super().__init__(connect=self._open, **settings)
        self._transaction_seconds_max = transaction_seconds_max
        self._server_settings: dict[str, str] | None = None  # of the first connection
        self._turns = Turns(self.get_max_size(), is_replica=is_replica)
        self._shares: dict[PoolConnectionProxy, Share | None] = {}

    async def _open(
        self, *args: object, server_settings: dict[str, str], **kwargs: object
    ) -> PooledConnection:
        """Open a connection; the first one is checked, and its settings are used for all."""
        if self._server_settings is not None:
            settings = self._server_settings
            pooled: PooledConnection = await sessions.connect(*args, server_settings=settings, **kwargs)
            return pooled
        connection: PooledConnection
        connection, self._server_settings = await sessions.connect_first(
            *args,
            server_settings=server_settings,
            transaction_seconds_max=self._transaction_seconds_max,
            **kwargs,
        )
        return connection

    async def _acquire(self, timeout: float | None) -> PoolConnectionProxy:  # noqa: ASYNC109 - as in asyncpg
        """Wait for a turn and return a connection; `acquire` returns a context manager that calls this."""
        share = await self._turns.begin()
        try:
            # There are as many turns as connections, so that this does not wait for one.
            connection = await super()._acquire(timeout)
        except BaseException:
            self._turns.end(share)
            raise
        self._shares[connection] = share
        return connection

    async def release(self, connection: PoolConnectionProxy, **options: float | None) -> None:
        """Return a connection; a clean one without the shielded task of asyncpg's own `release`.

        Measured per read of one row, CPU time of this process (medians of 240 reads on a busy machine): 446 µs here,
        507 µs with asyncpg's `release`, 754 µs with asyncpg's own pool, which also resets. Hence the private names:
        they are what asyncpg's `release` does, without the task.
        """
        if connection not in self._shares:
            return  # it was released already
        try:
            raw: PooledConnection | None = connection._con
            if raw is None or not raw.is_clean():
                await super().release(connection, **options)
            else:
                raw._on_release()
                await connection._holder.release(None)  # which waits only to close a worn-out connection
        finally:
            self._turns.end(self._shares.pop(connection))


_NAMED_BY_THE_URL = frozenset({"host", "port", "user", "password", "database"})


class Client(AsyncpgDBClient):
    """Tortoise's client with this pool."""

    connection_class = PooledConnection

    def acquire_connection(self) -> Any:
        """Return a connection for a block, without Tortoise's own wrapper once the pool is open."""
        return super().acquire_connection() if self._pool is None else self._pool.acquire()

    async def create_pool(self, **settings: object) -> asyncpg.Pool:
        """Open the pool with the whole URL: asyncpg knows parameters, such as sslmode, that Tortoise does not."""
        by_url = {name: value for name, value in settings.items() if name not in _NAMED_BY_THE_URL}
        return await ConnectionPool(
            **{"max_queries": STATEMENTS_MAX, "record_class": asyncpg.Record, **by_url}
        )


client_class = Client
