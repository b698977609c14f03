"""Rate limits by query cost, shared by all processes, and per process while Redis is unavailable."""

import asyncio
import time

import httpx2
import pytest

from graphql_api import app, errors
from graphql_api.limits import rate_limit
from renewals import config
from tests.support.fixtures import World
from tests.support.graphql_client import URL


async def spend_all(limiter: rate_limit.CostRateLimiter, caller: str, cost: int) -> int:
    """Return the number of times that a cost can be consumed."""
    for times in range(10_000):
        try:
            await limiter.consume(caller, cost)
        except errors.HTTPError:
            with pytest.raises(errors.HTTPError) as again:
                await limiter.consume(caller, cost)
            assert (again.value.status, again.value.code) == (429, "RATE_LIMITED")
            assert 1 <= int((again.value.headers or {})["Retry-After"]) <= 60
            return times
    raise AssertionError("the budget has no end")


@pytest.mark.parametrize("cost", [1, 7, 100, 999, 1000])
async def test_processes_share_one_budget(redis_url: str, cost: int) -> None:
    first, second = rate_limit.CostRateLimiter(1_000), rate_limit.CostRateLimiter(1_000)
    async with first.opened(redis_url), second.opened(redis_url):
        caller = f"caller-{time.time_ns()}"
        spent = sum([await spend_all(limiter, caller, cost) for limiter in (first, second)]) * cost
        # A cost that is larger than the rest of a block cannot use the rest.
        assert 1_000 - 2 * max(cost, 10) <= spent <= 1_000
        await first.consume(f"{caller}-another", cost)


async def test_concurrent_requests_do_not_exceed_the_budget(redis_url: str) -> None:
    limiter = rate_limit.CostRateLimiter(1_000)
    async with limiter.opened(redis_url):
        caller = f"caller-{time.time_ns()}"
        results = await asyncio.gather(
            *(limiter.consume(caller, 5) for _ in range(500)), return_exceptions=True
        )
    assert results.count(None) == 200


async def test_redis_is_called_once_per_reserved_block_of_the_budget(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = rate_limit.CostRateLimiter(100_000)
    async with limiter.opened(redis_url):
        calls = []
        assert limiter._shared is not None
        hit = limiter._shared.hit

        async def record_call(*args: object, **named: object) -> bool:
            calls.append(named)
            return await hit(*args, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(limiter._shared, "hit", record_call)
        for _ in range(1_000):
            await limiter.consume(f"caller-{id(limiter)}", 10)
    assert len(calls) == 10


async def test_without_redis_each_process_enforces_the_budget_by_itself() -> None:
    limiter = rate_limit.CostRateLimiter(1_000)
    async with limiter.opened("redis://127.0.0.1:1/0"):
        started = time.monotonic()
        assert await spend_all(limiter, "a", 100) == 10
        assert await spend_all(limiter, "b", 100) == 10
        assert time.monotonic() - started < rate_limit.REDIS_SECONDS_MAX * 4
    assert await spend_all(rate_limit.CostRateLimiter(1_000), "a", 300) == 3
    assert await spend_all(rate_limit.CostRateLimiter(1_000), "a", 1_001) == 0


async def test_an_intermittent_redis_resets_neither_the_local_nor_the_shared_budget(redis_url: str) -> None:
    unreachable_url, counted, caller = (
        "redis://127.0.0.1:1/0",
        rate_limit.CostRateLimiter(1_000),
        f"caller-{time.time_ns()}",
    )

    async def spend(url: str, most: int) -> int:
        counted._retry_at = 0
        async with counted.opened(url):
            if most:
                await counted.consume(caller, most)
                return most
            return await spend_all(counted, caller, 100) * 100

    assert await spend(unreachable_url, 400) == 400
    assert await spend(redis_url, 200) == 200
    assert await spend(unreachable_url, 0) == 600
    assert await spend(redis_url, 0) == 800
    assert await spend(unreachable_url, 0) == 0


async def test_a_budget_of_zero_means_no_limit() -> None:
    for _ in range(100):
        await rate_limit.CostRateLimiter(0).consume("a", 10**9)


async def test_each_key_has_its_own_budget_and_a_refused_request_gets_retry_after(
    world: World,
) -> None:
    await world.account("a")
    settings = config.get_settings().model_copy(update={"cost_per_minute_max": 100})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.create(settings))) as client:
        # A new document costs 10 % of such a small budget.
        for key, served_count in ((await world.key("a"), 45), (await world.key("a"), 50)):
            headers = {"Authorization": f"Bearer {key}"}
            request = {"query": "{ account { id } }"}
            answers = [await client.post(URL, json=request, headers=headers) for _ in range(60)]
            assert [answer.status_code for answer in answers] == [200] * served_count + [429] * (
                60 - served_count
            )
            assert answers[-1].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
            assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
