"""Tags in the list of instances: the field, the filter and the facet (rules 4 and 36)."""

from typing import Any

import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

LISTED = "query ($f: InstanceFilter) { instances(filter: $f) { nodes { id } totalCount } }"
FACET = """query ($f: InstanceFilter, $key: String!) { instances(filter: $f) { facets {
  tags(key: $key) { value count } products { value count } } } }"""
TAGS = {
    "i-1": {"env": "prod", "team": "web"},
    "i-2": {"env": "prod", "team": "db", "empty": ""},
    "i-3": {"env": "test"},
    "i-4": {},
    "i-5": {"Env": "prod", "team": "web"},
}


@pytest.fixture
async def tagged(world: World, client: Client) -> Client:
    await world.account("b")
    for instance_id, tags in TAGS.items():
        await world.instance(instance_id, tags=tags, product="kec" if instance_id == "i-2" else "eip")
    await world.instance("theirs", account="b", tags={"env": "prod", "secret": "theirs"})
    return client


def has(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "values": list(values)} if values else {"key": key}


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ([has("env")], "i-1 i-2 i-3"),
        ([has("env", "prod")], "i-1 i-2"),
        ([has("env", "prod", "test")], "i-1 i-2 i-3"),
        ([has("env", "prod"), has("team", "web")], "i-1"),
        ([has("env", "prod"), has("env", "test")], ""),
        ([has("empty", "")], "i-2"),
        ([has("Env")], "i-5"),
        ([has("none")], ""),
        ([has("secret")], ""),
        ([{"key": "env", "values": []}], ""),
        ([{"key": "env", "values": None}], "i-1 i-2 i-3"),
        ([has("env\0")], ""),
        ([has("env", "prod\0", "test")], "i-3"),
        ([has("%")], ""),
        ([], ""),
        (None, "i-1 i-2 i-3 i-4 i-5"),
    ],
)
async def test_a_filter_lists_the_instances_that_meet_all_tag_conditions(
    tagged: Client, conditions: Any, ids: str
) -> None:
    listed = (await tagged(LISTED, f={"tags": conditions}))["instances"]
    assert [node["id"] for node in listed["nodes"]] == ids.split()
    assert listed["totalCount"] == len(ids.split())


@pytest.mark.parametrize(
    ("conditions", "values", "products"),
    [
        (None, {"web": 2, "db": 1}, {"eip": 4, "kec": 1}),
        ([has("env", "prod")], {"db": 1, "web": 1}, {"eip": 1, "kec": 1}),
        ([has("team", "db")], {"web": 2, "db": 1}, {"kec": 1}),
        ([has("team", "db"), has("env", "prod")], {"db": 1, "web": 1}, {"kec": 1}),
    ],
)
async def test_the_facet_of_a_tag_key_counts_its_values_and_ignores_the_condition_on_the_key(
    tagged: Client, conditions: Any, values: dict[str, int], products: dict[str, int]
) -> None:
    facets = (await tagged(FACET, f={"tags": conditions}, key="team"))["instances"]["facets"]
    assert {count["value"]: count["count"] for count in facets["tags"]} == values
    assert {count["value"]: count["count"] for count in facets["products"]} == products


async def test_the_facet_of_a_tag_key_of_another_account_is_empty(tagged: Client) -> None:
    assert (await tagged(FACET, key="secret"))["instances"]["facets"]["tags"] == []


@pytest.mark.parametrize("key", ["", "k" * 65, "\0"])
async def test_the_facet_of_an_invalid_tag_key_is_refused(tagged: Client, key: str) -> None:
    [error] = await tagged.errors(FACET, key=key)
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID_INPUT", "key")


async def test_the_facet_of_a_tag_key_has_the_100_most_frequent_values(world: World, client: Client) -> None:
    for number in range(102):
        await world.instance(f"i-{number:03}", tags={"n": f"{min(number, 100):03}"})
    facet = (await client(FACET, key="n"))["instances"]["facets"]["tags"]
    assert len(facet) == 100
    assert facet[0] == {"value": "100", "count": 2}


async def test_more_than_20_tag_conditions_are_refused(tagged: Client) -> None:
    [error] = await tagged.errors(LISTED, f={"tags": [has("env")] * 21})
    assert error["extensions"]["field"] == "filter.tags"


async def test_a_page_of_instances_with_tags_is_read_in_one_statement(tagged: Client) -> None:
    with sql_log.counted() as seen:
        listed = (await tagged("{ instances { nodes { id tags { key value } } } }"))["instances"]["nodes"]
    assert len(seen) == 2  # the key's account, the page
    assert {node["id"]: {tag["key"]: tag["value"] for tag in node["tags"]} for node in listed} == TAGS
    assert [tag["key"] for tag in listed[1]["tags"]] == ["empty", "env", "team"]
