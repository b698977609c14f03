"""The arq worker: JSON on the wire, UTC on the clock, cron as a wake-up and nothing more."""

import asyncio
import contextlib
import datetime as dt
from functools import partial

import orjson
from arq import Worker, cron
from arq.connections import RedisSettings
from arq.constants import in_progress_key_prefix
from redis.exceptions import RedisError

from renewals import announcements, database, dispatch, memory, settings, traces
from workers import jobs, lookout

CHUNK_SECONDS_MAX = 300
"""A chunk takes a second or so, one account with 60,000 due instances some seven."""
HOLD_SECONDS = 15
"""What a worker has in hand is marked as its own for so long, and marked anew while it lives. A killed worker's
chunk comes back after it, or as soon as a worker starts."""
POLL_SECONDS = 0.1
"""arq starts no more jobs in a poll than fit at once, so that a longer pause would hold up a run of many chunks."""
QUEUE_READ_MAX = 10_000
"""arq looks no further than so many jobs for one that nobody has in hand. What killed workers had in hand stays
in front until its time is up: with arq's own hundred, some thirty kills would leave nothing to be seen."""
STOP_SECONDS_MAX = 30
HEALTH_CHECK_SECONDS = 30
TRIES_MAX = 5


async def run(chosen: settings.Settings) -> None:
    """Works until SIGTERM or SIGINT, which let the chunk in hand finish."""
    memory.collect_rarely()
    worker = create(chosen)
    try:
        await worker.async_run()
    except asyncio.CancelledError:
        pass  # how arq ends its loop on a signal
    finally:
        await worker.close()


def create(chosen: settings.Settings) -> Worker:
    """A worker for the settings, within a running loop."""
    resources = contextlib.AsyncExitStack()

    async def start(ctx: jobs.Context) -> None:
        resources.enter_context(traces.running(chosen, "renewals-worker"))
        holding = asyncio.create_task(_hold(worker))
        resources.callback(holding.cancel)
        await resources.enter_async_context(
            database.opened(
                chosen.required_database_url,
                pool_size=chosen.database_pool_size,
                transaction_seconds_max=database.TRANSACTION_SECONDS_MAX,
            )
        )
        await resources.enter_async_context(announcements.opened(chosen.redis_url, listening=True))
        await resources.enter_async_context(lookout.running(chosen, worker))
        await jobs.catch_up(ctx)
        await resources.enter_async_context(dispatch.running())

    async def stop(ctx: jobs.Context) -> None:
        await resources.aclose()

    # A cron job is tried again only if it may be tried twice; its results are kept by nobody.
    worker = Worker(
        functions=[jobs.renew_chunk],
        cron_jobs=[
            cron(jobs.sweep, second=0, max_tries=TRIES_MAX),
            cron(jobs.watch, second=30, max_tries=TRIES_MAX),
        ],
        redis_settings=RedisSettings.from_dsn(chosen.required_redis_url),
        on_startup=start,
        on_shutdown=stop,
        max_jobs=chosen.worker_chunks_at_once + 1,
        queue_read_limit=QUEUE_READ_MAX,
        poll_delay=POLL_SECONDS,
        max_tries=TRIES_MAX,
        job_timeout=CHUNK_SECONDS_MAX,
        keep_result=0,
        job_completion_wait=STOP_SECONDS_MAX,
        health_check_interval=HEALTH_CHECK_SECONDS,
        timezone=dt.UTC,
        job_serializer=partial(orjson.dumps, default=str),
        job_deserializer=orjson.loads,
    )
    # By itself arq lets the longest chunk's time pass before it takes a worker for dead.
    worker.in_progress_timeout_s = HOLD_SECONDS
    return worker


async def _hold(worker: Worker) -> None:
    """Keeps what the worker has in hand from the others, for as long as it lives."""
    while True:
        with contextlib.suppress(RedisError, OSError):  # without a queue there is nobody to keep it from
            for job_id in [job_id for job_id, task in worker.tasks.items() if not task.done()]:
                await worker.pool.expire(in_progress_key_prefix + job_id, HOLD_SECONDS)
        await asyncio.sleep(HOLD_SECONDS / 5)
