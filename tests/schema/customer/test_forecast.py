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


async def test_a_forecast_has_the_renewals_the_money_and_the_instances_at_risk_of_each_day(
    fleet: Client,
) -> None:
    forecast = (await fleet(FORECAST))["forecast"]
    assert (forecast["total"], forecast["topUpNeeded"], forecast["firstShortfallOn"]) == (
        "200.00",
        "50.00",
        "2027-01-31",
    )
    assert len(forecast["days"]) == 30
    [day_with_renewals] = [day for day in forecast["days"] if day["dueCount"]]
    assert day_with_renewals == {
        "date": "2027-01-31",
        "dueCount": 2,
        "total": "200.00",
        "voucherTotal": "0.00",
        "balanceTotal": "100.00",
        "balanceAfter": "50.00",
        "shortfall": "50.00",
        "atRisk": [{"id": "i-2", "product": {"name": "Elastic IP"}}],
    }


async def test_a_forecast_makes_no_change_and_takes_at_most_nine_statements(
    world: World, fleet: Client
) -> None:
    before = await world.snapshot()
    with sql_log.counted() as seen:
        await fleet(FORECAST, days=366)
    assert len(seen) <= 9, (
        "the key; a snapshot of account, instances and hash, products, vouchers; the instances at risk; the catalog"
    )
    assert await world.snapshot() == before


@pytest.mark.parametrize("days", [0, -1, 367])
async def test_days_out_of_bounds_are_refused_with_the_name_of_the_argument(fleet: Client, days: int) -> None:
    [error] = await fleet.errors(FORECAST, days=days)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "days"}


GROUPS = """query ($by: ForecastGrouping!, $key: String) { forecast(days: 40) { total
  groups(by: $by, tagKey: $key) { value label dueCount total } } }"""


async def read_groups(client: Client, language: str, **variables: str) -> list[tuple[str, str, int, str]]:
    headers = {"Authorization": f"Bearer {client.key}", "Accept-Language": language}
    request = {"query": GROUPS, "variables": variables}
    response = (await client.http.post(client.url, json=request, headers=headers)).json()
    return [tuple(group.values()) for group in response["data"]["forecast"]["groups"]]


@pytest.fixture
async def tagged(world: World, fleet: Client) -> Client:
    await world.instance("k-1", product="kec", mode="AUTO", price="7.00", tags={"env": "prod"})
    return fleet


@pytest.mark.parametrize(
    ("language", "products", "not_set"),
    [("en", ("Elastic IP", "Elastic Compute"), "Not set"), ("zh-CN", ("弹性IP", "云服务器"), "未设置")],
)
async def test_groups_are_labeled_in_the_caller_s_language(
    tagged: Client, language: str, products: tuple[str, str], not_set: str
) -> None:
    assert await read_groups(tagged, language, by="PRODUCT") == [
        ("eip", products[0], 2, "200.00"),
        ("kec", products[1], 1, "7.00"),
    ]
    assert await read_groups(tagged, language, by="DATA_CENTER") == [("bj-6", "北京6区(VPC)", 3, "207.00")]
    assert await read_groups(tagged, language, by="TAG", key="env") == [
        ("", not_set, 2, "200.00"),
        ("prod", "prod", 1, "7.00"),
    ]


async def test_a_grouping_by_tag_without_a_tag_key_is_refused(tagged: Client) -> None:
    [error] = await tagged.errors(GROUPS, by="TAG")
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID_INPUT", "tagKey")
