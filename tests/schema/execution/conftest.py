"""Clients of both APIs as subgraphs."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator


@pytest.fixture
async def clients(
    world: World, settings_override: Callable[..., None]
) -> AsyncIterator[tuple[Client, Operator]]:
    """The clients of two subgraphs: one of account `a`, which has two instances, and one of an operator."""
    settings_override(federation=True, operator_api=True)
    await world.account("a", balance="1000.00")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", price="100.00")
    customer, operator = Client(), Operator()
    customer.key, operator.key = await world.key("a"), await world.operator_key()
    async with AsyncExitStack() as opened:
        for client in (customer, operator):
            await opened.enter_async_context(client.http)
        yield customer, operator
