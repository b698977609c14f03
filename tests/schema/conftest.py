"""An account `a` with an API key, for tests of the customer API."""

import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import Client


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    """Return a client of account `a`, which is empty."""
    await world.account("a")
    graphql.key = await world.key("a")
    return graphql
