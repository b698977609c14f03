"""The next messages of an endpoint, by lane: due retries, and the new events after the endpoint's cursors.

A lane holds the events that must keep their order: those of one instance, or those of the account itself.
"""

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain.messages import Message
from renewals.events import queries, webhook_cursors
from renewals.webhooks import backoff, claims, http_client
from renewals.webhooks.messages import WebhookMessage

TRIAL_MESSAGES = 2
"""The maximum number of messages in a batch of a half-open endpoint; at most one of them is a retry."""
MESSAGES_PER_BATCH = 100
"""The maximum number of messages sent before their results are stored. After a crash, they can be sent again."""
ACCOUNTS_PER_BATCH = 50
EVENTS_PER_BATCH = 1_000
"""The maximum number of new events read for a batch, including events of types that the endpoint does not receive."""

_COLUMNS = f"e.account_id, {queries.COLUMNS}, a.language"
"""The columns of a `WebhookMessage` in the order of its fields, except the last, `attempts`."""


@dataclass(frozen=True, slots=True)
class DeliveryBatch:
    """The next messages of an endpoint: due retries, and new events by account.

    `cursor_moves` holds, by account, the cursor's sequence and the sequence of the last event that the batch contains
    or skips. `blocked` holds the lanes of new events in which a delivery is waiting. `unwanted` holds due retries of
    types that the endpoint no longer receives.
    """

    due: Sequence[WebhookMessage]
    new_events: Mapping[str, Sequence[WebhookMessage]]
    cursor_moves: Mapping[str, tuple[int, int]]
    blocked: frozenset[tuple[str, str]]
    unwanted: Sequence[WebhookMessage] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send, to skip or to delete."""
        return not self.due and not self.cursor_moves and not self.unwanted

    def lanes(self) -> list[list[WebhookMessage]]:
        """Return the messages that can be sent now, by lane: lanes can be sent concurrently, but each lane in order.

        The lanes with retries come first or last at random. A half-open endpoint receives nothing after the first
        failure of a batch. If retries always came first, an endpoint that rejects every event of one instance would
        never receive the events of other instances.
        """
        lanes: dict[tuple[str, str], list[WebhookMessage]] = {message.lane: [message] for message in self.due}
        for messages in self.new_events.values():
            for message in messages:
                if message.lane not in self.blocked:
                    lanes.setdefault(message.lane, []).append(message)
        ordered, due_count = list(lanes.values()), len({message.lane for message in self.due})
        first = random.choice((0, due_count))  # noqa: S311 - no secret
        return ordered[first:] + ordered[:first]


@dataclass(slots=True)
class BatchResult:
    """The outcome of a batch, and the health of the endpoint after it.

    A message that is neither in `delivered` nor in `failed` was not tried.
    """

    health: backoff.EndpointHealth
    delivered: set[tuple[str, int]] = field(default_factory=set)
    failed: dict[tuple[str, int], http_client.WebhookResponse] = field(default_factory=dict)
    last: http_client.WebhookResponse | None = None
    retry_after_seconds: float | None = None
    slowest_seconds: float = 0
    disabled_reason: Message | None = None


async def read_batch(
    claim: claims.Claim, event_types: Sequence[str], now: dt.datetime, count: int
) -> DeliveryBatch:
    """Return the next messages of an endpoint, at most `count`: due retries, then new events.

    All queries use one snapshot. A replay between two queries could otherwise reverse the order of events.
    """
    async with database.read_snapshot() as connection:
        return await _read_batch_in(connection, claim, event_types, now, count)


async def _read_batch_in(
    connection: database.Connection,
    claim: claims.Claim,
    event_types: Sequence[str],
    now: dt.datetime,
    count: int,
) -> DeliveryBatch:
    # Retries take at most half of the batch, rounded up, to leave room for new events (see `DeliveryBatch.lanes`).
    rows = await _read_due(connection, claim.endpoint_id, now, (count + 1) // 2)
    retries = [WebhookMessage(*row) for row in rows]
    due = [message for message in retries if not event_types or message.type in event_types]
    unwanted = [message for message in retries if event_types and message.type not in event_types]
    if len(due) >= count:
        return DeliveryBatch(due, {}, {}, frozenset(), unwanted)
    cursors = await webhook_cursors.read_lagging(
        connection, claim.endpoint_id, claim.last_account_id, ACCOUNTS_PER_BATCH
    )
    new_events, moves = await _read_new_events(connection, cursors, event_types, count - len(due))
    lanes = {message.lane for messages in new_events.values() for message in messages}
    blocked = await _read_blocked(connection, claim.endpoint_id, lanes)
    return DeliveryBatch(due, new_events, moves, blocked, unwanted)


async def _read_new_events(
    connection: database.Connection,
    cursors: Sequence[webhook_cursors.Cursor],
    event_types: Sequence[str],
    count: int,
) -> tuple[dict[str, list[WebhookMessage]], dict[str, tuple[int, int]]]:
    """Return at most `count` new messages by account, in equal shares, and the moves of the cursors."""
    moves = {cursor.account_id: (cursor.sequence, cursor.sequence) for cursor in cursors}
    messages: dict[str, list[WebhookMessage]] = {cursor.account_id: [] for cursor in cursors}
    share = max(1, count // max(1, len(cursors)))
    events_max = EVENTS_PER_BATCH // max(1, len(cursors)) if event_types else share
    for row in await _fetch_events(connection, cursors, events_max):
        message = WebhookMessage(*row)
        account_id, sequence = message.key
        if moves[account_id][1] != sequence - 1 or len(messages[account_id]) >= share:
            continue
        if not event_types or message.type in event_types:
            if not count:
                continue
            messages[account_id].append(message)
            count -= 1
        moves[account_id] = (moves[account_id][0], sequence)
    return (
        {account_id: new for account_id, new in messages.items() if new},
        {account_id: move for account_id, move in moves.items() if move[0] != move[1]},
    )


async def _read_due(
    connection: database.Connection, endpoint_id: uuid.UUID, now: dt.datetime, count: int
) -> Sequence[database.Row]:
    return await database.fetch(
        connection,
        f"""SELECT {_COLUMNS}, d.attempts
           FROM (SELECT account_id, sequence, attempts, next_attempt_at FROM webhook_deliveries
                 WHERE endpoint_id = $1 AND next_attempt_at <= $2 ORDER BY next_attempt_at LIMIT $3) AS d
           JOIN events e ON e.account_id = d.account_id AND e.sequence = d.sequence {queries.JOINS}
           ORDER BY d.next_attempt_at""",
        endpoint_id,
        now,
        count,
    )


async def _fetch_events(
    connection: database.Connection, cursors: Sequence[webhook_cursors.Cursor], count: int
) -> Sequence[database.Row]:
    """Return the next `count` events of each account after its cursor."""
    return await database.fetch(
        connection,
        f"""SELECT {_COLUMNS}
           FROM unnest($1::text[], $2::bigint[]) AS c(account_id, sequence)
           CROSS JOIN LATERAL (
             SELECT * FROM events WHERE account_id = c.account_id AND sequence > c.sequence
             ORDER BY sequence LIMIT $3) AS e {queries.JOINS}
           ORDER BY e.account_id, e.sequence""",
        [cursor.account_id for cursor in cursors],
        [cursor.sequence for cursor in cursors],
        count,
    )


async def _read_blocked(
    connection: database.Connection, endpoint_id: uuid.UUID, lanes: Iterable[tuple[str, str]]
) -> frozenset[tuple[str, str]]:
    rows = await database.fetch(
        connection,
        """SELECT l.account_id, l.lane FROM unnest($2::text[], $3::text[]) AS l(account_id, lane)
           WHERE EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = $1
             AND d.account_id = l.account_id AND d.lane = l.lane AND d.parked_at IS NULL)""",
        endpoint_id,
        *sql.transpose(lanes, 2),
    )
    return frozenset((row[0], row[1]) for row in rows)
