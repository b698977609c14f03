"""The chunks of runs: each is a group of accounts whose due instances are renewed in one transaction (rule 21).

If a chunk of several accounts fails, it is split. If a chunk of one account fails, the account is parked: this run does
not renew its instances, but the next run tries again. For parked accounts, `operators.runs` can start a run without
waiting for the next scheduled one. Besides this module, only the reset of the demo account writes `renewal_chunks`.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from renewals import config
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.db.models import RenewalChunk, RenewalRun


class Chunk(NamedTuple):
    """The key of a chunk: its run and its number in that run, from 0."""

    run_id: int
    number: int


class Counts(NamedTuple):
    """The result of a chunk: the numbers of renewed and refused instances, and the amount paid in cents."""

    renewed: int
    refused: int
    amount_cents: int


async def insert_chunks_in(connection: Connection, run_id: int, due_counts: Mapping[str, int]) -> int:
    """Insert the chunks of a run and return how many were inserted.

    `due_counts` has the number of due instances by account id.
    """
    chunks = list(split_into_chunks(due_counts, config.get_settings().instances_per_chunk))
    # Chunks have different numbers of accounts, so they are sent as JSON: unnest() would flatten nested arrays.
    return await database.execute(
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


def split_into_chunks(counts: Mapping[str, int], instances_per_chunk: int) -> Iterator[tuple[list[str], int]]:
    """Yield groups of account ids, in id order, each with its number of due instances.

    A group is complete as soon as it has `instances_per_chunk` instances. An account is never split.
    """
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


async def list_pending_chunks(run_id: int | None = None) -> list[Chunk]:
    """Return the pending chunks of a run, or of all runs if `run_id` is None, sorted by run and number."""
    pending = RenewalChunk.filter(run__ended_at__isnull=True, done_at__isnull=True)
    if run_id is not None:
        pending = pending.filter(run_id=run_id)
    rows = pending.using_db(database.pool()).order_by("run_id", "number").values_list("run_id", "number")
    return [Chunk(*row) for row in await rows]


async def list_pending_account_ids() -> list[str]:
    """Return the ids of the accounts of all pending chunks."""
    pending = RenewalChunk.filter(run__ended_at__isnull=True, done_at__isnull=True)
    chunks = await pending.using_db(database.pool()).only("account_ids")
    return [account_id for chunk in chunks for account_id in chunk.account_ids]


async def list_parked_accounts(run_id: int) -> list[tuple[str, str]]:
    """Return the accounts that a run parked, each with its error, in the order of their chunks."""
    return (await list_parked_accounts_in(database.pool(), [run_id])).get(run_id, [])


async def list_parked_accounts_in(
    connection: Connection, run_ids: Sequence[int]
) -> dict[int, list[tuple[str, str]]]:
    """Return the accounts that the given runs parked, each with its error, by run id."""
    parked = RenewalChunk.filter(run_id__in=run_ids, error__isnull=False).using_db(connection)
    accounts: dict[int, list[tuple[str, str]]] = {}
    for chunk in await parked.order_by("run_id", "number"):
        accounts.setdefault(chunk.run_id, []).append((chunk.account_ids[0], chunk.error or ""))
    return accounts


async def get_chunk_in(connection: Connection, chunk: Chunk) -> tuple[list[str], dt.datetime | None]:
    """Return the account ids of a chunk and the `clock_at` of its run (None: the current time applies)."""
    rows = RenewalChunk.filter(run_id=chunk.run_id, number=chunk.number).using_db(connection)
    [(account_ids, clock_at)] = await rows.values_list("account_ids", "run__clock_at")
    return account_ids, clock_at


async def claim_chunk_in(connection: Connection, chunk: Chunk) -> RenewalChunk | None:
    """Lock a chunk for this transaction and return it, or return None if it is done."""
    pending = RenewalChunk.filter(run_id=chunk.run_id, number=chunk.number, done_at__isnull=True)
    return await pending.using_db(connection).select_for_update().first()


async def mark_chunk_done_in(
    connection: Connection, chunk: RenewalChunk, counts: Counts, done_at: dt.datetime
) -> None:
    """Mark a claimed chunk as done, and store its result.

    Skipped instances are those that were due when the run started but no longer are, for example because their owner
    renewed them.
    """
    chunk.done_at = done_at
    chunk.renewed_count, chunk.refused_count, chunk.amount_cents = counts
    chunk.skipped_count = max(0, chunk.due_count - counts.renewed - counts.refused)
    await chunk.save(
        using_db=connection,
        update_fields=["done_at", "renewed_count", "refused_count", "amount_cents", "skipped_count"],
    )


async def close_failed_in(
    connection: Connection, chunk: RenewalChunk, error: str | None, done_at: dt.datetime
) -> None:
    """Mark a claimed chunk as done without a renewal. If `error` is given, the chunk's only account is parked."""
    chunk.done_at, chunk.error = done_at, error
    await chunk.save(using_db=connection, update_fields=["done_at", "error"])


@database.retry_on_conflict
async def split_or_park(chunk: Chunk, error: str, now: dt.datetime) -> None:
    """Split a failed chunk into one chunk per account, or park its only account until the next run.

    Do nothing if another process has completed the chunk.
    """
    async with database.transaction() as connection:
        # New chunks are numbered from the last number of the run. The lock keeps other calls from using these numbers.
        await RenewalRun.filter(id=chunk.run_id).using_db(connection).select_for_update().first()
        claimed = await claim_chunk_in(connection, chunk)
        if claimed is None:
            return
        is_single = len(claimed.account_ids) == 1
        await close_failed_in(connection, claimed, error if is_single else None, now)
        if not is_single:
            # The due instances are not counted again, so no instance of the new chunks counts as skipped.
            await database.execute(
                connection,
                """INSERT INTO renewal_chunks (run_id, number, account_ids, due_count,
                     renewed_count, refused_count, skipped_count, amount_cents)
                   SELECT $1, last.number + u.place, ARRAY[u.account_id], 0, 0, 0, 0, 0
                   FROM unnest($2::text[]) WITH ORDINALITY AS u(account_id, place),
                     (SELECT max(number) AS number FROM renewal_chunks WHERE run_id = $1) AS last""",
                chunk.run_id,
                claimed.account_ids,
            )
