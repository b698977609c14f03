"""The arq worker: JSON on the wire, UTC on the clock, cron as a wake-up and nothing more."""

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
from renewals.auto_renewal import runs
from renewals.concurrency import cancellation
from renewals.db import configuration_errors
from renewals.db import connection as database
from renewals.events import pubsub
from renewals.observability import gc_tuning, spans
from renewals.webhooks import dispatcher
from workers import health_server, jobs

log = logging.getLogger(__name__)

CHUNK_SECONDS_MAX = 300
"""A chunk takes a second or so, one account with 60,000 due instances some seven."""
IN_PROGRESS_TTL_SECONDS = 15
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
QUEUE_SECONDS_MAX = 10
"""A queue that does not answer for so long is away."""
PAUSE_SECONDS = 1.0
"""Between two tries to reach a server that is away."""


async def run(settings: config.Settings) -> None:
    """Works until SIGTERM or SIGINT, which let the chunk in hand finish; waits for a server that is away."""
    gc_tuning.tune_gc()
    with spans.running(settings, "renewals-worker"):
        async with (
            _queue(settings) as queue,
            database.connect_from_settings(settings),
            pubsub.connect(settings.redis_url, listening=True),
            health_server.running(settings, queue),
        ):
            shift = _WorkerRunner(settings, queue)
            await shift.through_outages(runs.pending_chunks)
            if not shift.is_over:
                async with dispatcher.run_dispatcher():
                    await shift.through_outages(shift.work)


class _WorkerRunner:
    """The work between start and signal, whatever becomes of the servers meanwhile."""

    def __init__(self, settings: config.Settings, queue: ArqRedis) -> None:
        self._settings = settings
        self._queue = queue
        self._ending = asyncio.Event()
        self._take_signals()

    @property
    def is_over(self) -> bool:
        return self._ending.is_set()

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._ending.set)

    async def through_outages(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does what needs the servers; begins anew for as long as one of them is away."""
        while not self.is_over:
            try:
                await work()
                return
            except Exception as problem:
                if not _is_outage(problem):
                    raise
                log.warning("waits for a server: %s", str(problem) or type(problem).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), PAUSE_SECONDS)

    async def work(self) -> None:
        """Takes what the queue has, until the shift is over."""
        worker = create(self._settings, self._queue)
        self._take_signals()  # which arq has taken to itself
        ending = asyncio.create_task(self._ending.wait())
        helping = [asyncio.create_task(_keep_claims(worker)), ending]
        running = asyncio.create_task(worker.async_run())
        try:
            await asyncio.wait((running, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            worker.allow_pick_jobs = False
            if worker.tasks:
                await asyncio.wait(worker.tasks.values(), timeout=STOP_SECONDS_MAX)
            await cancellation.end_tasks((running,))
            await cancellation.end_tasks((*helping, *worker.tasks.values()))
            with contextlib.suppress(RedisError, OSError, asyncio.CancelledError):
                await worker.close()
        if not running.cancelled() and (problem := running.exception()):
            raise problem


def _is_outage(problem: Exception) -> bool:
    if configuration_errors.explain(problem):
        return False
    # Tables that are not there will be: somebody migrates.
    return database.is_unavailable(problem) or isinstance(problem, RedisError | asyncpg.UndefinedTableError)


@contextlib.asynccontextmanager
async def _queue(settings: config.Settings) -> AsyncIterator[ArqRedis]:
    """The queue, in JSON; each of its answers is waited for so long and no longer."""
    connections = ConnectionPool.from_url(
        settings.required_redis_url,
        socket_connect_timeout=QUEUE_SECONDS_MAX,
        socket_timeout=QUEUE_SECONDS_MAX,
        socket_keepalive=True,
    )
    try:
        yield ArqRedis(connections, job_serializer=_write, job_deserializer=orjson.loads)
    finally:
        await connections.aclose()


_write = partial(orjson.dumps, default=str)


def create(settings: config.Settings, queue: ArqRedis) -> Worker:
    """A worker for the settings, within a running loop."""
    # A cron job is tried again only if it may be tried twice; its results are kept by nobody.
    worker = Worker(
        functions=[jobs.renew_chunk],
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
        job_serializer=_write,
        job_deserializer=orjson.loads,
    )
    # By itself arq lets the longest chunk's time pass before it takes a worker for dead.
    worker.in_progress_timeout_s = IN_PROGRESS_TTL_SECONDS
    return worker


async def _keep_claims(worker: Worker) -> None:
    """Keeps what the worker has in hand from the others, for as long as it lives."""
    while True:
        with contextlib.suppress(RedisError, OSError):  # without a queue there is nobody to keep it from
            for job_id in [job_id for job_id, task in worker.tasks.items() if not task.done()]:
                await worker.pool.expire(in_progress_key_prefix + job_id, IN_PROGRESS_TTL_SECONDS)
        await asyncio.sleep(IN_PROGRESS_TTL_SECONDS / 5)
