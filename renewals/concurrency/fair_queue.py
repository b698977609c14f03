"""Fair queues: round robin between owners, and first in, first out within one owner.

The API does a limited number of heavy steps of requests concurrently. Each account or operator has a lane for its
requests, and an account has another for its exports. At most one request or export at a time is in a lane.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter")

_leave_lane: ContextVar[Callable[[], None] | None] = ContextVar("leave_lane", default=None)
_enter_lane: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("enter_lane", default=None)


def set_lane(leave: Callable[[], None]) -> None:
    """Set the function that `leave_lane` calls, possibly several times, to leave the current request's lane."""
    _leave_lane.set(leave)


def leave_lane() -> None:
    """Leave the current request's lane, if it is in one.

    A request must not hold a lane while it waits for another process or for a customer's server.
    """
    leave = _leave_lane.get()
    if leave is not None:
        leave()


def set_lane_after_read(enter: Callable[[], Awaitable[None]]) -> None:
    """Set the function that `enter_lane_after_read` calls to enter the current request's lane."""
    _enter_lane.set(enter)


async def enter_lane_after_read() -> None:
    """Enter the current request's lane, if the request has postponed its entry until its rows are read."""
    enter = _enter_lane.get()
    if enter is not None:
        await enter()


class FairQueue(Generic[Waiter]):
    """A queue of waiters for each owner."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Waiter]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def count_of(self, owner: str) -> int:
        """Return the number of an owner's waiters."""
        return len(self._waiting.get(owner, ()))

    def push(self, owner: str, waiter: Waiter) -> None:
        """Append a waiter to its owner's queue."""
        self._waiting.setdefault(owner, deque()).append(waiter)
        self._count += 1

    def remove(self, owner: str, waiter: Waiter) -> None:
        """Remove a waiter from its owner's queue."""
        waiters = self._waiting[owner]
        waiters.remove(waiter)
        self._count -= 1
        if not waiters:
            del self._waiting[owner]

    def pop(self, is_eligible: Callable[[Waiter], bool]) -> Waiter | None:
        """Remove and return the next eligible waiter, and move its owner to the end of the round.

        Return None if no waiter is eligible.
        """
        for owner, waiters in self._waiting.items():
            waiter = next(filter(is_eligible, waiters), None)
            if waiter is not None:
                self.remove(owner, waiter)
                if owner in self._waiting:
                    self._waiting.move_to_end(owner)
                return waiter
        return None


class QueueFullError(Exception):
    """The refusal of a waiter because its owner has the maximum number of waiters."""


class FairSlots:
    """A semaphore that is fair between owners.

    An owner holds at most `per_owner_max` of the slots and has at most `waiting_max` waiters.
    """

    def __init__(self, count: int, *, per_owner_max: int, waiting_max: int) -> None:
        self._free = count
        self._per_owner_max = per_owner_max
        self._waiting_max = waiting_max
        self._held: dict[str, int] = {}
        self._queue: FairQueue[tuple[str, asyncio.Future[None]]] = FairQueue()

    def try_acquire(self, owner: str) -> bool:
        """Acquire a slot without waiting, and return whether that was possible."""
        if self._free <= 0 or (held := self._held.get(owner, 0)) >= self._per_owner_max:
            return False
        self._free -= 1
        self._held[owner] = held + 1
        return True

    async def acquire(self, owner: str) -> None:
        """Acquire a slot, and wait for it if necessary. Raises QueueFullError if the owner has too many waiters."""
        if self.try_acquire(owner):
            return
        if self._queue.count_of(owner) >= self._waiting_max:
            raise QueueFullError
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (owner, turn)
        self._queue.push(owner, waiter)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.release(owner)
            else:
                self._queue.remove(owner, waiter)
            raise

    def release(self, owner: str) -> None:
        """Release a slot of an owner; the next eligible waiter, if there is one, acquires it."""
        self._free += 1
        held = self._held.pop(owner) - 1
        if held:
            self._held[owner] = held
        while self._queue and self._free and (waiter := self._queue.pop(self._is_eligible)):
            next_owner, turn = waiter
            self.try_acquire(next_owner)
            turn.set_result(None)

    def _is_eligible(self, waiter: tuple[str, asyncio.Future[None]]) -> bool:
        owner, turn = waiter
        is_waiting = not turn.done()  # a cancelled waiter can still be in the queue
        return is_waiting and self._held.get(owner, 0) < self._per_owner_max
