"""Tortoise's engine: asyncpg's pool, which gives back a connection at once that there is nothing to be done about.

asyncpg does so in a task of its own, within a time, and with a round trip: a seventh of a short request.
"""

import asyncio
import contextlib
from contextvars import ContextVar
from typing import Any, NamedTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy, _PoolConnectionHolderQueue
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from renewals.concurrency import fair_queue
from renewals.db import server_version

STATEMENTS_MAX = 50_000
"""After so many a connection is closed, and with it what PostgreSQL keeps for it."""
REQUEST_CONNECTIONS_MAX = 4
"""One request has so many connections at once, whatever it asks for; an account half of the pool."""
REQUEST_JOBS_MAX = 2
"""One request computes so many long things at once: forty-nine forecasts fill no queue."""


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection of the pool. No statement sets anything for the session, so there is nothing to reset when it is
    given back, and no round trip for that; unless a statement was cut short, which may leave it half-way."""

    _is_cut = False
    _session_settings = ""

    async def set_for_session(self, settings: str) -> None:
        """Execute SET statements that hold as long as the connection, resets included.

        They go past `execute`, which traces instrument: the request that opens a connection did not ask for them.
        """
        self._session_settings = settings
        await self._protocol.query(settings, None)

    def get_reset_query(self) -> str:
        """Return asyncpg's statements, which reset all settings, and after them this connection's own."""
        return f"{super().get_reset_query()}\n{self._session_settings}"

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

    def is_clean(self) -> bool:
        """Whether the next one can have it as it is."""
        return not (self._is_cut or self.is_in_transaction() or self._protocol._is_cancelling())

    async def reset(self, **within: float | None) -> None:
        """Makes it as it was when it was opened, if it is not."""
        if not self.is_clean():
            await super().reset(**within)
            self._is_cut = False

    def is_worn_out(self, statements: int) -> bool:
        """Whether it has been asked so often."""
        return bool(self._protocol.queries_count >= statements)


class Share:
    """The connections that one request of an account has, and its places for what computes long."""

    __slots__ = ("_computing", "account_id", "in_use")

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.in_use = 0
        self._computing: asyncio.Semaphore | None = None

    @property
    def computing(self) -> asyncio.Semaphore:
        """The places of the request's fields that compute long; most requests have none."""
        if self._computing is None:
            self._computing = asyncio.Semaphore(REQUEST_JOBS_MAX)
        return self._computing


_share: ContextVar[Share | None] = ContextVar("share", default=None)
"""Of the request in hand; what has none, as the look-up of a key, is bounded by nothing but the pool."""


def computing() -> contextlib.AbstractAsyncContextManager[None]:
    """Wait until the request in hand may compute something long, and hold its place for as long as the block runs."""
    share = _share.get()
    return contextlib.nullcontext() if share is None else share.computing


class sharing:  # noqa: N801 - a context manager, twice as fast as one by contextlib
    """Bound the connections of one request for as long as the block runs, in whatever tasks it starts."""

    __slots__ = ("_share", "_token")

    def __init__(self, account_id: str) -> None:
        self._share = Share(account_id)

    def __enter__(self) -> None:
        self._token = _share.set(self._share)

    def __exit__(self, *_: object) -> None:
        _share.reset(self._token)


class _Waiter(NamedTuple):
    """One that waits for a connection, and is given one."""

    share: Share | None
    given: asyncio.Future[Any]


class _ConnectionQueue(_PoolConnectionHolderQueue):  # type: ignore[misc]
    """The free connections, given in turns: round robin between accounts, within the bounds of request and account.

    A connection that is given back goes to who waits for it at once, so that one is free only if nobody may have it:
    whoever waits is never passed over, and a loop that is busy does not hold up several that wait for each other.
    """

    def __init__(self, size_max: int) -> None:
        super().__init__(size_max)
        self._per_account_max = max(1, size_max // 2)
        self._held: dict[str, int] = {}
        self._shares: dict[Any, Share] = {}
        self._waiting: fair_queue.FairQueue[_Waiter] = fair_queue.FairQueue()

    async def get(self) -> Any:
        share = _share.get()
        if not self.empty() and self._may_have(share):
            return self._take(share)
        waiter = _Waiter(share, asyncio.get_running_loop().create_future())
        self._waiting.push(_account_of(share), waiter)
        try:
            return await waiter.given
        except BaseException:
            if waiter.given.done() and not waiter.given.cancelled():
                self.put_nowait(waiter.given.result())
            else:
                self._waiting.remove(_account_of(share), waiter)
            raise

    def _may_have(self, share: Share | None) -> bool:
        return share is None or (
            share.in_use < REQUEST_CONNECTIONS_MAX
            and self._held.get(share.account_id, 0) < self._per_account_max
        )

    def _is_eligible(self, waiter: _Waiter) -> bool:
        return not waiter.given.done() and self._may_have(waiter.share)

    def _take(self, share: Share | None) -> Any:
        holder = self.get_nowait()
        if share is not None:
            share.in_use += 1
            self._held[share.account_id] = self._held.get(share.account_id, 0) + 1
            self._shares[holder] = share
        return holder

    def _put(self, holder: Any) -> None:
        super()._put(holder)
        share = self._shares.pop(holder, None)
        if share is not None:
            share.in_use -= 1
            held = self._held.pop(share.account_id) - 1
            if held:
                self._held[share.account_id] = held
        while self._waiting and not self.empty() and (waiter := self._waiting.pop(self._is_eligible)):
            waiter.given.set_result(self._take(waiter.share))


def _account_of(share: Share | None) -> str:
    return "" if share is None else share.account_id


class ConnectionPool(asyncpg.Pool):  # type: ignore[misc]
    """asyncpg's, but for what it does lest a cancellation come while it waits: most often it need not wait.

    `transaction_seconds_max` bounds every transaction where the server can; 0 is no bound.
    """

    _queue: Any

    def __init__(self, *, transaction_seconds_max: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self._transaction_seconds_max = transaction_seconds_max

    async def _get_new_connection(self) -> Connection:
        connection: Connection = await super()._get_new_connection()
        try:
            server_version.check_server_version(connection)
            if self._transaction_seconds_max and server_version.has_transaction_timeout(connection):
                await self._bound_transactions(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _bound_transactions(self, connection: Connection) -> None:
        """Set the time-out on the first connection, and have the later ones begin with it."""
        name, value = "transaction_timeout", f"{self._transaction_seconds_max}s"
        at_start = self._connect_kwargs["server_settings"]
        if name not in at_start:
            self._connect_kwargs["server_settings"] = at_start | {name: value}
            await connection.set_for_session(f"SET {name} = '{value}';")

    async def _initialize(self) -> None:
        await super()._initialize()
        free, unfair = _ConnectionQueue(self._maxsize), self._queue
        while not unfair.empty():
            free.put_nowait(unfair.get_nowait())
        self._queue = free

    async def release(self, connection: PoolConnectionProxy, **within: float | None) -> None:
        held: Connection | None = connection._con
        holder = connection._holder
        if held is None or not held.is_clean() or held.is_worn_out(holder._max_queries):
            await super().release(connection, **within)
            return
        held._on_release()
        await holder.release(None)  # which does not wait


_NAMED_BY_THE_URL = frozenset({"host", "port", "user", "password", "database"})


class Client(AsyncpgDBClient):
    """Tortoise's client with this pool."""

    connection_class = Connection

    def acquire_connection(self) -> Any:
        """A connection, for as long as the block runs; asyncpg's own way to one that is open."""
        return super().acquire_connection() if self._pool is None else self._pool.acquire()

    async def create_pool(self, **settings: Any) -> asyncpg.Pool:
        """Open the pool by the whole URL: asyncpg knows parameters, such as sslmode, that Tortoise does not."""
        by_url = {name: value for name, value in settings.items() if name not in _NAMED_BY_THE_URL}
        return await ConnectionPool(
            **{"max_queries": STATEMENTS_MAX, "record_class": asyncpg.Record, **by_url}
        )


client_class = Client
