"""Test createApiKey, revokeApiKey and the list of keys: a secret is returned once and never stored."""

import datetime as dt

import httpx2
import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import URL
from tests.support.operator_client import OPERATOR_URL, Operator

KEY = "{ secret apiKey { id accountId role name prefix createdAt expiresAt revokedAt } }"


async def post_query(operator: Operator, url: str, key: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return await operator.http.post(url, json={"query": "{ __typename }"}, headers=headers)


async def test_a_customers_key_has_access_to_the_customers_api(world: World, operator: Operator) -> None:
    await world.account("a")
    created = await operator.done("createApiKey", KEY, accountId="a", name="console")
    secret = created["secret"]
    assert created["apiKey"] == {
        "id": created["apiKey"]["id"],
        "accountId": "a",
        "role": "RENEWER",
        "name": "console",
        "prefix": secret.split("_")[1],
        "createdAt": "2027-01-10T04:00:00+00:00",
        "expiresAt": None,
        "revokedAt": None,
    }
    assert (await post_query(operator, URL, secret)).status_code == 200
    assert (await post_query(operator, OPERATOR_URL, secret)).status_code == 401


async def test_an_operators_key_has_access_to_the_operator_api(world: World, operator: Operator) -> None:
    created = await operator.done("createApiKey", KEY, role="OPERATOR", name="night shift")
    assert created["apiKey"]["accountId"] is None
    assert (await post_query(operator, OPERATOR_URL, created["secret"])).status_code == 200
    assert (await post_query(operator, URL, created["secret"])).status_code == 401


async def test_a_repeated_creation_of_a_key_does_not_return_the_secret_again(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    first = await operator.done("createApiKey", KEY, key="k", accountId="a")
    again = await operator.done("createApiKey", KEY, key="k", accountId="a")
    assert again == {"secret": None, "apiKey": first["apiKey"]}
    assert await world.count("api_keys") == 2, "the operator's key and the new one"


async def test_the_secret_of_a_key_is_in_no_table(world: World, operator: Operator) -> None:
    await world.account("a")
    created = await operator.done("createApiKey", KEY, accountId="a")
    random = created["secret"].split("_", 2)[2]
    tables = await world.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    for (table,) in tables:
        for (row,) in await world.rows(f"SELECT t::text FROM {table} t"):
            assert random not in row
    assert await world.count("audit_log") == 1


async def test_a_revoked_key_has_no_access(world: World, operator: Operator) -> None:
    await world.account("a")
    created = await operator.done("createApiKey", KEY, accountId="a")
    revoked = await operator.done("revokeApiKey", "{ apiKey { revokedAt } }", keyId=created["apiKey"]["id"])
    assert revoked["apiKey"]["revokedAt"] == "2027-01-10T04:00:00+00:00"
    assert (await post_query(operator, URL, created["secret"])).status_code == 401


async def test_revoking_a_key_again_does_not_change_the_time_of_its_revocation(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    created = await operator.done("createApiKey", KEY, accountId="a")
    key_id = created["apiKey"]["id"]
    first = await operator.done("revokeApiKey", "{ apiKey { revokedAt } }", keyId=key_id)
    operator.at(world.at("2027-02-01 00:00"))
    assert await operator.done("revokeApiKey", "{ apiKey { revokedAt } }", keyId=key_id) == first


@pytest.mark.parametrize("key_id", ["", "x", "00000000-0000-0000-0000-000000000000", "\0"])
async def test_revoking_an_unknown_key_returns_not_found(
    world: World, operator: Operator, key_id: str
) -> None:
    assert (await operator.refused("revokeApiKey", keyId=key_id))[:2] == ("NotFound", "input.keyId")
    assert await world.count("audit_log") == 0


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"role": "OPERATOR", "accountId": "a"}, "accountId"),
        ({"role": "RENEWER"}, "accountId"),
        ({"role": "CALENDAR"}, "accountId"),
        ({"accountId": "a", "name": "x" * 201}, "name"),
        ({"accountId": "a", "name": "a\0b"}, "name"),
        ({"accountId": "a", "expiresAt": "2027-01-10T04:00:00Z"}, "expiresAt"),
    ],
)
async def test_a_new_key_with_an_invalid_field_is_refused_with_that_field_and_not_created(
    world: World, operator: Operator, sent: dict[str, str], field: str
) -> None:
    await world.account("a")
    before = await world.count("api_keys")
    assert (await operator.refused("createApiKey", **sent))[:2] == ("InvalidInput", f"input.{field}")
    assert (await world.count("api_keys"), await world.count("audit_log")) == (before, 0)


async def test_a_second_calendar_key_of_an_account_is_refused_until_the_first_is_revoked(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    first = await operator.done("createApiKey", KEY, accountId="a", role="CALENDAR")
    result = await operator.refused("createApiKey", accountId="a", role="CALENDAR")
    assert result[:2] == ("InvalidInput", "input.role")
    await operator.done("revokeApiKey", keyId=first["apiKey"]["id"])
    await operator.done("createApiKey", accountId="a", role="CALENDAR")


async def test_a_calendar_key_is_created_after_the_earlier_one_expired_and_the_earlier_one_is_revoked(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    sent = {"accountId": "a", "role": "CALENDAR"}
    first = await operator.done("createApiKey", KEY, **sent, expiresAt="2027-01-10T05:00:00+00:00")
    operator.at(operator.now + dt.timedelta(minutes=59))
    assert (await operator.refused("createApiKey", **sent))[:2] == ("InvalidInput", "input.role")
    operator.at(operator.now + dt.timedelta(minutes=1))
    second = await operator.done("createApiKey", KEY, **sent)
    keys = await operator('{ apiKeys(accountId: "a") { id revokedAt } }')
    assert {key["id"]: key["revokedAt"] for key in keys["apiKeys"]} == {
        first["apiKey"]["id"]: "2027-01-10T05:00:00+00:00",
        second["apiKey"]["id"]: None,
    }


async def test_keys_are_listed_by_account_without_their_secrets(world: World, operator: Operator) -> None:
    await world.account("a")
    await world.account("b")
    await operator.done("createApiKey", accountId="a", name="one")
    await operator.done("createApiKey", accountId="b", name="two")
    query = "query($id: ID) { apiKeys(accountId: $id) { name role accountId } }"
    assert await operator(query, id="a") == {
        "apiKeys": [{"name": "one", "role": "RENEWER", "accountId": "a"}]
    }
    assert await operator(query) == {"apiKeys": [{"name": "ops", "role": "OPERATOR", "accountId": None}]}
    assert await operator(query, id="\0") == {"apiKeys": []}
    [error] = await operator.errors("{ apiKeys { secret } }")
    assert "secret" in error["message"]
