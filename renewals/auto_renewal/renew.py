"""This module alone writes `renewal_attempts`: it renews, chunk by chunk, what is due (rules 20 to 24).

A chunk is marked done in the transaction that renews its accounts. So whoever wakes up, how often and
in how many places, each instance and period is charged once (rule 23).
"""

import asyncio
import datetime as dt
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from opentelemetry import trace

from renewals import catalog, config, integrity
from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.auto_renewal import due, runs
from renewals.db import connection as database
from renewals.db import sql
from renewals.db.connection import Connection
from renewals.domain import clock as clocks
from renewals.domain import model, planning
from renewals.domain import payment as domain_payment
from renewals.domain.clock import Clock
from renewals.events import event_log
from renewals.observability import metrics
from renewals.orders import repository as orders_repository

log = logging.getLogger(__name__)
_tracer = trace.get_tracer("renewals")

RENEWED = "RENEWED"
"""The outcome, in the metrics, of what was not refused."""


async def run_at(
    at: dt.datetime,
    clock: Clock = clocks.utc_now,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> runs.Run:
    """Does a whole run on a given clock, here and now; `on_chunk` hears how many of all are done."""
    run_id = await runs.start_run(runs.Trigger.OPERATOR, at, clock(), clock_at=at)
    assert run_id is not None
    await _renew_pending(run_id, clock, on_chunk)
    await finish_runs(clock)
    return await runs.read_run(run_id)


async def renew_pending_runs(
    clock: Clock = clocks.utc_now,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> list[runs.Run]:
    """Renew the pending chunks of all runs, end those runs, and return them.

    A process that was killed leaves its run with pending chunks, or ended and not verified.
    """
    await _renew_pending(None, clock, on_chunk)
    ended = await finish_runs(clock)
    await _verify_runs()
    return [await runs.read_run(run_id) for run_id in ended]


async def _renew_pending(run_id: int | None, clock: Clock, on_chunk: Callable[[int, int], None]) -> None:
    """Renew the pending chunks of one run, or of all runs."""
    at_once = asyncio.Semaphore(config.get_settings().worker_chunks_at_once)
    done = 0

    async def renew(chunk: runs.Chunk, total: int) -> None:
        nonlocal done
        async with at_once:
            await process_chunk(chunk, clock)
        done += 1
        on_chunk(done, total)

    while chunks := await runs.pending_chunks(run_id):  # again, for what was set aside
        async with asyncio.TaskGroup() as group:
            for chunk in chunks:
                group.create_task(renew(chunk, done + len(chunks)))


async def finish_runs(clock: Clock = clocks.utc_now) -> list[int]:
    """End the runs that are done, keep with them whether all still adds up, and return their ids."""
    if ended := await runs.close_finished(clock()):
        await _verify_runs()
    return ended


async def _verify_runs() -> None:
    """Verify the runs that have ended: those that were just ended, and any whose process was killed before this.

    Two processes may verify the same run; both note what they found.
    """
    if run_ids := await runs.read_unverified():
        violations = await integrity.check_invariants()
        await runs.record_violations(run_ids, [rule for rule, damages in violations.items() if damages])


async def process_chunk(chunk: runs.Chunk, clock: Clock = clocks.utc_now) -> bool:
    """Renews a chunk; one whose data makes the engine raise is set aside, so that the others go on, and False."""
    try:
        with metrics.CHUNK_SECONDS.time(), _tracer.start_as_current_span("chunk", attributes=_named(chunk)):
            await renew_chunk(chunk, clock)
        return True
    except Exception as error:
        if database.is_unavailable(error):
            raise
        log.exception("chunk %s of run %s is set aside", chunk.number, chunk.run_id, extra=_named(chunk))
        metrics.CHUNKS_SET_ASIDE.inc()
        await runs.split_or_park(chunk, f"{type(error).__name__}: {error}", clock())
        return False


def _named(chunk: runs.Chunk) -> dict[str, int]:
    return {"renewals.run": chunk.run_id, "renewals.chunk": chunk.number}


@database.retry_on_conflict
async def renew_chunk(chunk: runs.Chunk, clock: Clock = clocks.utc_now) -> None:
    """Renews what is due of the chunk's accounts, in one transaction; does nothing if it was done."""
    async with database.transaction() as connection:
        account_ids, clock_at = await runs.read_chunk(connection, chunk)
        accounts = await accounts_repository.lock_accounts(connection, account_ids)
        # Looked at after the lock: of two that do the same chunk, the later one finds it done.
        if await runs.claim_chunk(connection, chunk):
            now = clock_at or clock()
            outcomes = await plan(connection, accounts, now)
            drafts = await _store(connection, chunk, accounts, outcomes, now)
            await runs.mark_chunk_done(connection, chunk, _count(outcomes, drafts), clock())
            database.after_commit(connection, lambda: _record_metrics(accounts, outcomes, drafts))


def _record_metrics(
    accounts: Mapping[str, model.Account],
    outcomes: Mapping[str, Sequence[planning.UnitResult]],
    drafts: Sequence[orders_repository.NewOrder],
) -> None:
    found = Counter(refusal.code for each in outcomes.values() for one in each for refusal in one.refusals)
    for code, count in found.items():
        metrics.RENEWALS.labels(code).inc(count)
    metrics.RENEWALS.labels(RENEWED).inc(sum(len(draft.lines) for draft in drafts))
    for draft in drafts:
        cents = draft.payment.voucher_cents + draft.payment.balance_cents
        metrics.AMOUNT_CENTS.labels(accounts[draft.account_id].currency).inc(cents)


def _count(
    outcomes: Mapping[str, Sequence[planning.UnitResult]], drafts: Sequence[orders_repository.NewOrder]
) -> runs.Counts:
    renewed_count = sum(len(draft.lines) for draft in drafts)
    tried_count = sum(len(outcome.unit) for planned in outcomes.values() for outcome in planned)
    amount_cents = sum(draft.payment.voucher_cents + draft.payment.balance_cents for draft in drafts)
    return runs.Counts(renewed_count, tried_count - renewed_count, amount_cents)


async def plan(
    connection: Connection, accounts: Mapping[str, model.Account], now: dt.datetime
) -> dict[str, list[planning.UnitResult]]:
    """Plan what is due of some accounts, by account; write nothing."""
    products = await catalog.read_products(connection)
    usable = await vouchers.read_usable(connection, list(accounts), now)
    instances = await due.read_due_instances(connection, accounts, now)
    return {
        account_id: planning.plan_run(
            instances=instances.get(account_id, ()),
            context=planning.PlanContext(products, account.zone, now, account.price_rise_cap_bps),
            wallet=domain_payment.Wallet(account.balance_cents, usable[account_id], now),
        )
        for account_id, account in accounts.items()
    }


async def _store(
    connection: Connection,
    chunk: runs.Chunk,
    accounts: Mapping[str, model.Account],
    outcomes: Mapping[str, Sequence[planning.UnitResult]],
    now: dt.datetime,
) -> list[orders_repository.NewOrder]:
    """Writes an order for every unit that is paid, and an attempt for every instance."""
    drafts: list[orders_repository.NewOrder] = []
    attempts: list[tuple[object, ...]] = []
    failed: list[event_log.NewEvent] = []
    for account_id, planned in outcomes.items():
        for outcome in planned:
            order_id = None
            if outcome.payment is not None:
                draft = _draft(account_id, outcome, outcome.payment)
                drafts.append(draft)
                order_id = draft.id
            attempts += _attempts(accounts[account_id], outcome, order_id)
            failed += _failed(accounts[account_id], outcome)
    await orders_repository.insert_orders(connection, accounts, drafts, now)
    await event_log.append_events(connection, await _new_failures(connection, failed), now)
    await database.execute(
        connection,
        """INSERT INTO renewal_attempts
             (run_id, attempted_at, succeeded, instance_id, due_at, code, message, order_id)
           SELECT $1, $2, u.order_id IS NOT NULL, u.*
           FROM unnest($3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::uuid[])
             AS u(instance_id, due_at, code, message, order_id)""",
        chunk.run_id,
        now,
        *sql.transpose(attempts, 5),
    )
    return drafts


def _attempts(
    account: model.Account, outcome: planning.UnitResult, order_id: uuid.UUID | None
) -> Iterator[tuple[object, ...]]:
    """Of each instance of a unit: when it was due, and its order or the code and words of its refusal."""
    reasons = {refusal.instance_id: (refusal.code, refusal.message) for refusal in outcome.refusals}
    for instance in outcome.unit:
        yield instance.id, due.due_at(instance, account), *reasons.get(instance.id, (None, None)), order_id


def _failed(account: model.Account, outcome: planning.UnitResult) -> Iterator[event_log.NewEvent]:
    instances = {instance.id: instance for instance in outcome.unit}
    for refusal in outcome.refusals:
        instance = instances[refusal.instance_id]
        payload = {
            "dueAt": due.due_at(instance, account),
            "expiresAt": instance.expires_at,
            "code": refusal.code,
            "message": refusal.message,
        }
        yield event_log.NewEvent(
            account.id, event_log.EventType.INSTANCE_RENEWAL_FAILED, instance.id, payload
        )


async def _new_failures(
    connection: Connection, failed: Sequence[event_log.NewEvent]
) -> list[event_log.NewEvent]:
    """The failures that an earlier run of the same due has not met already: nobody is told every hour."""
    if not failed:
        return []
    keys = [(draft.instance_id, draft.payload["dueAt"], draft.payload["code"]) for draft in failed]
    rows = await database.fetch(
        connection,
        """SELECT u.place FROM unnest($1::text[], $2::timestamptz[], $3::text[]) WITH ORDINALITY
             AS u(instance_id, due_at, code, place)
           WHERE NOT EXISTS (SELECT FROM renewal_attempts a WHERE a.instance_id = u.instance_id
                             AND a.due_at = u.due_at AND a.code = u.code) ORDER BY u.place""",
        *sql.transpose(keys, 3),
    )
    return [failed[row["place"] - 1] for row in rows]


def _draft(
    account_id: str, outcome: planning.UnitResult, payment: domain_payment.Payment
) -> orders_repository.NewOrder:
    return orders_repository.NewOrder(
        id=database.new_id(),
        account_id=account_id,
        kind=model.OrderKind.AUTO_RENEWAL,
        lines=outcome.lines,
        payment=payment,
        memo=f"Renewed automatically: {', '.join([instance.id for instance in outcome.unit])}",
    )
