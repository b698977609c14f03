"""The delivery loop of a worker, which claims endpoints with undelivered events and gives each of them a turn.

PostgreSQL holds the whole state of delivery; a Redis message only wakes the loop earlier. Turns run concurrently and
are limited in time, so a failing endpoint does not delay other endpoints. Degraded endpoints get at most half of the
concurrent turns. If an endpoint was not degraded when its turn began, the turn ends after the first slow batch.
"""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator

from renewals import config
from renewals.db import errors as db_errors
from renewals.domain import clock as clocks
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.events import pubsub
from renewals.webhooks import (
    backoff,
    batches,
    claims,
    endpoints,
    http_client,
    sender,
    store_results,
)

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
"""The longest wait for a new event or the end of a turn, after which the loop searches again if a turn is free."""
SEARCH_PAUSE_SECONDS = 0.05
"""The shortest time between two searches for claimable endpoints."""
TURN_SECONDS_MAX = 20.0
"""The time after which a turn starts no further batch."""
BATCH_SECONDS_MAX = 10.0
"""The time, from the start or renewal of a claim, during which requests can start; they end before the claim does."""
STOP_SECONDS_MAX = 25.0
"""The longest time that a stopping worker waits for running turns."""


@contextlib.asynccontextmanager
async def run_dispatcher(
    clock: Clock = clocks.utc_now, resolver: http_client.Resolver = http_client.resolve
) -> AsyncIterator[None]:
    """Deliver webhooks while the block runs, then wait at most STOP_SECONDS_MAX for the turns in progress."""
    with pubsub.subscribe(None) as subscriber:
        task = asyncio.create_task(_run(subscriber, clock, resolver))
        try:
            yield
        finally:
            subscriber.close()
            await task


async def _run(subscriber: pubsub.Subscriber, clock: Clock, resolver: http_client.Resolver) -> None:
    turns: dict[asyncio.Task[None], bool] = {}

    def end(turn: asyncio.Task[None]) -> None:
        del turns[turn]
        subscriber.wake()

    while not subscriber.is_closed:
        turns_max = config.get_settings().webhook_endpoints_at_once
        degraded_turns = sum(turns.values())
        free, degraded_free = turns_max - len(turns), turns_max // 2 - degraded_turns
        for claim in await _claim(clock(), free, degraded_free) if free else ():
            turn = asyncio.create_task(_take_turn(claim, subscriber, clock, resolver))
            turns[turn] = claim.health.is_degraded
            turn.add_done_callback(end)
        await asyncio.sleep(SEARCH_PAUSE_SECONDS)
        await subscriber.wait(POLL_SECONDS)
    if turns:
        await asyncio.wait(turns, timeout=STOP_SECONDS_MAX)


async def _claim(now: dt.datetime, free: int, degraded_free: int) -> list[claims.Claim]:
    try:
        return await claims.claim_endpoints(now, count=free, degraded_count=max(0, degraded_free))
    except Exception as error:
        if not db_errors.is_unavailable(error):
            log.exception("cannot claim webhook endpoints")
        return []


async def _take_turn(
    claim: claims.Claim,
    subscriber: pubsub.Subscriber,
    clock: Clock,
    resolver: http_client.Resolver,
) -> None:
    """Send batches to an endpoint, then release the claim; after an error, keep the claim until it expires.

    While the claim lasts, no other turn of this endpoint begins, so that an error is not repeated immediately.
    """
    try:
        await _send_batches(claim, subscriber, clock, resolver)
        await claims.release_claim(claim)
    except claims.ClaimLostError:
        log.warning("lost the claim on webhook endpoint %s", claim.endpoint_id)
    except Exception as error:
        if db_errors.is_unavailable(error):
            log.warning("stopped delivery to webhook endpoint %s: %s", claim.endpoint_id, error)
        else:
            log.exception("cannot deliver to webhook endpoint %s", claim.endpoint_id)


async def _send_batches(
    claim: claims.Claim,
    subscriber: pubsub.Subscriber,
    clock: Clock,
    resolver: http_client.Resolver,
) -> None:
    loop = asyncio.get_running_loop()
    claimed_at = started_at = loop.time()
    endpoint = await endpoints.find(claim.endpoint_id)
    was_degraded = claim.health.is_degraded
    if endpoint is None or not endpoint.is_enabled:
        return
    async with sender.open_client(endpoint.url, resolver) as post:
        while not subscriber.is_closed and loop.time() < started_at + TURN_SECONDS_MAX:
            if endpoint != await endpoints.find(claim.endpoint_id):
                return
            is_half_open = claim.health.is_half_open
            count = batches.TRIAL_MESSAGES if is_half_open else batches.MESSAGES_PER_BATCH
            batch = await batches.read_batch(claim, endpoint.event_types, clock(), count)
            if batch.is_empty:
                return
            result = batches.BatchResult(claim.health)
            if lanes := batch.lanes():
                send = await sender.build_signer(endpoint.id, post, clock)
                deadline = claimed_at + BATCH_SECONDS_MAX
                await sender.send_lanes(lanes, endpoint.id, send, result, clock, deadline)
            _update_health(result, endpoint, clock())
            claimed_at = loop.time()
            claim = await store_results.store_results(claim, batch, result, clock())
            if result.last and (result.health.paused_until or result.disabled_reason):
                return
            if result.health.is_slow and not was_degraded:
                return


def _update_health(result: batches.BatchResult, endpoint: endpoints.Endpoint, now: dt.datetime) -> None:
    """Decide whether the endpoint is paused or disabled after a batch, and store the decision in `result`."""
    if result.last is None:
        return
    result.health = backoff.after_batch(
        result.health,
        now,
        slowest_seconds=result.slowest_seconds,
        retry_after_seconds=result.retry_after_seconds,
    )
    if backoff.should_disable(result.health, endpoint.changed_at, now):
        result.disabled_reason = Message(
            "no delivery succeeded for {days} days", days=backoff.DISABLE_AFTER.days
        )
