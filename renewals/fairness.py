"""Waiting in turns: round robin between owners, and first in, first out within one owner."""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter")


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
        self._held: Counter[str] = Counter()
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

    async def acquire(self, owner: str) -> None:
        """Wait for a slot; raises QueueFullError."""
        if self._may_have(owner):
            self._give(owner)
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
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
        while self._free and (waiter := self._queue.pop(self._is_eligible)):
            next_owner, given = waiter
            self._give(next_owner)
            given.set_result(None)

    def _is_eligible(self, waiter: tuple[str, asyncio.Future[None]]) -> bool:
        owner, given = waiter
        return not given.done() and self._may_have(owner)  # one that was just cancelled leaves in a moment

    def _may_have(self, owner: str) -> bool:
        return self._free > 0 and self._held[owner] < self._per_owner_max

    def _give(self, owner: str) -> None:
        self._free -= 1
        self._held[owner] += 1
