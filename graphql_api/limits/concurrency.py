"""Concurrency limits per API key and account in this process, so that one caller does not delay the others."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Self

from graphql_api import errors
from renewals.concurrency import fair_queue
from renewals.domain.messages import Message

RUNNING_PER_KEY_MAX = 8
WAITING_PER_KEY_MAX = 56
"""The maximum numbers of a key's running and waiting requests. A waiting request occupies its client's connection, and
delays only this client. As only 8 requests run, a client that sends 20 per second waits if each takes over 0.4 s."""
HEAVY_AT_ONCE_MAX = 4
"""The maximum number of heavy steps that are in progress at a time, at most one in each lane."""
HEAVY_COST = 5_000
"""The cost above which a request is heavy: it may use the processor for milliseconds without a pause."""
HEAVY_BODY_BYTES = 32_000
"""The size above which a body is heavy, or large. A body without Content-Length is received as a large one.

A process receives one large body of an account at a time.
"""
REST_SECONDS_MAX = 0.05
OTHERS_SECONDS = 1.0
"""The time after an account's request during which other accounts pause after each heavy step or large body.

The pause is as long as the processor time of the step, or as the transfer of the large body, but at most
REST_SECONDS_MAX.
"""
RETRY_SECONDS = 10
_ALL_KEYS = 1_000_000


SOCKETS = Message("web sockets")
SUBSCRIPTIONS = Message("subscriptions")
REQUESTS = Message("requests")


def _too_many(count: int, name: Message) -> errors.HTTPError:
    return errors.HTTPError(
        429,
        "TOO_MANY_AT_ONCE",
        Message(
            "This key or account has {count} {name} in progress, which is the maximum. Wait until one ends.",
            count=count,
            name=name,
        ),
        {"Retry-After": str(RETRY_SECONDS)},
    )


class ConcurrencyLimiter:
    """Slots of one kind, `per_key_max` per key. If no slot of a key is free, a further use is refused immediately."""

    def __init__(self, per_key_max: int, name: Message) -> None:
        self._per_key_max = per_key_max
        self._name = name
        self._slots: Counter[str] = Counter()

    @contextlib.contextmanager
    def slot(self, caller: str) -> Iterator[None]:
        """Hold a slot while the block runs. Raises HTTPError if all are in use."""
        if self._slots[caller] >= self._per_key_max:
            raise _too_many(self._per_key_max, self._name)
        self._slots[caller] += 1
        try:
            yield
        finally:
            self._slots[caller] -= 1
            if not self._slots[caller]:
                del self._slots[caller]


class RequestLimiter:
    """The limits of a process on the requests of each key, and on the heavy steps and large bodies of each account.

    The exports and the calendars of an account count together, for all its keys.
    """

    def __init__(self) -> None:
        self._running = fair_queue.FairSlots(
            _ALL_KEYS, per_owner_max=RUNNING_PER_KEY_MAX, waiting_max=WAITING_PER_KEY_MAX
        )
        self._owners = _RecentOwners()
        self._heavy = fair_queue.FairSlots(HEAVY_AT_ONCE_MAX, per_owner_max=1, waiting_max=_ALL_KEYS)
        self._bodies = fair_queue.FairSlots(_ALL_KEYS, per_owner_max=1, waiting_max=_ALL_KEYS)

    def try_begin(self, caller: str) -> bool:
        """Begin a request of a key if a slot is free; return whether it has begun.

        If it has begun, `end` must be called when the request ends.
        """
        return self._running.try_acquire(caller)

    async def begin(self, caller: str) -> None:
        """Begin a request of a key once a slot is free. Raises HTTPError if it has WAITING_PER_KEY_MAX waiting ones."""
        try:
            await self._running.acquire(caller)
        except fair_queue.QueueFullError:
            raise _too_many(RUNNING_PER_KEY_MAX + WAITING_PER_KEY_MAX, REQUESTS) from None

    def end(self, caller: str) -> None:
        """End a request of a key, so that the next one can begin."""
        self._running.release(caller)

    @contextlib.asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Run a request of a key once a slot is free. Raises HTTPError as `begin` does."""
        await self.begin(caller)
        try:
            yield
        finally:
            self.end(caller)

    def lane(self, owner: str, name: str | None = None) -> "Lane":
        """Return a request's place in the lane of its account, and note that the account sends requests.

        If `name` is not None, the place is in the lane of that name, which is independent of the account's own lane.
        """
        self._owners.note(owner)
        return Lane(self, owner, name or owner)

    def has_others(self, owner: str) -> bool:
        """Return whether another account has sent a request in the last OTHERS_SECONDS."""
        return self._owners.has_others(owner)

    @contextlib.asynccontextmanager
    async def receiving(self, owner: str) -> AsyncIterator[None]:
        """Wait until no other large body of the account is being received. During the block, other ones wait.

        A client that waits cannot send more than fits into uvicorn's read buffer.
        """
        await self._bodies.acquire(owner)
        began = time.monotonic()
        try:
            yield
        finally:
            self._rest(self._bodies, owner, owner, time.monotonic() - began)

    async def enter(self, name: str) -> None:
        """Enter the lane of that name once it is free and fewer than HEAVY_AT_ONCE_MAX lanes are in use."""
        await self._heavy.acquire(name)

    def leave(self, name: str, owner: str, seconds: float) -> None:
        """Free the lane `name` after a request of an account has used the processor for `seconds` in it."""
        self._rest(self._heavy, name, owner, seconds)

    def _rest(self, slots: fair_queue.FairSlots, name: str, owner: str, seconds: float) -> None:
        """Release the slot of that name, after a pause if other accounts have sent requests recently."""
        if self.has_others(owner) and seconds > 0:
            rest = min(seconds, REST_SECONDS_MAX)
            asyncio.get_running_loop().call_later(rest, slots.release, name)
        else:
            slots.release(name)


class _RecentOwners:
    """The last two accounts that sent requests, each with the time of its last request."""

    __slots__ = ("_last", "_last_other")

    def __init__(self) -> None:
        self._last = self._last_other = ("", 0.0)

    def note(self, owner: str) -> None:
        if owner != self._last[0]:
            self._last_other = self._last
        self._last = (owner, time.monotonic())

    def has_others(self, owner: str) -> bool:
        """Return whether another account has sent a request in the last OTHERS_SECONDS."""
        other, at = self._last if self._last[0] != owner else self._last_other
        return bool(other) and time.monotonic() - at < OTHERS_SECONDS


class Lane:
    """The place of one request in a lane, for its heavy steps. At most one request at a time is in a lane."""

    __slots__ = ("_began", "_has_ended", "_is_awaiting_read", "_name", "_owner", "_requests", "is_entered")

    def __init__(self, requests: RequestLimiter, owner: str, name: str) -> None:
        self._requests = requests
        self._owner = owner
        self._name = name
        self.is_entered = False
        self._began = 0.0
        self._is_awaiting_read = False
        self._has_ended = False

    @property
    def has_others(self) -> bool:
        """Whether other accounts, which a heavy request could delay, sent requests in the last OTHERS_SECONDS."""
        return self._requests.has_others(self._owner)

    def enter_after_read(self) -> None:
        """Defer entering the lane until the request has read its rows."""
        self._is_awaiting_read = True
        fair_queue.set_lane_after_read(self._enter_once)

    async def _enter_once(self) -> None:
        if self._is_awaiting_read and not self._has_ended:
            self._is_awaiting_read = False
            await self.enter()
            if self._has_ended:  # while this task waited
                self.leave()

    async def enter(self) -> None:
        """Wait until the lane is free and enter it, unless the request is in it already."""
        if not self.is_entered:
            await self._requests.enter(self._name)
            self.is_entered = True
            self._began = time.thread_time()
            fair_queue.set_lane(self.leave)

    def leave(self) -> None:
        """Leave the lane, if the request is in it."""
        if self.is_entered:
            self.is_entered = False
            self._requests.leave(self._name, self._owner, time.thread_time() - self._began)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._has_ended = True
        self.leave()
