"""Faults that stop, kill or empty PostgreSQL or Valkey during a run and during calls, and then restart it."""

import asyncio
import contextlib
import functools
import os
import random
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg
import redis

from tests.chaos import callers, plans
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally
from tests.chaos.work import Batch, Work, together, until

RECOVERY_SECONDS_MAX = 30
MINUTE_SECONDS = 60
CHUNKS_A_RUN = 24
PURCHASES_A_RUN = 4


async def of_postgres(stage: Stage, count: int) -> Tally:
    """Shut PostgreSQL down, kill it with kill -9, or kill one session, after which PostgreSQL restarts itself."""
    tally = Tally("PostgreSQL stopped, killed, or a session killed", RECOVERY_SECONDS_MAX)
    postgres = stage.postgres

    def stop() -> None:
        postgres.strike(signal.SIGINT)
        postgres.start_again()

    def kill() -> None:
        postgres.strike(signal.SIGKILL)
        postgres.start_again()

    def kill_session() -> None:
        asyncio.run(_kill_a_session(stage.database_url))

    return await _strike(stage, tally, count, [stop, kill, kill_session])


async def of_valkey(stage: Stage, count: int) -> Tally:
    """Stop Valkey, kill it, or kill it and delete its data. The worker waits until it is back."""
    tally = Tally("Valkey stopped, killed, or killed and lost", RECOVERY_SECONDS_MAX)
    valkey = stage.valkey

    def stop() -> None:
        valkey.strike(signal.SIGTERM)
        valkey.start_again()

    def kill() -> None:
        valkey.strike(signal.SIGKILL)
        valkey.start_again()

    def kill_and_lose() -> None:
        valkey.strike(signal.SIGKILL)
        shutil.rmtree(valkey.data)
        valkey.start_again()

    return await _strike(stage, tally, count, [stop, kill, kill_and_lose])


async def of_the_queue(stage: Stage, count: int) -> Tally:
    """Empty the queue by FLUSHALL. The worker keeps running, and is idle until its next sweep."""
    tally = Tally("Valkey flushed", RECOVERY_SECONDS_MAX)
    return await _strike(stage, tally, count, [functools.partial(_flush, stage)])


async def of_the_queue_of_the_product(stage: Stage, count: int) -> Tally:
    """Empty the queue of an unchanged worker, which sweeps once a minute."""
    tally = Tally("Valkey flushed, a sweep each minute", MINUTE_SECONDS + RECOVERY_SECONDS_MAX)
    return await _strike(stage, tally, count, [functools.partial(_flush, stage)], plans.AS_IT_IS)


def _flush(stage: Stage) -> None:
    with redis.Redis.from_url(stage.valkey.url) as client:
        client.flushall()


async def _strike(
    stage: Stage,
    tally: Tally,
    count: int,
    ways: Sequence[Callable[[], None]],
    plan: plans.Plan = plans.IMPATIENT,
) -> Tally:
    """Strike in each of the `ways` in turn, while a run and calls are in progress."""
    work = await Work.begun()
    _, url = await stage.api()
    while tally.tried < count:
        batch = await work.put(CHUNKS_A_RUN)
        async with stage.supervised(1, plan, instances_per_chunk=1), _buying(work, url) as purchases:
            await _midway(work, batch)
            await asyncio.to_thread(ways[tally.tried % len(ways)])
            since = time.monotonic()
            tally.tried += 1
            await tally.recovered(work, batch, since)
        await tally.recovered(work, together(purchases), since)
        await work.retire(batch)
    return tally


async def _midway(work: Work, batch: Batch) -> None:
    """Wait until a random part of a batch, at most half of its instances, is charged."""
    at_least = random.randint(1, len(batch.ids) // 2)

    async def is_midway() -> bool:
        return await work.charged_count(batch) >= at_least

    await until(is_midway, RECOVERY_SECONDS_MAX)


@contextlib.asynccontextmanager
async def _buying(work: Work, url: str) -> AsyncIterator[list[Batch]]:
    """Run customers who buy during the block, and who retry until they receive a response."""
    purchases = [await callers.purchase(work) for _ in range(PURCHASES_A_RUN)]

    async def buy(purchase_: callers.Purchase) -> None:
        await asyncio.sleep(random.uniform(0, 0.5))
        result = await purchase_.repeated(url)
        assert result["__typename"] == "RenewInstancesSuccess", result
        assert result == await purchase_.repeated(url)

    async with asyncio.TaskGroup() as group:
        for purchase in purchases:
            group.create_task(buy(purchase))
        yield [purchase.batch for purchase in purchases]


async def _kill_a_session(url: str) -> None:
    connection = await asyncpg.connect(url)
    sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'renewals' AND pid <> pg_backend_pid() LIMIT 1"
    pid = await connection.fetchval(sql)
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(OSError, asyncpg.PostgresError):
        await connection.close()
