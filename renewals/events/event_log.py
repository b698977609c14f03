"""This module alone writes `events` and `event_streams`: what happened, in the transaction in which it does (rule 25).

The events of an account are numbered from 1 without gaps; its row in `event_streams` has the last number, and
is locked from the moment a number is taken until the commit. So whoever has read up to a number has missed nothing.
"""

import datetime as dt
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from renewals.db import connection as database
from renewals.db import pool, sql
from renewals.domain import errors
from renewals.events import pubsub, webhook_cursors

ROWS_AT_ONCE = 500
"""A subscriber holds no more events than so many, however much it has missed."""
POLL_SECONDS = 5.0
"""So often a subscriber looks by itself, should nobody tell it."""


class EventType(StrEnum):
    """What may happen; docs/events.md says what each brings in its payload."""

    INSTANCE_RENEWED = "instance.renewed"
    INSTANCE_RENEWAL_FAILED = "instance.renewal_failed"
    INSTANCE_EXPIRED = "instance.expired"
    INSTANCE_RESTORED = "instance.restored"
    INSTANCE_RELEASED = "instance.released"
    INSTANCE_EXPIRING = "instance.expiring"
    INSTANCE_PRICE_HELD = "instance.price_held"
    INSTANCE_REFUNDED = "instance.refunded"
    POLICY_CHANGED = "policy.changed"
    EXPIRY_UNIFIED = "expiry.unified"
    ACCOUNT_SHORTFALL = "account.shortfall"


class NewEvent(NamedTuple):
    """An event to be written; the payload is JSON with GraphQL's names, amounts and instants."""

    account_id: str
    type: EventType
    instance_id: str | None
    payload: Mapping[str, Any]


class Event(NamedTuple):
    """An event as it stands; `payload` is JSON text."""

    sequence: int
    type: str
    occurred_at: dt.datetime
    instance_id: str | None
    payload: str


async def append_events(
    connection: database.Connection, drafts: Sequence[NewEvent], now: dt.datetime
) -> None:
    """Writes events in their order, as the next of their accounts, and announces them once they are committed."""
    if not drafts:
        return
    counts = Counter(draft.account_id for draft in drafts)
    left = counts.copy()
    rows = []
    for draft in drafts:
        left[draft.account_id] -= 1
        payload = orjson.dumps(draft.payload).decode()
        rows.append((draft.account_id, left[draft.account_id], draft.type, draft.instance_id, payload))
    account_ids = sorted(counts)
    await database.execute(
        connection,
        f"""WITH streams AS (
             INSERT INTO event_streams (account_id, last_sequence) SELECT * FROM unnest($1::text[], $2::bigint[])
             ON CONFLICT (account_id)
               DO UPDATE SET last_sequence = event_streams.last_sequence + excluded.last_sequence
             RETURNING account_id, last_sequence),
           noted AS ({webhook_cursors.ADVANCE_CURSORS})
           INSERT INTO events (account_id, sequence, type, occurred_at, instance_id, payload)
           SELECT e.account_id, s.last_sequence - e.later_count, e.type, $3, e.instance_id, e.payload
           FROM unnest($4::text[], $5::bigint[], $6::text[], $7::text[], $8::json[])
             AS e(account_id, later_count, type, instance_id, payload)
           JOIN streams s ON s.account_id = e.account_id""",
        account_ids,
        [counts[account_id] for account_id in account_ids],
        now,
        *sql.transpose(rows, 5),
    )
    database.after_commit(connection, lambda: pubsub.publish(account_ids))


async def last_sequence(connection: database.Connection, account_id: str) -> int:
    """The number of the account's last event, 0 before its first."""
    rows = await database.fetch(
        connection, "SELECT last_sequence FROM event_streams WHERE account_id = $1", account_id
    )
    return int(rows[0]["last_sequence"]) if rows else 0


async def read_events(account_id: str, after: int, count: int = ROWS_AT_ONCE) -> list[Event]:
    """The next events after a number, so many at most."""
    rows = await database.fetch(
        database.pool(),
        """SELECT sequence, type, occurred_at, instance_id, payload::text FROM events
           WHERE account_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3""",
        account_id,
        after,
        count,
    )
    return [Event(*row) for row in rows]


async def subscribe(
    account_id: str, after: int | None, is_admitted: Callable[[], Awaitable[bool]]
) -> AsyncIterator[Event]:
    """Everything after a number, then what happens from now on; without a number only that.

    Ends when this process is about to, and when its reader is no longer admitted. Raises InvalidInputError for a
    number that no event has had yet.
    """
    last = await last_sequence(database.pool(), account_id)
    if after is not None and not 0 <= after <= last:
        raise errors.InvalidInputError("after", f"must be 0 to {last}, the number of the last event")
    return _subscribe(account_id, last if after is None else after, is_admitted)


async def _subscribe(
    account_id: str, after: int, is_admitted: Callable[[], Awaitable[bool]]
) -> AsyncIterator[Event]:
    with pubsub.subscribe(account_id) as subscriber:
        while not subscriber.is_dismissed:
            found = await _read_through_outages(account_id, after)
            asked_at = -math.inf
            for event in found:
                # Asked after the reading: whoever is admitted now was so when all of this had happened.
                if time.monotonic() - asked_at >= POLL_SECONDS:
                    if not await _holds(is_admitted):
                        return
                    asked_at = time.monotonic()
                yield event
                after = event.sequence
            if not found and not await _holds(is_admitted):
                return
            if len(found) < ROWS_AT_ONCE:
                await subscriber.wait(POLL_SECONDS)


async def _read_through_outages(account_id: str, after: int) -> Sequence[Event]:
    """The next events; none while PostgreSQL is away, for the subscriber will look again."""
    try:
        with pool.sharing(account_id):  # all subscribers of an account are woken at once
            return await read_events(account_id, after)
    except Exception as problem:
        if not database.is_unavailable(problem):
            raise
        return ()


async def _holds(is_admitted: Callable[[], Awaitable[bool]]) -> bool:
    """Whether the reader is admitted; while PostgreSQL is away, as it was."""
    try:
        return await is_admitted()
    except Exception as problem:
        if not database.is_unavailable(problem):
            raise
        return True
