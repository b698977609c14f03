"""What the worker does when it wakes: a few lines each, all of the work in the domain."""

from typing import Any

from arq import ArqRedis
from arq.constants import in_progress_key_prefix

from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew, runs
from renewals.domain import clock as clocks
from renewals.instances import lifecycle
from renewals.observability import spans
from renewals.webhooks import deliveries

Context = dict[Any, Any]


@spans.traced("catch_up")
async def catch_up(ctx: Context) -> None:
    """When a worker starts: whatever is due and not done, however long nobody looked (rule 23)."""
    await runs.start_catch_up_run(clocks.utc_now())
    await enqueue_pending_chunks(ctx["redis"], again=True)


@spans.traced("renew_chunk")
async def renew_chunk(ctx: Context, run_id: int, number: int) -> None:
    """Renew one chunk of a run, and end the run if it was the last."""
    if not await renew.process_chunk(runs.Chunk(run_id, number)):
        await enqueue_pending_chunks(ctx["redis"])
    await renew.finish_runs()


@spans.traced("sweep")
async def run_every_minute(ctx: Context) -> None:
    """Every minute: open the hour's run if it is due, expire and release, hand out what the queue lost."""
    now = clocks.utc_now()
    await runs.start_scheduled_run(now)
    await lifecycle.expire_and_release(now)
    await renew.finish_runs()
    await deliveries.delete_orphans()
    await enqueue_pending_chunks(ctx["redis"])


@spans.traced("watch")
async def check_alerts(ctx: Context) -> None:
    """Every minute: look at the accounts that changed or whose day began, to warn and to remind."""
    await balance_alerts.check_changed_accounts()


async def enqueue_pending_chunks(queue: ArqRedis, *, again: bool = False) -> None:
    """Queues every chunk that is left; one that is queued or running keeps its place, unless told `again`."""
    for run_id, number in await runs.pending_chunks():
        job_id = f"renew:{run_id}:{number}"
        if again:
            # Its worker may have been killed, or be at it: waiting is a loss, doing it twice is harmless.
            await queue.delete(in_progress_key_prefix + job_id)
        await queue.enqueue_job(renew_chunk.__name__, run_id, number, _job_id=job_id)
