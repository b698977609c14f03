"""A request can name only a bounded number of instances, in any of its lists."""

from typing import Any

import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import Client

LISTED = "query Q($f: InstanceFilter) { instances(filter: $f) { totalCount } }"
QUOTED = "query Q($s: Selection!) { quoteRenewal(input: {selection: $s, months: 1}) { total } }"


@pytest.fixture
async def shop(world: World, graphql: Client) -> Client:
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
async def test_a_filter_names_no_more_than_a_selection_may(
    shop: Client, limits_override: Any, name: str, value: Any
) -> None:
    limits_override(INSTANCES_PER_SELECTION_MAX=5)
    [error] = await shop.errors(LISTED, f={name: value})
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": f"filter.{name}"}
    [error] = await shop.errors(QUOTED, s={"matching": {"filter": {name: value}}})
    assert error["extensions"] == {
        "code": "INVALID_INPUT",
        "field": f"input.selection.matching.filter.{name}",
    }
    assert (await shop(LISTED, f={name: value[:5]}))["instances"]["totalCount"] in (0, 1)


async def test_so_many_may_be_excepted(shop: Client, limits_override: Any) -> None:
    limits_override(INSTANCES_PER_SELECTION_MAX=5)
    [error] = await shop.errors(QUOTED, s={"matching": {"filter": {}, "except": ["x"] * 6}})
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "input.selection.matching.except"}
    await shop(QUOTED, s={"matching": {"filter": {}, "except": ["x"] * 5}})
