"""Faults in which a worker's clock is set back, or no worker runs for three days (rule 23)."""

import asyncio
import random
import time
from pathlib import Path

from tests.chaos import plans
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally
from tests.chaos.work import Work, until

RECOVERY_SECONDS_MAX = 20
DAY_SECONDS = 86_400
DAYS_AWAY = 3
LOOK_AGAIN_SECONDS = 1.3
"""A time longer than the interval between two sweeps."""


async def set_back(stage: Stage, count: int) -> Tally:
    """Set the clock back by one minute to two days during a run, then correct it; no second charge may occur."""
    tally = Tally("clock set back", RECOVERY_SECONDS_MAX)
    work = await Work.begun()
    clock = stage.folder / "clock"
    plan = plans.IMPATIENT._replace(clock_file=str(clock))
    while tally.tried < count:
        _set(clock, 0)
        batch = await work.put(12)
        async with stage.supervised(1, plan, instances_per_chunk=4):
            await until(lambda: work.charged_count(batch), RECOVERY_SECONDS_MAX)  # noqa: B023
            _set(clock, -random.uniform(60, 2 * DAY_SECONDS))
            tally.tried += 1
            await asyncio.sleep(random.uniform(0, LOOK_AGAIN_SECONDS))
            tally.note(await work.judge(batch, at_rest=False))
        _set(clock, 0)
        since = time.monotonic()
        async with stage.supervised(1, plan, instances_per_chunk=4):
            await tally.recovered(work, batch, since)
        await work.retire(batch)
    return tally


async def no_worker_for_days(stage: Stage, count: int) -> Tally:
    """Run no worker for three days. It must then charge due instances once, and must not charge expired ones."""
    tally = Tally("no worker for three days", RECOVERY_SECONDS_MAX)
    work = await Work.begun()
    clock = stage.folder / "clock"
    plan = plans.IMPATIENT._replace(clock_file=str(clock))
    while tally.tried < count:
        _set(clock, 0)
        too_late = [await work.put(1, expires_in_days=days) for days in range(DAYS_AWAY)]
        batch = await work.put(8, expires_in_days=DAYS_AWAY)
        not_yet = await work.put(1, expires_in_days=DAYS_AWAY + 1)
        _set(clock, DAYS_AWAY * DAY_SECONDS)
        since = time.monotonic()
        tally.tried += 1
        async with stage.supervised(1, plan, instances_per_chunk=4):
            await tally.recovered(work, batch, since)
            await until(lambda: _has_lapsed(work), RECOVERY_SECONDS_MAX)
        for other in (*too_late, not_yet):
            tally.doubled += await work.charged_count(other)
            await work.retire(other)
        await work.retire(batch)
    return tally


async def _has_lapsed(work: Work) -> bool:
    sql = "SELECT count(*) FROM instances WHERE status = 'RUNNING' AND renewal_mode = 'AUTO' AND expires_at < $1"
    return not await work.world.value(sql, work.world.end_of(work.day(DAYS_AWAY), account="a000001"))


def _set(clock: Path, seconds: float) -> None:
    """Set the error of the workers' clock in seconds; 0 corrects it."""
    unfinished = clock.with_suffix(".new")
    unfinished.write_text(str(seconds))
    unfinished.replace(clock)
