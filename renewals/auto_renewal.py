"""This module alone writes `renewal_runs`, `renewal_chunks` and `renewal_attempts`.

A run is opened with all its chunks in one transaction, and a chunk is done in the transaction that
renews its accounts. So PostgreSQL knows at any moment what is left to do: whoever wakes up, how often
and in how many places, each instance and period is charged once (rule 23).
"""

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals import (
    allocation,
    catalogue,
    database,
    inventory,
    ledger,
    orders,
    periods,
    planning,
    settings,
    terms,
    vouchers,
)
from renewals.database import Connection

Clock = Callable[[], dt.datetime]


class Trigger(StrEnum):
    """Why there is a run: the hour came, a worker started, or an operator asked for it with a clock."""

    SCHEDULED = "SCHEDULED"
    START = "START"
    OPERATOR = "OPERATOR"


class Chunk(NamedTuple):
    """The accounts of a run that are renewed in one transaction."""

    run_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands; amounts in cents, `ended_at` is None while chunks are left."""

    id: int
    trigger: str
    scheduled_at: dt.datetime
    started_at: dt.datetime
    ended_at: dt.datetime | None
    renewed_count: int
    refused_count: int
    skipped_count: int
    amount_cents: int

    @property
    def lateness(self) -> dt.timedelta:
        """How long after its time the run started."""
        return self.started_at - self.scheduled_at


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def last_tick(now: dt.datetime) -> dt.datetime:
    """The latest time at which an hourly run was to be: the minute of the auto-renew time (rule 21)."""
    tick = now.replace(minute=settings.get().auto_renew_time.minute, second=0, microsecond=0)
    return tick if tick <= now else tick - dt.timedelta(hours=1)


async def open_scheduled(now: dt.datetime) -> int | None:
    """Opens the run of the last tick, unless it has been; the answer of all openers but one is None."""
    return await open_run(Trigger.SCHEDULED, last_tick(now), now)


async def open_at_start(now: dt.datetime) -> int | None:
    """Catches up the last tick if it was missed, and looks for what is due in any case (rule 23)."""
    return await open_scheduled(now) or await open_run(
        Trigger.START, now.replace(second=0, microsecond=0), now
    )


async def open_run(
    trigger: Trigger, scheduled_at: dt.datetime, now: dt.datetime, *, clock_at: dt.datetime | None = None
) -> int | None:
    """Finds what is due at `clock_at` or `now` and divides it into chunks; None if the run exists."""
    async with database.transaction() as connection:
        rows = await database.fetch(
            connection,
            """INSERT INTO renewal_runs (trigger, scheduled_at, clock_at, started_at,
                 renewed_count, refused_count, skipped_count, amount_cents)
               VALUES ($1, $2, $3, $4, 0, 0, 0, 0) ON CONFLICT DO NOTHING RETURNING id""",
            trigger,
            scheduled_at,
            clock_at,
            now,
        )
        if not rows:
            return None
        run_id = int(rows[0]["id"])
        due = await _count_due(connection, clock_at or now)
        chunks = list(divide(due, settings.get().instances_per_chunk))
        # Chunks are of different lengths, so they travel as JSON: unnest() would flatten them.
        await database.execute(
            connection,
            """INSERT INTO renewal_chunks (run_id, number, account_ids, due_count,
                 renewed_count, refused_count, skipped_count, amount_cents)
               SELECT $1, u.number, string_to_array(u.account_ids, chr(31)), u.due_count, 0, 0, 0, 0
               FROM unnest($2::int[], $3::text[], $4::int[]) AS u(number, account_ids, due_count)""",
            run_id,
            list(range(len(chunks))),
            ["\x1f".join(account_ids) for account_ids, _ in chunks],
            [due_count for _, due_count in chunks],
        )
    await close_runs(now)
    return run_id


def divide(due: Mapping[str, int], instances_per_chunk: int) -> Iterator[tuple[list[str], int]]:
    """Puts accounts together, in id order, until a chunk has about so many instances; none is split."""
    account_ids: list[str] = []
    due_count = 0
    for account_id, count in sorted(due.items()):
        account_ids.append(account_id)
        due_count += count
        if due_count >= instances_per_chunk:
            yield account_ids, due_count
            account_ids, due_count = [], 0
    if account_ids:
        yield account_ids, due_count


async def pending_chunks(run_id: int | None = None) -> list[Chunk]:
    """What is still to be done, of one run or of all."""
    rows = await database.fetch(
        database.pool(),
        """SELECT c.run_id, c.number FROM renewal_chunks c JOIN renewal_runs r ON r.id = c.run_id
           WHERE r.ended_at IS NULL AND c.done_at IS NULL AND ($1::bigint IS NULL OR r.id = $1)
           ORDER BY c.run_id, c.number""",
        run_id,
    )
    return [Chunk(*row) for row in rows]


async def close_runs(now: dt.datetime) -> None:
    """Ends the runs of which no chunk is left, with the sums of their chunks (rule 24)."""
    await database.execute(
        database.pool(),
        """UPDATE renewal_runs r SET ended_at = $1, renewed_count = s.renewed, refused_count = s.refused,
             skipped_count = s.skipped, amount_cents = s.amount_cents
           FROM (SELECT u.id, coalesce(sum(c.renewed_count), 0) AS renewed,
                   coalesce(sum(c.refused_count), 0) AS refused, coalesce(sum(c.skipped_count), 0) AS skipped,
                   coalesce(sum(c.amount_cents), 0) AS amount_cents
                 FROM renewal_runs u LEFT JOIN renewal_chunks c ON c.run_id = u.id WHERE u.ended_at IS NULL
                 GROUP BY u.id HAVING count(*) FILTER (WHERE c.id IS NOT NULL AND c.done_at IS NULL) = 0) AS s
           WHERE r.id = s.id AND r.ended_at IS NULL""",
        now,
    )


async def read_run(run_id: int) -> Run:
    """A run by its id."""
    rows = await database.fetch(
        database.pool(),
        """SELECT id, trigger, scheduled_at, started_at, ended_at, renewed_count, refused_count,
             skipped_count, amount_cents FROM renewal_runs WHERE id = $1""",
        run_id,
    )
    return Run(*rows[0])


async def run_now(
    at: dt.datetime, clock: Clock = utc_now, on_chunk: Callable[[int, int], None] = lambda done, total: None
) -> Run:
    """Does a whole run on a given clock, here and now; `on_chunk` hears how many of all are done."""
    run_id = await open_run(Trigger.OPERATOR, at, clock(), clock_at=at)
    assert run_id is not None
    chunks = await pending_chunks(run_id)
    at_once = asyncio.Semaphore(settings.get().worker_chunks_at_once)
    done = 0

    async def renew(chunk: Chunk) -> None:
        nonlocal done
        async with at_once:
            await renew_chunk(chunk, clock)
        done += 1
        on_chunk(done, len(chunks))

    async with asyncio.TaskGroup() as group:
        for chunk in chunks:
            group.create_task(renew(chunk))
    await close_runs(clock())
    return await read_run(run_id)


async def renew_chunk(chunk: Chunk, clock: Clock = utc_now) -> None:
    """Renews what is due of the chunk's accounts, in one transaction; does nothing if it was done."""
    async with database.transaction() as connection:
        found = await database.fetch(
            connection, "SELECT account_ids FROM renewal_chunks WHERE run_id = $1 AND number = $2", *chunk
        )
        accounts = await ledger.lock(connection, found[0]["account_ids"])
        # Looked at after the lock: of two that do the same chunk, the later one finds it done.
        left = await database.fetch(
            connection,
            """SELECT r.clock_at FROM renewal_chunks c JOIN renewal_runs r ON r.id = c.run_id
               WHERE c.run_id = $1 AND c.number = $2 AND c.done_at IS NULL FOR UPDATE OF c""",
            *chunk,
        )
        if left:
            now = left[0]["clock_at"] or clock()
            outcomes = await _plan(connection, accounts, now)
            drafts = await _store(connection, chunk, accounts, outcomes, now)
            await _mark_done(connection, chunk, outcomes, drafts, clock())


async def _count_due(connection: Connection, now: dt.datetime) -> dict[str, int]:
    """How many AUTO instances are due, by account (rule 20)."""
    default = settings.get().auto_renew_lead_days
    kinds = await database.fetch(
        connection, "SELECT DISTINCT time_zone, coalesce(lead_days, $1)::int FROM accounts", default
    )
    cutoffs = [due_before(now, ZoneInfo(zone), lead_days) for zone, lead_days in map(tuple, kinds)]
    rows = await database.fetch(
        connection,
        """SELECT i.account_id, count(*) AS count FROM instances i JOIN accounts a ON a.id = i.account_id
           JOIN unnest($1::text[], $2::int[], $3::timestamptz[]) AS k(time_zone, lead_days, cutoff)
             ON k.time_zone = a.time_zone AND k.lead_days = coalesce(a.lead_days, $4)
           WHERE i.status = 'RUNNING' AND i.renewal_mode = 'AUTO'
             AND i.expires_at >= $5 AND i.expires_at <= $6 AND i.expires_at <= k.cutoff
           GROUP BY i.account_id""",
        [zone for zone, _ in map(tuple, kinds)],
        [lead_days for _, lead_days in map(tuple, kinds)],
        cutoffs,
        default,
        now,
        max(cutoffs, default=now),
    )
    return {row["account_id"]: row["count"] for row in rows}


def due_before(now: dt.datetime, zone: ZoneInfo, lead_days: int) -> dt.datetime:
    """The latest expiry that is due at `now`: `due_at <= now` said of the expiry (rule 20)."""
    time = settings.get().auto_renew_time
    return periods.end_of_day(periods.last_due_day(now, zone, time=time, lead_days=lead_days), zone)


async def _plan(
    connection: Connection, accounts: Mapping[str, terms.Account], now: dt.datetime
) -> dict[str, list[planning.Outcome]]:
    """What is to be done, by account."""
    products = await catalogue.read_products(connection)
    usable = await vouchers.read_usable(connection, list(accounts), now)
    due = await _read_due(connection, accounts, now)
    return {
        account_id: planning.plan_run(
            instances=due.get(account_id, ()),
            basis=planning.Basis(products, account.zone, now),
            balance_cents=account.balance_cents,
            vouchers=usable[account_id],
        )
        for account_id, account in accounts.items()
    }


async def _read_due(
    connection: Connection, accounts: Mapping[str, terms.Account], now: dt.datetime
) -> dict[str, list[terms.Instance]]:
    default = settings.get().auto_renew_lead_days
    cutoffs = [
        due_before(now, account.zone, default if account.lead_days is None else account.lead_days)
        for account in accounts.values()
    ]
    rows = await database.fetch(
        connection,
        f"""SELECT {inventory.COLUMNS} FROM unnest($1::text[], $2::timestamptz[]) AS a(id, cutoff)
            JOIN instances i ON i.account_id = a.id AND i.status = 'RUNNING' AND i.renewal_mode = 'AUTO'
              AND coalesce(i.expires_at, 'infinity') >= $3 AND coalesce(i.expires_at, 'infinity') <= a.cutoff""",
        list(accounts),
        cutoffs,
        now,
    )
    due: dict[str, list[terms.Instance]] = {}
    for row in rows:
        instance = terms.Instance._make(row)
        due.setdefault(instance.account_id, []).append(instance)
    return due


async def _store(
    connection: Connection,
    chunk: Chunk,
    accounts: Mapping[str, terms.Account],
    outcomes: Mapping[str, Sequence[planning.Outcome]],
    now: dt.datetime,
) -> list[orders.Draft]:
    """Writes an order for every unit that is paid, and an attempt for every instance."""
    drafts: list[orders.Draft] = []
    attempts: list[tuple[object, ...]] = []
    for account_id, planned in outcomes.items():
        account = accounts[account_id]
        for outcome in planned:
            order_id = None
            if outcome.payment is not None:
                draft = _draft(account_id, outcome, outcome.payment)
                drafts.append(draft)
                order_id = draft.id
            reasons = {refusal.instance_id: refusal for refusal in outcome.refusals}
            for instance in outcome.unit:
                refusal = reasons.get(instance.id)
                words = (refusal.code, refusal.message) if refusal else (None, None)
                attempts.append((instance.id, _due_at(instance, account), *words, order_id))
    await orders.store(connection, accounts, drafts, now)
    await database.execute(
        connection,
        """INSERT INTO renewal_attempts
             (run_id, attempted_at, succeeded, instance_id, due_at, code, message, order_id)
           SELECT $1, $2, u.order_id IS NOT NULL, u.*
           FROM unnest($3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::uuid[])
             AS u(instance_id, due_at, code, message, order_id)""",
        chunk.run_id,
        now,
        *database.columns(attempts, 5),
    )
    return drafts


def _draft(account_id: str, outcome: planning.Outcome, payment: allocation.Payment) -> orders.Draft:
    return orders.Draft(
        id=uuid.uuid4(),
        account_id=account_id,
        kind=terms.OrderKind.AUTO_RENEWAL,
        lines=outcome.lines,
        payment=payment,
        memo=f"Renewed automatically: {', '.join(instance.id for instance in outcome.unit)}",
    )


def _due_at(instance: terms.Instance, account: terms.Account) -> dt.datetime:
    assert instance.expires_at is not None
    limits = settings.get()
    lead_days = limits.auto_renew_lead_days if account.lead_days is None else account.lead_days
    day = periods.last_day(instance.expires_at, account.zone)
    return periods.due_at(day, account.zone, time=limits.auto_renew_time, lead_days=lead_days)


async def _mark_done(
    connection: Connection,
    chunk: Chunk,
    outcomes: Mapping[str, Sequence[planning.Outcome]],
    drafts: Sequence[orders.Draft],
    done_at: dt.datetime,
) -> None:
    renewed_count = sum(len(draft.lines) for draft in drafts)
    tried_count = sum(len(outcome.unit) for planned in outcomes.values() for outcome in planned)
    amount_cents = sum(draft.payment.voucher_cents + draft.payment.balance_cents for draft in drafts)
    await database.execute(
        connection,
        """UPDATE renewal_chunks SET done_at = $3, renewed_count = $4, refused_count = $5,
             skipped_count = greatest(0, due_count - $6), amount_cents = $7 WHERE run_id = $1 AND number = $2""",
        *chunk,
        done_at,
        renewed_count,
        tried_count - renewed_count,
        tried_count,
        amount_cents,
    )
