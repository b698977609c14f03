"""The renewal of due instances, chunk by chunk (rules 20 to 24).

The transaction that renews the instances of a chunk also marks the chunk as done. Each period of an instance is
therefore charged once, no matter how many workers process the chunk, or how often (rule 23).
"""

import asyncio
import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from opentelemetry import trace

from renewals import catalog, config
from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.auto_renewal import chunks, due, runs
from renewals.auto_renewal.chunks import Chunk
from renewals.auto_renewal.finish_runs import finish_runs, verify_runs
from renewals.auto_renewal.store_results import store_results_in
from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.db.connection import Connection
from renewals.db.models import RenewalRun
from renewals.domain import clock as clocks
from renewals.domain import model, planning
from renewals.domain import payment as domain_payment
from renewals.domain.clock import Clock
from renewals.observability import metrics
from renewals.orders.repository import NewOrder

log = logging.getLogger(__name__)
_tracer = trace.get_tracer("renewals")

RENEWED = "RENEWED"
"""The label of renewed instances in `metrics.RENEWALS`; the other labels are refusal codes."""


async def run_at(
    at: dt.datetime,
    clock: Clock = clocks.utc_now,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> RenewalRun:
    """Try in this process to renew the instances that are due at `at`; return the finished run.

    Test accounts are omitted, and so are instances that are left to their owner (rules 37 and 38). `on_chunk` is called
    after each chunk with the number of chunks done and the total.
    """
    run_id = await runs.start_run(runs.Trigger.OPERATOR, at, clock(), clock_at=at)
    assert run_id is not None
    await _renew_pending(run_id, clock, on_chunk)
    await finish_runs(clock)
    return await runs.get_run(run_id)


async def renew_pending_runs(
    clock: Clock = clocks.utc_now,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> list[RenewalRun]:
    """Renew the pending chunks of all runs, end and verify the runs, and return the runs that ended.

    A killed process can leave a run with pending chunks, or an ended run that is not verified.
    """
    await _renew_pending(None, clock, on_chunk)
    ended_ids = await finish_runs(clock)
    await verify_runs()
    return [await runs.get_run(run_id) for run_id in ended_ids]


async def _renew_pending(run_id: int | None, clock: Clock, on_chunk: Callable[[int, int], None]) -> None:
    """Renew the pending chunks of a run, or of all runs if `run_id` is None."""
    slots = asyncio.Semaphore(config.get_settings().worker_chunks_at_once)
    done = 0

    async def renew(chunk: Chunk, total: int) -> None:
        nonlocal done
        async with slots:
            await process_chunk(chunk, clock)
        done += 1
        on_chunk(done, total)

    # A failed chunk is split into new ones, so the list is read again until it is empty.
    while pending := await chunks.list_pending_chunks(run_id):
        async with asyncio.TaskGroup() as group:
            for chunk in pending:
                group.create_task(renew(chunk, done + len(pending)))


async def process_chunk(chunk: Chunk, clock: Clock = clocks.utc_now) -> bool:
    """Renew a chunk and return True; if that raises an error, split the chunk or park its account and return False.

    Raises the error if the database is unavailable.
    """
    try:
        with (
            metrics.CHUNK_SECONDS.time(),
            _tracer.start_as_current_span("chunk", attributes=_log_fields(chunk)),
        ):
            await renew_chunk(chunk, clock)
        return True
    except Exception as error:
        if db_errors.is_unavailable(error):
            raise
        log.exception(
            "chunk %s of run %s failed; it is split, or its only account is parked",
            chunk.number,
            chunk.run_id,
            extra=_log_fields(chunk),
        )
        metrics.CHUNKS_SET_ASIDE.inc()
        await chunks.split_or_park(chunk, f"{type(error).__name__}: {error}", clock())
        return False


def _log_fields(chunk: Chunk) -> dict[str, int]:
    return {"renewals.run": chunk.run_id, "renewals.chunk": chunk.number}


@database.retry_on_conflict
async def renew_chunk(chunk: Chunk, clock: Clock = clocks.utc_now) -> None:
    """Renew the due instances of a chunk's accounts in one transaction; do nothing if the chunk is done."""
    async with database.transaction() as connection:
        account_ids, clock_at = await chunks.get_chunk_in(connection, chunk)
        accounts = await accounts_repository.lock_accounts(connection, account_ids)
        # The accounts are locked first. A second worker with the same chunk waits, and then finds the chunk done.
        claimed = await chunks.claim_chunk_in(connection, chunk)
        if claimed is not None:
            now = clock_at or clock()
            results = await plan(connection, accounts, now)
            orders = await store_results_in(connection, chunk.run_id, accounts, results, now)
            await chunks.mark_chunk_done_in(connection, claimed, _count(results, orders), clock())
            database.after_commit(connection, lambda: _record_metrics(accounts, results, orders))


async def renew_account_in(
    connection: Connection, account: model.Account, now: dt.datetime, *, error: str | None = None
) -> chunks.Counts:
    """Renew the instances of a locked test account that are due at `now`, in a run for this account only (rule 37).

    Return the result of the run. If no instance is due, nothing is written. `error` is the error of an earlier
    attempt; if it is given, the run renews nothing and parks the account.
    """
    accounts = {account.id: account}
    due_instances = await due.read_due_instances(connection, accounts, now)
    if not due_instances:
        return chunks.Counts(0, 0, 0)
    run_id = await runs.start_test_clock_run_in(connection, account.id, len(due_instances[account.id]), now)
    claimed = await chunks.claim_chunk_in(connection, Chunk(run_id, 0))
    assert claimed is not None
    counts = chunks.Counts(0, 0, 0)
    if error is not None:
        await chunks.close_failed_in(connection, claimed, error, now)
    else:
        results = await plan_due(connection, accounts, due_instances, now)
        orders = await store_results_in(connection, run_id, accounts, results, now)
        counts = _count(results, orders)
        await chunks.mark_chunk_done_in(connection, claimed, counts, now)
    await runs.close_in(connection, [run_id], now)
    return counts


def _record_metrics(
    accounts: Mapping[str, model.Account],
    results: Mapping[str, Sequence[planning.UnitResult]],
    orders: Sequence[NewOrder],
) -> None:
    refusal_counts = Counter(
        refusal.code
        for unit_results in results.values()
        for result in unit_results
        for refusal in result.refusals
    )
    for code, count in refusal_counts.items():
        metrics.RENEWALS.labels(code).inc(count)
    metrics.RENEWALS.labels(RENEWED).inc(sum(len(order.lines) for order in orders))
    amounts: Counter[str] = Counter()
    for order in orders:
        cents = order.payment.voucher_cents + order.payment.balance_cents
        amounts[accounts[order.account_id].currency] += cents
    for currency, cents in amounts.items():
        metrics.AMOUNT_CENTS.labels(currency).inc(cents)


def _count(results: Mapping[str, Sequence[planning.UnitResult]], orders: Sequence[NewOrder]) -> chunks.Counts:
    renewed_count = sum(len(order.lines) for order in orders)
    tried_count = sum(len(result.unit) for unit_results in results.values() for result in unit_results)
    amount_cents = sum(order.payment.voucher_cents + order.payment.balance_cents for order in orders)
    return chunks.Counts(renewed_count, tried_count - renewed_count, amount_cents)


async def plan(
    connection: Connection, accounts: Mapping[str, model.Account], now: dt.datetime
) -> dict[str, list[planning.UnitResult]]:
    """Plan the renewal of the due instances of accounts, and return the results by account id; write nothing."""
    return await plan_due(connection, accounts, await due.read_due_instances(connection, accounts, now), now)


async def plan_due(
    connection: Connection,
    accounts: Mapping[str, model.Account],
    due_instances: Mapping[str, Sequence[model.Instance]],
    now: dt.datetime,
) -> dict[str, list[planning.UnitResult]]:
    """Plan the renewal of the given due instances, and return the results by account id; write nothing."""
    products = await catalog.read_products(connection)
    usable = await vouchers.read_usable(connection, list(accounts), now)
    return {
        account_id: planning.plan_run(
            instances=due_instances.get(account_id, ()),
            context=planning.PlanContext(products, account.zone, now, account.price_rise_cap_bps),
            wallet=domain_payment.Wallet(account.balance_cents, usable[account_id], now),
        )
        for account_id, account in accounts.items()
    }
