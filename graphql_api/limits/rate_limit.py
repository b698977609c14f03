"""Rate limiting by the cost of requests, per key and minute, shared by all processes through Redis.

A key is an API key, the subject of a token or, for exports and calendars, an account.

A ten-row page costs 0.001 % of the default budget, and a Redis round trip takes a third of the page's time. So a
process reserves 1 % of a key's budget at a time, and uses up this block without Redis. While Redis is unavailable, each
process counts separately.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool

from graphql_api import errors
from renewals.concurrency import lru_cache
from renewals.domain.messages import Message
from renewals.events import redis_errors
from schema.limits import weights

log = logging.getLogger(__name__)

CALLERS_MAX = 10_000
BLOCKS_PER_BUDGET = 100
BLOCK_SECONDS = 10.0
"""The time after which the rest of a reserved block expires. So Redis counts a cost at most 10 s before its request."""
WINDOW_SECONDS = 60
REDIS_SECONDS_MAX = 0.5
PAUSE_SECONDS = 5.0
"""The pause before an unavailable Redis is tried again."""


@dataclass(slots=True)
class _Block:
    remaining: int = 0
    ends_at: float = 0.0
    local_remaining: int = 0
    """The rest of the budget that is counted without Redis. It is renewed once a minute, however often Redis fails."""
    local_ends_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class CostRateLimiter:
    """The budgets of all keys, each `cost_max` per minute. If `cost_max` is 0, there is no limit."""

    def __init__(self, cost_max: int) -> None:
        self._cost_max = cost_max
        self._item = RateLimitItemPerMinute(max(cost_max, 1))
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._retry_at = 0.0
        self._blocks: OrderedDict[str, _Block] = OrderedDict()

    @contextlib.asynccontextmanager
    async def opened(self, redis_url: str | None) -> AsyncIterator[None]:
        """Count in Redis while the block runs, if `redis_url` is not None and there is a limit."""
        if redis_url is None or not self._cost_max:
            yield
            return
        pool = ConnectionPool.from_url(
            redis_url, socket_timeout=REDIS_SECONDS_MAX, socket_connect_timeout=REDIS_SECONDS_MAX
        )
        # The pool has the address; `limits` needs a URL only to choose its storage.
        storage = RedisStorage(
            "redis://",
            implementation="redispy",
            key_prefix="renewals:budgets",
            connection_pool=pool,  # type: ignore[arg-type]
        )
        self._shared = SlidingWindowCounterRateLimiter(storage)
        try:
            yield
        finally:
            self._shared = None
            await pool.aclose()

    async def consume_request(self, caller: str, cost: int, *, reading: int = 0, body_bytes: int = 0) -> None:
        """Deduct from the key's budget the cost of a request and the cost of reading it.

        `reading` is the cost of parsing and validating the document of the request, and `body_bytes` is the size of the
        body. Raises HTTPError as `consume` does.
        """
        if self._cost_max:
            # Even the smallest budget must allow some requests.
            cost_min, reading_max = min(weights.REQUEST, self._cost_max // 100), self._cost_max // 10
            reading += body_bytes // weights.BODY_BYTES
            await self.consume(caller, max(cost, cost_min) + min(reading, reading_max))

    async def consume(self, caller: str, cost: int) -> None:
        """Deduct a cost from the key's budget. Raises HTTPError if the rest of the budget is smaller."""
        if not self._cost_max:
            return
        block = self._blocks.get(caller)
        if block is None:
            block = _Block()
            lru_cache.keep(self._blocks, caller, block, size_max=CALLERS_MAX)
        if _take(block, cost):
            return
        if self._is_local():
            self._take_local(block, cost)
            return
        async with block.lock:
            if not _take(block, cost):
                await self._reserve(caller, block, cost)

    def _is_local(self) -> bool:
        return self._shared is None or time.monotonic() < self._retry_at

    async def _reserve(self, caller: str, block: _Block, cost: int) -> None:
        shared = self._shared
        if shared is None or self._is_local():
            self._take_local(block, cost)
            return
        size = max(cost, self._cost_max // BLOCKS_PER_BUDGET)
        try:
            for reserved in dict.fromkeys((size, cost)):
                if await shared.hit(self._item, caller, cost=reserved):
                    now = time.monotonic()
                    rest = block.remaining if now < block.ends_at else 0
                    block.remaining, block.ends_at = rest + reserved - cost, now + BLOCK_SECONDS
                    return
            remaining = (await shared.get_window_stats(self._item, caller)).remaining
        except redis_errors.UNAVAILABLE as problem:
            log.warning(
                "each process counts rate limits separately, because Redis is unavailable: %s", problem
            )
            self._retry_at = time.monotonic() + PAUSE_SECONDS
            self._take_local(block, cost)
            return
        raise _rate_limited(WINDOW_SECONDS * (cost - remaining) / self._cost_max)

    def _take_local(self, block: _Block, cost: int) -> None:
        now = time.monotonic()
        if now >= block.local_ends_at:
            block.local_remaining, block.local_ends_at = self._cost_max, now + WINDOW_SECONDS
        if cost > block.local_remaining:
            raise _rate_limited(block.local_ends_at - now)
        block.local_remaining -= cost


def _take(block: _Block, cost: int) -> bool:
    if block.remaining < cost or time.monotonic() >= block.ends_at:
        return False
    block.remaining -= cost
    return True


def _rate_limited(seconds: float) -> errors.HTTPError:
    wait = min(max(math.ceil(seconds), 1), WINDOW_SECONDS)
    return errors.HTTPError(
        429,
        "RATE_LIMITED",
        Message(
            "The rest of this minute's cost budget does not cover this request. Retry in {seconds} s.",
            seconds=wait,
        ),
        {"Retry-After": str(wait)},
    )
