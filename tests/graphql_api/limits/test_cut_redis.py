"""A Redis that disconnects during the handshake, for which uvloop raises neither an OSError nor an error of Redis."""

import asyncio
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
import uvloop
from redis.asyncio.connection import AbstractConnection

from graphql_api import errors
from graphql_api.limits import rate_limit
from renewals.db import errors as db_errors
from renewals.events import pubsub

REQUESTS, KEYS = 1_500, 5
CLOSED = "unable to perform operation on <TCPTransport closed=True>; the handler is closed"


@pytest.fixture
def cut_redis() -> Iterator[str]:
    """Yield the URL of a Redis that ends each connection, before or after a reply, by a close or a reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(3):
            threading.Thread(target=cut_connections, args=(listener,), daemon=True).start()
        yield f"redis://:word@127.0.0.1:{listener.getsockname()[1]}/1"
        listener.shutdown(socket.SHUT_RDWR)


def cut_connections(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            if random.random() < 0.4:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if random.random() < 0.4:
                connection.recv(random.randint(1, 200))
                connection.send(b"+OK\r\n" * random.randint(0, 4))
            if random.random() < 0.5:
                time.sleep(random.random() / 1_000)


def test_each_process_keeps_the_budgets_while_redis_closes_each_connection(
    cut_redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(rate_limit, "BLOCKS_PER_BUDGET", 10**9)

    async def spend() -> None:
        limiter = rate_limit.CostRateLimiter(5 * REQUESTS // KEYS)
        async with limiter.opened(cut_redis):
            for number in range(REQUESTS):
                await limiter.consume(f"k-{number % KEYS}", 5)
            await assert_spent(limiter, *(f"k-{number}" for number in range(KEYS)))

    uvloop.run(spend())


async def assert_spent(limiter: rate_limit.CostRateLimiter, *keys: str) -> None:
    """Check that nothing is left of the budgets of some keys."""
    for key in keys:
        with pytest.raises(errors.HTTPError) as refused:
            await limiter.consume(key, 1)
        assert refused.value.code == "RATE_LIMITED"


async def test_each_process_keeps_the_budgets_while_the_transport_to_redis_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(AbstractConnection, "_connect", close_transport)
    limiter = rate_limit.CostRateLimiter(100)
    async with limiter.opened("redis://127.0.0.1:1/0"):
        for _ in range(20):
            await limiter.consume("k", 5)
        await assert_spent(limiter, "k")
        await limiter.consume("other", 100)


async def test_a_notification_is_sent_once_a_closed_transport_works_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "PAUSE_SECONDS", 0.01)
    async with pubsub.connect(redis_url, listening=True), asyncio.timeout(10):
        with monkeypatch.context() as patched:
            patched.setattr(AbstractConnection, "send_packed_command", close_transport)
            pubsub.publish(["a"])
            await asyncio.sleep(0.1)
        [outbox] = pubsub._outboxes
        await outbox.emptied.wait()


async def close_transport(*_: object, **__: object) -> None:
    raise RuntimeError(CLOSED)


def test_only_the_runtime_error_of_a_closed_transport_is_an_outage() -> None:
    assert db_errors.is_unavailable(RuntimeError(CLOSED))
    assert not db_errors.is_unavailable(RuntimeError("the database is not open"))
