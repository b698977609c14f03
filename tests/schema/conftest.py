"""An account `a` with a key, for tests that ask the API as a customer does."""

import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import Client


@pytest.fixture
async def asked(world: World, graphql: Client) -> Client:
    """The application, asked as account `a`, which is open and has nothing in it."""
    await world.account("a")
    graphql.key = await world.key("a")
    return graphql
