"""The contenders that run in this process: each does one renewal run, and reports instances, times and memory."""

import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from benchmarks import cpu
from benchmarks.engine import limit, night
from renewals import config
from renewals.auto_renewal import renew
from renewals.db import connection as database

CHUNKS_AT_ONCE = config.get_settings().worker_chunks_at_once
MEMORY_NOTES = 20


class Watch:
    """A record of this process's memory, sampled at most 40 times, and of the times at the end of the last chunk."""

    def __init__(self, postgres_pid: int) -> None:
        self._postgres_pid = postgres_pid
        self.memory: list[tuple[float, float]] = []
        self.started, self.cpu_started = time.perf_counter(), self._cpu()
        self.end()

    def _cpu(self) -> cpu.CpuSeconds:
        return cpu.CpuSeconds(time.process_time(), cpu.of_family(self._postgres_pid))

    def on_chunk(self, done: int, total: int) -> None:
        if done % max(1, total // MEMORY_NOTES) == 0 or done == total:
            self.memory.append((time.perf_counter() - self.started, resident_mib()))
        if done == total:
            self.end()

    def end(self) -> None:
        self.seconds = time.perf_counter() - self.started
        self._used = self._cpu().since(self.cpu_started)

    def report(self, instances: int) -> dict[str, object]:
        return {
            "instances": instances,
            "seconds": self.seconds,
            "memory": self.memory,
            "cpu_seconds": self._used.server,
            "postgres_cpu_seconds": self._used.postgres,
        }


def resident_mib() -> float:
    """Return the current memory of this process in MiB or, if the system does not report that, the peak."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return peak_mib()


def peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


async def product(url: str, postgres_pid: int) -> dict[str, object]:
    """Run the product, and return a report whose times end with the last chunk, before the verification."""
    async with database.connect(url, pool_size=config.get_settings().database_pool_size):
        watch = Watch(postgres_pid)
        run = await renew.run_at(night.NOW, lambda: night.NOW, watch.on_chunk)
        assert run.broken_rules == []
    return watch.report(run.renewed_count + run.refused_count)


async def postgresql(url: str, postgres_pid: int) -> dict[str, object]:
    """Write the staged rows with set-based statements, and return the report."""
    connection = await asyncpg.connect(url)
    instances = await connection.fetchval("SELECT count(*) FROM staged.attempts")
    await connection.close()
    watch = Watch(postgres_pid)
    await limit.write(url, CHUNKS_AT_ONCE)
    watch.end()
    return watch.report(instances)


CONTENDERS: dict[str, Callable[[str, int], Awaitable[dict[str, object]]]] = {
    "product, in process": product,
    "postgresql": postgresql,
}
"""The contenders that run in a process of this benchmark; the others are processes of `renewals worker`."""
