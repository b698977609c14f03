"""Reads what an endpoint is to get next: what is due again, and the events behind its cursors, in lanes.

A lane is what goes in order: the events of an instance, or those of the account itself.
"""

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from renewals.db import connection as database
from renewals.db import sql
from renewals.events import webhook_cursors
from renewals.webhooks import claims, http_client, retry_policy

TRIAL_MESSAGES = 2
"""One that failed and one that is new, of which either may be tried."""
MESSAGES_PER_BATCH = 100
"""So many are sent, then written down together: as many at most are repeated after a kill."""
ACCOUNTS_PER_BATCH = 50
EVENTS_PER_BATCH = 1_000
"""So many events are looked at for a batch, most of which an endpoint may not want."""

ACCOUNT_LANE = ""


class Message(NamedTuple):
    """An event as it is to be sent, and how often it was."""

    account_id: str
    sequence: int
    type: str
    occurred_at: dt.datetime
    instance_id: str | None
    payload: str
    attempts: int = 0

    @property
    def lane(self) -> tuple[str, str]:
        return self.account_id, self.instance_id or ACCOUNT_LANE

    @property
    def key(self) -> tuple[str, int]:
        return self.account_id, self.sequence

    def id_for(self, endpoint_id: uuid.UUID) -> str:
        """The same however often this event is sent to this endpoint, and no other's."""
        return f"msg_{uuid.uuid5(endpoint_id, f'{self.sequence} {self.account_id}').hex}"

    @property
    def body(self) -> bytes:
        """The event as Standard Webhooks has it."""
        return orjson.dumps(
            {
                "type": self.type,
                "timestamp": self.occurred_at,
                "data": {
                    "accountId": self.account_id,
                    "sequence": self.sequence,
                    "instanceId": self.instance_id,
                    "payload": orjson.Fragment(self.payload),
                },
            }
        )


@dataclass(frozen=True, slots=True)
class DeliveryBatch:
    """What may be sent now: retries that are due, and per account what is new, up to where it was read."""

    due: Sequence[Message]
    new_events: Mapping[str, Sequence[Message]]
    cursor_moves: Mapping[str, tuple[int, int]]
    blocked: frozenset[tuple[str, str]]
    """The lanes in which something waits already."""
    unwanted: Sequence[Message] = ()
    """What is due again, of types that the endpoint no longer asks for: it is let go."""

    @property
    def is_empty(self) -> bool:
        return not self.due and not self.cursor_moves and not self.unwanted

    def lanes(self) -> list[list[Message]]:
        """What may be sent beside each other, each list in its order.

        What is due again comes first or last by chance, for an endpoint on trial is sent only one or two: it may
        refuse some instances for good, and must be told of the others.
        """
        lanes: dict[tuple[str, str], list[Message]] = {message.lane: [message] for message in self.due}
        for messages in self.new_events.values():
            for message in messages:
                if message.lane not in self.blocked:
                    lanes.setdefault(message.lane, []).append(message)
        found, due_count = list(lanes.values()), len({message.lane for message in self.due})
        starts_at = random.choice((0, due_count))  # noqa: S311 - no secret
        return found[starts_at:] + found[:starts_at]


@dataclass(slots=True)
class BatchResult:
    """What became of a batch: what was delivered, what failed and why; the rest was not tried."""

    health: retry_policy.EndpointHealth
    delivered: set[tuple[str, int]] = field(default_factory=set)
    failed: dict[tuple[str, int], http_client.WebhookResponse] = field(default_factory=dict)
    last: http_client.WebhookResponse | None = None
    asked_seconds: float | None = None
    slowest_seconds: float = 0
    disabled_reason: str | None = None


async def read_batch(
    claim: claims.Claim, event_types: Sequence[str], now: dt.datetime, count: int
) -> DeliveryBatch:
    """What is to be sent to an endpoint now, so many messages at most: what is due again, then what is new.

    It is read at one moment: a replay between two reads could have a later event sent before an earlier one.
    """
    async with database.read_snapshot() as connection:
        return await _read(connection, claim, event_types, now, count)


async def _read(
    connection: database.Connection,
    claim: claims.Claim,
    event_types: Sequence[str],
    now: dt.datetime,
    count: int,
) -> DeliveryBatch:
    # Half of it is for what is new, see `Batch.lanes`.
    waited = [Message(*row) for row in await _read_due(connection, claim.endpoint_id, now, (count + 1) // 2)]
    due = [message for message in waited if not event_types or message.type in event_types]
    unwanted = [message for message in waited if event_types and message.type not in event_types]
    if len(due) >= count:
        return DeliveryBatch(due, {}, {}, frozenset(), unwanted)
    cursors = await webhook_cursors.read_lagging(
        connection, claim.endpoint_id, claim.last_account_id, ACCOUNTS_PER_BATCH
    )
    steps = {cursor.account_id: (cursor.sequence, cursor.sequence) for cursor in cursors}
    fresh: dict[str, list[Message]] = {cursor.account_id: [] for cursor in cursors}
    left = count - len(due)
    share = max(1, left // max(1, len(cursors)))
    looked_at = EVENTS_PER_BATCH // max(1, len(cursors)) if event_types else share
    for row in await _read_fresh(connection, cursors, looked_at):
        message = Message(*row)
        account_id, sequence = message.key
        if steps[account_id][1] != sequence - 1 or len(fresh[account_id]) >= share:
            continue
        if not event_types or message.type in event_types:
            if not left:
                continue
            fresh[account_id].append(message)
            left -= 1
        steps[account_id] = (steps[account_id][0], sequence)
    steps = {account_id: step for account_id, step in steps.items() if step[0] != step[1]}
    fresh = {account_id: messages for account_id, messages in fresh.items() if messages}
    lanes = {message.lane for messages in fresh.values() for message in messages}
    return DeliveryBatch(
        due, fresh, steps, await _read_blocked(connection, claim.endpoint_id, lanes), unwanted
    )


async def _read_due(
    connection: database.Connection, endpoint_id: uuid.UUID, now: dt.datetime, count: int
) -> Sequence[database.Row]:
    return await database.fetch(
        connection,
        """SELECT e.account_id, e.sequence, e.type, e.occurred_at, e.instance_id, e.payload::text, d.attempts
           FROM (SELECT account_id, sequence, attempts, next_attempt_at FROM webhook_deliveries
                 WHERE endpoint_id = $1 AND next_attempt_at <= $2 ORDER BY next_attempt_at LIMIT $3) AS d
           JOIN events e ON e.account_id = d.account_id AND e.sequence = d.sequence
           ORDER BY d.next_attempt_at""",
        endpoint_id,
        now,
        count,
    )


async def _read_fresh(
    connection: database.Connection, cursors: Sequence[webhook_cursors.Cursor], count: int
) -> Sequence[database.Row]:
    """The next events of each account after its cursor."""
    return await database.fetch(
        connection,
        """SELECT e.account_id, e.sequence, e.type, e.occurred_at, e.instance_id, e.payload::text
           FROM unnest($1::text[], $2::bigint[]) AS c(account_id, sequence)
           CROSS JOIN LATERAL (
             SELECT * FROM events WHERE account_id = c.account_id AND sequence > c.sequence
             ORDER BY sequence LIMIT $3) AS e
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
