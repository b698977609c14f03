"""The list of instances: every filter, every sort order, and one tab for each instance (rules 1 to 4)."""

import datetime as dt
from typing import Any

import pytest

from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

LIST = """query ($filter: InstanceFilter, $orderBy: InstanceOrder) {
  instances(filter: $filter, orderBy: $orderBy, first: 100) { totalCount nodes { id status } } }"""

MANAGEABLE = "Web-1 db-1 ip-1 kes-1 kes-2 old-1 past-1 web-2"
RELEASED = "gone-1 lost-1 try-2"
NOT_MANAGEABLE = "once-1 shield-1 try-1"


@pytest.fixture
async def fleet(world: World, client: Client) -> Client:
    """Account `a` on 10 January 2027 with an instance of every kind; another account with a similar one."""
    await world.instance("Web-1", name="网站 Front_End", product="kec", expires="2027-01-10")
    await world.instance(
        "web-2", name="100% Éclair", product="kec", data_center="bj-1", mode="AUTO", expires="2027-01-17"
    )
    await world.instance(
        "db-1", name=r"C:\Data", product="ebs", data_center="gz-edge", mode="NONE", expires="2027-02-28"
    )
    await world.instance("ip-1", name="Адрес", data_center="sh-own", mode="AUTO", expires=None)
    await world.instance("old-1", mode="AUTO", expires="2027-01-09", status="RUNNING")
    await world.instance("past-1", expires="2027-01-05", status="EXPIRED")
    await world.instance("gone-1", expires="2026-12-01", status="RELEASED")
    await world.instance("lost-1", expires="2026-12-02", status="EXPIRED")  # the worker has not run yet
    await world.instance("try-2", expires="2026-12-01", trial=True, status="RELEASED")
    await world.instance("kes-1", product="kes", expires="2027-03-31", bundle="b-1")
    await world.instance("kes-2", product="ebs", expires="2027-03-31", bundle="b-1")
    await world.instance("try-1", expires="2027-01-20", trial=True)
    await world.instance("once-1", expires="2027-01-20", billing="ONE_OFF")
    await world.instance("shield-1", expires="2027-01-20", product="ddos")
    await world.account("b")
    await world.instance("web-3", name="网站", account="b", product="kec", expires="2027-01-10")
    return client


async def list_ids(client: Client, instance_filter: dict[str, Any] | None) -> str:
    """Return the matching ids in byte order, and check `totalCount`."""
    page = (await client(LIST, filter=instance_filter))["instances"]
    assert page["totalCount"] == len(page["nodes"])
    return " ".join(sorted(node["id"] for node in page["nodes"]))


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, MANAGEABLE),
    ({"tab": "MANUAL"}, "Web-1 kes-1 kes-2 past-1"),
    ({"tab": "AUTO"}, "old-1 web-2"),
    ({"tab": "NONE"}, "db-1"),
    ({"tab": "NO_EXPIRY"}, "ip-1"),
    ({"products": ["kec"]}, "Web-1 web-2"),
    ({"products": ["kec", "kes", "nothing"]}, "Web-1 kes-1 web-2"),
    ({"products": []}, ""),
    ({"dataCenters": ["bj-1", "gz-edge"]}, "db-1 web-2"),
    ({"dataCenterTypes": ["CLASSIC", "DEDICATED"]}, "ip-1 web-2"),
    ({"dataCenterTypes": []}, ""),
    ({"dataCenterTypes": ["MOON"]}, ""),
    ({"expiresOnFrom": "2027-01-10", "expiresOnTo": "2027-01-17"}, "Web-1 web-2"),
    ({"expiresOnFrom": "2027-01-10", "expiresOnTo": "2027-01-10"}, "Web-1"),
    ({"expiresOnTo": "2027-01-09"}, "old-1 past-1"),
    ({"expiresOnFrom": "2027-02-28"}, "db-1 kes-1 kes-2"),
    ({"expiresOnFrom": "2027-03-01", "expiresOnTo": "2027-02-01"}, ""),
    (
        {"expiresOnFrom": "0001-01-01", "expiresOnTo": "9999-12-31"},
        "Web-1 db-1 kes-1 kes-2 old-1 past-1 web-2",
    ),
    ({"status": ["EXPIRED"]}, "old-1 past-1"),
    ({"status": ["RELEASED"]}, "gone-1 lost-1"),
    ({"status": ["RUNNING", "RELEASED"]}, "Web-1 db-1 gone-1 ip-1 kes-1 kes-2 lost-1 web-2"),
    ({"status": ["RELEASED"], "tab": "MANUAL"}, "gone-1 lost-1"),
    ({"status": ["RELEASED"], "manageable": False}, "try-2"),
    ({"ids": ["gone-1", "lost-1"]}, ""),
    ({"status": ["RUNNING"]}, "Web-1 db-1 ip-1 kes-1 kes-2 web-2"),
    ({"status": []}, ""),
    ({"bundled": True}, "kes-1 kes-2"),
    ({"bundled": False}, "Web-1 db-1 ip-1 old-1 past-1 web-2"),
    ({"ids": ["db-1", "db-1", "web-3", "try-1", "nothing"]}, "db-1"),
    ({"ids": []}, ""),
    ({"ids": ["db-1\0"]}, ""),
    ({"manageable": False}, NOT_MANAGEABLE),
    ({"manageable": False, "tab": "MANUAL"}, ""),
    ({"manageable": None, "tab": "MANUAL"}, "Web-1 kes-1 kes-2 past-1"),
    ({"manageable": None, "ids": ["db-1", "try-1"]}, "db-1 try-1"),
    ({"search": "WEB-"}, "Web-1 web-2"),
    ({"search": "网站"}, "Web-1"),
    ({"search": "%"}, "web-2"),
    ({"search": "_"}, "Web-1"),
    ({"search": "\\"}, "db-1"),
    ({"search": "éCLAIR"}, "web-2"),
    ({"search": "аДРЕС"}, "ip-1"),
    ({"search": "eclair"}, ""),
    ({"search": "b-1 "}, ""),
    ({"search": "web\0"}, ""),
    ({"search": ""}, MANAGEABLE),
    ({"tab": "MANUAL", "products": ["kec", "ebs"]}, "Web-1 kes-2"),
    ({"search": "web", "status": ["RUNNING"], "dataCenterTypes": ["VPC"]}, "Web-1"),
    ({"bundled": True, "products": ["ebs"], "expiresFrom": "2027-03-01T00:00:00Z"}, "kes-2"),
    ({"tab": "AUTO", "expiresWithinDays": 30, "search": "web", "ids": ["web-2", "Web-1"]}, "web-2"),
]


@pytest.mark.parametrize(("instance_filter", "ids"), FILTERS, ids=lambda value: str(value)[:60])
async def test_a_filter_lists_instances_for_which_all_conditions_hold(
    fleet: Client, instance_filter: dict[str, Any], ids: str
) -> None:
    assert await list_ids(fleet, instance_filter) == ids


async def test_a_null_condition_does_not_restrict_the_list(fleet: Client) -> None:
    texts = ("ids", "search", "products", "dataCenters")
    expiry = ("expiresFrom", "expiresBefore", "expiresWithinDays")
    conditions = (*texts, *expiry, "tab", "dataCenterTypes", "status", "bundled")
    for condition in conditions:
        assert await list_ids(fleet, {condition: None}) == MANAGEABLE
    assert await list_ids(fleet, dict.fromkeys(conditions)) == MANAGEABLE
    assert await list_ids(fleet, None) == MANAGEABLE


async def test_every_manageable_instance_is_on_exactly_one_tab(fleet: Client) -> None:
    tabs = [await list_ids(fleet, {"tab": tab}) for tab in ("MANUAL", "AUTO", "NONE", "NO_EXPIRY")]
    assert sorted(" ".join(tabs).split()) == MANAGEABLE.split()


async def test_a_filter_for_every_status_lists_every_instance_of_the_account(
    world: World, fleet: Client
) -> None:
    everything = await list_ids(fleet, {"manageable": None, "status": ["RUNNING", "EXPIRED", "RELEASED"]})
    assert sorted(f"{MANAGEABLE} {NOT_MANAGEABLE} {RELEASED}".split()) == everything.split()
    assert len(everything.split()) == await world.value(
        "SELECT count(*) FROM instances WHERE account_id = 'a'"
    )


@pytest.mark.parametrize(
    ("start", "ids"),
    [
        ("2027-01-10T15:59:59Z", "Web-1 web-2"),
        ("2027-01-10T23:59:59+08:00", "Web-1 web-2"),
        ("2027-01-10T16:00:00Z", "web-2"),
    ],
)
async def test_the_condition_expires_from_is_inclusive(fleet: Client, start: str, ids: str) -> None:
    assert await list_ids(fleet, {"expiresFrom": start, "products": ["kec"]}) == ids


@pytest.mark.parametrize(
    ("end", "ids"),
    [
        ("2027-01-17T15:59:59Z", "Web-1"),
        ("2027-01-17T23:59:59+08:00", "Web-1"),
        ("2027-01-17T16:00:00Z", "Web-1 web-2"),
    ],
)
async def test_the_condition_expires_before_is_exclusive(fleet: Client, end: str, ids: str) -> None:
    assert await list_ids(fleet, {"expiresBefore": end, "products": ["kec"]}) == ids


async def test_an_expiry_range_excludes_instances_without_an_expiry(fleet: Client) -> None:
    everything = {"expiresFrom": "0001-01-01T00:00:00Z", "expiresBefore": "9999-12-31T23:59:59Z"}
    assert await list_ids(fleet, everything) == MANAGEABLE.replace("ip-1 ", "")


async def test_expires_within_days_counts_from_now_and_excludes_expired_instances(fleet: Client) -> None:
    assert await list_ids(fleet, {"expiresWithinDays": 0}) == ""
    assert await list_ids(fleet, {"expiresWithinDays": 1}) == "Web-1"
    assert await list_ids(fleet, {"expiresWithinDays": 7}) == "Web-1"
    assert await list_ids(fleet, {"expiresWithinDays": 8}) == "Web-1 web-2"
    assert await list_ids(fleet, {"expiresWithinDays": 36_525}) == "Web-1 db-1 kes-1 kes-2 web-2"
    fleet.at(dt.datetime(2027, 1, 10, 15, 59, 59, tzinfo=dt.UTC))
    assert await list_ids(fleet, {"expiresWithinDays": 0}) == "Web-1"


@pytest.mark.parametrize("days", [-1, -(2**31), 36_526, 2**31 - 1])
async def test_days_out_of_bounds_are_refused_with_the_path_of_the_condition(
    fleet: Client, days: int
) -> None:
    [error] = await fleet.errors(LIST, filter={"expiresWithinDays": days})
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "filter.expiresWithinDays"}


async def test_an_instance_is_expired_once_its_last_second_has_passed(world: World, fleet: Client) -> None:
    before = await world.snapshot()
    expired_web = {"ids": ["Web-1"], "status": ["EXPIRED"]}
    fleet.at(world.end_of("2027-01-10"))
    assert await list_ids(fleet, expired_web) == ""
    fleet.at(world.end_of("2027-01-10") + dt.timedelta(microseconds=1))
    assert await list_ids(fleet, expired_web) == "Web-1"
    [node] = (await fleet(LIST, filter=expired_web))["instances"]["nodes"]
    assert node["status"] == "EXPIRED"
    assert await world.snapshot() == before


ORDERS = {
    "EXPIRES_AT": "I-4 i-1 i-3 i-2 网-5",
    "CREATED_AT": "i-1 i-3 网-5 I-4 i-2",
    "NAME": "I-4 i-2 i-3 i-1 网-5",
    "PRODUCT": "I-4 网-5 i-2 i-3 i-1",
    "ID": "I-4 i-1 i-2 i-3 网-5",
}


@pytest.mark.parametrize("field", ORDERS)
async def test_each_sort_order_works_in_both_directions_and_sorts_equal_values_by_id(
    world: World, client: Client, field: str
) -> None:
    later = NOW + dt.timedelta(microseconds=1)
    await world.instance("i-1", expires="2027-03-01", name="b", product="kec")
    await world.instance("i-2", expires=None, name="a", product="eip", created_at=later)
    await world.instance("i-3", expires="2027-03-01", name="a", product="eip")
    await world.instance("I-4", expires="2027-02-01", name="B", product="ebs", created_at=later)
    await world.instance("网-5", expires=None, name="网", product="ebs")
    listed = {}
    for direction in ("ASC", "DESC"):
        data = await client(LIST, orderBy={"field": field, "direction": direction})
        listed[direction] = [node["id"] for node in data["instances"]["nodes"]]
    assert listed["ASC"] == ORDERS[field].split()
    assert listed["DESC"] == listed["ASC"][::-1]


async def test_instances_are_sorted_by_ascending_expiry_by_default(fleet: Client) -> None:
    expected = (await fleet(LIST, orderBy={"field": "EXPIRES_AT", "direction": "ASC"}))["instances"]["nodes"]
    assert [node["id"] for node in expected][-1] == "ip-1"
    for order in (None, {}, {"field": "EXPIRES_AT"}, {"direction": "ASC"}):
        assert (await fleet(LIST, orderBy=order))["instances"]["nodes"] == expected
