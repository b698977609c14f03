"""Requests of an attacker are refused quickly, and do not change data."""

import time
from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest

from graphql_api import app
from renewals import config
from tests.graphql_api.limits.attacks import ATTACKS, TYPES_OF_FIELDS, Attack
from tests.support import graphql_client
from tests.support.fixtures import World

MILLISECONDS_MAX = 50
"""The maximum processor time, including the client's. Without limits, some requests would take seconds."""


@pytest.fixture
async def key(world: World) -> str:
    """Return a key of account `a`, which has a balance and an instance."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    return await world.key("a")


async def send(graphql: graphql_client.Client, key: str, attack: Attack) -> httpx2.Response:
    headers = {**attack.headers, "Authorization": f"Bearer {key}"}
    return await graphql.http.request(
        attack.method, graphql_client.URL + attack.query_string, content=attack.body, headers=headers
    )


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_an_attack_is_refused_quickly_and_does_not_change_data(
    world: World, key: str, graphql: graphql_client.Client, attack: Attack
) -> None:
    await graphql.http.post(
        graphql_client.URL, json={"query": "{"}, headers={"Authorization": f"Bearer {key}"}
    )
    before = await world.snapshot()
    times, answers = [], []
    for _ in range(3):
        started = time.process_time()
        answers.append(await send(graphql, key, attack))
        times.append(time.process_time() - started)
    answer = answers[-1]
    error = orjson.loads(answer.content)["errors"][0]
    assert (answer.status_code, error["extensions"]["code"]) == (attack.status, attack.code)
    assert len(answer.content) < 5_000
    assert await world.snapshot() == before
    assert min(times) * 1000 < MILLISECONDS_MAX


async def test_an_attack_with_an_invalid_key_is_unauthenticated(
    world: World, graphql: graphql_client.Client
) -> None:
    for attack in ATTACKS:
        answer = await send(graphql, "rk_no_key", attack)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (
            401,
            "UNAUTHENTICATED",
        )


@pytest.fixture
async def introspecting_client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the application with introspection."""
    settings = config.get_settings().model_copy(update={"introspection": True})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.create(settings))) as session:
        yield session


async def test_circular_introspection_is_refused_for_its_cost_and_simple_introspection_is_allowed(
    key: str, introspecting_client: httpx2.AsyncClient
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    for query, code in ((TYPES_OF_FIELDS, "COST_TOO_HIGH"), ("{ __schema { types { name } } }", None)):
        body = (
            await introspecting_client.post(graphql_client.URL, json={"query": query}, headers=headers)
        ).json()
        assert (body["errors"][0]["extensions"]["code"] if code else body.get("errors")) == code
