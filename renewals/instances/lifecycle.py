"""What the clock does to an instance that nobody renewed: it expires, and later it is released (rule 22)."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.events import event_log, factories
from renewals.instances import filters, repository

_INSTANCES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class LapseCounts:
    """How many instances expired and how many were released."""

    expired_count: int
    released_count: int


async def expire_and_release(now: dt.datetime) -> LapseCounts:
    """Expires what has passed its expiry, then releases what has outlived its retention."""
    return LapseCounts(
        await _change(_PASSED, expire, now),
        await _change(_OUTLIVED, release, now),
    )


async def count(connection: database.Connection, now: dt.datetime) -> dict[str, LapseCounts]:
    """Count what `lapse` would expire and release at an instant, by account; write nothing."""
    rows = await database.fetch(
        connection,
        f"""SELECT i.account_id, count(*) FILTER (WHERE i.status = 'RUNNING') AS expired_count,
              count(*) FILTER (WHERE {filters.status_at("$1")} = 'RELEASED') AS released_count
            FROM instances i WHERE i.status <> 'RELEASED' AND i.expires_at < $1
            GROUP BY i.account_id""",
        now,
    )
    return {row["account_id"]: LapseCounts(row["expired_count"], row["released_count"]) for row in rows}


async def expire(connection: database.Connection, account_ids: Sequence[str], now: dt.datetime) -> int:
    """Notes what ran out in locked accounts, and answers how many."""
    lapsed = await repository.expire(connection, account_ids, now)
    happened = [factories.instance_event(event_log.EventType.INSTANCE_EXPIRED, each) for each in lapsed]
    await event_log.append_events(connection, happened, now)
    return len(lapsed)


async def release(connection: database.Connection, account_ids: Sequence[str], now: dt.datetime) -> int:
    """Notes what has outlived its retention in locked accounts, and answers how many."""
    # What has joined a bundle since the others of it expired goes with them.
    await expire(connection, account_ids, now)
    lapsed = await repository.release(connection, account_ids, now)
    happened = [factories.instance_event(event_log.EventType.INSTANCE_RELEASED, each) for each in lapsed]
    await event_log.append_events(connection, happened, now)
    return len(lapsed)


_PASSED = """SELECT account_id FROM instances WHERE status = 'RUNNING' AND expires_at < $1
  ORDER BY expires_at LIMIT $2"""
_OUTLIVED = f"""SELECT i.account_id FROM instances i WHERE i.status = 'EXPIRED' AND i.expires_at < $1
  AND {filters.status_at("$1")} = 'RELEASED' ORDER BY i.expires_at LIMIT $2"""

Change = Callable[[database.Connection, Sequence[str], dt.datetime], Awaitable[int]]


async def _change(select: str, change: Change, now: dt.datetime) -> int:
    """Changes all instances of some accounts at a time, so that a bundle is never in between, until none is left."""
    changed_count = 0
    while (count := await _change_some(select, change, now)) is not None:
        changed_count += count
    return changed_count


@database.retry_on_conflict
async def _change_some(select: str, change: Change, now: dt.datetime) -> int | None:
    async with database.transaction() as connection:
        rows = await database.fetch(connection, select, now, _INSTANCES_AT_ONCE)
        if not rows:
            return None
        accounts = await accounts_repository.lock_accounts(connection, [row["account_id"] for row in rows])
        return await change(connection, list(accounts), now)
