"""How much a key may ask in a minute, in all processes together: counted in Redis, drawn from it in blocks.

A request for a page of ten costs a hundredth of a thousandth of the budget. Asking Redis each time would cost more
than answering, so a process draws a hundredth of the budget at once and spends that by itself. While Redis is away
each process counts alone.
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
from renewals.events import redis_errors
from schema.limits import weights

log = logging.getLogger(__name__)

CALLERS_MAX = 10_000
BLOCKS_A_BUDGET = 100
BLOCK_SECONDS = 10.0
"""What is left of a block by then is lost to its key: what is spent was drawn not long before."""
WINDOW_SECONDS = 60
REDIS_SECONDS_MAX = 0.5
PAUSE_SECONDS = 5.0
"""Before a Redis that was away is asked again."""


@dataclass(slots=True)
class _Block:
    left: int = 0
    ends_at: float = 0.0
    left_alone: int = 0
    """Of what is granted while Redis is away: the whole of a minute, once in it however often Redis comes and goes."""
    alone_ends_at: float = 0.0
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)


class CostRateLimiter:
    """The budgets of all keys, each `cost_max` in a minute; 0 has no limit."""

    def __init__(self, cost_max: int) -> None:
        self._cost_max = cost_max
        self._item = RateLimitItemPerMinute(max(cost_max, 1))
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._asks_from = 0.0
        self._blocks: OrderedDict[str, _Block] = OrderedDict()

    @contextlib.asynccontextmanager
    async def opened(self, redis_url: str | None) -> AsyncIterator[None]:
        """Counts in Redis for as long as the block runs."""
        if redis_url is None or not self._cost_max:
            yield
            return
        pool = ConnectionPool.from_url(
            redis_url, socket_timeout=REDIS_SECONDS_MAX, socket_connect_timeout=REDIS_SECONDS_MAX
        )
        # The pool alone says where Redis is.
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
        """Take off what a request costs, at least as much as any, and what it cost to read it; raises as `spend`."""
        if self._cost_max:
            # However small a budget is, some requests must fit into it.
            least, reading_max = min(weights.REQUEST, self._cost_max // 100), self._cost_max // 10
            reading += body_bytes // weights.BODY_BYTES
            await self.consume(caller, max(cost, least) + min(reading, reading_max))

    async def consume(self, caller: str, cost: int) -> None:
        """Takes a request's cost off the budget of whoever asks; raises errors.HTTPError if there is not so much."""
        if not self._cost_max:
            return
        block = self._blocks.get(caller)
        if block is None:
            block = _Block()
            lru_cache.keep(self._blocks, caller, block, most=CALLERS_MAX)
        if _take(block, cost):
            return
        if self._is_alone():
            self._draw_alone(block, cost)
            return
        async with block.drawing:
            if not _take(block, cost):
                await self._draw(caller, block, cost)

    def _is_alone(self) -> bool:
        return self._shared is None or time.monotonic() < self._asks_from

    async def _draw(self, caller: str, block: _Block, cost: int) -> None:
        shared = self._shared
        if shared is None or self._is_alone():
            self._draw_alone(block, cost)
            return
        size = max(cost, self._cost_max // BLOCKS_A_BUDGET)
        try:
            for drawn in {size: None, cost: None}:
                if await shared.hit(self._item, caller, cost=drawn):
                    now = time.monotonic()
                    rest = block.left if now < block.ends_at else 0
                    block.left, block.ends_at = rest + drawn - cost, now + BLOCK_SECONDS
                    return
            left = (await shared.get_window_stats(self._item, caller)).remaining
        except redis_errors.UNAVAILABLE as problem:
            log.warning("budgets are counted by each process alone, for Redis is away: %s", problem)
            self._asks_from = time.monotonic() + PAUSE_SECONDS
            self._draw_alone(block, cost)
            return
        raise _spent(WINDOW_SECONDS * (cost - left) / self._cost_max)

    def _draw_alone(self, block: _Block, cost: int) -> None:
        now = time.monotonic()
        if now >= block.alone_ends_at:
            block.left_alone, block.alone_ends_at = self._cost_max, now + WINDOW_SECONDS
        if cost > block.left_alone:
            raise _spent(block.alone_ends_at - now)
        block.left_alone -= cost


def _take(block: _Block, cost: int) -> bool:
    if block.left < cost or time.monotonic() >= block.ends_at:
        return False
    block.left -= cost
    return True


def _spent(seconds: float) -> errors.HTTPError:
    wait = min(max(math.ceil(seconds), 1), WINDOW_SECONDS)
    return errors.HTTPError(
        429,
        "RATE_LIMITED",
        f"The budget of this key is spent; ask again in {wait} s.",
        {"Retry-After": str(wait)},
    )
