"""Faults that lose a COMMIT or its acknowledgement, so that the product cannot determine whether it was committed."""

import asyncio
import time

from tests.chaos import callers, proxy
from tests.chaos.proxy import Loss, Proxy
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally
from tests.chaos.work import Work, together, until

RECOVERY_SECONDS_MAX = 20
CALLS_AT_ONCE = 8
CHUNKS_A_RUN = 40
SWEEP_SECONDS = 1.5
LOSSES_AT_START = 2


async def of_mutations(stage: Stage, count: int) -> Tally:
    """Lose the acknowledgements of mutations; the client receives an internal error, and retries with the same key."""
    return await _of_mutations(stage, count, Loss.ANSWER)


async def of_mutations_on_the_way(stage: Stage, count: int) -> Tally:
    """Lose the COMMITs of mutations; the client receives an internal error, and retries with the same key."""
    return await _of_mutations(stage, count, Loss.REQUEST)


async def of_chunks(stage: Stage, count: int) -> Tally:
    """Lose the acknowledgements of chunks; the worker treats each chunk as failed, although it is committed."""
    return await _of_chunks(stage, count, Loss.ANSWER)


async def of_chunks_on_the_way(stage: Stage, count: int) -> Tally:
    """Lose the COMMITs of chunks; the worker treats each chunk as failed, and it is not committed."""
    return await _of_chunks(stage, count, Loss.REQUEST)


async def _of_mutations(stage: Stage, count: int, loss: Loss) -> Tally:
    tally = Tally(f"API: {loss} lost", RECOVERY_SECONDS_MAX)
    work = await Work.begun()
    async with Proxy(stage.database_url) as lossy:
        _, url = await stage.api(database_url=lossy.url)
        while lossy.lost < count:
            purchases = [await callers.purchase(work, unify=n % 2 == 1) for n in range(CALLS_AT_ONCE)]
            lossy.lose(loss, CALLS_AT_ONCE)
            results = await asyncio.gather(
                *(purchase.made(url) for purchase in purchases), return_exceptions=True
            )
            assert all(isinstance(result, callers.NoAnswerError) for result in results), results
            if loss is Loss.ANSWER:
                assert [await work.charged_count(each.batch) for each in purchases] == [4] * CALLS_AT_ONCE
            since = time.monotonic()
            first = await asyncio.gather(*(purchase.repeated(url) for purchase in purchases))
            second = await asyncio.gather(*(purchase.repeated(url) for purchase in purchases))
            tally.doubled += sum(one != other for one, other in zip(first, second, strict=True))
            await tally.recovered(work, together(purchase.batch for purchase in purchases), since)
        tally.tried = lossy.lost
    return tally


async def _of_chunks(stage: Stage, count: int, loss: Loss) -> Tally:
    tally = Tally(f"worker: {loss} lost", RECOVERY_SECONDS_MAX)
    work = await Work.begun()
    async with Proxy(stage.database_url) as lossy:
        at_start = False
        while lossy.lost < count:
            at_start = not at_start
            await _lose_those_of_a_run(stage, lossy, loss, tally, work, at_start)
        tally.tried = lossy.lost
    return tally


async def _lose_those_of_a_run(
    stage: Stage, lossy: Proxy, loss: Loss, tally: Tally, work: Work, at_start: bool
) -> None:
    """Lose the COMMITs of all chunks of a run; with `at_start`, first those at the worker's start, so that it exits."""
    batch = await work.put(CHUNKS_A_RUN)
    if at_start:
        lossy.lose(loss, LOSSES_AT_START)
    async with stage.supervised(database_url=lossy.url, instances_per_chunk=1):
        await until(lambda: work.charged_count(batch), RECOVERY_SECONDS_MAX)
        lossy.lose(loss, CHUNKS_A_RUN)

        async def is_hit() -> bool:
            return lossy.to_lose == 0 or await work.charged_count(batch) == len(batch.ids)

        await until(is_hit, SWEEP_SECONDS)
        lossy.lose(proxy.Loss.ANSWER, 0)
        await tally.recovered(work, batch, time.monotonic())
    await work.retire(batch)
