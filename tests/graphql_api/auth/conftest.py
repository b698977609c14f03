"""Fixtures for tests with tokens of a real issuer."""

from collections.abc import AsyncIterator, Callable

import pytest

from graphql_api.auth import jwt_tokens
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.issuer import Clock, Issuer, serving
from tests.support.operator_client import Operator


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with serving() as running:
        yield running


@pytest.fixture
def seconds() -> Clock:
    """Return the clock that determines the age of keys and of verified tokens."""
    return Clock()


@pytest.fixture
async def api(
    world: World, issuer: Issuer, seconds: Clock, settings_override: Callable[..., None]
) -> AsyncIterator[Client]:
    """Yield a client of both APIs, which accept the issuer's tokens; account `a` exists."""
    settings_override(operator_api=True)
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    client = Operator()
    client.url = client.url.replace("/operator", "")
    async with jwt_tokens.opened(issuer.settings(), seconds), client.http:
        yield client
