"""Each list of lines, refusals or instances has the arguments `first` and `offset`, and a count beside it."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, get_named_type

from schema.customer import schema as customer_schema
from schema.operator import schema as operator_schema
from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import Client

COUNTS = {
    "lines": "lineCount",
    "refusals": "refusalCount",
    "instances": "instanceCount",
    "atRisk": "atRiskCount",
}


def list_fields_of_objects(schema: GraphQLSchema) -> Mapping[str, Any]:
    """Return the fields that are lists of objects, by their coordinates."""
    return {
        f"{owner.name}.{name}": (owner, field)
        for owner in schema.type_map.values()
        if isinstance(owner, GraphQLObjectType) and not owner.name.startswith("__")
        for name, field in owner.fields.items()
        if isinstance(field.type, GraphQLNonNull)
        and isinstance(field.type.of_type, GraphQLList)
        and isinstance(get_named_type(field.type), GraphQLObjectType)
    }


@pytest.mark.parametrize(
    "schema", [customer_schema.schema, operator_schema.schema], ids=["customers", "operators"]
)
def test_every_list_of_lines_refusals_and_instances_is_a_slice_with_a_count(schema: Any) -> None:
    list_fields = [
        (coordinate, owner, field)
        for coordinate, (owner, field) in list_fields_of_objects(schema._schema).items()
        if coordinate.partition(".")[2] in COUNTS
    ]
    assert len(list_fields) >= 8
    for coordinate, owner, field in list_fields:
        arguments = {
            name: (str(argument.type), argument.default_value) for name, argument in field.args.items()
        }
        assert arguments == {"first": ("Int!", 100), "offset": ("Int!", 0)}, coordinate
        assert str(owner.fields[COUNTS[coordinate.partition(".")[2]]].type) == "Int!"


ORDER = """query ($id: ID!, $first: Int!, $offset: Int!) { order(id: $id) {
  lineCount lines(first: $first, offset: $offset) { instanceId } last: lines(offset: 2) { instanceId }
  all: lines { instanceId } } }"""


@pytest.fixture
async def buyer(world: World, graphql: Client) -> customer.Buyer:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["i-1", "i-2", "i-3", "i-4"])
    return buyer


async def test_an_order_returns_the_requested_slice_of_its_lines(buyer: customer.Buyer) -> None:
    order_id = (await buyer.renew(["i-1", "i-2", "i-3"]))["order"]["id"]
    order = (await buyer.client(ORDER, id=order_id, first=1, offset=1))["order"]
    assert order["lineCount"] == 3
    assert [line["instanceId"] for line in order["lines"]] == ["i-2"]
    assert [line["instanceId"] for line in order["last"]] == ["i-3"]
    assert [line["instanceId"] for line in order["all"]] == ["i-1", "i-2", "i-3"]
    assert (await buyer.client(ORDER, id=order_id, first=0, offset=99))["order"]["lines"] == []


async def test_a_bundle_returns_the_requested_slice_of_its_members(
    buyer: customer.Buyer, world: World
) -> None:
    await world.instances(["b-1", "b-2", "b-3"], bundle="b")
    await world.instances(["c-1", "c-2"], bundle="c")
    query = """{ instances(filter: {bundled: true}) { nodes { id bundle {
      id instanceCount instances(first: 1, offset: 1) { id status bundle { id } } } } } }"""
    nodes = (await buyer.client(query))["instances"]["nodes"]
    expected = {
        "b": {"id": "b", "instanceCount": 3, "instances": [{"id": "b-2", "status": "RUNNING", "bundle": {"id": "b"}}]},
        "c": {"id": "c", "instanceCount": 2, "instances": [{"id": "c-2", "status": "RUNNING", "bundle": {"id": "c"}}]},
    }  # fmt: skip
    assert [node["bundle"] for node in nodes] == [expected[node["id"][0]] for node in nodes]


async def test_a_quote_returns_the_requested_slices_of_its_lines_and_refusals(buyer: customer.Buyer) -> None:
    query = """query ($ids: [ID!]!) { quoteRenewal(input: {selection: {ids: $ids}, months: 1}) {
      lineCount lines(first: 2, offset: 1) { instanceId price } total
      refusalCount refusals(first: 1, offset: 1) { instanceId code } } }"""
    quote = (await buyer.client(query, ids=["i-3", "x-1", "i-1", "x-2", "i-2"]))["quoteRenewal"]
    assert (quote["lineCount"], quote["refusalCount"], quote["total"]) == (3, 2, "900.00")
    assert [line["instanceId"] for line in quote["lines"]] == ["i-2", "i-3"]
    assert quote["refusals"] == [{"instanceId": "x-2", "code": "NOT_FOUND"}]


RENEW = """mutation ($ids: [ID!]!, $first: Int! = 100, $offset: Int! = 0, $mode: BatchMode!) {
  renewInstances(input: {selection: {ids: $ids}, months: 1, batchMode: $mode, idempotencyKey: "k"}) { __typename
    ... on RenewInstancesSuccess { instanceCount instances(first: $first, offset: $offset) { id }
      refusalCount refusals(first: $first, offset: $offset) { instanceId } ...Order }
    ... on NotRenewable { refusalCount refusals(first: $first, offset: $offset) { instanceId } } } }
fragment Order on RenewInstancesSuccess { order { lines(first: $first, offset: $offset) { instanceId } } }"""


async def test_a_renewal_returns_the_requested_slices_of_its_instances_lines_and_refusals(
    buyer: customer.Buyer,
) -> None:
    ids = ["i-1", "x-1", "i-2", "x-2"]
    refused = (await buyer.client(RENEW, ids=ids, mode="ALL_OR_NOTHING", first=1))["renewInstances"]
    assert (refused["refusalCount"], refused["refusals"]) == (2, [{"instanceId": "x-1"}])
    done = (await buyer.client(RENEW, ids=ids, mode="BEST_EFFORT", offset=1))["renewInstances"]
    assert (done["instanceCount"], done["instances"]) == (2, [{"id": "i-2"}])
    assert (done["refusalCount"], done["refusals"]) == (2, [{"instanceId": "x-2"}])
    assert done["order"]["lines"] == [{"instanceId": "i-2"}]


@pytest.mark.parametrize("value", [{"first": -1}, {"first": 1_001}, {"offset": -1}], ids=str)
async def test_a_slice_out_of_bounds_is_refused_without_any_change(
    buyer: customer.Buyer, world: World, value: dict[str, int]
) -> None:
    [name] = value
    before = await world.snapshot()
    [error] = await buyer.client.errors(RENEW, ids=["i-1"], mode="ALL_OR_NOTHING", **value)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": name}
    assert await world.snapshot() == before
    literal = f"{{ forecast {{ days {{ atRisk({name}: {value[name]}) {{ id }} }} }} }}"
    [error] = await buyer.client.errors(literal)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": name}
