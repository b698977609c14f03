"""This module alone writes `renewal_runs` and `renewal_chunks` (rules 23 and 24).

A run is opened with all its chunks in one transaction, so PostgreSQL knows at any moment what is left to do.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import orjson
from opentelemetry import trace

from renewals import config
from renewals.auto_renewal import due, schedule
from renewals.db import connection as database
from renewals.db.connection import Connection, Row
from renewals.db.sql import group_by_column
from renewals.domain import errors

_tracer = trace.get_tracer("renewals")


class Trigger(StrEnum):
    """Why there is a run: the hour came, a worker started, or an operator asked for it with a clock."""

    SCHEDULED = "SCHEDULED"
    START = "START"
    OPERATOR = "OPERATOR"


class Chunk(NamedTuple):
    """The accounts of a run that are renewed in one transaction."""

    run_id: int
    number: int


class Counts(NamedTuple):
    """What became of a chunk: instances renewed and refused, and the cents paid."""

    renewed: int
    refused: int
    amount_cents: int


class Attempt(NamedTuple):
    """One try of a run to renew an instance: the cents it cost, or the code and words of its refusal."""

    account_id: str
    instance_id: str
    price_cents: int | None
    code: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands; amounts in cents, `ended_at` is None while chunks are left.

    `broken_rules` is None until all was verified after it, and empty if it adds up.
    """

    id: int
    trigger: str
    scheduled_at: dt.datetime
    started_at: dt.datetime
    ended_at: dt.datetime | None
    renewed_count: int
    refused_count: int
    skipped_count: int
    amount_cents: int
    parked_count: int | None
    broken_rules: list[str] | None

    @property
    def lateness(self) -> dt.timedelta:
        """How long after its time the run started."""
        return self.started_at - self.scheduled_at


LAST_SCHEDULED = "SELECT max(scheduled_at) FROM renewal_runs WHERE trigger = 'SCHEDULED'"


async def start_scheduled_run(now: dt.datetime) -> int | None:
    """Opens the run of the last tick, unless it has been; the answer of all openers but one is None."""
    tick = schedule.last_scheduled_at(now)
    sql = "SELECT 1 FROM renewal_runs WHERE trigger = $1 AND scheduled_at = $2"
    if await database.fetch(database.pool(), sql, Trigger.SCHEDULED, tick):
        return None  # asked every minute, so without a try that would use up a number of the runs
    return await start_run(Trigger.SCHEDULED, tick, now)


async def start_catch_up_run(now: dt.datetime) -> int | None:
    """Catches up the last tick if it was missed, and looks for what is due in any case (rule 23)."""
    return await start_scheduled_run(now) or await start_run(
        Trigger.START, now.replace(second=0, microsecond=0), now
    )


@_tracer.start_as_current_span("open_run")
async def start_run(
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
        await _open_chunks(connection, run_id, await due.count_due(connection, clock_at or now), now)
    return run_id


async def start_run_for(connection: Connection, account_ids: Sequence[str], now: dt.datetime) -> int:
    """Opens an operator's run for what is due of some accounts, in the caller's transaction; answers its id."""
    rows = await database.fetch(
        connection,
        """INSERT INTO renewal_runs (trigger, scheduled_at, started_at,
             renewed_count, refused_count, skipped_count, amount_cents)
           VALUES ($1, $2, $2, 0, 0, 0, 0) RETURNING id""",
        Trigger.OPERATOR,
        now,
    )
    run_id = int(rows[0]["id"])
    wanted = frozenset(account_ids)
    found = await due.count_due(connection, now)
    await _open_chunks(connection, run_id, {each: found[each] for each in found if each in wanted}, now)
    return run_id


async def _open_chunks(
    connection: Connection, run_id: int, due_counts: Mapping[str, int], now: dt.datetime
) -> None:
    chunks = list(split_into_chunks(due_counts, config.get_settings().instances_per_chunk))
    # Chunks are of different lengths, so they travel as JSON: unnest() would flatten lists of lists.
    await database.execute(
        connection,
        """INSERT INTO renewal_chunks (run_id, number, account_ids, due_count,
             renewed_count, refused_count, skipped_count, amount_cents)
           SELECT $1, u.number, array(SELECT json_array_elements_text(u.account_ids)), u.due_count, 0, 0, 0, 0
           FROM unnest($2::int[], $3::json[], $4::int[]) AS u(number, account_ids, due_count)""",
        run_id,
        list(range(len(chunks))),
        [orjson.dumps(account_ids).decode() for account_ids, _ in chunks],
        [due_count for _, due_count in chunks],
    )
    if not chunks:  # only its own: whoever ends a run that did something has to verify it, too
        await database.execute(
            connection,
            "UPDATE renewal_runs SET ended_at = $2, parked_count = 0 WHERE id = $1",
            run_id,
            now,
        )


def split_into_chunks(counts: Mapping[str, int], instances_per_chunk: int) -> Iterator[tuple[list[str], int]]:
    """Puts accounts together, in id order, until a chunk has about so many instances; none is split."""
    account_ids: list[str] = []
    due_count = 0
    for account_id, count in sorted(counts.items()):
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


async def read_unended(connection: Connection) -> list[int]:
    """Return the ids of the runs that have not ended."""
    rows = await database.fetch(connection, "SELECT id FROM renewal_runs WHERE ended_at IS NULL ORDER BY id")
    return [row["id"] for row in rows]


async def read_pending_accounts() -> list[str]:
    """The accounts of all chunks that are still to be done."""
    rows = await database.fetch(
        database.pool(),
        """SELECT unnest(c.account_ids) AS account_id FROM renewal_chunks c JOIN renewal_runs r ON r.id = c.run_id
           WHERE r.ended_at IS NULL AND c.done_at IS NULL""",
    )
    return [row["account_id"] for row in rows]


async def close_finished(now: dt.datetime) -> list[int]:
    """End the runs of which no chunk is left, with the sums of their chunks (rule 24), and return their ids."""
    async with database.transaction() as connection:
        # Locked first, so that the sums are of the chunks as they are then: a reset of the demo changes both.
        unended = await database.fetch(
            connection,
            "SELECT id FROM renewal_runs WHERE ended_at IS NULL ORDER BY id FOR NO KEY UPDATE",
        )
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
            [row["id"] for row in unended],
        )
    return [row["id"] for row in rows]


async def read_unverified() -> list[int]:
    """Return the ids of the runs that did something and ended, and were not verified after it."""
    rows = await database.fetch(
        database.pool(),
        """SELECT id FROM renewal_runs r WHERE ended_at IS NOT NULL AND broken_rules IS NULL
             AND EXISTS (SELECT FROM renewal_chunks c WHERE c.run_id = r.id) ORDER BY id""",
    )
    return [row["id"] for row in rows]


async def record_violations(run_ids: Sequence[int], rules: Sequence[str]) -> None:
    """Keeps with runs which rules of `integrity` were broken after them, none as an empty list."""
    await database.execute(
        database.pool(), "UPDATE renewal_runs SET broken_rules = $2 WHERE id = ANY($1)", run_ids, rules
    )


_RUN = """SELECT id, trigger, scheduled_at, started_at, ended_at, renewed_count, refused_count,
  skipped_count, amount_cents, parked_count, broken_rules FROM renewal_runs"""


async def read_run(run_id: int) -> Run:
    """A run by its id; raises InvalidInputError where there is none."""
    rows = await database.fetch(database.pool(), f"{_RUN} WHERE id = $1", run_id)
    if not rows:
        raise errors.InvalidInputError("run", f"there is no {run_id}")
    return Run(*rows[0])


async def read_latest_runs(count: int) -> list[Run]:
    """The latest runs, the newest first."""
    rows = await database.fetch(database.pool(), f"{_RUN} ORDER BY id DESC LIMIT $1", count)
    return [Run(*row) for row in rows]


async def read_attempts(run_id: int, account_id: str | None, *, failed: bool, count: int) -> list[Attempt]:
    """So many of a run's attempts, by account in the order they were made; of one account, or those that failed."""
    rows = await database.fetch(
        database.pool(),
        """SELECT i.account_id, t.instance_id, l.price_cents, t.code, t.message
           FROM renewal_attempts t JOIN instances i ON i.id = t.instance_id
           LEFT JOIN order_lines l ON l.order_id = t.order_id AND l.instance_id = t.instance_id
           WHERE t.run_id = $1 AND ($2::text IS NULL OR i.account_id = $2) AND NOT ($3 AND t.succeeded)
           ORDER BY i.account_id, t.id LIMIT $4""",
        run_id,
        account_id,
        failed,
        count,
    )
    return [Attempt(*row) for row in rows]


async def read_parked(run_id: int) -> list[tuple[str, str]]:
    """The accounts that were parked in a run, each with its error."""
    return (await read_parked_of(database.pool(), [run_id])).get(run_id, [])


async def read_parked_of(connection: Connection, run_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """The accounts that were parked in some runs, each with its error, by run."""
    sql = """SELECT run_id, account_ids[1] AS account_id, error FROM renewal_chunks
             WHERE run_id = ANY($1) AND error IS NOT NULL ORDER BY run_id, number"""
    found: dict[int, list[tuple[str, str]]] = {}
    for row in await database.fetch(connection, sql, run_ids):
        found.setdefault(row["run_id"], []).append((row["account_id"], row["error"]))
    return found


@database.retry_on_conflict
async def split_or_park(chunk: Chunk, error: str, now: dt.datetime) -> None:
    """Divides a chunk that cannot be done into its accounts, or parks the one it has until the next run."""
    async with database.transaction() as connection:
        # One at a time, for the new chunks are numbered from the run's last.
        await database.fetch(connection, "SELECT FROM renewal_runs WHERE id = $1 FOR UPDATE", chunk.run_id)
        account_ids, _ = await read_chunk(connection, chunk)
        if not await claim_chunk(connection, chunk):
            return
        is_one = len(account_ids) == 1
        await database.execute(
            connection,
            "UPDATE renewal_chunks SET done_at = $3, error = $4 WHERE run_id = $1 AND number = $2",
            *chunk,
            now,
            error if is_one else None,
        )
        if not is_one:
            # What is due of each is not counted again: none of them is skipped.
            await database.execute(
                connection,
                """INSERT INTO renewal_chunks (run_id, number, account_ids, due_count,
                     renewed_count, refused_count, skipped_count, amount_cents)
                   SELECT $1, last.number + u.place, ARRAY[u.account_id], 0, 0, 0, 0, 0
                   FROM unnest($2::text[]) WITH ORDINALITY AS u(account_id, place),
                     (SELECT max(number) AS number FROM renewal_chunks WHERE run_id = $1) AS last""",
                chunk.run_id,
                account_ids,
            )


async def read_chunk(connection: Connection, chunk: Chunk) -> tuple[list[str], dt.datetime | None]:
    """The accounts of a chunk, and its run's own clock if it was given one."""
    rows = await database.fetch(
        connection,
        """SELECT c.account_ids, r.clock_at FROM renewal_chunks c JOIN renewal_runs r ON r.id = c.run_id
           WHERE c.run_id = $1 AND c.number = $2""",
        *chunk,
    )
    return rows[0]["account_ids"], rows[0]["clock_at"]


async def claim_chunk(connection: Connection, chunk: Chunk) -> bool:
    """Takes a chunk for this transaction; False if it is done already."""
    sql = """SELECT FROM renewal_chunks WHERE run_id = $1 AND number = $2 AND done_at IS NULL FOR UPDATE"""
    return bool(await database.fetch(connection, sql, *chunk))


async def mark_chunk_done(connection: Connection, chunk: Chunk, counts: Counts, done_at: dt.datetime) -> None:
    """Notes what became of a chunk; skipped is by how many fewer were due than when the run was opened."""
    await database.execute(
        connection,
        """UPDATE renewal_chunks SET done_at = $3, renewed_count = $4, refused_count = $5, amount_cents = $6,
             skipped_count = greatest(0, due_count - $4 - $5)
           WHERE run_id = $1 AND number = $2""",
        *chunk,
        done_at,
        *counts,
    )


async def fetch_attempts(
    connection: Connection, account_id: str, instance_ids: Sequence[str], first: int
) -> dict[str, list[Row]]:
    """The latest attempts of each instance of the account, the newest first."""
    rows = await database.fetch(
        connection,
        """SELECT a.* FROM instances i CROSS JOIN LATERAL (
             SELECT t.run_id || ':' || t.instance_id AS id, t.instance_id, t.due_at, t.attempted_at, t.succeeded,
               t.code, t.message, t.order_id
             FROM renewal_attempts t WHERE t.instance_id = i.id ORDER BY t.id DESC LIMIT $3) AS a
           WHERE i.account_id = $1 AND i.id = ANY($2)""",
        account_id,
        instance_ids,
        first,
    )
    return group_by_column(rows, "instance_id")
