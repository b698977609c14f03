"""The lists of the schema are compiled, and the selections in them are read once."""

from collections import Counter
from typing import Any

import pytest

from renewals.db import connection as database
from schema.fields import selected, sources
from tests.support import core_calls
from tests.support.fixtures import World
from tests.support.graphql_client import Client

LISTS = {
    "instances": """nodes { id name product { code name } dataCenter { name type { code nameZh } } status
      expiresAt monthlyPrice configuration { label value } bundle { id instances { id } } }""",
    "orders": "nodes { id kind createdAt total lines { instanceId price } vouchers { amount voucher { id } } }",
    "ledger": "nodes { id kind amount balanceAfter createdAt orderId memo } edges { cursor node { id } }",
}


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    await world.account("a", balance="1000.00")
    await world.voucher("20.00")
    await world.instances(["i-1", "i-2"], bundle="b", configuration={"CPU": "4"})
    graphql.key = await world.key("a")
    await graphql(
        """mutation { renewInstances(input: {selection: {ids: ["i-1", "i-2"]}, months: 1, idempotencyKey: "k"}) {
             ... on RenewInstancesSuccess { order { id } } } }"""
    )
    return graphql


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_of_the_schema_is_completed_without_graphql_core(
    client: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    completed = core_calls.count_core_calls(monkeypatch, "complete_list_item_value")
    for _ in range(2):
        data = await client(f"{{ {name} {{ totalCount {LISTS[name]} }} }}")
        assert data[name]["nodes"]
    assert not completed


async def test_nested_fragments_that_are_spread_twice_are_each_read_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading each spread again would take a million steps for 20 levels."""
    counter: Counter[str] = Counter()
    original = selected._Collector.add

    def count_and_add(*args: Any) -> None:
        counter["selection"] += 1
        original(*args)

    monkeypatch.setattr(selected._Collector, "add", count_and_add)
    spreads = [f"fragment F{n} on InstanceConnection {{ ...F{n + 1} ...F{n + 1} }}" for n in range(20)]
    doubled = [
        f"fragment G{n} on Instance {{ bundle {{ instances(first: 5) {{ ...G{n + 1} ...G{n + 1} }} }} }}"
        for n in range(3)
    ]
    document = " ".join(
        [
            "{ instances { ...F0 nodes { bundle { ...B } bundle { ...B } } } }",
            "fragment B on Bundle { instances(first: 5) { ...G0 } }",
            *spreads,
            "fragment F20 on InstanceConnection { nodes { id } totalCount }",
            *doubled,
            "fragment G3 on Instance { name }",
        ]
    )
    data = await client(document)
    assert [node["id"] for node in data["instances"]["nodes"]] == ["i-1", "i-2"]
    assert counter["selection"] < 60


async def test_columnar_rows_have_the_same_values_as_the_single_rows(world: World) -> None:
    rows = await database.fetch(
        database.pool(), "SELECT n AS number, 'x' || n AS \"product.name\" FROM generate_series(1, 3) n"
    )
    columnar = sources.ColumnarRows(rows)
    assert columnar.columns == {name: tuple(row[name] for row in rows) for name in ("number", "product.name")}
    assert sources.ColumnarRows([]).columns == {}
