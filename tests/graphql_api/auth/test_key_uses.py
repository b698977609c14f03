"""The time of a key's last use, which is written rarely and outside of requests; and the lookup of keys by prefix."""

import asyncio
import datetime as dt

import asyncpg
import pytest

from renewals.accounts import api_keys
from tests.renewals.operators.conftest import operator
from tests.support import sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client
from tests.support.live_server import served
from tests.support.operator_client import OPERATOR_URL, Operator

__all__ = ["operator"]
LAST_USED = "SELECT last_used_at FROM api_keys WHERE account_id = 'a'"


@pytest.fixture(autouse=True)
def forget_used_keys() -> None:
    api_keys._used.clear()


async def test_a_request_does_not_write_the_use_of_its_key(world: World, graphql: Client) -> None:
    await world.account("a")
    graphql.key = await world.key("a")
    with sql_log.counted() as statements:
        for _ in range(3):
            await graphql("{ account { id } }")
    assert [sql for sql in statements if not sql.lstrip().startswith("SELECT")] == []
    assert await world.value(LAST_USED) is None
    await api_keys.flush_last_used()
    assert await world.value(LAST_USED) == NOW


async def test_the_last_use_of_a_key_in_steady_use_is_written_every_five_minutes(
    world: World, graphql: Client
) -> None:
    await world.account("a")
    graphql.key = await world.key("a")
    written = []
    for minute in range(12):
        graphql.at(NOW + dt.timedelta(minutes=minute))
        await graphql("{ account { id } }")
        await api_keys.flush_last_used()
        written.append(await world.value(LAST_USED))
    minutes = [(at - NOW) // dt.timedelta(minutes=1) for at in written]
    assert minutes == [0] * 5 + [5] * 5 + [10] * 2


async def test_without_a_used_key_no_statement_is_executed(world: World) -> None:
    with sql_log.counted() as statements:
        await api_keys.flush_last_used()
    assert statements == []


async def test_a_key_that_is_being_revoked_does_not_delay_writing_the_use_of_another_key(
    world: World, database_url: str, graphql: Client
) -> None:
    await world.account("a")
    await world.account("b")
    for account_id in ("a", "b"):
        graphql.key = await world.key(account_id)
        await graphql("{ account { id } }")
    revoking = await asyncpg.connect(database_url)
    try:
        await revoking.execute("BEGIN; UPDATE api_keys SET revoked_at = now() WHERE account_id = 'a'")
        await asyncio.wait_for(api_keys.flush_last_used(), 5)
    finally:
        await revoking.close()
    assert await world.rows("SELECT account_id, last_used_at FROM api_keys ORDER BY 1") == [
        ("a", None),
        ("b", NOW),
    ]


async def test_a_process_that_ends_writes_the_pending_uses_of_keys(world: World, database_url: str) -> None:
    await world.account("a")
    key = await world.key("a")
    async with served(database_url) as process:
        client = Client()
        client.url, client.key = process.url, key
        client.http = type(client.http)()
        async with client.http:
            await client("{ account { id } }")
    assert await world.value(LAST_USED) is not None


async def test_an_operator_finds_a_key_with_its_last_use_by_its_prefix(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    await world.account("b")
    leaked = await operator.done("createApiKey", "{ secret apiKey { prefix } }", accountId="a", role="VIEWER")
    await operator.done("createApiKey", accountId="b")
    operator_key, operator.key = operator.key, leaked["secret"]
    operator.url = operator.url.replace("/operator", "")
    await operator("{ account { id } }")
    await api_keys.flush_last_used()
    operator.key, operator.url = operator_key, OPERATOR_URL
    query = "query($id: ID, $prefix: String) { apiKeys(accountId: $id, prefix: $prefix) { accountId role lastUsedAt } }"
    expected = {"accountId": "a", "role": "VIEWER", "lastUsedAt": NOW.isoformat()}
    prefix = leaked["secret"].split("_")[1]
    assert await operator(query, prefix=prefix) == {"apiKeys": [expected]}
    assert await operator(query, prefix=prefix, id="a") == {"apiKeys": [expected]}
    assert await operator(query, prefix=prefix, id="b") == {"apiKeys": []}
    assert await operator(query, prefix="\0") == {"apiKeys": []}
    assert await operator(query, prefix="%") == {"apiKeys": []}
    own_prefix = str(operator.key).split("_")[1]
    [own_key] = (await operator(query, prefix=own_prefix))["apiKeys"]
    assert (own_key["accountId"], own_key["role"]) == (None, "OPERATOR")
