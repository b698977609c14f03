"""The arq worker, with jobs as JSON and cron times in UTC.

The data in the database determines what is due; a cron job only starts the queries.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import asyncpg
import orjson
from arq import Worker, cron
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from renewals import config
from renewals.auto_renewal import chunks
from renewals.concurrency import cancellation
from renewals.db import configuration_errors
from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.events import pubsub
from renewals.observability import gc_tuning, tracing
from renewals.webhooks import dispatcher
from workers import health_server, jobs

log = logging.getLogger(__name__)

CHUNK_SECONDS_MAX = 300
"""Timeout of a job. A chunk takes about 1 s, one account with 60,000 due instances about 7 s."""
IN_PROGRESS_TTL_SECONDS = 15
"""Lifetime of a worker's claim on a job; the worker renews the claim. After this time, another worker can claim the
job of a killed worker. A chunk can also be claimed again as soon as a worker starts."""
POLL_SECONDS = 0.1
"""Interval of polls. A poll starts at most `max_jobs` jobs, so a longer interval would delay runs of many chunks."""
QUEUE_READ_MAX = 10_000
"""Maximum number of jobs that a poll reads. The claimed jobs of killed workers stay in front until their claims expire.
With arq's default of 100, about 30 kills would hide all other jobs."""
STOP_SECONDS_MAX = 30
HEALTH_CHECK_SECONDS = 30
TRIES_MAX = 5
QUEUE_SECONDS_MAX = 10
"""Timeout of a Redis command, after which the queue counts as unavailable."""
PAUSE_SECONDS = 1.0
"""Pause between two attempts to reach an unavailable server."""


async def run(settings: config.Settings) -> None:
    """Run the worker until SIGTERM or SIGINT, then wait at most STOP_SECONDS_MAX for its current jobs.

    While a server is unavailable, the worker retries after a pause.
    """
    gc_tuning.tune_gc()
    with tracing.configure(settings, "renewals-worker"):
        async with (
            _queue(settings) as queue,
            database.connect_from_settings(settings),
            pubsub.connect(settings.redis_url, listening=True),
            health_server.running(settings, queue),
        ):
            runner = _WorkerRunner(settings, queue)
            await runner.repeat_after_outages(chunks.list_pending_chunks)
            if not runner.is_stopping:
                async with dispatcher.run_dispatcher():
                    await runner.repeat_after_outages(runner.work)


class _WorkerRunner:
    """The main loop of the worker, which runs until a signal and waits during outages of servers."""

    def __init__(self, settings: config.Settings, queue: ArqRedis) -> None:
        self._settings = settings
        self._queue = queue
        self._stopping = asyncio.Event()
        self._handle_signals()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def _handle_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)

    async def repeat_after_outages(self, work: Callable[[], Awaitable[object]]) -> None:
        """Run `work`; if it fails because a server is unavailable, repeat it until it succeeds or a signal arrives."""
        while not self.is_stopping:
            try:
                await work()
                return
            except Exception as error:
                if not _is_outage(error):
                    raise
                log.warning("waiting for a server: %s", str(error) or type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), PAUSE_SECONDS)

    async def work(self) -> None:
        """Run the jobs of the queue until a signal."""
        worker = create(self._settings, self._queue)
        self._handle_signals()  # arq has replaced the handlers
        stopping = asyncio.create_task(self._stopping.wait())
        helpers = [asyncio.create_task(_keep_claims(worker)), stopping]
        running = asyncio.create_task(worker.async_run())
        try:
            await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            worker.allow_pick_jobs = False
            if worker.tasks:
                await asyncio.wait(worker.tasks.values(), timeout=STOP_SECONDS_MAX)
            await cancellation.end_tasks((running,))
            await cancellation.end_tasks((*helpers, *worker.tasks.values()))
            with contextlib.suppress(RedisError, OSError, asyncio.CancelledError):
                await worker.close()
        if not running.cancelled() and (error := running.exception()):
            raise error


def _is_outage(error: Exception) -> bool:
    if configuration_errors.explain(error):
        return False
    # Missing tables also count as an outage, because a migration may be about to create them.
    error = db_errors.original_error(error)
    return db_errors.is_unavailable(error) or isinstance(error, RedisError | asyncpg.UndefinedTableError)


@contextlib.asynccontextmanager
async def _queue(settings: config.Settings) -> AsyncIterator[ArqRedis]:
    """Open the queue, with jobs as JSON and a timeout for each command."""
    connections = ConnectionPool.from_url(
        settings.required_redis_url,
        socket_connect_timeout=QUEUE_SECONDS_MAX,
        socket_timeout=QUEUE_SECONDS_MAX,
        socket_keepalive=True,
    )
    try:
        yield ArqRedis(connections, job_serializer=_serialize, job_deserializer=orjson.loads)
    finally:
        await connections.aclose()


_serialize = partial(orjson.dumps, default=str)


def create(settings: config.Settings, queue: ArqRedis) -> Worker:
    """Build arq's worker for the settings. An event loop must be running."""
    # arq repeats a killed cron job only if `max_tries` is at least 2.
    worker = Worker(
        functions=[jobs.renew_chunk, jobs.move_test_clock],
        cron_jobs=[
            cron(jobs.run_every_minute, second=0, max_tries=TRIES_MAX),
            cron(jobs.check_alerts, second=30, max_tries=TRIES_MAX),
        ],
        redis_pool=queue,
        on_startup=jobs.catch_up,
        max_jobs=settings.worker_chunks_at_once + 1,
        queue_read_limit=QUEUE_READ_MAX,
        poll_delay=POLL_SECONDS,
        max_tries=TRIES_MAX,
        job_timeout=CHUNK_SECONDS_MAX,
        keep_result=0,
        health_check_interval=HEALTH_CHECK_SECONDS,
        timezone=dt.UTC,
        job_serializer=_serialize,
        job_deserializer=orjson.loads,
    )
    # arq's default is the longest job's timeout plus 10 s.
    worker.in_progress_timeout_s = IN_PROGRESS_TTL_SECONDS
    return worker


async def _keep_claims(worker: Worker) -> None:
    """Renew the claims on the worker's current jobs, until this task is cancelled."""
    while True:
        with contextlib.suppress(
            RedisError, OSError
        ):  # no other worker can claim a job during an outage of Redis
            for job_id in [job_id for job_id, task in worker.tasks.items() if not task.done()]:
                await worker.pool.expire(in_progress_key_prefix + job_id, IN_PROGRESS_TTL_SECONDS)
        await asyncio.sleep(IN_PROGRESS_TTL_SECONDS / 5)
