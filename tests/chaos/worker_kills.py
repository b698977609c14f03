"""kill -9 of workers: at each statement, at random instants, repeatedly, and of one of two workers (rule 23)."""

import asyncio
import random
import time

from tests.chaos import boundaries, plans, processes
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally
from tests.chaos.work import Batch, Work, until

RESTART_SECONDS_MAX = 20
RUN_SECONDS = 0.5
"""The approximate time from the start of a forked worker until its batch is done."""
PLAIN_RUN_SECONDS = 1.5
"""The approximate time from the start of a worker that is not forked until its batch is done."""
STATEMENTS_GUESSED = 55
"""The approximate number of statements of a worker. `at_each_statement` does not need it."""
AFTERGLOW_SECONDS = 0.1
"""The time in which the worker finishes its work after all instances are charged and its run has ended."""
ACCOUNTS_A_CHUNK = {"instances_per_chunk": 8}
"""Settings with which a chunk has two accounts of four instances each."""


def _start_worker(stage: Stage, plan: plans.Plan = plans.AS_IT_IS, **settings: object) -> processes.Process:
    return stage.worker(plan, database_url=None, **ACCOUNTS_A_CHUNK, **settings)


async def at_each_statement(stage: Stage, passes: int) -> Tally:
    """Kill the worker at each statement. It does one chunk at a time, so that each statement has a stable number."""
    tally = Tally("worker killed at each statement", RESTART_SECONDS_MAX)
    strike = _striker(stage, tally, await Work.begun())
    for _ in range(passes):
        await boundaries.at_each(strike)
    return tally


async def at_some_statements(stage: Stage, count: int) -> Tally:
    """Kill the worker at random statements."""
    tally = Tally("worker killed at some statements", RESTART_SECONDS_MAX)
    strike = _striker(stage, tally, await Work.begun())
    await boundaries.at_some(strike, lambda: tally.tried >= count, out_of=STATEMENTS_GUESSED)
    return tally


def _striker(stage: Stage, tally: Tally, work: Work) -> boundaries.Strike:
    async def strike(fuse: plans.Fuse) -> bool:
        batch = await work.put()
        victim = _start_worker(stage, plans.Plan(fuse), worker_chunks_at_once=1)
        struck = await _meets_its_end(victim, work, batch)
        if struck:
            tally.tried += 1
            tally.note(await work.judge(batch, at_rest=False))
        await _restart(stage, tally, work, batch)
        return struck

    return strike


async def at_any_instant(stage: Stage, count: int) -> Tally:
    """Kill the worker at a random instant, and often its successors as well."""
    tally = Tally("worker killed at any instant", RESTART_SECONDS_MAX)
    work = await Work.begun()
    while tally.tried < count:
        batch = await work.put(8)
        while await _is_killed(_start_worker(stage), RUN_SECONDS, tally, work, batch):
            if random.random() < 0.4:
                break
        await _restart(stage, tally, work, batch)
    return tally


async def as_started_by_a_user(stage: Stage, count: int) -> Tally:
    """Kill `python -m graphql_api worker`, which runs without any test code."""
    tally = Tally("`renewals worker` killed at any instant", RESTART_SECONDS_MAX)
    work = await Work.begun()
    while tally.tried < count:
        batch = await work.put(8)
        await _is_killed(stage.plain_worker(**ACCOUNTS_A_CHUNK), PLAIN_RUN_SECONDS, tally, work, batch)
        since = time.monotonic()
        heir = stage.plain_worker(**ACCOUNTS_A_CHUNK)
        await tally.recovered(work, batch, since)
        await heir.kill()
        await work.retire(batch)
    return tally


async def time_after_time(stage: Stage, count: int) -> Tally:
    """Kill eight workers in sequence during the same chunk, which is more often than the queue would retry a job."""
    tally = Tally("worker killed 8 times in one chunk", RESTART_SECONDS_MAX)
    work = await Work.begun()
    while tally.tried < count:
        batch = await work.put()
        for _ in range(8):
            # Each new worker first repeats most of the work that precedes a chunk.
            fuse = plans.Fuse(random.randint(20, 25), plans.Moment.SENT)
            victim = stage.worker(plans.Plan(fuse), worker_chunks_at_once=1)
            if await _meets_its_end(victim, work, batch):
                tally.tried += 1
                tally.note(await work.judge(batch, at_rest=False))
        await _restart(stage, tally, work, batch, plans.IMPATIENT)
    return tally


async def one_of_two(stage: Stage, count: int) -> Tally:
    """Kill one of two workers, and do not restart it. The other one must take over after the timeout."""
    tally = Tally("one of two workers killed, not restarted", RESTART_SECONDS_MAX)
    work = await Work.begun()
    plan = plans.Plan(sweeps_each_second=True, chunk_seconds_max=1)
    async with stage.supervised(1, plan, instances_per_chunk=1, worker_chunks_at_once=1):
        while tally.tried < count:
            batch = await work.put(24)
            victim = stage.worker(
                plan._replace(fuse=plans.Fuse(random.randint(25, 60), plans.Moment.SENT)),
                instances_per_chunk=1,
            )
            if await _meets_its_end(victim, work, batch):
                tally.tried += 1
            await tally.recovered(work, batch, time.monotonic())
            await work.retire(batch)
    return tally


async def two_at_once(stage: Stage, count: int) -> Tally:
    """Start two workers at the same time on the same work."""
    tally = Tally("two workers started at once", RESTART_SECONDS_MAX)
    work = await Work.begun()
    while tally.tried < count:
        batch = await work.put(8)
        since = time.monotonic()
        pair = [_start_worker(stage) for _ in range(2)]
        tally.tried += 1
        await tally.recovered(work, batch, since)
        await asyncio.sleep(AFTERGLOW_SECONDS)
        for worker in pair:
            await worker.kill()
        await work.retire(batch)
    return tally


async def _meets_its_end(victim: processes.Process, work: Work, batch: Batch) -> bool:
    """Return whether the fuse killed the process. Kill a process that finished its work first."""

    async def is_over() -> bool:
        return not victim.is_alive or await work.is_done(batch)

    await until(is_over, RESTART_SECONDS_MAX)
    await asyncio.sleep(AFTERGLOW_SECONDS if victim.is_alive else 0)
    struck = not victim.is_alive
    await victim.kill()
    return struck


async def _is_killed(
    victim: processes.Process, seconds_max: float, tally: Tally, work: Work, batch: Batch
) -> bool:
    """Kill the worker at a random instant; return whether its work was unfinished."""
    await asyncio.sleep(random.uniform(0, seconds_max))
    struck = not await work.is_done(batch)
    await victim.kill()
    if struck:
        tally.tried += 1
        tally.note(await work.judge(batch, at_rest=False))
    return struck


async def _restart(
    stage: Stage, tally: Tally, work: Work, batch: Batch, plan: plans.Plan = plans.AS_IT_IS
) -> None:
    """Start the successor, check that it charges the rest of the batch, and clean up."""
    since = time.monotonic()
    heir = _start_worker(stage, plan)
    await tally.recovered(work, batch, since)
    await heir.kill()
    await work.retire(batch)
