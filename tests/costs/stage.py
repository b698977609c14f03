"""An account with many instances, and the processor time of its requests on this machine."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

from graphql_api import app
from graphql_api.limits import rate_limit
from renewals import config
from renewals.db import connection as database
from tests.costs.operations import NOTHING, ROUND, Operation
from tests.support.fixtures import NOW, World

ADDRESS = "http://testserver"
INSTANCES_SQL = """
INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial,
  status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
SELECT 'i-' || lpad(n::text, 6, '0'), $1, 'web server ' || n, (ARRAY['kec', 'eip', 'ebs', 'kes'])[1 + n % 4], 'bj-6',
  '[{"label": "CPU", "value": "4"}, {"label": "RAM", "value": "16 GB"}]', 'PREPAID', FALSE, 'RUNNING',
  CASE WHEN n % 2 = 0 THEN 'AUTO' ELSE 'MANUAL' END, 1,
  timestamptz '2027-01-01 15:59:59Z' + n % 300 * interval '1 day',
  extract(day FROM timestamptz '2027-01-01 15:59:59Z' + n % 300 * interval '1 day')::int, 1000,
  timestamptz '2026-12-01Z'
FROM generate_series(0, $2::int - 1) AS n
"""


_CHANGE_SQL = "UPDATE instances SET monthly_price_cents = monthly_price_cents + 1 WHERE id = 'i-000298'"


class Usage(NamedTuple):
    """The processor seconds of a request, PostgreSQL's share of them, the cost, and the size of the response."""

    seconds: float
    database_seconds: float
    cost: float
    bytes: int

    @property
    def seconds_per_million(self) -> float:
        return 1e6 * self.seconds / self.cost if self.cost else float("inf")


class Stage:
    """The application in this process, with a client of the account."""

    def __init__(self, client: httpx2.AsyncClient, spent: list[int]) -> None:
        self._client = client
        self._spent = spent
        self.client_seconds = 0.0

    async def send(self, operation: Operation, number: int) -> bytes:
        """Send a request of the operation and check the expected response."""
        if operation.is_computed:
            await database.execute(database.pool(), _CHANGE_SQL)
        method, path, body = operation.request(number)
        response = await self._client.request(
            method, ADDRESS + path, content=body, headers={"Content-Type": "application/json"}
        )
        content = bytes(response.content)
        assert operation.is_answered(response.status_code, content), (operation.name, content[:500])
        return content

    async def measure(self, operation: Operation, *, seconds_min: float, rounds_max: int) -> Usage:
        """Send the operation until it has used enough processor time; return the average."""
        content = b""
        for number in range(operation.rounds_to_warm):
            await self.send(operation, number)
        self._spent.clear()
        gc.collect()
        pids = await database_pids()
        started, database_started, rounds = _own_seconds(), _seconds_of(pids), 0
        while rounds < rounds_max and (rounds == 0 or _own_seconds() - started < seconds_min):
            content = await self.send(operation, ROUND + rounds)
            rounds += 1
        await asyncio.sleep(0)
        in_database = max(0.0, _seconds_of(pids) - database_started)
        own_seconds = max(0.0, (_own_seconds() - started) / rounds - self.client_seconds)
        in_database /= rounds
        return Usage(own_seconds + in_database, in_database, sum(self._spent) / rounds, len(content))

    async def measure_client(self) -> None:
        """Measure the client's processor time for a request. It is spent in the same process, and so is subtracted."""
        self.client_seconds = 0.0
        self.client_seconds = (await self.measure(NOTHING, seconds_min=0.2, rounds_max=200)).seconds


async def database_pids() -> list[int]:
    """Return the ids of the server processes of this database only, because other tests use the same server."""
    sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    return [row[0] for row in await database.fetch(database.pool(), sql)]


def _own_seconds() -> float:
    """Return the processor seconds of this process with its threads, and of its child processes."""
    return time.process_time() + _seconds_of(_children(os.getpid()))


def _children(pid: int) -> list[int]:
    try:
        below = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    names = {child_pid: Path(f"/proc/{child_pid}/comm") for child_pid in below}
    pythons = [
        child_pid for child_pid, name in names.items() if name.exists() and "python" in name.read_text()
    ]
    return [*pythons, *(child_pid for child in pythons for child_pid in _children(child))]


def _seconds_of(pids: list[int]) -> float:
    """Return the processor seconds of those of the processes that run on this machine."""
    total = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


@asynccontextmanager
async def opened(world: World, instances: int) -> AsyncIterator[Stage]:
    """Create the account with its data, and yield the stage."""
    await world.account("a", balance="100000000.00", test_clock=NOW)
    await database.execute(database.pool(), INSTANCES_SQL, "a", instances)
    await world.instances([f"b-{number}" for number in range(20)], bundle="b", product="kec")
    await world.instances([f"r-{number:06}" for number in range(instances // 2)], expires="2027-01-31")
    await world.voucher("1000.00")
    await database.execute(database.pool(), "VACUUM (ANALYZE)")
    key = await world.key("a")
    spent: list[int] = []
    original = rate_limit.CostRateLimiter.consume

    async def spend(self: rate_limit.CostRateLimiter, caller: str, cost: int) -> None:
        spent.append(cost)

    rate_limit.CostRateLimiter.consume = spend  # type: ignore[method-assign]
    settings = config.get_settings().model_copy(update={"cost_per_minute_max": 10**9})
    transport = httpx2.ASGITransport(app=app.create(settings, clock=lambda: NOW))
    try:
        async with httpx2.AsyncClient(
            transport=transport, headers={"Authorization": f"Bearer {key}"}, timeout=300
        ) as client:
            stage = Stage(client, spent)
            await stage.measure_client()
            yield stage
    finally:
        rate_limit.CostRateLimiter.consume = original  # type: ignore[method-assign]
