"""The fair order in which requests get connections, and the limits of one request."""

import asyncio
from contextvars import ContextVar
from typing import NamedTuple

from renewals.concurrency import fair_queue

REQUEST_CONNECTIONS_MAX = 4
"""The maximum number of connections of one request in one pool.

All requests of an account together use at most half of a pool, but can always use one connection.
"""
REQUEST_JOBS_MAX = 2
"""The maximum number of concurrent long computations of one request; otherwise, one request could fill their queue."""


class Share:
    """The number of connections that one request uses, and the semaphore that limits its long computations."""

    __slots__ = ("_computing", "_on_replica", "account_id", "in_use")

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.in_use = 0
        self._computing: asyncio.Semaphore | None = None
        self._on_replica: Share | None = None

    @property
    def computing(self) -> asyncio.Semaphore:
        """The semaphore of the request's long computations, created at its first use: most requests do not need it."""
        if self._computing is None:
            self._computing = asyncio.Semaphore(REQUEST_JOBS_MAX)
        return self._computing

    @property
    def on_replica(self) -> "Share":
        """The request's share of the replica's connections, which have their own `Turns` and are counted separately."""
        if self._on_replica is None:
            self._on_replica = Share(self.account_id)
        return self._on_replica


current_share: ContextVar[Share | None] = ContextVar("share", default=None)
"""The current request's share. Work without a share, such as authentication, is limited only by the pool."""


class _Waiter(NamedTuple):
    """A task that waits for its turn."""

    share: Share | None
    turn: asyncio.Future[None]


class Turns:
    """Turns to use a connection, given to accounts in rotation, within the limits of a request and of an account.

    A turn that ends passes immediately to a waiting task that is within the limits, so that no later task takes this
    turn first.
    """

    def __init__(self, count: int, *, is_replica: bool = False) -> None:
        self._is_replica = is_replica
        self._free = count
        self._per_account_max = max(1, count // 2)
        self._in_use: dict[str, int] = {}
        self._waiting: fair_queue.FairQueue[_Waiter] = fair_queue.FairQueue()

    async def begin(self) -> Share | None:
        """Wait for a turn for the current request, and return the request's share (None if there is no share)."""
        share = current_share.get()
        if self._is_replica and share is not None:
            share = share.on_replica
        if self._free and self._is_within_limits(share):
            self._take(share)
            return share
        waiter = _Waiter(share, asyncio.get_running_loop().create_future())
        owner = "" if share is None else share.account_id
        self._waiting.push(owner, waiter)
        try:
            await waiter.turn
        except BaseException:
            if waiter.turn.done() and not waiter.turn.cancelled():
                self.end(share)
            else:
                self._waiting.remove(owner, waiter)
            raise
        return share

    def end(self, share: Share | None) -> None:
        """End a turn, and give the free turns to waiting tasks that are now within the limits."""
        self._free += 1
        if share is not None:
            share.in_use -= 1
            in_use = self._in_use.pop(share.account_id) - 1
            if in_use:
                self._in_use[share.account_id] = in_use
        while self._waiting and self._free and (waiter := self._waiting.pop(self._is_eligible)):
            self._take(waiter.share)
            waiter.turn.set_result(None)

    def _is_within_limits(self, share: Share | None) -> bool:
        return share is None or (
            share.in_use < REQUEST_CONNECTIONS_MAX
            and self._in_use.get(share.account_id, 0) < self._per_account_max
        )

    def _is_eligible(self, waiter: _Waiter) -> bool:
        return not waiter.turn.done() and self._is_within_limits(waiter.share)

    def _take(self, share: Share | None) -> None:
        self._free -= 1
        if share is not None:
            share.in_use += 1
            self._in_use[share.account_id] = self._in_use.get(share.account_id, 0) + 1
