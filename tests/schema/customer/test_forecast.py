"""The field forecast: the coming days, without a statement for each day."""

import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

FORECAST = """query ($days: Int! = 30) { forecast(days: $days) {
  total topUpNeeded firstShortfallOn
  days { date dueCount total voucherTotal balanceTotal balanceAfter shortfall atRisk { id product { name } } }
} }"""


@pytest.fixture
async def fleet(world: World, graphql: Client) -> Client:
    await world.account("a", balance="150.00")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO", price="100.00")
    await world.instance("i-3", expires="2027-01-31", mode="MANUAL", price="100.00")
    await world.account("b", balance="1.00")
    await world.instance("theirs", account="b", expires="2027-01-31", mode="AUTO", price="100.00")
    graphql.key = await world.key("a")
    graphql.at(world.at("2027-01-10 12:00"))
    return graphql


async def test_a_forecast_shows_renewals_money_and_instances_at_risk(fleet: Client) -> None:
    found = (await fleet(FORECAST))["forecast"]
    assert (found["total"], found["topUpNeeded"], found["firstShortfallOn"]) == (
        "200.00",
        "50.00",
        "2027-01-31",
    )
    assert len(found["days"]) == 30
    [busy] = [day for day in found["days"] if day["dueCount"]]
    assert busy == {
        "date": "2027-01-31",
        "dueCount": 2,
        "total": "200.00",
        "voucherTotal": "0.00",
        "balanceTotal": "100.00",
        "balanceAfter": "50.00",
        "shortfall": "50.00",
        "atRisk": [{"id": "i-2", "product": {"name": "Elastic IP"}}],
    }


async def test_a_forecast_changes_nothing_and_reads_in_a_few_statements(world: World, fleet: Client) -> None:
    before = await world.snapshot()
    with sql_log.counted() as seen:
        await fleet(FORECAST, days=366)
    assert len(seen) <= 9, (
        "the key; a snapshot with account, instances and their hash, products, vouchers; those at risk; catalogue"
    )
    assert await world.snapshot() == before


@pytest.mark.parametrize("days", [0, -1, 367])
async def test_days_out_of_bounds_are_refused_by_name(fleet: Client, days: int) -> None:
    [error] = await fleet.errors(FORECAST, days=days)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "days"}
