"""The sending of signed messages to an endpoint: its client, the signatures, the concurrent lanes and the results."""

import asyncio
import contextlib
import datetime as dt
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from opentelemetry import trace

from renewals import config
from renewals.domain import messages as domain_messages
from renewals.domain.clock import Clock
from renewals.observability import metrics
from renewals.webhooks import backoff, http_client, secrets, signatures
from renewals.webhooks.batches import BatchResult
from renewals.webhooks.http_client import WebhookResponse
from renewals.webhooks.messages import WebhookMessage

_tracer = trace.get_tracer("renewals")

_SECRET_UNREADABLE = domain_messages.Message(
    "the secret was encrypted with a key that is not in RENEWALS_WEBHOOK_KEYS"
)
_GONE = domain_messages.Message("the endpoint returned 410 Gone")

Post = Callable[[bytes, Mapping[str, str]], Awaitable[WebhookResponse]]
"""A function that posts a body with headers."""
Send = Callable[[str, bytes], Awaitable[WebhookResponse]]
"""A function that signs and posts a body under a message id."""


@contextlib.asynccontextmanager
async def open_client(url: str, resolver: http_client.Resolver) -> AsyncIterator[Post]:
    """Open a client for a URL; if the URL is not allowed, every post returns the reason as an error."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(http_client.open_client(url, resolver))
        except http_client.UrlNotAllowedError as error:
            yield _failing_post(error.reason)
        else:
            yield client.post


def _failing_post(error: domain_messages.Message) -> Post:
    async def fail(_body: bytes, _headers: Mapping[str, str]) -> WebhookResponse:
        return WebhookResponse(None, error)

    return fail


async def build_signer(endpoint_id: uuid.UUID, post: Post, clock: Clock) -> Send:
    """Return a function that signs messages with the current secrets and posts them.

    If a secret is unreadable, the function sends nothing and returns a response with that error.
    """
    try:
        keys = await secrets.list_active(endpoint_id, clock())
    except secrets.SecretUnreadableError:
        keys, post = [], _failing_post(_SECRET_UNREADABLE)

    async def send(message_id: str, body: bytes) -> WebhookResponse:
        return await post(body, signatures.sign(keys, message_id, body, clock()))

    return send


async def send_lanes(
    lanes: Sequence[Sequence[WebhookMessage]],
    endpoint_id: uuid.UUID,
    send: Send,
    result: BatchResult,
    clock: Clock,
    deadline: float,
) -> None:
    """Send lanes concurrently, each in order up to its first failure, and add the responses to `result`.

    No request starts after `deadline`, in the event loop's time, or after a response that ends the batch.
    """
    remaining = deque(lanes)
    loop = asyncio.get_running_loop()

    async def work() -> None:
        while remaining:
            for message in remaining.popleft():
                if _must_stop(result) or loop.time() > deadline:
                    return
                sent_at = loop.time()
                response = await _send_measured(send, message.id_for(endpoint_id), message.body, endpoint_id)
                result.slowest_seconds = max(result.slowest_seconds, loop.time() - sent_at)
                _add_response(result, message, response, clock())
                if not backoff.is_delivered(response.status):
                    break

    requests_max = config.get_settings().webhook_requests_at_once
    worker_count = 1 if result.health.is_half_open else min(len(remaining), requests_max)
    async with asyncio.TaskGroup() as group:
        for _ in range(worker_count):
            group.create_task(work())


async def _send_measured(send: Send, message_id: str, body: bytes, endpoint_id: uuid.UUID) -> WebhookResponse:
    started_at = time.perf_counter()
    attributes = {"renewals.endpoint": str(endpoint_id)}
    with _tracer.start_as_current_span("webhook", attributes=attributes) as span:
        response = await send(message_id, body)
        if response.status is not None:
            span.set_attribute("http.response.status_code", response.status)
    outcome = "delivered" if backoff.is_delivered(response.status) else "failed"
    metrics.WEBHOOK_SECONDS.labels(outcome).observe(time.perf_counter() - started_at)
    return response


def _must_stop(result: BatchResult) -> bool:
    """Return whether no further message of the batch may be sent.

    A half-open endpoint gets no further message after the first failure.
    """
    if result.disabled_reason or result.retry_after_seconds:
        return True
    if result.slowest_seconds >= backoff.SLOW_SECONDS and not result.health.is_degraded:
        return True
    return result.health.is_half_open and bool(result.failed)


def _add_response(
    result: BatchResult, message: WebhookMessage, response: WebhookResponse, now: dt.datetime
) -> None:
    result.last = response
    if backoff.is_delivered(response.status):
        result.delivered.add(message.key)
        result.health = backoff.after_success(result.health)
        return
    result.failed[message.key] = response
    result.health = backoff.after_failure(result.health, now)
    if response.status == backoff.GONE:
        result.disabled_reason = _GONE
    if response.status in backoff.RETRY_AFTER_STATUSES:
        seconds = http_client.parse_retry_after(response.retry_after, now)
        result.retry_after_seconds = max(result.retry_after_seconds or 0, seconds or 0) or None
