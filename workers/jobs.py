"""The worker's jobs, each of which calls use cases of `renewals`."""

import uuid
from typing import Any

from arq import ArqRedis
from arq.constants import in_progress_key_prefix
from opentelemetry import trace

from renewals.alerts import balance_alerts
from renewals.auto_renewal import chunks, renew, runs
from renewals.auto_renewal.finish_runs import finish_runs
from renewals.domain import clock as clocks
from renewals.instances import lifecycle
from renewals.test_clocks import advance
from renewals.webhooks import deliveries

Context = dict[Any, Any]
MOVE_SECONDS_MAX = 50
"""The maximum time for which a job works on a clock's move. A later `run_every_minute` enqueues the move again."""
_tracer = trace.get_tracer("renewals")


@_tracer.start_as_current_span("catch_up")
async def catch_up(ctx: Context) -> None:
    """Start a run of the due instances, and enqueue all pending chunks, when a worker starts (rule 23).

    A missed scheduled run is started only once.
    """
    await runs.start_catch_up_run(clocks.utc_now())
    await enqueue_pending_chunks(ctx["redis"], again=True)


@_tracer.start_as_current_span("renew_chunk")
async def renew_chunk(ctx: Context, run_id: int, number: int) -> None:
    """Renew one chunk of a run, and end the runs that have no pending chunk.

    If the chunk fails, enqueue all pending chunks, because it may have been split into several.
    """
    if not await renew.process_chunk(chunks.Chunk(run_id, number)):
        await enqueue_pending_chunks(ctx["redis"])
    await finish_runs()


@_tracer.start_as_current_span("sweep")
async def run_every_minute(ctx: Context) -> None:
    """Start the hourly run if it is due, expire and release instances, and enqueue jobs that the queue lacks.

    These jobs are for pending chunks and abandoned moves of test clocks. Also end the runs without pending chunks, and
    delete the rows of deleted webhook endpoints.
    """
    now = clocks.utc_now()
    await runs.start_scheduled_run(now)
    await lifecycle.expire_and_release(now)
    await finish_runs()
    await deliveries.delete_orphans()
    await enqueue_pending_chunks(ctx["redis"])
    await enqueue_abandoned_moves(ctx["redis"])


@_tracer.start_as_current_span("move_test_clock")
async def move_test_clock(ctx: Context, move_id: str) -> None:
    """Continue a move of a test clock after its request ended or its process was killed (rule 37)."""
    await advance.continue_abandoned(uuid.UUID(move_id), clocks.utc_now, seconds_max=MOVE_SECONDS_MAX)


@_tracer.start_as_current_span("watch")
async def check_alerts(ctx: Context) -> None:
    """Check the accounts that have changed or whose day has begun; send the warnings and reminders that are due."""
    await balance_alerts.check_changed_accounts()


async def enqueue_abandoned_moves(queue: ArqRedis) -> None:
    """Enqueue each unfinished move of a test clock that has made no progress for ABANDONED_AFTER.

    A move that is already queued keeps its place.
    """
    for move_id in await advance.list_abandoned(clocks.utc_now):
        await queue.enqueue_job(move_test_clock.__name__, str(move_id), _job_id=f"move:{move_id}")


async def enqueue_pending_chunks(queue: ArqRedis, *, again: bool = False) -> None:
    """Enqueue all pending chunks; with `again`, also the chunks that another worker is renewing.

    A chunk that is already queued keeps its place.
    """
    for run_id, number in await chunks.list_pending_chunks():
        job_id = f"renew:{run_id}:{number}"
        if again:
            # The chunk's worker may have been killed. If not, the second execution finds that the chunk is done.
            await queue.delete(in_progress_key_prefix + job_id)
        await queue.enqueue_job(renew_chunk.__name__, run_id, number, _job_id=job_id)
