"""The field `forecast`: the coming days, without a statement for each day."""

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


GROUPS = """query ($by: ForecastGrouping!, $key: String) { forecast(days: 40) { total
  groups(by: $by, tagKey: $key) { value label dueCount total } } }"""


async def groups(client: Client, language: str, **variables: str) -> list[tuple[str, str, int, str]]:
    headers = {"Authorization": f"Bearer {client.key}", "Accept-Language": language}
    sent = {"query": GROUPS, "variables": variables}
    answer = (await client.http.post(client.url, json=sent, headers=headers)).json()
    return [tuple(group.values()) for group in answer["data"]["forecast"]["groups"]]


@pytest.fixture
async def tagged(world: World, fleet: Client) -> Client:
    await world.instance("k-1", product="kec", mode="AUTO", price="7.00", tags={"env": "prod"})
    return fleet


@pytest.mark.parametrize(
    ("language", "products", "not_set"),
    [("en", ("Elastic IP", "Elastic Compute"), "Not set"), ("zh-CN", ("弹性IP", "云服务器"), "未设置")],
)
async def test_groups_are_labelled_in_the_callers_language(
    tagged: Client, language: str, products: tuple[str, str], not_set: str
) -> None:
    assert await groups(tagged, language, by="PRODUCT") == [
        ("eip", products[0], 2, "200.00"),
        ("kec", products[1], 1, "7.00"),
    ]
    assert await groups(tagged, language, by="DATA_CENTER") == [("bj-6", "北京6区(VPC)", 3, "207.00")]
    assert await groups(tagged, language, by="TAG", key="env") == [
        ("", not_set, 2, "200.00"),
        ("prod", "prod", 1, "7.00"),
    ]


async def test_a_grouping_by_tag_needs_the_key(tagged: Client) -> None:
    [error] = await tagged.errors(GROUPS, by="TAG")
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID_INPUT", "tagKey")
