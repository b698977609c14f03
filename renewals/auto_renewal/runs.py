"""The runs of automatic renewal: their start, end and queries (rules 23 and 24).

One transaction inserts a run and all its chunks, so no run is stored without its chunks. Besides this module, only the
reset of the demo account writes `renewal_runs`.
"""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from opentelemetry import trace

from renewals.auto_renewal import chunks, due, schedule
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.db.models import RenewalRun
from renewals.domain import errors
from renewals.domain.messages import Message

_tracer = trace.get_tracer("renewals")


class Trigger(StrEnum):
    """The cause of a run: the hourly schedule, the start of a worker, an operator, or a test account's clock."""

    SCHEDULED = "SCHEDULED"
    START = "START"
    OPERATOR = "OPERATOR"
    TEST_CLOCK = "TEST_CLOCK"


LAST_SCHEDULED = "SELECT max(scheduled_at) FROM renewal_runs WHERE trigger = 'SCHEDULED'"
"""SQL that reads the scheduled time of the latest scheduled run."""


async def start_scheduled_run(now: dt.datetime) -> int | None:
    """Start the run of the latest scheduled time and return the run's id, or None if that run already exists."""
    tick = schedule.last_scheduled_at(now)
    # A worker calls this function every minute. An INSERT that conflicts would use up a run id each time.
    if (
        await RenewalRun.filter(trigger=Trigger.SCHEDULED, scheduled_at=tick)
        .using_db(database.pool())
        .exists()
    ):
        return None
    return await start_run(Trigger.SCHEDULED, tick, now)


async def start_catch_up_run(now: dt.datetime) -> int:
    """Start the run of the latest scheduled time if it was missed, else a run for the start of this worker (rule 23).

    Return the id of the run.
    """
    run_id = await start_scheduled_run(now) or await start_run(
        Trigger.START, now.replace(second=0, microsecond=0), now
    )
    assert run_id is not None
    return run_id


@_tracer.start_as_current_span("open_run")
async def start_run(
    trigger: Trigger, scheduled_at: dt.datetime, now: dt.datetime, *, clock_at: dt.datetime | None = None
) -> int | None:
    """Insert a run with chunks for the due instances of all accounts except test accounts; return the run's id.

    The instances must be due at `clock_at`, or at `now` if `clock_at` is None. Return None if `trigger` is SCHEDULED
    and the run of this scheduled time already exists.
    """
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
        due_counts = await due.count_due(connection, clock_at or now)
        await _insert_chunks_in(connection, run_id, due_counts, now)
    return run_id


async def start_run_for_accounts_in(
    connection: Connection, account_ids: Sequence[str], now: dt.datetime
) -> int:
    """Insert an operator's run for the due instances of some accounts, and return the id of the run."""
    run = await RenewalRun.create(
        using_db=connection, trigger=Trigger.OPERATOR, scheduled_at=now, started_at=now
    )
    due_counts = await due.count_due(connection, now)
    selected_ids = due_counts.keys() & set(account_ids)
    await _insert_chunks_in(
        connection, run.id, {account_id: due_counts[account_id] for account_id in selected_ids}, now
    )
    run_id: int = run.id
    return run_id


async def start_test_clock_run_in(
    connection: Connection, account_id: str, due_count: int, now: dt.datetime
) -> int:
    """Insert the run of one test account at the instant `now` of its clock, and return the run's id (rule 37)."""
    run = await RenewalRun.create(
        using_db=connection, trigger=Trigger.TEST_CLOCK, scheduled_at=now, clock_at=now, started_at=now
    )
    await chunks.insert_chunks_in(connection, run.id, {account_id: due_count})
    run_id: int = run.id
    return run_id


async def _insert_chunks_in(
    connection: Connection, run_id: int, due_counts: dict[str, int], now: dt.datetime
) -> None:
    if not await chunks.insert_chunks_in(connection, run_id, due_counts):
        # A run without chunks ends here. It has changed nothing, so it is not verified.
        await RenewalRun.filter(id=run_id).using_db(connection).update(ended_at=now, parked_count=0)


async def close_finished(now: dt.datetime) -> list[int]:
    """End the runs that have no pending chunk, store the sums of their chunks (rule 24), and return their ids."""
    async with database.transaction() as connection:
        # The runs are locked before their chunks are read, because a reset of the demo changes both.
        unfinished = await database.fetch(
            connection,
            "SELECT id FROM renewal_runs WHERE ended_at IS NULL ORDER BY id FOR NO KEY UPDATE",
        )
        return await close_in(connection, [row["id"] for row in unfinished], now)


async def close_in(connection: Connection, run_ids: Sequence[int], now: dt.datetime) -> list[int]:
    """End each locked run that has no pending chunk, store the sums of its chunks, and return the ids of these runs."""
    rows = await database.fetch(
        connection,
        """UPDATE renewal_runs r SET ended_at = $1, renewed_count = s.renewed, refused_count = s.refused,
             skipped_count = s.skipped, amount_cents = s.amount_cents, parked_count = s.parked
           FROM (SELECT u.id, coalesce(sum(c.renewed_count), 0) AS renewed,
                   coalesce(sum(c.refused_count), 0) AS refused, coalesce(sum(c.skipped_count), 0) AS skipped,
                   coalesce(sum(c.amount_cents), 0) AS amount_cents, count(c.error) AS parked
                 FROM unnest($2::bigint[]) AS u(id) LEFT JOIN renewal_chunks c ON c.run_id = u.id
                 GROUP BY u.id
                 HAVING count(*) FILTER (WHERE c.id IS NOT NULL AND c.done_at IS NULL) = 0) AS s
           WHERE r.id = s.id RETURNING r.id""",
        now,
        run_ids,
    )
    return [row["id"] for row in rows]


async def record_violations(run_ids: Sequence[int], rules: Sequence[str]) -> None:
    """Store the broken integrity rules with the given runs; an empty `rules` means that all rules hold."""
    runs = RenewalRun.filter(id__in=run_ids).using_db(database.pool())
    await runs.update(broken_rules=list(rules))


async def get_run(run_id: int) -> RenewalRun:
    """Return a run. Raises InvalidInputError for an unknown id."""
    run = await RenewalRun.get_or_none(id=run_id, using_db=database.pool())
    if run is None:
        raise errors.InvalidInputError("run", Message("there is no run {id!r}", id=run_id))
    return run


async def list_latest_runs(count: int, *, with_test_clocks: bool) -> list[RenewalRun]:
    """Return at most `count` runs, newest first; omit the runs of test clocks unless `with_test_clocks` is true.

    One move of a test clock can start thousands of runs.
    """
    runs = RenewalRun.all(using_db=database.pool())
    if not with_test_clocks:
        runs = runs.exclude(trigger=Trigger.TEST_CLOCK)
    return await runs.order_by("-id").limit(count)


async def list_unfinished_ids_in(connection: Connection) -> list[int]:
    """Return the ids of the runs that have not ended, in ascending order."""
    runs = await RenewalRun.filter(ended_at__isnull=True).using_db(connection).order_by("id").only("id")
    return [run.id for run in runs]


async def list_unverified_ids() -> list[int]:
    """Return the ids of the ended runs that have chunks and are not verified yet, except the runs of test clocks.

    A move of a test clock can start thousands of runs, too many to verify each of them.
    """
    rows = await database.fetch(
        database.pool(),
        """SELECT id FROM renewal_runs r WHERE ended_at IS NOT NULL AND broken_rules IS NULL
             AND trigger <> 'TEST_CLOCK' AND EXISTS (SELECT FROM renewal_chunks c WHERE c.run_id = r.id) ORDER BY id""",
    )
    return [row["id"] for row in rows]
