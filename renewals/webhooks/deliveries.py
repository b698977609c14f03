"""This module alone writes `webhook_deliveries`: what waits to be sent again, and what is parked.

What an endpoint is to get is read from the events behind its cursors. A row of its own has only what was not
delivered at the first try, and what must wait for that: a lane is what goes in order, the events of an
instance or those of the account itself. The first of a lane has a time for its next try, the others have none.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import errors
from renewals.domain.clock import Clock
from renewals.events import pubsub, webhook_cursors
from renewals.webhooks import batches, endpoints, http_client, retry_policy
from renewals.webhooks import claims as webhooks_claims

ROWS_SWEPT_AT_ONCE = 10_000


async def claim(now: dt.datetime, *, count: int, degraded_count: int) -> list[webhooks_claims.Claim]:
    """Claims endpoints, see `claims.find_claimable`; what waits for one that was changed is tried at once."""
    found = await webhooks_claims.find_claimable(now, count=count, degraded_count=degraded_count)
    if not found:
        return []
    async with database.transaction() as connection:
        claims = await webhooks_claims.claim(connection, found, now)
        await _retry_now(connection, [each.endpoint_id for each in claims if each.is_changed], now)
    return claims


async def record_results(
    claim: webhooks_claims.Claim,
    batch: batches.DeliveryBatch,
    outcome: batches.BatchResult,
    now: dt.datetime,
) -> webhooks_claims.Claim:
    """Writes down what became of a batch and answers the renewed claim; raises ClaimLostError and writes nothing."""
    endpoint_id, was_paused = claim.endpoint_id, claim.health.pause_count > 0
    claim = claim._replace(
        health=outcome.health, last_account_id=max(batch.cursor_moves, default=claim.last_account_id)
    )
    steps = {
        account_id: step for account_id in batch.cursor_moves if (step := _step(batch, outcome, account_id))
    }
    async with database.transaction() as connection:
        await webhooks_claims.renew_claim(connection, claim)
        await webhooks_claims.record_state(
            connection, claim, delivered_count=len(outcome.delivered), last=outcome.last, now=now
        )
        await _update_retries(connection, endpoint_id, batch, outcome, now)
        moved = await _advance(connection, endpoint_id, batch, outcome, steps, now, waiting=False)
        if was_paused and outcome.delivered:
            await _retry_now(connection, [endpoint_id], now)
        if outcome.disabled_reason:
            await endpoints.disable(connection, endpoint_id, outcome.disabled_reason, now)
    for account_id in sorted(steps.keys() - moved):
        only = {account_id: steps[account_id]}
        async with database.transaction() as connection:
            await webhooks_claims.renew_claim(connection, claim)
            await _advance(connection, endpoint_id, batch, outcome, only, now, waiting=True)
    return claim


async def replay(
    owner: str | None,
    endpoint_id: str,
    account_id: str,
    sequence: int,
    clock: Clock,
    *,
    and_all_after: bool = False,
) -> endpoints.Endpoint:
    """Has a parked delivery tried again at once, or an event and all after it, whatever became of them."""
    async with database.transaction() as connection:
        endpoint = await endpoints.find(connection, owner, endpoint_id)
        await replay_in(connection, endpoint, account_id, sequence, clock, and_all_after=and_all_after)
    return endpoint


async def replay_in(
    connection: database.Connection,
    endpoint: endpoints.Endpoint,
    account_id: str,
    sequence: int,
    clock: Clock,
    *,
    and_all_after: bool,
) -> None:
    """Does what `replay` does in the transaction of a caller."""
    await webhooks_claims.lock_claim(connection, endpoint.id)
    if and_all_after:
        await _rewind(connection, endpoint.id, account_id, sequence)
    else:
        await _revive(connection, endpoint, account_id, sequence, clock())
    database.after_commit(connection, lambda: pubsub.publish([account_id]))


async def _revive(
    connection: database.Connection,
    endpoint: endpoints.Endpoint,
    account_id: str,
    sequence: int,
    now: dt.datetime,
) -> None:
    rows = await database.fetch(
        connection,
        """UPDATE webhook_deliveries d SET parked_at = NULL, attempts = 0 FROM events e
           WHERE d.endpoint_id = $1 AND d.account_id = $2 AND d.sequence = $3 AND d.parked_at IS NOT NULL
             AND e.account_id = $2 AND e.sequence = $3
           RETURNING d.lane, e.type""",
        endpoint.id,
        account_id,
        sequence,
    )
    if not rows:
        raise errors.InvalidInputError("input.sequence", "no delivery of this number is parked")
    lane, event_type = rows[0]
    if not endpoint.asks_for(event_type):
        raise errors.InvalidInputError("input.sequence", f"the endpoint does not ask for {event_type}")
    await _schedule_lane_heads(connection, endpoint.id, [(account_id, lane)], now)


async def _rewind(
    connection: database.Connection, endpoint_id: uuid.UUID, account_id: str, sequence: int
) -> None:
    rows = await database.fetch(
        connection, "SELECT last_sequence FROM event_streams WHERE account_id = $1", account_id
    )
    last = rows[0]["last_sequence"] if rows else 0
    if not 1 <= sequence <= last:
        raise errors.InvalidInputError("input.sequence", f"must be 1 to {last}, the number of the last event")
    await database.execute(
        connection,
        "DELETE FROM webhook_deliveries WHERE endpoint_id = $1 AND account_id = $2 AND sequence >= $3",
        endpoint_id,
        account_id,
        sequence,
    )
    await webhook_cursors.rewind(connection, endpoint_id, account_id, sequence)


async def delete_orphans() -> None:
    """Deletes what is left of endpoints that are gone, but not what a renewal is just writing."""
    for table in ("webhook_deliveries", "webhook_cursors", "webhook_states"):
        swept = ROWS_SWEPT_AT_ONCE
        while swept == ROWS_SWEPT_AT_ONCE:
            swept = await database.execute(
                database.pool(),
                f"""DELETE FROM {table} WHERE ctid = ANY(ARRAY(
                      SELECT t.ctid FROM {table} t
                      WHERE NOT EXISTS (SELECT FROM webhook_endpoints e WHERE e.id = t.endpoint_id)
                      LIMIT {ROWS_SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED))""",
            )


def _step(
    batch: batches.DeliveryBatch, outcome: batches.BatchResult, account_id: str
) -> tuple[int, int] | None:
    """How far an account's cursor goes: up to where nothing but what was not tried is left; None: nowhere."""
    start, end = batch.cursor_moves[account_id]
    messages = batch.new_events.get(account_id, ())
    tried = [m.sequence for m in messages if m.key in outcome.delivered or m.key in outcome.failed]
    last = max(tried, default=start)
    left = [m.sequence for m in messages if m.sequence > last and m.lane not in batch.blocked]
    end = left[0] - 1 if left else end
    return (start, end) if end > start else None


async def _update_retries(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    batch: batches.DeliveryBatch,
    outcome: batches.BatchResult,
    now: dt.datetime,
) -> None:
    """What was due, or is not asked for any more, is gone, has a later try, or is parked; what waited moves up."""
    done = [*batch.unwanted, *(message for message in batch.due if message.key in outcome.delivered)]
    await database.execute(
        connection,
        """DELETE FROM webhook_deliveries d USING unnest($2::text[], $3::bigint[]) AS u(account_id, sequence)
           WHERE d.endpoint_id = $1 AND d.account_id = u.account_id AND d.sequence = u.sequence""",
        endpoint_id,
        *sql.transpose([message.key for message in done], 2),
    )
    failed = [message for message in batch.due if message.key in outcome.failed]
    await database.execute(
        connection,
        """UPDATE webhook_deliveries d SET attempts = u.attempts, last_attempted_at = $10,
             next_attempt_at = u.next_attempt_at, parked_at = u.parked_at, last_status = u.status,
             last_error = u.error, last_response = u.response
           FROM unnest($2::text[], $3::bigint[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::smallint[],
             $8::text[], $9::text[]) AS u(account_id, sequence, attempts, next_attempt_at, parked_at, status,
             error, response)
           WHERE d.endpoint_id = $1 AND d.account_id = u.account_id AND d.sequence = u.sequence""",
        endpoint_id,
        *sql.transpose([(*m.key, *_tried(m, outcome, now)) for m in failed], 8),
        now,
    )
    await _schedule_lane_heads(connection, endpoint_id, {message.lane for message in [*done, *failed]}, now)


async def _advance(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    batch: batches.DeliveryBatch,
    outcome: batches.BatchResult,
    steps: Mapping[str, tuple[int, int]],
    now: dt.datetime,
    *,
    waiting: bool,
) -> set[str]:
    """Moves the cursors, and puts what they pass undelivered among what waits; answers the accounts dealt with."""
    if not steps:
        return set()
    moved = await webhook_cursors.advance(connection, endpoint_id, steps, waiting=waiting)
    left = [
        message
        for account_id, was_there in moved.items()
        if was_there
        for message in batch.new_events.get(account_id, ())
        if message.sequence <= steps[account_id][1] and message.key not in outcome.delivered
    ]
    rows = [(*m.key, m.lane[1], *_tried(m, outcome, now)) for m in left]
    await database.execute(
        connection,
        """INSERT INTO webhook_deliveries (endpoint_id, last_attempted_at, account_id, sequence, lane, attempts,
             next_attempt_at, parked_at, last_status, last_error, last_response)
           SELECT $1, CASE WHEN u.attempts > 0 THEN $11::timestamptz END, u.*
           FROM unnest($2::text[], $3::bigint[], $4::text[], $5::int[], $6::timestamptz[], $7::timestamptz[],
             $8::smallint[], $9::text[], $10::text[])
             AS u(account_id, sequence, lane, attempts, next_attempt_at, parked_at, status, error, response)
           ON CONFLICT (endpoint_id, account_id, sequence) DO NOTHING""",
        endpoint_id,
        *sql.transpose(rows, 9),
        now,
    )
    await _schedule_lane_heads(connection, endpoint_id, {message.lane for message in left}, now)
    return set(moved)


def _tried(message: batches.Message, outcome: batches.BatchResult, now: dt.datetime) -> tuple[object, ...]:
    """Attempts, next try, parked at, status, error, response of a message that was not delivered."""
    answer = outcome.failed.get(message.key)
    if answer is None:
        return (message.attempts, None, None, None, None, None)
    attempts = message.attempts + 1
    asked_seconds = None
    if answer.status in retry_policy.RETRY_AFTER_STATUSES:
        asked_seconds = http_client.parse_retry_after(answer.retry_after, now)
    later = retry_policy.next_attempt(attempts, now, asked_seconds=asked_seconds)
    return (attempts, later, None if later else now, answer.status, answer.error, answer.excerpt)


async def _schedule_lane_heads(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    lanes: Iterable[tuple[str, str]],
    now: dt.datetime,
) -> None:
    """Has the first that waits in each lane tried, at once if it has no time yet, and none behind it."""
    await database.execute(
        connection,
        """UPDATE webhook_deliveries d
           SET next_attempt_at = CASE WHEN d.sequence = l.head THEN $4::timestamptz END
           FROM (SELECT u.account_id, u.lane, (
                   SELECT f.sequence FROM webhook_deliveries f WHERE f.endpoint_id = $1
                     AND f.account_id = u.account_id AND f.lane = u.lane AND f.parked_at IS NULL
                   ORDER BY f.sequence LIMIT 1) AS head
                 FROM unnest($2::text[], $3::text[]) AS u(account_id, lane)) AS l
           WHERE d.endpoint_id = $1 AND d.account_id = l.account_id AND d.lane = l.lane AND d.parked_at IS NULL
             AND (d.next_attempt_at IS NULL) = (d.sequence = l.head)""",
        endpoint_id,
        *sql.transpose(lanes, 2),
        now,
    )


async def _retry_now(
    connection: database.Connection, endpoint_ids: Sequence[uuid.UUID], now: dt.datetime
) -> None:
    """Endpoints are back, or may be: what waits for its next try is tried at once."""
    if endpoint_ids:
        await database.execute(
            connection,
            """UPDATE webhook_deliveries SET next_attempt_at = $2
               WHERE endpoint_id = ANY($1) AND next_attempt_at > $2""",
            endpoint_ids,
            now,
        )
