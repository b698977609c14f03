"""The field `viewer`: the role, the name and the account of the caller, and the limits of rule 26."""

import pytest

from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import limits, model
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

VIEWER = "{ viewer { role name canWrite account { id } } }"


async def key(account_id: str, name: str, role: model.Role) -> str:
    """Return a new key with a name."""
    async with database.transaction() as connection:
        return await api_keys.create(connection, account_id, NOW, role=role, name=name)


@pytest.mark.parametrize(("role", "can_write"), [(model.Role.RENEWER, True), (model.Role.VIEWER, False)])
async def test_a_caller_sees_its_key_and_what_it_may_do(
    world: World, graphql: Client, role: model.Role, can_write: bool
) -> None:
    await world.account("a")
    graphql.key = await key("a", "console", role)
    assert (await graphql(VIEWER))["viewer"] == {
        "role": role.value,
        "name": "console",
        "canWrite": can_write,
        "account": {"id": "a"},
    }
    answer = await graphql.post("mutation { resetCalendarToken { token } }")
    assert ("errors" in answer.json()) is not can_write


async def test_a_key_without_a_name_has_an_empty_name(asked: Client) -> None:
    assert (await asked(VIEWER))["viewer"]["name"] == ""


async def test_the_limits_are_the_named_constants(asked: Client) -> None:
    query = "{ viewer { limits { instancesPerSelection pageRows months forecastDays } } }"
    assert (await asked(query))["viewer"]["limits"] == {
        "instancesPerSelection": limits.INSTANCES_PER_SELECTION_MAX,
        "pageRows": limits.PAGE_ROWS_MAX,
        "months": limits.MONTHS_MAX,
        "forecastDays": limits.FORECAST_DAYS_MAX,
    }
    assert list((await asked(query))["viewer"]["limits"].values()) == [10_000, 1_000, 36, 366], (
        "they are a contract, not settings"
    )
