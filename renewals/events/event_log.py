"""The only writer of `events` and `event_streams`. A change and its event share one transaction (rule 25).

The events of an account are numbered from 1 without gaps. The account's row in `event_streams` holds the last number
and is locked until the commit. A reader that has read up to a number has therefore missed no event.
"""

import datetime as dt
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import orjson

from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.db import pool, sql, statements
from renewals.domain import errors, model
from renewals.domain.messages import Message
from renewals.events import pubsub, queries, webhook_cursors

EVENTS_PER_READ = 500
"""The maximum number of events that a subscriber reads, and holds in memory, at a time."""
POLL_SECONDS = 5.0
"""The interval at which a subscriber reads new events even without a notification, and is authorized again."""


class EventType(StrEnum):
    """The types of events; docs/events.md describes their payloads."""

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
    """An event to append; the payload has the names and formats of the GraphQL API."""

    account_id: str
    type: EventType
    instance_id: str | None
    payload: Mapping[str, object]


class Event(NamedTuple):
    """A stored event; `payload` is JSON text.

    The fields from `instance_name` on have their values at the time of reading.
    """

    sequence: int
    type: str
    occurred_at: dt.datetime
    instance_id: str | None
    payload: str
    actor_kind: str
    actor_name: str
    instance_name: str | None
    time_zone: str
    currency: str
    test_clock: dt.datetime | None


async def append_events(
    connection: database.Connection, new_events: Sequence[NewEvent], now: dt.datetime, actor: model.Actor
) -> None:
    """Append events to the streams of their accounts, and notify subscribers after the commit."""
    if new_events:
        await statements.execute_together(connection, build_events(new_events, now, actor))
        notify_after_commit(connection, new_events)


def notify_after_commit(connection: database.Connection, new_events: Sequence[NewEvent]) -> None:
    """Notify the subscribers of the events' accounts once the transaction is committed."""
    account_ids = sorted({event.account_id for event in new_events})
    database.after_commit(connection, lambda: pubsub.publish(account_ids))


def build_events(new_events: Sequence[NewEvent], now: dt.datetime, actor: model.Actor) -> statements.Change:
    """Return the change that appends events to the streams of their accounts, in order.

    `actor` is the actor of all events except `instance.expired`, whose actor is always the worker. An event of a test
    account occurs at the instant of the account's clock, and its payload has `testClock` (rule 37).
    """
    counts = Counter(event.account_id for event in new_events)
    remaining = counts.copy()
    rows = []
    for event in new_events:
        remaining[event.account_id] -= 1
        rows.append(
            (
                event.account_id,
                remaining[event.account_id],
                event.type,
                event.instance_id,
                encode_payload(event),
            )
        )
    account_ids = sorted(counts)
    return statements.Change(
        {
            "streams": _ADVANCE_STREAMS,
            "cursors": webhook_cursors.ADVANCE_CURSORS,
            "new_events": _INSERT_EVENTS,
        },
        [
            account_ids,
            [counts[account_id] for account_id in account_ids],
            now,
            *actor,
            *sql.transpose(rows, 5),
        ],
    )


_ADVANCE_STREAMS = """
  INSERT INTO event_streams (account_id, last_sequence) SELECT * FROM unnest($1::text[], $2::bigint[])
  ON CONFLICT (account_id) DO UPDATE SET last_sequence = event_streams.last_sequence + excluded.last_sequence
  RETURNING account_id, last_sequence"""
_INSERT_EVENTS = f"""
  INSERT INTO events (account_id, sequence, type, occurred_at, instance_id, payload, actor_kind, actor_name)
  SELECT e.account_id, s.last_sequence - e.later_count, e.type, coalesce(a.test_clock, $3), e.instance_id,
    CASE WHEN a.test_clock IS NULL THEN e.payload
      ELSE ('{{"testClock":true,' || substr(e.payload::text, 2))::json END,
    CASE e.type WHEN '{EventType.INSTANCE_EXPIRED}' THEN '{model.WORKER.kind}' ELSE $4 END,
    CASE e.type WHEN '{EventType.INSTANCE_EXPIRED}' THEN '{model.WORKER.name}' ELSE $5 END
  FROM unnest($6::text[], $7::bigint[], $8::text[], $9::text[], $10::json[])
    AS e(account_id, later_count, type, instance_id, payload)
  JOIN streams s ON s.account_id = e.account_id JOIN accounts a ON a.id = e.account_id"""


def encode_payload(event: NewEvent) -> str:
    """Return the payload as JSON text, in the form that `payload_schemas` describes."""
    return orjson.dumps(event.payload).decode()


async def last_sequence(connection: database.Connection, account_id: str) -> int:
    """Return the sequence of the account's last event, or 0 if the account has no events."""
    rows = await database.fetch(
        connection, "SELECT last_sequence FROM event_streams WHERE account_id = $1", account_id
    )
    return int(rows[0]["last_sequence"]) if rows else 0


async def read_events(account_id: str, after: int, count: int = EVENTS_PER_READ) -> list[Event]:
    """Return at most `count` events of an account after the sequence `after`, in order."""
    rows = await database.fetch(
        database.pool(),
        f"""SELECT {queries.COLUMNS}, a.test_clock FROM events e {queries.JOINS}
           WHERE e.account_id = $1 AND e.sequence > $2 ORDER BY e.sequence LIMIT $3""",
        account_id,
        after,
        count,
    )
    return [Event(*row) for row in rows]


async def subscribe(
    account_id: str, after: int | None, is_authorized: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[Event]:
    """Return an iterator over the events after the sequence `after`; at the last event, it waits for new events.

    If `after` is None, the iterator begins after the last event. The iterator ends when the process shuts down, or when
    `is_authorized` returns False. Raises InvalidInputError if `after` is negative or greater than the last sequence.
    """
    last = await last_sequence(database.pool(), account_id)
    if after is not None and not 0 <= after <= last:
        raise errors.InvalidInputError("after", sequence_problem(after, 0, last))
    return _read_continuously(account_id, last if after is None else after, is_authorized)


def sequence_problem(value: int, minimum: int, last: int) -> Message:
    """Return the message for a sequence below `minimum` or above `last`, the account's last sequence."""
    return Message(
        "must be between {minimum} and {last} (the sequence of the last event), not {value}",
        minimum=minimum,
        last=last,
        value=value,
    )


async def _read_continuously(
    account_id: str, after: int, is_authorized: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[Event]:
    with pubsub.subscribe(account_id) as subscriber:
        while not subscriber.is_closed:
            events = await _read_through_outages(account_id, after)
            checked_at = -math.inf
            for event in events:
                # The check follows the read, so a reader that passes it was authorized when these events occurred.
                if time.monotonic() - checked_at >= POLL_SECONDS:
                    if not await _is_still_authorized(is_authorized):
                        return
                    checked_at = time.monotonic()
                yield event
                after = event.sequence
            if not events and not await _is_still_authorized(is_authorized):
                return
            if len(events) < EVENTS_PER_READ:
                await subscriber.wait(POLL_SECONDS)


async def _read_through_outages(account_id: str, after: int) -> Sequence[Event]:
    """Return the next events, or no events while PostgreSQL is unavailable; the subscriber then reads again later."""
    try:
        with pool.sharing(account_id):  # a notification wakes all subscribers of the account
            return await read_events(account_id, after)
    except Exception as error:
        if not db_errors.is_unavailable(error):
            raise
        return ()


async def _is_still_authorized(is_authorized: Callable[[], Awaitable[bool]]) -> bool:
    """Return whether the reader is authorized; return True while PostgreSQL is unavailable."""
    try:
        return await is_authorized()
    except Exception as error:
        if not db_errors.is_unavailable(error):
            raise
        return True
