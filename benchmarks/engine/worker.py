"""The contenders, each over one night: instances, seconds, and memory during the run."""

import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from benchmarks.engine import limit, night
from renewals import config
from renewals.auto_renewal import renew
from renewals.db import connection as database

CHUNKS_AT_ONCE = config.get_settings().worker_chunks_at_once
MEMORY_NOTES = 20


class Watch:
    """Sample the memory of this process about 20 times, and note the end of the last chunk."""

    def __init__(self) -> None:
        self.started = self.ended = time.perf_counter()
        self.memory: list[tuple[float, float]] = []

    def on_chunk(self, done: int, total: int) -> None:
        self.ended = time.perf_counter()
        if done % max(1, total // MEMORY_NOTES) == 0 or done == total:
            self.memory.append((self.ended - self.started, resident_mib()))


def resident_mib() -> float:
    """Return the memory of this process now or, where the system does not report it, at its peak."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return peak_mib()


def peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


async def product(url: str) -> dict[str, object]:
    """Run the product, from opening the run to the last chunk, without the verification afterwards."""
    async with database.connect(url, pool_size=config.get_settings().database_pool_size):
        watch = Watch()
        run = await renew.run_at(night.NOW, lambda: night.NOW, watch.on_chunk)
        assert run.broken_rules == []
    return {
        "instances": run.renewed_count + run.refused_count,
        "seconds": watch.ended - watch.started,
        "memory": watch.memory,
    }


async def postgresql(url: str) -> dict[str, object]:
    """Write the same rows with set-based statements."""
    connection = await asyncpg.connect(url)
    instances = await connection.fetchval("SELECT count(*) FROM staged.attempts")
    await connection.close()
    started = time.perf_counter()
    await limit.write(url, CHUNKS_AT_ONCE)
    return {"instances": instances, "seconds": time.perf_counter() - started}


CONTENDERS: dict[str, Callable[[str], Awaitable[dict[str, object]]]] = {
    "product, in process": product,
    "postgresql": postgresql,
}
"""Those that run in a process of the benchmark's own; `processes` starts the workers."""
