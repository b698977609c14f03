"""Sends webhooks: takes turns with the endpoints that have something coming, several beside each other.

Everything is read from PostgreSQL and written there; Redis only tells that it is worth a look. A dead or slow
endpoint holds up nobody: each has a turn of its own, bounded in time, and those that fail or are slow have half of the
turns. One that was not known to be slow gives its turn up after its first slow answer.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

import orjson
from opentelemetry import trace

from renewals import config
from renewals.concurrency import fair_queue
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import errors
from renewals.domain.clock import Clock
from renewals.events import pubsub
from renewals.observability import metrics
from renewals.webhooks import batches, claims, deliveries, endpoints, http_client, retry_policy, secrets

log = logging.getLogger(__name__)
_tracer = trace.get_tracer("renewals")

POLL_SECONDS = 2.0
"""So often a worker looks by itself, should nobody tell it."""
LOOK_SECONDS = 0.05
"""It looks no more often, however much it is told."""
TURN_SECONDS_MAX = 20.0
"""After so long an endpoint gives way to another."""
BATCH_SECONDS_MAX = 10.0
"""So long after a claim was renewed the last request is begun: it has ended before the claim does."""
STOP_SECONDS_MAX = 25.0
TESTS_AT_ONCE = 16
"""A process; one an owner."""
TEST_TYPE = "webhook.test"

Post = Callable[[bytes, Mapping[str, str]], Awaitable[http_client.WebhookResponse]]
Send = Callable[[str, bytes], Awaitable[http_client.WebhookResponse]]


@contextlib.asynccontextmanager
async def run_dispatcher(
    clock: Clock = clocks.utc_now, resolver: http_client.Resolver = http_client.resolve
) -> AsyncIterator[None]:
    """Sends webhooks for as long as the block runs, and then waits for the requests in hand."""
    with pubsub.subscribe(None) as subscriber:
        task = asyncio.create_task(_run(subscriber, clock, resolver))
        try:
            yield
        finally:
            subscriber.dismiss()
            await task


async def _run(subscriber: pubsub.Subscriber, clock: Clock, resolver: http_client.Resolver) -> None:
    turns: dict[asyncio.Task[None], bool] = {}

    def end(turn: asyncio.Task[None]) -> None:
        del turns[turn]
        subscriber.wake()

    while not subscriber.is_dismissed:
        count_max = config.get_settings().webhook_endpoints_at_once
        degraded = sum(turns.values())
        free, degraded_free = count_max - len(turns), count_max // 2 - degraded
        for claim in await _claim(clock(), free, degraded_free) if free else ():
            turn = asyncio.create_task(_take_turn(claim, subscriber, clock, resolver))
            turns[turn] = claim.health.is_degraded
            turn.add_done_callback(end)
        await asyncio.sleep(LOOK_SECONDS)
        await subscriber.wait(POLL_SECONDS)
    if turns:
        await asyncio.wait(turns, timeout=STOP_SECONDS_MAX)


async def _claim(now: dt.datetime, free: int, degraded_free: int) -> list[claims.Claim]:
    try:
        return await deliveries.claim(now, count=free, degraded_count=max(0, degraded_free))
    except Exception as problem:
        if not database.is_unavailable(problem):
            log.exception("nobody can be told of events")
        return []


async def _take_turn(
    claim: claims.Claim,
    subscriber: pubsub.Subscriber,
    clock: Clock,
    resolver: http_client.Resolver,
) -> None:
    """Sends to an endpoint what there is, until its time is up; a claim that something broke on is left to end."""
    try:
        await _send_all(claim, subscriber, clock, resolver)
        await claims.release_claim(claim)
    except claims.ClaimLostError:
        log.warning("the claim on endpoint %s was lost", claim.endpoint_id)
    except Exception as problem:
        if database.is_unavailable(problem):
            log.warning("endpoint %s was left: %s", claim.endpoint_id, problem)
        else:
            log.exception("endpoint %s cannot be sent to", claim.endpoint_id)


async def _send_all(
    claim: claims.Claim,
    subscriber: pubsub.Subscriber,
    clock: Clock,
    resolver: http_client.Resolver,
) -> None:
    loop = asyncio.get_running_loop()
    claimed_at = started_at = loop.time()
    endpoint = await endpoints.read(claim.endpoint_id)
    was_degraded = claim.health.is_degraded
    if endpoint is None or not endpoint.is_enabled:
        return
    async with _open_client(endpoint.url, resolver) as post:
        while not subscriber.is_dismissed and loop.time() < started_at + TURN_SECONDS_MAX:
            if endpoint != await endpoints.read(claim.endpoint_id):
                return
            on_trial = claim.health.is_half_open
            count = batches.TRIAL_MESSAGES if on_trial else batches.MESSAGES_PER_BATCH
            batch = await batches.read_batch(claim, endpoint.event_types, clock(), count)
            if batch.is_empty:
                return
            outcome = batches.BatchResult(claim.health)
            if lanes := batch.lanes():
                until = claimed_at + BATCH_SECONDS_MAX
                send = await _signer(endpoint.id, post, clock)
                await _send_lanes(lanes, endpoint.id, send, outcome, clock, until)
            _decide(outcome, endpoint, clock())
            claimed_at = loop.time()
            claim = await deliveries.record_results(claim, batch, outcome, clock())
            if outcome.last and (outcome.health.paused_until or outcome.disabled_reason):
                return
            if outcome.health.is_slow and not was_degraded:
                return


async def _send_lanes(
    lanes: Sequence[Sequence[batches.Message]],
    endpoint_id: uuid.UUID,
    send: Send,
    outcome: batches.BatchResult,
    clock: Clock,
    until: float,
) -> None:
    """Sends lanes beside each other, each in its order up to what fails; stops where the endpoint wants a rest."""
    left = deque(lanes)
    loop = asyncio.get_running_loop()

    async def work() -> None:
        while left:
            for message in left.popleft():
                if _is_over(outcome) or loop.time() > until:
                    return
                sent_at = loop.time()
                answer = await _measured(send, message.id_for(endpoint_id), message.body, endpoint_id)
                outcome.slowest_seconds = max(outcome.slowest_seconds, loop.time() - sent_at)
                _note(outcome, message, answer, clock())
                if not retry_policy.is_delivered(answer.status):
                    break

    count = (
        1 if outcome.health.is_half_open else min(len(left), config.get_settings().webhook_requests_at_once)
    )
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(work())


async def _measured(
    send: Send, message_id: str, body: bytes, endpoint_id: uuid.UUID
) -> http_client.WebhookResponse:
    began = time.perf_counter()
    attributes = {"renewals.endpoint": str(endpoint_id)}
    with _tracer.start_as_current_span("webhook", attributes=attributes) as span:
        answer = await send(message_id, body)
        if answer.status is not None:
            span.set_attribute("http.response.status_code", answer.status)
    outcome = "delivered" if retry_policy.is_delivered(answer.status) else "failed"
    metrics.WEBHOOK_SECONDS.labels(outcome).observe(time.perf_counter() - began)
    return answer


def _is_over(outcome: batches.BatchResult) -> bool:
    """Whether nothing more is to be sent; an endpoint on trial gets one request in any case."""
    if outcome.disabled_reason or outcome.asked_seconds:
        return True
    if outcome.slowest_seconds >= retry_policy.SLOW_SECONDS and not outcome.health.is_degraded:
        return True
    return outcome.health.is_half_open and bool(outcome.failed)


def _note(
    outcome: batches.BatchResult,
    message: batches.Message,
    answer: http_client.WebhookResponse,
    now: dt.datetime,
) -> None:
    outcome.last = answer
    if retry_policy.is_delivered(answer.status):
        outcome.delivered.add(message.key)
        outcome.health = retry_policy.after_success(outcome.health)
        return
    outcome.failed[message.key] = answer
    outcome.health = retry_policy.after_failure(outcome.health, now)
    if answer.status == retry_policy.GONE:
        outcome.disabled_reason = "it answered 410 Gone"
    if answer.status in retry_policy.RETRY_AFTER_STATUSES:
        asked = http_client.parse_retry_after(answer.retry_after, now)
        outcome.asked_seconds = max(outcome.asked_seconds or 0, asked or 0) or None


def _decide(outcome: batches.BatchResult, endpoint: endpoints.Endpoint, now: dt.datetime) -> None:
    """Whether the endpoint is left in peace for a while, or for good."""
    if outcome.last is None:
        return
    outcome.health = retry_policy.after_batch(
        outcome.health, now, slowest_seconds=outcome.slowest_seconds, asked_seconds=outcome.asked_seconds
    )
    if retry_policy.should_disable(outcome.health, endpoint.changed_at, now):
        outcome.disabled_reason = f"no delivery succeeded for {retry_policy.DEAD_AFTER.days} days"


async def _signer(endpoint_id: uuid.UUID, post: Post, clock: Clock) -> Send:
    """Sends a body under an id, signed with the secrets that hold now."""
    try:
        keys = await secrets.read(endpoint_id, clock())
    except secrets.SecretUnreadableError as problem:
        keys, post = [], _refusing(str(problem))

    async def send(message_id: str, body: bytes) -> http_client.WebhookResponse:
        return await post(body, secrets.sign(keys, message_id, body, clock()))

    return send


@contextlib.asynccontextmanager
async def _open_client(url: str, resolver: http_client.Resolver) -> AsyncIterator[Post]:
    """What posts to a URL; where that may not be, what says so each time."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            line = await stack.enter_async_context(http_client.open_client(url, resolver))
        except http_client.UrlNotAllowedError as problem:
            yield _refusing(str(problem))
        else:
            yield line.post


def _refusing(error: str) -> Post:
    async def refuse(_body: bytes, _headers: Mapping[str, str]) -> http_client.WebhookResponse:
        return http_client.WebhookResponse(None, error)

    return refuse


async def send_test(
    owner: str | None,
    endpoint_id: str,
    clock: Clock,
    resolver: http_client.Resolver = http_client.resolve,
) -> http_client.WebhookResponse:
    """Sends an endpoint a message that is no event, at once, and answers what came back."""
    with limit_tests(owner):
        endpoint = await endpoints.find(database.pool(), owner, endpoint_id)
        return await send_test_in(endpoint, clock, resolver)


@contextlib.contextmanager
def limit_tests(owner: str | None) -> Iterator[None]:
    """Lets an owner send one test at a time, and a process not too many; raises InvalidInputError."""
    if len(_testing) >= TESTS_AT_ONCE or owner in _testing:
        raise errors.InvalidInputError("input.id", "a test is under way; try again when it has ended")
    _testing.add(owner)
    try:
        yield
    finally:
        _testing.discard(owner)


_testing: set[str | None] = set()


async def send_test_in(
    endpoint: endpoints.Endpoint, clock: Clock, resolver: http_client.Resolver
) -> http_client.WebhookResponse:
    """Sends the test itself, for a caller within `testing`."""
    fair_queue.leave_lane()
    body = orjson.dumps({"type": TEST_TYPE, "timestamp": clock(), "data": {"accountId": endpoint.account_id}})
    async with _open_client(endpoint.url, resolver) as post:
        send = await _signer(endpoint.id, post, clock)
        return await send(f"msg_test_{uuid.uuid4().hex}", body)
