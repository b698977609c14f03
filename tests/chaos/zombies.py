"""Faults with zombies: workers that SIGSTOP stops until they time out, and that resume beside their successor."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable

from tests.chaos import plans, processes
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally
from tests.chaos.work import Batch, Work

RECOVERY_SECONDS_MAX = 20
CHUNK_SECONDS_MAX = 1
"""The timeout of a worker's chunk. A zombie resumes after this time."""
IDLE_SECONDS_MAX = 1
"""PostgreSQL ends an idle transaction after this many seconds, which releases its locks."""
ZOMBIES_AT_ONCE = 3
FIRST_STATEMENT, LAST_STATEMENT = 5, 40
"""The numbers of a worker's statements from the opening of a run to its first chunks."""
STAND_STILL_SECONDS_MAX = 1.5
AFTERMATH_SECONDS = 0.3
"""A time longer than the zombies need for the work that they had when they were stopped."""


async def wake_beside_their_successor(stage: Stage, count: int) -> Tally:
    """Resume the zombies after the timeout. Until then they hold their accounts' locks, and the successor waits."""
    plan = plans.Plan(chunk_seconds_max=CHUNK_SECONDS_MAX)

    async def pass_the_time(_: Work, __: Batch) -> None:
        await asyncio.sleep(CHUNK_SECONDS_MAX + 0.3)

    return await _play(
        stage,
        count,
        Tally("worker stopped, wakes beside its successor", RECOVERY_SECONDS_MAX),
        plan,
        pass_the_time,
    )


async def wake_when_all_is_done(stage: Stage, count: int) -> Tally:
    """Resume the zombies in the middle of their chunks, after their successor has done those chunks."""
    plan = plans.Plan(chunk_seconds_max=CHUNK_SECONDS_MAX, idle_seconds_max=IDLE_SECONDS_MAX)
    tally = Tally("worker stopped, wakes when all is done", RECOVERY_SECONDS_MAX)

    async def be_done(work: Work, batch: Batch) -> None:
        await tally.recovered(work, batch, time.monotonic())

    return await _play(stage, count, tally, plan, be_done)


async def _play(
    stage: Stage,
    count: int,
    tally: Tally,
    plan: plans.Plan,
    before_they_wake: Callable[[Work, Batch], Awaitable[None]],
) -> Tally:
    work = await Work.begun()
    while tally.tried < count:
        batch = await work.put(12)
        started = [
            stage.worker(plan._replace(fuse=_fuse()), instances_per_chunk=4) for _ in range(ZOMBIES_AT_ONCE)
        ]
        zombies = await _stopped(started)
        if zombies and not await work.is_done(batch):
            successor = stage.worker(plan._replace(sweeps_each_second=True), instances_per_chunk=4)
            await before_they_wake(work, batch)
            tally.note(await work.judge(batch, at_rest=False))
            since = time.monotonic()
            for zombie in zombies:
                zombie.signal(signal.SIGCONT)
            tally.tried += len(zombies)
            await tally.recovered(work, batch, since)
            await asyncio.sleep(AFTERMATH_SECONDS)
            tally.note(await work.judge(batch))
            assert successor.is_alive
        await stage.clear()
        await work.retire(batch)
    return tally


def _fuse() -> plans.Fuse:
    moment = random.choice(list(plans.Moment))
    return plans.Fuse(random.randint(FIRST_STATEMENT, LAST_STATEMENT), moment, signal.SIGSTOP)


async def _stopped(workers: list[processes.Process]) -> list[processes.Process]:
    """Return the stopped workers; kill the others, which wait for stopped ones or have finished."""
    deadline = time.monotonic() + STAND_STILL_SECONDS_MAX
    while not all(worker.is_stopped for worker in workers):  # no event reports a stopped process
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(processes.POLL_SECONDS)
    stopped = [worker for worker in workers if worker.is_stopped]
    for worker in workers:
        if worker not in stopped:
            await worker.kill()
    return stopped
