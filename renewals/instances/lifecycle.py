"""Expiry and release of instances that are not renewed (rule 22)."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.domain import model
from renewals.events import event_log, factories
from renewals.instances import filters, repository

_INSTANCES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class LapseCounts:
    """The numbers of expired and of released instances."""

    expired_count: int
    released_count: int


async def expire_and_release(now: dt.datetime) -> LapseCounts:
    """Expire instances past their expiry, then release instances past their retention; return both numbers.

    Test accounts are excluded: their instances expire when their clocks move (rule 37).
    """
    return LapseCounts(
        await _apply(_PAST_EXPIRY, expire, now),
        await _apply(_PAST_RETENTION, release, now),
    )


async def count_changes(connection: database.Connection, now: dt.datetime) -> dict[str, LapseCounts]:
    """Return the numbers of instances that `expire_and_release` would change at an instant, by account."""
    rows = await database.fetch(
        connection,
        f"""SELECT i.account_id, count(*) FILTER (WHERE i.status = 'RUNNING') AS expired_count,
              count(*) FILTER (WHERE {filters.status_at("$1")} = 'RELEASED') AS released_count
            FROM instances i WHERE i.status <> 'RELEASED' AND i.expires_at < $1 AND {_IN_REAL_TIME}
            GROUP BY i.account_id""",
        now,
    )
    return {row["account_id"]: LapseCounts(row["expired_count"], row["released_count"]) for row in rows}


@dataclass(frozen=True, slots=True)
class NextLapse:
    """The earliest expiry of running instances and the earliest release of expired ones, each None if there is none."""

    expires_at: dt.datetime | None
    releases_at: dt.datetime | None


async def find_next_lapse(connection: database.Connection, account_id: str) -> NextLapse:
    """Return the instants after which an account's next expiry and next release are due, each None if there is none."""
    [row] = await database.fetch(
        connection,
        f"""SELECT (SELECT min(expires_at) FROM instances WHERE account_id = $1 AND status = 'RUNNING'),
              (SELECT min({filters.RELEASES_AT}) FROM instances i WHERE i.account_id = $1 AND i.status = 'EXPIRED')""",
        account_id,
    )
    return NextLapse(*row)


async def expire(connection: database.Connection, account_ids: Sequence[str], now: dt.datetime) -> int:
    """Expire the locked accounts' running instances whose expiry has passed, and append the events.

    Return the number of expired instances.
    """
    instances = await repository.expire(connection, account_ids, now)
    expired = event_log.EventType.INSTANCE_EXPIRED
    events = [factories.instance_event(expired, instance) for instance in instances]
    await event_log.append_events(connection, events, now, model.WORKER)
    return len(instances)


async def release(connection: database.Connection, account_ids: Sequence[str], now: dt.datetime) -> int:
    """Release the locked accounts' expired instances whose retention has ended, and append the events.

    Return the number of released instances.
    """
    # An instance that joined an expired bundle may be RUNNING, and is released together with the bundle.
    await expire(connection, account_ids, now)
    instances = await repository.release(connection, account_ids, now)
    released = event_log.EventType.INSTANCE_RELEASED
    events = [factories.instance_event(released, instance) for instance in instances]
    await event_log.append_events(connection, events, now, model.WORKER)
    return len(instances)


_IN_REAL_TIME = "i.account_id NOT IN (SELECT id FROM accounts WHERE test_clock IS NOT NULL)"
"""SQL condition: the instance belongs to an account without a test clock."""
_PAST_EXPIRY = f"""SELECT i.account_id FROM instances i WHERE i.status = 'RUNNING' AND i.expires_at < $1
  AND {_IN_REAL_TIME} ORDER BY i.expires_at LIMIT $2"""
_PAST_RETENTION = f"""SELECT i.account_id FROM instances i WHERE i.status = 'EXPIRED' AND i.expires_at < $1
  AND {_IN_REAL_TIME} AND {filters.status_at("$1")} = 'RELEASED' ORDER BY i.expires_at LIMIT $2"""

Change = Callable[[database.Connection, Sequence[str], dt.datetime], Awaitable[int]]


async def _apply(select: str, change: Change, now: dt.datetime) -> int:
    """Apply a change to batches of whole accounts until `select` returns no row; return how many instances changed.

    All instances of an account are changed in one transaction, so that a bundle is never changed in part.
    """
    changed_count = 0
    while (count := await _apply_to_batch(select, change, now)) is not None:
        changed_count += count
    return changed_count


@database.retry_on_conflict
async def _apply_to_batch(select: str, change: Change, now: dt.datetime) -> int | None:
    async with database.transaction() as connection:
        rows = await database.fetch(connection, select, now, _INSTANCES_AT_ONCE)
        if not rows:
            return None
        accounts = await accounts_repository.lock_accounts(connection, [row["account_id"] for row in rows])
        return await change(connection, list(accounts), now)
