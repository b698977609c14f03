"""Test messages, which are sent to an endpoint at its owner's request."""

import contextlib
import uuid
from collections.abc import Iterator

import orjson

from renewals.accounts import queries as accounts_queries
from renewals.concurrency import fair_queue
from renewals.db import connection as database
from renewals.domain import errors
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.webhooks import endpoints, http_client, sender
from renewals.webhooks.http_client import WebhookResponse

CONCURRENT_TESTS_MAX = 16
"""The maximum number of concurrent tests in a process, in which an owner can run one test at a time."""
TEST_TYPE = "webhook.test"

_testing_owners: set[str | None] = set()


async def send_test(
    owner: str | None,
    endpoint_id: str,
    clock: Clock,
    resolver: http_client.Resolver = http_client.resolve,
) -> WebhookResponse:
    """Send a test message to an endpoint and return the response.

    Raises InvalidInputError for an unknown endpoint, while another test of the owner is running, and while
    CONCURRENT_TESTS_MAX tests are running.
    """
    with limit_tests(owner):
        endpoint = await endpoints.get_in(database.pool(), owner, endpoint_id)
        return await send_to(endpoint, clock, resolver)


@contextlib.contextmanager
def limit_tests(owner: str | None) -> Iterator[None]:
    """Count a test while the block runs. Raises InvalidInputError if the owner or the process has too many tests."""
    if owner in _testing_owners:
        raise errors.InvalidInputError(
            "input.id", Message("another test of your endpoints is running; retry when it ends")
        )
    if len(_testing_owners) >= CONCURRENT_TESTS_MAX:
        raise errors.InvalidInputError(
            "input.id",
            Message(
                "{count} tests are running, which is the maximum; retry in a few seconds",
                count=CONCURRENT_TESTS_MAX,
            ),
        )
    _testing_owners.add(owner)
    try:
        yield
    finally:
        _testing_owners.discard(owner)


async def send_to(
    endpoint: endpoints.Endpoint, clock: Clock, resolver: http_client.Resolver
) -> WebhookResponse:
    """Send a test message and return the response; the call must be inside a `limit_tests` block."""
    fair_queue.leave_lane()
    data: dict[str, object] = {"accountId": endpoint.account_id}
    if endpoint.account_id is not None and await _has_test_clock(endpoint.account_id):
        data["testClock"] = True
    body = orjson.dumps({"type": TEST_TYPE, "timestamp": clock(), "data": data})
    async with sender.open_client(endpoint.url, resolver) as post:
        send = await sender.build_signer(endpoint.id, post, clock)
        return await send(f"msg_test_{uuid.uuid4().hex}", body)


async def _has_test_clock(account_id: str) -> bool:
    clocks = await accounts_queries.find_test_clocks(database.pool(), [account_id])
    return clocks.get(account_id) is not None
