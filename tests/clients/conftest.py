"""A server over real HTTP whose account `a` has three instances and money for two of them."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from renewals import config
from renewals.accounts import api_keys
from renewals.db import connection as database
from tests.support import fixtures, live_server
from tests.support.fixtures import NOW, World


class Served(NamedTuple):
    """The address of the API, a key of the account, and an expired key."""

    url: str
    key: str
    expired_key: str


@pytest.fixture
async def served(world: World) -> AsyncIterator[Served]:
    await world.account("a", balance="700.00")
    for instance_id in ("i-1", "i-2", "i-3"):
        await world.instance(instance_id, expires="2027-01-31", price="300.00")
    async with database.transaction() as connection:
        expired_key = await api_keys.create(connection, "a", NOW, expires_at=NOW)
    async with live_server.served_here(config.get_settings(), fixtures.fixed_clock(NOW)) as address:
        yield Served(f"http://{address}/graphql", await world.key("a"), expired_key)
