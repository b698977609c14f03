"""The counts of facets: each facet ignores the condition on itself."""

import datetime as dt
from typing import Any

import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

FACETS = """query ($filter: InstanceFilter) { instances(filter: $filter) { totalCount facets {
  tabs { value count } products { value count } dataCenters { value count } dataCenterTypes { value count }
  expiry { value count } } } }"""

EVERYTHING = {
    "tabs": {"MANUAL": 3, "AUTO": 3, "NONE": 0, "NO_EXPIRY": 1},
    "products": {"kec": 5, "ebs": 1, "eip": 1},
    "dataCenters": {"bj-1": 3, "bj-6": 3, "gz-edge": 1},
    "dataCenterTypes": {"CLASSIC": 3, "VPC": 3, "EDGE": 1},
    "expiry": {"EXPIRED": 1, "7": 1, "15": 1, "30": 1, "LATER": 2},
}


@pytest.fixture
async def fleet(world: World, client: Client) -> Client:
    """Account `a` on 10 January 2027 with seven manageable instances, and with others that must not be counted."""
    await world.instance("k-1", product="kec", expires="2027-01-10")
    await world.instance("k-2", product="kec", expires="2027-01-20", data_center="bj-1", mode="AUTO")
    await world.instance("k-3", product="kec", expires="2027-01-31", data_center="bj-1", mode="AUTO")
    await world.instance("k-4", product="kec", expires="2027-06-30", data_center="bj-1")
    await world.instance("k-5", product="kec", expires="2027-01-09", mode="AUTO")
    await world.instance("e-1", product="eip", expires="2026-12-31", mode="NONE", status="RELEASED")
    await world.instance("e-3", product="eip", expires="2027-01-01", mode="NONE", status="EXPIRED")
    await world.instance("e-2", product="eip", expires=None)
    await world.instance("d-1", product="ebs", expires="2027-02-28", data_center="gz-edge")
    await world.instance("try-1", product="kec", expires="2027-01-20", trial=True)
    await world.instance("shield-1", product="ddos", expires="2027-01-20")
    await world.account("b")
    await world.instance("k-9", account="b", product="kec", expires="2027-01-20")
    return client


async def count_facets(client: Client, **conditions: Any) -> dict[str, Any]:
    """Return every facet, and under "total" the number of matching instances."""
    listed = (await client(FACETS, filter=conditions))["instances"]
    facets = {
        facet: {bucket["value"]: bucket["count"] for bucket in buckets}
        for facet, buckets in listed["facets"].items()
    }
    return {**facets, "total": listed["totalCount"]}


async def test_facets_count_the_manageable_instances_of_the_account(fleet: Client) -> None:
    assert await count_facets(fleet) == {**EVERYTHING, "total": 7}


async def test_a_released_instance_is_counted_only_if_the_filter_names_its_status(fleet: Client) -> None:
    """The retention of `e-3` has ended, but the worker has not run."""
    assert await count_facets(fleet, status=["RELEASED"]) == {
        "tabs": {"MANUAL": 0, "AUTO": 0, "NONE": 2, "NO_EXPIRY": 0},
        "products": {"eip": 2},
        "dataCenters": {"bj-6": 2},
        "dataCenterTypes": {"VPC": 2},
        "expiry": dict.fromkeys(EVERYTHING["expiry"], 0) | {"EXPIRED": 2},
        "total": 2,
    }
    assert (await count_facets(fleet, status=["RUNNING", "EXPIRED", "RELEASED"]))["total"] == 9
    assert await count_facets(fleet, status=["RUNNING", "EXPIRED"]) == await count_facets(fleet)


async def test_an_expiry_bucket_counts_an_instance_that_was_released_before_its_expiry(
    world: World, fleet: Client
) -> None:
    await world.instance("e-9", product="eip", expires="2027-01-15", status="RELEASED")
    assert (await count_facets(fleet, status=["RELEASED"]))["expiry"]["7"] == 1
    assert (await count_facets(fleet, status=["RELEASED"], expiresWithinDays=7))["total"] == 1


async def test_enum_values_are_listed_in_a_fixed_order_and_catalog_codes_by_descending_count(
    fleet: Client,
) -> None:
    counted = await count_facets(fleet)
    assert {facet: list(counted[facet]) for facet in EVERYTHING} == {
        facet: list(values) for facet, values in EVERYTHING.items()
    }


@pytest.mark.parametrize(
    ("facet", "conditions", "total"),
    [
        ("tabs", {"tab": "AUTO"}, 3),
        ("products", {"products": ["eip"]}, 1),
        ("products", {"products": []}, 0),
        ("dataCenters", {"dataCenters": ["bj-1"]}, 3),
        ("dataCenterTypes", {"dataCenterTypes": ["EDGE"]}, 1),
        ("expiry", {"expiresFrom": "2027-01-15T00:00:00Z", "expiresBefore": "2027-02-01T00:00:00Z"}, 2),
        ("expiry", {"expiresWithinDays": 30}, 3),
    ],
    ids=str,
)
async def test_a_facet_ignores_the_condition_on_itself_and_the_other_facets_apply_it(
    fleet: Client, facet: str, conditions: dict[str, Any], total: int
) -> None:
    counted = await count_facets(fleet, **conditions)
    assert counted["total"] == total
    assert counted[facet] == EVERYTHING[facet]
    for other in EVERYTHING.keys() - {facet, "expiry", "tabs"}:
        assert sum(counted[other].values()) == total
    if facet != "tabs":
        assert sum(counted["tabs"].values()) == total


async def test_each_of_two_conditions_restricts_the_facet_of_the_other(fleet: Client) -> None:
    assert await count_facets(fleet, tab="AUTO", products=["kec", "eip"]) == {
        "tabs": {"MANUAL": 2, "AUTO": 3, "NONE": 0, "NO_EXPIRY": 1},
        "products": {"kec": 3},
        "dataCenters": {"bj-1": 2, "bj-6": 1},
        "dataCenterTypes": {"CLASSIC": 2, "VPC": 1},
        "expiry": {"EXPIRED": 1, "7": 0, "15": 1, "30": 1, "LATER": 0},
        "total": 3,
    }


async def test_conditions_without_a_facet_apply_to_all_facets(fleet: Client) -> None:
    counted = await count_facets(
        fleet, search="K-", status=["RUNNING"], bundled=False, ids=["k-1", "k-4", "k-5", "e-1"]
    )
    assert counted["total"] == 2
    assert [sum(counted[facet].values()) for facet in EVERYTHING] == [2, 2, 2, 2, 2]


async def test_an_instance_that_is_not_manageable_is_counted_in_no_tab_but_in_the_other_facets(
    fleet: Client,
) -> None:
    counted = await count_facets(fleet, manageable=False)
    assert counted["total"] == 2
    assert counted["tabs"] == {"MANUAL": 0, "AUTO": 0, "NONE": 0, "NO_EXPIRY": 0}
    assert counted["products"] == {"ddos": 1, "kec": 1}
    everything = await count_facets(fleet, manageable=None)
    assert everything["total"] == 9
    assert everything["tabs"] == EVERYTHING["tabs"]
    assert everything["products"] == {"kec": 6, "ddos": 1, "ebs": 1, "eip": 1}


async def test_all_facets_of_an_account_without_instances_are_empty_or_zero(client: Client) -> None:
    counted = await count_facets(client)
    assert counted["total"] == 0
    assert counted["products"] == counted["dataCenters"] == counted["dataCenterTypes"] == {}
    for facet in ("tabs", "expiry"):
        assert set(counted[facet].values()) == {0}


async def test_an_instance_is_counted_only_in_the_first_expiry_bucket_that_contains_its_expiry(
    world: World, client: Client
) -> None:
    await world.instance("i-1", expires="2027-01-31")
    expiry = world.end_of("2027-01-31")
    second = dt.timedelta(seconds=1)
    for before, bucket in [
        (dt.timedelta(days=30, seconds=1), "LATER"),
        (dt.timedelta(days=30), "30"),
        (dt.timedelta(days=15), "15"),
        (dt.timedelta(days=7), "7"),
        (dt.timedelta(0), "7"),
        (-second, "EXPIRED"),
    ]:
        client.at(expiry - before)
        counted = await count_facets(client)
        assert [value for value, count in counted["expiry"].items() if count] == [bucket]


@pytest.mark.parametrize(
    ("fields", "reads"),
    [
        ("nodes { id }", 1),
        ("edges { cursor } nodes { id } pageInfo { endCursor }", 1),
        ("totalCount", 1),
        ("nodes { id } totalCount", 1),
        ("facets { tabs { count } }", 1),
        ("facets { tabs { count } products { count } expiry { count } }", 1),
        ("nodes { id product { name } dataCenter { name } } totalCount", 1),
        ("nodes { id dataCenter { type { name } } }", 1),
        ("nodes { id } totalCount facets { tabs { count } }", 2),
    ],
)
async def test_a_list_is_read_in_one_statement_or_in_two_if_it_has_rows_and_facets(
    fleet: Client, fields: str, reads: int
) -> None:
    with sql_log.counted() as seen:
        await fleet(f"{{ instances {{ {fields} }} }}")
    assert len(seen) == 1 + reads  # the key's account
    assert any("AS MATERIALIZED" in sql for sql in seen) is ("facets" in fields)
