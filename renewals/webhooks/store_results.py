"""The storage of a batch's results: the claim, the cursors, retries, and the state of the endpoint."""

import datetime as dt
import uuid
from collections.abc import Mapping

from renewals.db import connection as database
from renewals.events import webhook_cursors
from renewals.webhooks import backoff, claims, deliveries, endpoints, http_client
from renewals.webhooks.batches import BatchResult, DeliveryBatch
from renewals.webhooks.claims import Claim
from renewals.webhooks.messages import WebhookMessage


async def store_results(claim: Claim, batch: DeliveryBatch, result: BatchResult, now: dt.datetime) -> Claim:
    """Store the results of a batch and return the renewed claim. Raises ClaimLostError.

    If the claim is already lost, nothing is stored. Each cursor that another transaction has locked is moved last, in
    its own transaction.
    """
    endpoint_id, was_paused = claim.endpoint_id, claim.health.pause_count > 0
    claim = claim._replace(
        health=result.health, last_account_id=max(batch.cursor_moves, default=claim.last_account_id)
    )
    moves = {
        account_id: move for account_id in batch.cursor_moves if (move := _move(batch, result, account_id))
    }
    async with database.transaction() as connection:
        await claims.renew_claim_in(connection, claim)
        await claims.record_state_in(
            connection, claim, delivered_count=len(result.delivered), last=result.last, now=now
        )
        await _update_retries_in(connection, endpoint_id, batch, result, now)
        advanced = await _advance_in(connection, endpoint_id, batch, result, moves, now, waits=False)
        if was_paused and result.delivered:
            await deliveries.retry_now_in(connection, [endpoint_id], now)
        if result.disabled_reason:
            await endpoints.disable_in(connection, endpoint_id, result.disabled_reason, now)
    for account_id in sorted(moves.keys() - advanced):
        async with database.transaction() as connection:
            await claims.renew_claim_in(connection, claim)
            single_move = {account_id: moves[account_id]}
            await _advance_in(connection, endpoint_id, batch, result, single_move, now, waits=True)
    return claim


def _move(batch: DeliveryBatch, result: BatchResult, account_id: str) -> tuple[int, int] | None:
    """Return the start and end of a cursor's move, or None if the cursor stays where it is.

    The move ends before the first message that comes after all tried messages and is not blocked. If there is no such
    message, the move ends where the batch ends.
    """
    start, end = batch.cursor_moves[account_id]
    messages = batch.new_events.get(account_id, ())
    tried = [
        message.sequence
        for message in messages
        if message.key in result.delivered or message.key in result.failed
    ]
    last_tried = max(tried, default=start)
    untried = [
        message.sequence
        for message in messages
        if message.sequence > last_tried and message.lane not in batch.blocked
    ]
    end = untried[0] - 1 if untried else end
    return (start, end) if end > start else None


async def _update_retries_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    batch: DeliveryBatch,
    result: BatchResult,
    now: dt.datetime,
) -> None:
    """Delete delivered and unwanted retries, reschedule or park failed ones, and schedule each lane's next retry."""
    done = [*batch.unwanted, *(message for message in batch.due if message.key in result.delivered)]
    failed = [message for message in batch.due if message.key in result.failed]
    await deliveries.delete_in(connection, endpoint_id, [message.key for message in done])
    rows = [(*message.key, *_attempt_columns(message, result, now)) for message in failed]
    await deliveries.update_failed_in(connection, endpoint_id, rows, now)
    lanes = {message.lane for message in [*done, *failed]}
    await deliveries.schedule_lane_heads_in(connection, endpoint_id, lanes, now)


async def _advance_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    batch: DeliveryBatch,
    result: BatchResult,
    moves: Mapping[str, tuple[int, int]],
    now: dt.datetime,
    *,
    waits: bool,
) -> set[str]:
    """Move the cursors, and insert a delivery for each undelivered message that they pass.

    A cursor that a replay has moved in the meantime stays where it is. If `waits` is False, the cursors that another
    transaction has locked are skipped. Return the ids of the accounts whose cursors were not skipped.
    """
    if not moves:
        return set()
    advanced = await webhook_cursors.advance_in(connection, endpoint_id, moves, waits=waits)
    undelivered = [
        message
        for account_id, was_moved in advanced.items()
        if was_moved
        for message in batch.new_events.get(account_id, ())
        if message.sequence <= moves[account_id][1] and message.key not in result.delivered
    ]
    rows = [
        (*message.key, message.lane[1], *_attempt_columns(message, result, now)) for message in undelivered
    ]
    await deliveries.insert_undelivered_in(connection, endpoint_id, rows, now)
    lanes = {message.lane for message in undelivered}
    await deliveries.schedule_lane_heads_in(connection, endpoint_id, lanes, now)
    return set(advanced)


def _attempt_columns(message: WebhookMessage, result: BatchResult, now: dt.datetime) -> tuple[object, ...]:
    """Return attempts, next attempt, parking time, status, error and response of an undelivered message."""
    response = result.failed.get(message.key)
    if response is None:
        return (message.attempts, None, None, None, None, None)
    attempts = message.attempts + 1
    retry_after_seconds = None
    if response.status in backoff.RETRY_AFTER_STATUSES:
        retry_after_seconds = http_client.parse_retry_after(response.retry_after, now)
    next_attempt_at = backoff.next_attempt(attempts, now, retry_after_seconds=retry_after_seconds)
    parked_at = None if next_attempt_at else now
    return (attempts, next_attempt_at, parked_at, response.status, response.stored_error, response.excerpt)
