"""Tells whoever follows an account that it has new events: here at once, in other processes through Redis.

Nothing hangs on a word that is lost: the events are in PostgreSQL, and a subscriber looks there by itself as well.
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
"""Between two tries to reach a Redis that is away."""
ANSWER_SECONDS_MAX = 5.0
"""A Redis that does not answer for so long is away."""
SILENCE_SECONDS_MAX = 30
"""A line on which nothing was said for so long is tried."""
FLUSH_SECONDS_MAX = 2.0
"""So long a process that ends waits for its last words to be sent."""


class _Outbox:
    """The accounts that other processes have not been told of yet, each once."""

    def __init__(self) -> None:
        self._account_ids: set[str] = set()
        self._filled = asyncio.Event()
        self.emptied = asyncio.Event()
        self.emptied.set()

    def put(self, account_ids: Iterable[str]) -> None:
        self._account_ids.update(account_ids)
        self._filled.set()
        self.emptied.clear()

    async def take(self) -> list[str]:
        """All that is in it, as soon as there is something."""
        await self._filled.wait()
        self._filled.clear()
        taken, self._account_ids = sorted(self._account_ids), set()
        return taken

    def note_sent(self) -> None:
        """What was taken is sent; it is emptied unless more has come meanwhile."""
        if not self._account_ids:
            self.emptied.set()


class Subscriber:
    """One who follows an account: whether it may have something new, and whether this process is about to end."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self.is_dismissed = False

    def wake(self) -> None:
        self._woken.set()

    def dismiss(self) -> None:
        self.is_dismissed = True
        self.wake()

    async def wait(self, seconds_max: float) -> bool:
        """Waits to be woken, so long at most, and answers whether it was, now or since the last time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds_max)
        is_woken = self._woken.is_set()
        self._woken.clear()
        return is_woken


_subscribers: dict[str | None, set[Subscriber]] = {}
_outboxes: set[_Outbox] = set()
_ending = threading.Event()
"""Set as soon as this process is about to end, for those who come while it does."""


def publish(account_ids: Iterable[str]) -> None:
    """Says that the accounts have new events, once they are committed; never waits."""
    told = list(account_ids)
    _wake(told)
    for outbox in _outboxes:
        outbox.put(told)


@contextlib.contextmanager
def subscribe(account_id: str | None) -> Iterator[Subscriber]:
    """A subscriber that is woken whenever the account, or without one any account, may have something new."""
    subscriber = Subscriber()
    if _ending.is_set():
        subscriber.dismiss()
    _subscribers.setdefault(account_id, set()).add(subscriber)
    try:
        yield subscriber
    finally:
        _subscribers[account_id].discard(subscriber)
        if not _subscribers[account_id]:
            del _subscribers[account_id]


def close_all() -> None:
    """Has all subscribers end, and those who come now: this process is about to."""
    _ending.set()
    for subscribers in _subscribers.values():
        for subscriber in subscribers:
            subscriber.dismiss()


@contextlib.asynccontextmanager
async def connect(redis_url: str | None, *, listening: bool = False) -> AsyncIterator[None]:
    """Tells other processes, and with `listening` hears them, for as long as the block runs."""
    if redis_url is None:
        yield
        return
    client = Redis.from_url(
        redis_url,
        socket_connect_timeout=ANSWER_SECONDS_MAX,
        socket_timeout=ANSWER_SECONDS_MAX,
        health_check_interval=SILENCE_SECONDS_MAX,
    )
    outbox = _Outbox()
    _outboxes.add(outbox)
    tasks = [asyncio.create_task(_send(client, outbox))]
    if listening:
        tasks.append(asyncio.create_task(_hear(client)))
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
        account_ids = await outbox.take()
        try:
            await client.publish(CHANNEL, orjson.dumps(account_ids))
        except redis_errors.UNAVAILABLE as problem:
            log.warning("other processes are not told of new events: %s", problem)
            outbox.put(account_ids)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            outbox.note_sent()


async def _hear(client: Redis) -> None:
    while True:
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                _wake(list(filter(None, _subscribers)))  # for what was said while nobody listened
                while True:
                    message = await channel.get_message(timeout=SILENCE_SECONDS_MAX)
                    if message is not None:
                        _wake(_read(message["data"]))
        except redis_errors.UNAVAILABLE as problem:
            log.warning("new events of other processes are not heard of: %s", problem)
        await asyncio.sleep(PAUSE_SECONDS)


def _read(message: bytes) -> list[str]:
    """The account ids of a message; none of one that is not ours."""
    try:
        said = orjson.loads(message)
    except ValueError:
        said = None
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        log.warning("a message on %s is not understood: %.100r", CHANNEL, message)
        return []
    return said
