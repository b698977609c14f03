"""The worker as in production: processes of `renewals worker` that share a queue in Redis.

The benchmark's process opens a run and enqueues its chunks, as the worker's job of every minute does. The measured time
is the time from opening the run until the last chunk is done.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import orjson
import redis
from arq import ArqRedis
from arq.constants import default_queue_name, health_check_key_suffix
from redis.asyncio import ConnectionPool

from benchmarks import cpu, stage
from benchmarks.engine import night
from graphql_api.devserver import services
from renewals.auto_renewal import chunks, runs
from renewals.db import connection as database
from workers import jobs

START_SECONDS_MAX = 120
POLL_SECONDS = 0.02
HEALTH = default_queue_name + health_check_key_suffix
"""The key that arq writes when a worker is ready for jobs."""


def renew(environment: stage.Stage, queue: services.Valkey, url: str, count: int) -> dict[str, float]:
    """Do a renewal run with `count` worker processes; return the instance count, seconds and processor seconds."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(redis.Redis.from_url(queue.url))
        client.flushall()
        workers = [stack.enter_context(_worker(environment, queue, url, client)) for _ in range(count)]

        def used() -> cpu.CpuSeconds:
            seconds = sum(worker.cpu_seconds() for worker in workers)
            return cpu.CpuSeconds(seconds, cpu.of_family(environment.postgres.pid))

        return asyncio.run(_run(url, queue.url, used))


@contextlib.contextmanager
def _worker(
    environment: stage.Stage, queue: services.Valkey, url: str, client: "redis.Redis"
) -> Iterator[stage.Running]:
    """Run a worker on any core during the block, which begins when the worker is ready for jobs."""
    client.delete(HEALTH)
    variables = {"DATABASE_URL": url, "REDIS_URL": queue.url}

    def command(port: int) -> list[str]:
        variables["RENEWALS_WORKER_METRICS_PORT"] = str(port)
        return [sys.executable, "-m", "graphql_api", "worker"]

    with environment.running(command, variables, pinned=False) as worker:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not client.exists(HEALTH):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the worker did not wait for jobs within {START_SECONDS_MAX} s")
            time.sleep(POLL_SECONDS)
        yield worker


async def _run(url: str, queue_url: str, used: Callable[[], cpu.CpuSeconds]) -> dict[str, float]:
    """Open a run, and return its report when it is done and verified. The verification is not timed."""
    queue = ArqRedis(ConnectionPool.from_url(queue_url), job_serializer=orjson.dumps)
    try:
        async with database.connect(url, pool_size=2):
            before, started = used(), time.perf_counter()
            run_id = await runs.start_run(runs.Trigger.OPERATOR, night.NOW, night.NOW, clock_at=night.NOW)
            assert run_id is not None
            await jobs.enqueue_pending_chunks(queue)
            while await chunks.list_pending_chunks(run_id):  # noqa: ASYNC110 - other processes do them
                await asyncio.sleep(POLL_SECONDS)
            seconds, cpu_seconds = time.perf_counter() - started, used().since(before)
            while (run := await runs.get_run(run_id)).broken_rules is None:  # noqa: ASYNC110 - as above
                await asyncio.sleep(POLL_SECONDS)
            assert run.broken_rules == []
            return {
                "instances": run.renewed_count + run.refused_count,
                "seconds": seconds,
                "cpu_seconds": cpu_seconds.server,
                "postgres_cpu_seconds": cpu_seconds.postgres,
            }
    finally:
        await queue.aclose()
