"""Two API processes on one database, over real HTTP, give the same guarantees as one process."""

import asyncio
import collections
import datetime as dt
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.live_server import served

AT_ONCE = 20


@pytest.fixture
async def servers(world: World, database_url: str) -> AsyncIterator[list[str]]:
    """The addresses of two servers on the database of `world`."""
    async with served(database_url) as first, served(database_url) as second:
        yield [first.url, second.url]


async def renew_everywhere(
    servers: list[str], api_key: str, requests: list[tuple[list[str], str]]
) -> list[customer.Result]:
    """Renew each (ids, key) for one month, all concurrently, on the servers in turn."""

    async def renew(client: httpx2.AsyncClient, url: str, ids: list[str], key: str) -> customer.Result:
        variables = {"selection": {"ids": ids}, "months": 1, "idempotencyKey": key}
        response = await client.post(url, json={"query": customer.RENEW, "variables": {"input": variables}})
        result = response.json()
        assert not result.get("errors"), result["errors"]
        return dict(result["data"]["result"])

    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as client:
        return await asyncio.gather(
            *(renew(client, servers[n % 2], ids, key) for n, (ids, key) in enumerate(requests))
        )


async def test_two_servers_charge_once_for_one_key_and_never_overspend(
    world: World, servers: list[str]
) -> None:
    # These processes use the real clock.
    next_month = str((dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).date())
    await world.account("a", balance="950.00")
    ids = await world.instances([f"i-{n:02d}" for n in range(AT_ONCE)], expires=next_month, price="300.00")
    api_key = await world.key("a")

    same = await renew_everywhere(servers, api_key, [(ids[:1], "once")] * AT_ONCE)
    assert same[0]["__typename"] == "RenewInstancesSuccess"
    assert same == [same[0]] * AT_ONCE
    assert (await world.count("orders"), await world.balance()) == (1, "650.00")

    results = await renew_everywhere(servers, api_key, [([instance_id], instance_id) for instance_id in ids])
    types = collections.Counter(result["__typename"] for result in results)
    assert types == {"RenewInstancesSuccess": 2, "InsufficientFunds": 18}
    assert (await world.count("orders"), await world.balance()) == (3, "50.00")
    await integrity.assert_holds()


async def test_renewals_in_opposite_sequence_on_two_servers_do_not_deadlock(
    world: World, servers: list[str]
) -> None:
    next_month = str((dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).date())
    await world.account("a", balance="1000000.00")
    ids = await world.instances([f"i-{n:02d}" for n in range(AT_ONCE)], expires=next_month, price="1.00")
    requests = [(ids if n % 4 < 2 else ids[::-1], str(n)) for n in range(AT_ONCE)]
    results = await renew_everywhere(servers, await world.key("a"), requests)
    assert {result["__typename"] for result in results} == {"RenewInstancesSuccess"}
    assert (await world.count("order_lines"), await world.balance()) == (400, "999600.00")
    await integrity.assert_holds()
