"""Fixtures for the tests of the operators' mutations."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.renewals.webhooks.conftest import receiver, sending
from tests.support.fixtures import World
from tests.support.operator_client import Operator

__all__ = ["operator", "receiver", "sending"]


@pytest.fixture
async def operator(world: World, settings_override: Callable[..., None]) -> AsyncIterator[Operator]:
    """Return a client of the operator API, with a key of the operator `ops`."""
    settings_override(operator_api=True)
    client = Operator()
    client.key = await world.operator_key("ops")
    async with client.http:
        yield client
