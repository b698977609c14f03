"""How much a key and an account may have under way at once in this process, so that nobody slows another down."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Self

from graphql_api import errors
from renewals.concurrency import fair_queue

RUNNING_PER_KEY_MAX = 8
WAITING_PER_KEY_MAX = 56
"""Requests of a key. Those that wait cost nothing but their connection, and slow down a client that sends too fast.
Fewer that run would hold up a client of 20 requests a second as soon as each takes a little longer."""
HEAVY_AT_ONCE_MAX = 4
"""Heavy requests of all accounts that run at once, one of each account; the others take turns."""
HEAVY_COST = 5_000
"""From this cost on a request is heavy: it may keep the processor for some milliseconds at a stretch."""
HEAVY_BODY_BYTES = 32_000
"""From this size on reading a body is heavy: an account sends one such body at a time."""
REST_SECONDS_MAX = 0.05
OTHERS_SECONDS = 1.0
"""Between two heavy requests an account leaves the processor to others as long as it had it, if any asked lately."""
RETRY_SECONDS = 10
_ALL_KEYS = 1_000_000


def _refused(count: int, name: str) -> errors.HTTPError:
    return errors.HTTPError(
        429,
        "TOO_MANY_AT_ONCE",
        f"This key has {count} {name} under way, and may have no more.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


class ConcurrencyLimiter:
    """Places of one kind, a bounded number for each key; nobody waits for one."""

    def __init__(self, per_key_max: int, name: str) -> None:
        self._per_key_max = per_key_max
        self._name = name
        self._taken: Counter[str] = Counter()

    @contextlib.contextmanager
    def slot(self, caller: str) -> Iterator[None]:
        """Take a place as long as the block runs; raises errors.HTTPError if all are taken."""
        if self._taken[caller] >= self._per_key_max:
            raise _refused(self._per_key_max, self._name)
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


class RequestLimiter:
    """The requests of this process: a bounded number of each key run, and heavy ones take turns between accounts."""

    def __init__(self) -> None:
        self._running = fair_queue.FairSlots(
            _ALL_KEYS, per_owner_max=RUNNING_PER_KEY_MAX, waiting_max=WAITING_PER_KEY_MAX
        )
        self._owners = _Latest()
        self._heavy = fair_queue.FairSlots(HEAVY_AT_ONCE_MAX, per_owner_max=1, waiting_max=_ALL_KEYS)
        self._bodies = fair_queue.FairSlots(_ALL_KEYS, per_owner_max=1, waiting_max=_ALL_KEYS)

    def try_begin(self, caller: str) -> bool:
        """Begin a request of a key if it may run at once; return whether it has begun, and must be ended."""
        return self._running.try_acquire(caller)

    async def begin(self, caller: str) -> None:
        """Begin a request of a key, once it may; raises errors.HTTPError if too many wait."""
        try:
            await self._running.acquire(caller)
        except fair_queue.QueueFullError:
            raise _refused(RUNNING_PER_KEY_MAX + WAITING_PER_KEY_MAX, "requests") from None

    def end(self, caller: str) -> None:
        """End a request of a key, so that the next can begin."""
        self._running.release(caller)

    @contextlib.asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Run a request of a key, once it may; raises errors.HTTPError if too many wait."""
        await self.begin(caller)
        try:
            yield
        finally:
            self.end(caller)

    def lane(self, owner: str) -> "Lane":
        """Return the lane of one request for what is heavy of it; inside of `turn`, which bounds who waits."""
        self._owners.note(owner)
        return Lane(self, owner)

    @contextlib.asynccontextmanager
    async def receiving(self, owner: str) -> AsyncIterator[None]:
        """Receive a large body for as long as the block runs: an account's one at a time, with rests between.

        A body that waits stays where it is: the server reads no more of it than a buffer holds.
        """
        await self._bodies.acquire(owner)
        began = time.monotonic()
        try:
            yield
        finally:
            self._rest(self._bodies, owner, time.monotonic() - began)

    async def enter(self, owner: str) -> None:
        """Wait until no other request of the account is in its lane."""
        await self._heavy.acquire(owner)

    def leave(self, owner: str, seconds: float) -> None:
        """Open the lane of an account, which has kept the processor for so long."""
        self._rest(self._heavy, owner, seconds)

    def _rest(self, slots: fair_queue.FairSlots, owner: str, seconds: float) -> None:
        """Give back the account's slot, if there are others after a rest as long as it kept the processor."""
        if self._owners.has_others(owner) and seconds > 0:
            rest = min(seconds, REST_SECONDS_MAX)
            asyncio.get_running_loop().call_later(rest, slots.release, owner)
        else:
            slots.release(owner)


class _Latest:
    """Who asked last, and who asked last before that, so that it is known whether there are others."""

    __slots__ = ("_last", "_last_other")

    def __init__(self) -> None:
        self._last = self._last_other = ("", 0.0)

    def note(self, name: str) -> None:
        """Note that somebody asks."""
        if name != self._last[0]:
            self._last_other = self._last
        self._last = (name, time.monotonic())

    def has_others(self, name: str) -> bool:
        """Return whether anybody else asked lately."""
        other, at = self._last if self._last[0] != name else self._last_other
        return bool(other) and time.monotonic() - at < OTHERS_SECONDS


class Lane:
    """Where one request of an account does what is heavy, while no other of the account does."""

    __slots__ = ("_began", "_owner", "_requests", "is_entered")

    def __init__(self, requests: RequestLimiter, owner: str) -> None:
        self._requests = requests
        self._owner = owner
        self.is_entered = False
        self._began = 0.0

    async def enter(self) -> None:
        """Wait for the account's turn, unless the request is in the lane already."""
        if not self.is_entered:
            await self._requests.enter(self._owner)
            self.is_entered = True
            self._began = time.thread_time()
            fair_queue.set_lane(self.leave)

    def leave(self) -> None:
        """Leave the lane to the next, if the request is in it."""
        if self.is_entered:
            self.is_entered = False
            self._requests.leave(self._owner, time.thread_time() - self._began)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
