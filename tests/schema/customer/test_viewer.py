"""The field `viewer`: the role, the name and the account of the caller, and the limits of rule 26."""

import pytest

from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import limits, model
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

VIEWER = "{ viewer { role name canWrite account { id } } }"


async def create_key(account_id: str, name: str, role: model.Role) -> str:
    """Return a new key with a name."""
    async with database.transaction() as connection:
        return await api_keys.create(connection, account_id, NOW, role=role, name=name)


@pytest.mark.parametrize(("role", "can_write"), [(model.Role.RENEWER, True), (model.Role.VIEWER, False)])
async def test_the_viewer_has_the_role_the_name_the_account_and_the_permission_of_the_key(
    world: World, graphql: Client, role: model.Role, can_write: bool
) -> None:
    await world.account("a")
    graphql.key = await create_key("a", "console", role)
    assert (await graphql(VIEWER))["viewer"] == {
        "role": role.value,
        "name": "console",
        "canWrite": can_write,
        "account": {"id": "a"},
    }
    response = await graphql.post("mutation { resetCalendarToken { token } }")
    assert ("errors" in response.json()) is not can_write


async def test_an_api_key_without_a_name_has_an_empty_name(client: Client) -> None:
    assert (await client(VIEWER))["viewer"]["name"] == ""


async def test_the_limits_of_the_viewer_are_the_constants_of_the_api(client: Client) -> None:
    query = "{ viewer { limits { instancesPerSelection pageRows months forecastDays } } }"
    assert (await client(query))["viewer"]["limits"] == {
        "instancesPerSelection": limits.INSTANCES_PER_SELECTION_MAX,
        "pageRows": limits.PAGE_ROWS_MAX,
        "months": limits.MONTHS_MAX,
        "forecastDays": limits.FORECAST_DAYS_MAX,
    }
    assert list((await client(query))["viewer"]["limits"].values()) == [10_000, 1_000, 36, 366], (
        "the limits are a contract, not settings"
    )
