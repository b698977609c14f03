"""Waiting in turns: round robin between owners, and first in, first out within one owner."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter")

_leave_lane: ContextVar[Callable[[], None] | None] = ContextVar("leave_lane", default=None)


def set_lane(leave: Callable[[], None]) -> None:
    """Set the function by which the current request leaves its lane, once or more often."""
    _leave_lane.set(leave)


def leave_lane() -> None:
    """Leave the lane of the current request, if it has one: a request must not hold it while it waits for others."""
    leave = _leave_lane.get()
    if leave is not None:
        leave()


class FairQueue(Generic[Waiter]):
    """Waiters by owner."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Waiter]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def count_of(self, owner: str) -> int:
        """Return how many waiters an owner has."""
        return len(self._waiting.get(owner, ()))

    def push(self, owner: str, waiter: Waiter) -> None:
        """Add a waiter behind the others of its owner."""
        self._waiting.setdefault(owner, deque()).append(waiter)
        self._count += 1

    def remove(self, owner: str, waiter: Waiter) -> None:
        """Remove a waiter that waits no longer."""
        waiters = self._waiting[owner]
        waiters.remove(waiter)
        self._count -= 1
        if not waiters:
            del self._waiting[owner]

    def pop(self, is_eligible: Callable[[Waiter], bool]) -> Waiter | None:
        """Return the next waiter whose turn has come and who may have it; its owner's next turn comes last."""
        for owner, waiters in self._waiting.items():
            waiter = next(filter(is_eligible, waiters), None)
            if waiter is not None:
                self.remove(owner, waiter)
                if owner in self._waiting:
                    self._waiting.move_to_end(owner)
                return waiter
        return None


class QueueFullError(Exception):
    """As many wait as may."""


class FairSlots:
    """A number of slots, of which each owner has a bounded number; `waiting_max` bounds the waiters of one owner."""

    def __init__(self, count: int, *, per_owner_max: int, waiting_max: int) -> None:
        self._free = count
        self._per_owner_max = per_owner_max
        self._waiting_max = waiting_max
        self._held: dict[str, int] = {}
        self._queue: FairQueue[tuple[str, asyncio.Future[None]]] = FairQueue()

    def is_waited_for(self) -> bool:
        """Return whether anybody waits for a slot."""
        return bool(self._queue)

    @contextlib.asynccontextmanager
    async def hold(self, owner: str) -> AsyncIterator[None]:
        """Hold a slot as long as the block runs; raises QueueFullError."""
        await self.acquire(owner)
        try:
            yield
        finally:
            self.release(owner)

    def try_acquire(self, owner: str) -> bool:
        """Take a slot if the owner may have one at once; return whether it has."""
        if self._free <= 0 or (held := self._held.get(owner, 0)) >= self._per_owner_max:
            return False
        self._free -= 1
        self._held[owner] = held + 1
        return True

    async def acquire(self, owner: str) -> None:
        """Wait for a slot; raises QueueFullError."""
        if self.try_acquire(owner):
            return
        if self._queue.count_of(owner) >= self._waiting_max:
            raise QueueFullError
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (owner, given)
        self._queue.push(owner, waiter)
        try:
            await given
        except BaseException:
            if given.done() and not given.cancelled():
                self.release(owner)
            else:
                self._queue.remove(owner, waiter)
            raise

    def release(self, owner: str) -> None:
        """Give a slot back, to the next in turn if anybody waits."""
        self._free += 1
        held = self._held.pop(owner) - 1
        if held:
            self._held[owner] = held
        while self._queue and self._free and (waiter := self._queue.pop(self._is_eligible)):
            next_owner, given = waiter
            self.try_acquire(next_owner)
            given.set_result(None)

    def _is_eligible(self, waiter: tuple[str, asyncio.Future[None]]) -> bool:
        owner, given = waiter
        is_waiting = not given.done()  # one that was just cancelled leaves in a moment
        return is_waiting and self._held.get(owner, 0) < self._per_owner_max
