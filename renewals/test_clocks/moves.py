"""The moves of test clocks, with their progress and results (rule 37).

A move is written before its first tick, so that any process can finish it. An account has at most one unfinished move.
Besides this module, only the reset of the demo account writes `test_clock_moves`.
"""

import datetime as dt
import uuid

from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.db.models import ClockMove
from renewals.events import event_log


async def find_by_key_in(connection: Connection, account_id: str, idempotency_key: str) -> ClockMove | None:
    """Return the account's move with an idempotency key, or None."""
    moves = ClockMove.filter(account_id=account_id, idempotency_key=idempotency_key)
    return await moves.using_db(connection).first()


async def find_unfinished_in(connection: Connection, account_id: str) -> ClockMove | None:
    """Return the account's unfinished move, or None."""
    return await ClockMove.filter(account_id=account_id, ended_at__isnull=True).using_db(connection).first()


async def insert_in(
    connection: Connection,
    account_id: str,
    idempotency_key: str,
    from_at: dt.datetime,
    to_at: dt.datetime,
    now: dt.datetime,
) -> ClockMove:
    """Insert a move of a locked account and return the move; `now` is the real time, not that of the test clock."""
    return await ClockMove.create(
        using_db=connection,
        id=database.new_id(),
        account_id=account_id,
        idempotency_key=idempotency_key,
        from_at=from_at,
        to_at=to_at,
        reached_at=from_at,
        first_sequence=await event_log.last_sequence(connection, account_id),
        started_at=now,
        progressed_at=now,
    )


async def find_in(connection: Connection, move_id: uuid.UUID) -> ClockMove | None:
    """Return a move, or None if a reset of the demo account has deleted it."""
    return await ClockMove.get_or_none(id=move_id, using_db=connection)


async def save_progress_in(connection: Connection, move: ClockMove) -> None:
    """Store the progress of a move of a locked account, with its counts so far."""
    await move.save(
        using_db=connection,
        update_fields=[
            "reached_at",
            "progressed_at",
            "renewed_count",
            "refused_count",
            "expired_count",
            "released_count",
            "last_sequence",
            "ended_at",
        ],
    )


async def list_abandoned(since: dt.datetime) -> list[ClockMove]:
    """Return the unfinished moves without progress after `since` (in real time), sorted by their last progress."""
    moves = ClockMove.filter(ended_at__isnull=True, progressed_at__lte=since)
    return await moves.using_db(database.pool()).order_by("progressed_at")
