"""A worker that stands still (SIGSTOP) until it is given up, and wakes beside its successor."""

import asyncio
import random
import signal
import time

from tests.faults import plans, processes
from tests.faults.stage import Stage
from tests.faults.tally import Tally
from tests.faults.work import Work

RECOVERY_SECONDS_MAX = 20
CHUNK_SECONDS_MAX = 1
"""After which a worker gives up what it has in hand: a zombie wakes past its own time."""
ZOMBIES_AT_ONCE = 3
STATEMENTS_GUESSED = 60
STAND_STILL_SECONDS_MAX = 1.0

_PATIENT = plans.Plan(chunk_seconds_max=CHUNK_SECONDS_MAX)


async def wake_beside_their_successor(stage: Stage, count: int) -> Tally:
    """Some of them hold the locks of their accounts while they stand still, and the successor waits for those."""
    tally = Tally("worker stopped, wakes beside its successor", RECOVERY_SECONDS_MAX)
    work = await Work.begun()
    while tally.tried < count:
        batch = await work.put(12)
        zombies = [
            stage.worker(_PATIENT._replace(fuse=_fuse()), instances_per_chunk=4)
            for _ in range(ZOMBIES_AT_ONCE)
        ]
        zombies = await _stopped(zombies)
        if not zombies or await work.is_done(batch):
            await stage.clear()
            continue
        plan = _PATIENT._replace(sweeps_each_second=True)
        successor = stage.worker(plan, instances_per_chunk=4)
        await asyncio.sleep(CHUNK_SECONDS_MAX + 0.3)
        tally.note(await work.judge(batch, at_rest=False))
        since = time.monotonic()
        for zombie in zombies:
            zombie.signal(signal.SIGCONT)
        tally.tried += len(zombies)
        await tally.recovered(work, batch, since)
        await asyncio.sleep(0.1)  # the rest of what the zombies had in mind
        tally.note(await work.judge(batch))
        assert successor.is_alive
        await stage.clear()
        await work.retire(batch)
    return tally


def _fuse() -> plans.Fuse:
    moment = random.choice(list(plans.Moment))
    return plans.Fuse(random.randint(5, STATEMENTS_GUESSED), moment, signal.SIGSTOP)


async def _stopped(workers: list[processes.Process]) -> list[processes.Process]:
    """Those that stand still; the others may wait for them, or are through, and are killed."""
    deadline = time.monotonic() + STAND_STILL_SECONDS_MAX
    while not all(worker.is_stopped for worker in workers):  # the system tells nobody
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(processes.POLL_SECONDS)
    stopped = [worker for worker in workers if worker.is_stopped]
    for worker in workers:
        if worker not in stopped:
            await worker.kill()
    return stopped
