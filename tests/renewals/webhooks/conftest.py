"""Fixtures for the tests of webhooks: a receiver, and an account whose events are delivered to it."""

import contextlib
import datetime as dt
import ipaddress
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.events import event_log
from renewals.webhooks import dispatcher, endpoint_requests, endpoints, http_client
from tests.support.fixtures import World
from tests.support.waiting import eventually
from tests.support.webhook_receiver import Receiver, listening

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Clock:
    """The real clock, plus the time `ahead` by which a test advances it."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return clocks.utc_now() + self.ahead


class Sending:
    """Helpers of a test of deliveries: events, endpoints and a worker's loop, with a clock that the test advances."""

    def __init__(self, world: World, allow: Callable[..., None]) -> None:
        self.world = world
        self.clock = Clock()
        self.allow = allow

    async def write(
        self, *instance_ids: str | None, account: str = "a", happened: str = "policy.changed"
    ) -> None:
        """Append one event for each instance id, in this order; None stands for the account itself."""
        drafts = [
            event_log.NewEvent(account, event_log.EventType(happened), instance_id, {"n": number})
            for number, instance_id in enumerate(instance_ids)
        ]
        async with database.transaction() as connection:
            await event_log.append_events(connection, drafts, self.clock(), model.WORKER)

    async def endpoint(
        self, receiver: Receiver | str, *, owner: str | None = "a", types: Sequence[str] = ()
    ) -> endpoints.CreatedEndpoint:
        """Create an endpoint with the URL of a receiver."""
        url = receiver if isinstance(receiver, str) else receiver.url
        request = endpoint_requests.EndpointRequest(
            url, types, f"key {await self.world.count('webhook_endpoints')}"
        )
        return await endpoints.create(owner, request, self.clock)

    @contextlib.asynccontextmanager
    async def running(self, resolver: http_client.Resolver = http_client.resolve) -> AsyncIterator[None]:
        async with dispatcher.run_dispatcher(self.clock, resolver):
            yield

    async def value(self, sql: str, *values: object) -> Any:
        return await self.world.value(sql, *values)

    async def until(self, sql: str, expected: object = True, seconds: float = 20) -> None:
        """Wait until the single value of a statement is the expected one."""

        async def is_so() -> bool:
            return bool(await self.value(sql) == expected)

        await eventually(is_so, seconds)

    async def until_tried(self, attempts: int = 1) -> None:
        """Wait until a delivery was attempted at least `attempts` times."""
        await self.until(f"SELECT coalesce(max(attempts), 0) >= {attempts} FROM webhook_deliveries")

    async def until_delivered(self, count: int = 1) -> None:
        """Wait until at least `count` deliveries are recorded as delivered."""
        await self.until(f"SELECT coalesce(sum(delivered_count), 0) >= {count} FROM webhook_states")


async def put_parked(endpoint_id: str, account_id: str = "a") -> None:
    """Insert an event of an account whose delivery to an endpoint is parked after 13 attempts."""
    statements = (
        f"INSERT INTO event_streams VALUES ('{account_id}', 1)",
        f"""INSERT INTO events
            VALUES ('{account_id}', 1, 'instance.expired', '2027-01-09 16:00Z', 'i-1', '{{}}', 'WORKER', 'worker')""",
        f"INSERT INTO webhook_cursors VALUES ('{endpoint_id}', '{account_id}', 1, 1)",
        f"""INSERT INTO webhook_deliveries
              (endpoint_id, account_id, sequence, lane, attempts, parked_at, last_status, last_response)
            VALUES ('{endpoint_id}', '{account_id}', 1, 'i-1', 13, now(), 500, 'no such instance')""",
        f"""INSERT INTO webhook_states (endpoint_id, last_status) VALUES ('{endpoint_id}', 204)
            ON CONFLICT DO NOTHING""",
    )
    for statement in statements:
        await database.execute(database.pool(), statement)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as opened:
        yield opened


@pytest.fixture
async def sending(
    world: World, settings_override: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Sending:
    """Create account `a`, and allow webhooks to any unprivileged port of this machine over HTTP."""
    await world.account("a")
    settings_override(webhook_http=True, webhook_ports=tuple(range(1024, 65536)), webhook_networks=LOOPBACK)
    monkeypatch.setattr(dispatcher, "POLL_SECONDS", 0.1)
    return Sending(world, settings_override)
