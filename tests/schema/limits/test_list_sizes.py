"""The lists and the search text of a filter or a selection have a maximum length."""

from typing import Any

import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import Client

LIST = "query Q($f: InstanceFilter) { instances(filter: $f) { totalCount } }"
QUOTE = "query Q($s: Selection!) { quoteRenewal(input: {selection: $s, months: 1}) { total } }"


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    await world.account("a")
    await world.instance("i-1")
    graphql.key = await world.key("a")
    return graphql


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, ["x"] * 6) for name in ("ids", "products", "dataCenters")),
        ("dataCenterTypes", ["VPC"] * 6),
        ("status", ["RUNNING"] * 6),
        ("search", "x" * 201),
    ],
)
async def test_a_filter_with_too_many_values_or_too_long_a_search_is_refused(
    client: Client, limits_override: Any, name: str, value: Any
) -> None:
    limits_override(INSTANCES_PER_SELECTION_MAX=5)
    [error] = await client.errors(LIST, f={name: value})
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": f"filter.{name}"}
    [error] = await client.errors(QUOTE, s={"matching": {"filter": {name: value}}})
    assert error["extensions"] == {
        "code": "INVALID_INPUT",
        "field": f"input.selection.matching.filter.{name}",
    }
    assert (await client(LIST, f={name: value[:5]}))["instances"]["totalCount"] in (0, 1)


async def test_a_selection_with_too_many_excepted_ids_is_refused(
    client: Client, limits_override: Any
) -> None:
    limits_override(INSTANCES_PER_SELECTION_MAX=5)
    [error] = await client.errors(QUOTE, s={"matching": {"filter": {}, "except": ["x"] * 6}})
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "input.selection.matching.except"}
    await client(QUOTE, s={"matching": {"filter": {}, "except": ["x"] * 5}})
