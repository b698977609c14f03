"""Notifications of new events to subscribers: directly in this process, and through Redis in other processes.

A lost notification only delays delivery. The events are in PostgreSQL, and subscribers also read them periodically.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Iterable, Iterator

import orjson
from redis.asyncio import Redis

from renewals.concurrency import cancellation
from renewals.events import redis_errors

log = logging.getLogger(__name__)

CHANNEL = "renewals:events"
PAUSE_SECONDS = 1.0
"""The pause between two attempts to reach an unavailable Redis."""
REDIS_SECONDS_MAX = 5.0
"""The time-out of a Redis command."""
HEALTH_CHECK_SECONDS = 30
"""The number of idle seconds after which a Redis connection is checked."""
FLUSH_SECONDS_MAX = 2.0
"""The maximum time that a stopping process waits until its last notifications are sent."""


class _Outbox:
    """The accounts with new events that other processes must still be notified of."""

    def __init__(self) -> None:
        self._account_ids: set[str] = set()
        self._filled = asyncio.Event()
        self.emptied = asyncio.Event()
        self.emptied.set()

    def add(self, account_ids: Iterable[str]) -> None:
        self._account_ids.update(account_ids)
        self._filled.set()
        self.emptied.clear()

    async def take_all(self) -> list[str]:
        """Wait until there is an account, then remove all accounts and return them."""
        await self._filled.wait()
        self._filled.clear()
        account_ids, self._account_ids = sorted(self._account_ids), set()
        return account_ids

    def mark_sent(self) -> None:
        """Set `emptied` unless accounts were added since `take_all`."""
        if not self._account_ids:
            self.emptied.set()


class Subscriber:
    """A subscriber of one account or of all accounts, woken by new events and closed when the process shuts down."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self.is_closed = False

    def wake(self) -> None:
        """End the current `wait`, or the next `wait` if none is running."""
        self._woken.set()

    def close(self) -> None:
        """Mark the subscriber as closed and wake it."""
        self.is_closed = True
        self.wake()

    async def wait(self, seconds_max: float) -> bool:
        """Wait at most `seconds_max` for a call of `wake`; return whether it was called since the last `wait` ended."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds_max)
        is_woken = self._woken.is_set()
        self._woken.clear()
        return is_woken


_subscribers: dict[str | None, set[Subscriber]] = {}
_outboxes: set[_Outbox] = set()
_shutting_down = threading.Event()
"""Set when the process starts to shut down; later subscribers are closed immediately."""


def publish(account_ids: Iterable[str]) -> None:
    """Notify the subscribers of accounts without waiting. The new events must already be committed."""
    account_ids = list(account_ids)
    _wake(account_ids)
    for outbox in _outboxes:
        outbox.add(account_ids)


@contextlib.contextmanager
def subscribe(account_id: str | None) -> Iterator[Subscriber]:
    """Yield a subscriber that is woken by new events of an account, or of any account if `account_id` is None."""
    subscriber = Subscriber()
    if _shutting_down.is_set():
        subscriber.close()
    _subscribers.setdefault(account_id, set()).add(subscriber)
    try:
        yield subscriber
    finally:
        _subscribers[account_id].discard(subscriber)
        if not _subscribers[account_id]:
            del _subscribers[account_id]


def close_all() -> None:
    """Close all current and future subscribers, because the process is shutting down."""
    _shutting_down.set()
    for subscribers in _subscribers.values():
        for subscriber in subscribers:
            subscriber.close()


@contextlib.asynccontextmanager
async def connect(redis_url: str | None, *, listening: bool = False) -> AsyncIterator[None]:
    """Notify other processes while the block runs; with `listening`, also receive their notifications.

    If `redis_url` is None, only the subscribers of this process are notified.
    """
    if redis_url is None:
        yield
        return
    client = Redis.from_url(
        redis_url,
        socket_connect_timeout=REDIS_SECONDS_MAX,
        socket_timeout=REDIS_SECONDS_MAX,
        health_check_interval=HEALTH_CHECK_SECONDS,
    )
    outbox = _Outbox()
    _outboxes.add(outbox)
    tasks = [asyncio.create_task(_send(client, outbox))]
    if listening:
        tasks.append(asyncio.create_task(_listen(client)))
    try:
        yield
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(outbox.emptied.wait(), FLUSH_SECONDS_MAX)
    finally:
        _outboxes.discard(outbox)
        await cancellation.end_tasks(tasks)
        await client.aclose()


def _wake(account_ids: Iterable[str]) -> None:
    for account_id in (*account_ids, None):
        for subscriber in _subscribers.get(account_id, ()):
            subscriber.wake()


async def _send(client: Redis, outbox: _Outbox) -> None:
    while True:
        account_ids = await outbox.take_all()
        try:
            await client.publish(CHANNEL, orjson.dumps(account_ids))
        except redis_errors.UNAVAILABLE as error:
            log.warning("cannot notify other processes of new events: %s", error)
            outbox.add(account_ids)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            outbox.mark_sent()


async def _listen(client: Redis) -> None:
    while True:
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                _wake(list(filter(None, _subscribers)))  # earlier notifications may have been lost
                while True:
                    message = await channel.get_message(timeout=HEALTH_CHECK_SECONDS)
                    if message is not None:
                        _wake(_parse_account_ids(message["data"]))
        except redis_errors.UNAVAILABLE as error:
            log.warning("cannot receive notifications of other processes: %s", error)
        await asyncio.sleep(PAUSE_SECONDS)


def _parse_account_ids(message: bytes) -> list[str]:
    """Return the account ids of a message, or an empty list if the message is malformed."""
    try:
        account_ids = orjson.loads(message)
    except ValueError:
        account_ids = None
    if not isinstance(account_ids, list) or not all(isinstance(value, str) for value in account_ids):
        log.warning("ignored a malformed message on %s: %.100r", CHANNEL, message)
        return []
    return account_ids
