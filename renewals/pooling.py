"""Tortoise's engine: asyncpg's pool, which gives back a connection at once that there is nothing to be done about.

asyncpg does so in a task of its own, within a time, and with a round trip: a seventh of a short request.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy, _PoolConnectionHolderQueue
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from renewals import fairness, server_version

STATEMENTS_MAX = 50_000
"""After so many a connection is closed, and with it what PostgreSQL keeps for it."""
REQUEST_CONNECTIONS_MAX = 4
"""One request has so many connections at once, whatever it asks for; an account half of the pool."""
PASSED_OVER_MAX = 8
"""So many statements may come before one that waits for a connection: to stand in line each time takes a seventh
longer, for every one of them then waits for the next turn of the loop."""


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection of the pool. No statement sets anything for the session, so there is nothing to reset when it is
    given back, and no round trip for that; unless a statement was cut short, which may leave it half-way."""

    _is_cut = False
    _session_settings = ""

    async def set_for_session(self, settings: str) -> None:
        """Execute SET statements that hold as long as the connection, resets included."""
        self._session_settings = settings
        await self.execute(settings)

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


class Share:
    """The connections that one request of an account has."""

    __slots__ = ("account_id", "in_use")

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.in_use = 0


_share: ContextVar[Share | None] = ContextVar("share", default=None)
"""Of the request in hand; what has none, as the look-up of a key, is bounded by nothing but the pool."""


@contextlib.contextmanager
def sharing(account_id: str) -> Iterator[None]:
    """Bound the connections of one request for as long as the block runs, in whatever tasks it starts."""
    token = _share.set(Share(account_id))
    try:
        yield
    finally:
        _share.reset(token)


class _Waiter:
    """One that waits for a connection, and is woken when there may be one for it."""

    __slots__ = ("share", "woken")

    def __init__(self, share: Share | None, woken: asyncio.Future[None]) -> None:
        self.share = share
        self.woken = woken


class _Free(_PoolConnectionHolderQueue):  # type: ignore[misc]
    """The free connections, given in turns: round robin between accounts, within the bounds of request and account.

    Whoever is next keeps its place, and is passed over a few times only by others of its own account.
    """

    def __init__(self, size_max: int) -> None:
        super().__init__(size_max)
        self._per_account_max = max(1, size_max // 2)
        self._held: Counter[str] = Counter()
        self._shares: dict[Any, Share] = {}
        self._waiting: fairness.FairQueue[_Waiter] = fairness.FairQueue()
        self._next: _Waiter | None = None
        self._passed_over = 0

    async def get(self) -> Any:
        share = _share.get()
        if not self.empty() and self._may_have(share) and self._may_pass(share):
            return self._take(share)
        waiter = _Waiter(share, asyncio.get_running_loop().create_future())
        self._waiting.push(_account_of(share), waiter)
        self._wake()
        try:
            await waiter.woken
            while self.empty() or not self._may_have(share):  # others of its account passed over it
                waiter.woken = asyncio.get_running_loop().create_future()
                if not self.empty():  # what is free is for others, until its request gives one back
                    self._next = None
                    self._waiting.push(_account_of(share), waiter)
                    self._wake()
                await waiter.woken
        except BaseException:
            if waiter is self._next:
                self._next = None
                self._wake()
            else:
                self._waiting.remove(_account_of(share), waiter)
            raise
        self._next = None
        self._passed_over = 0
        taken = self._take(share)
        self._wake()
        return taken

    def _may_have(self, share: Share | None) -> bool:
        return share is None or (
            share.in_use < REQUEST_CONNECTIONS_MAX and self._held[share.account_id] < self._per_account_max
        )

    def _may_pass(self, share: Share | None) -> bool:
        if self._next is None:
            return True
        if _account_of(self._next.share) != _account_of(share) or self._passed_over >= PASSED_OVER_MAX:
            return False
        self._passed_over += 1
        return True

    def _take(self, share: Share | None) -> Any:
        holder = self.get_nowait()
        if share is not None:
            share.in_use += 1
            self._held[share.account_id] += 1
            self._shares[holder] = share
        return holder

    def _put(self, holder: Any) -> None:
        super()._put(holder)
        share = self._shares.pop(holder, None)
        if share is not None:
            share.in_use -= 1
            self._held[share.account_id] -= 1
            if not self._held[share.account_id]:
                del self._held[share.account_id]
        if self._next is not None or self._waiting:
            self._wake()

    def _wake(self) -> None:
        if self.empty():
            return
        if self._next is None:
            self._next = self._waiting.pop(lambda waiter: self._may_have(waiter.share))
        if self._next is not None and not self._next.woken.done():
            self._next.woken.set_result(None)


def _account_of(share: Share | None) -> str:
    return "" if share is None else share.account_id


class Pool(asyncpg.Pool):  # type: ignore[misc]
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
