"""Orders with their lines and vouchers, the newest first, and one order by id."""

import datetime as dt
import uuid
from typing import Any

import pytest

from tests.support import sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

FIELDS = """id kind createdAt total voucherTotal balanceTotal vouchers { amount voucher { id faceValue available } }
  lines { instanceId startsAt expiresAt months days price }"""
ORDERS = f"""query ($first: Int, $after: String, $last: Int, $before: String) {{
  orders(first: $first, after: $after, last: $last, before: $before) {{
    totalCount nodes {{ {FIELDS} }} edges {{ cursor node {{ id }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
ORDER = f"query ($id: ID!) {{ order(id: $id) {{ {FIELDS} }} }}"
RENEW = """mutation ($ids: [ID!]!, $key: String!) {
  renewInstances(input: {selection: {ids: $ids}, months: 1, idempotencyKey: $key}) {
    ... on RenewInstancesSuccess { order { id } } ... on Error { message } } }"""
UNIFY = """mutation { unifyExpiry(input: {
    selection: {ids: ["i-1"]}, target: {date: "2027-04-30"}, idempotencyKey: "unify"}) {
  ... on UnifyExpirySuccess { order { id } } ... on Error { message } } }"""

LARGE = "00000000-0000-4000-8000-000000000001"
SMALL = "00000000-0000-4000-8000-000000000002"


async def renew(client: Client, *ids: str, key: str = "key") -> str:
    """Renew for a month and return the order's id."""
    return str((await client(RENEW, ids=ids, key=key))["renewInstances"]["order"]["id"])


async def read_page(client: Client, **arguments: Any) -> dict[str, Any]:
    listed: dict[str, Any] = (await client(ORDERS, **arguments))["orders"]
    assert [edge["node"]["id"] for edge in listed["edges"]] == [node["id"] for node in listed["nodes"]]
    return listed


@pytest.fixture
async def client_with_orders(world: World, client: Client) -> Client:
    """Account `a` after seven orders, the first two at the same instant."""
    await world.top_up("9000.00")
    await world.instances([f"i-{number}" for number in range(7)])
    for number in range(7):
        client.at(NOW + dt.timedelta(microseconds=max(0, number - 1)))
        await renew(client, f"i-{number}", key=f"key-{number}")
    return client


async def test_an_order_has_its_lines_sorted_by_start_and_its_payment(world: World, client: Client) -> None:
    await world.top_up("1000.00")
    await world.voucher("20.00", voucher_id=SMALL)
    await world.voucher("30.00", voucher_id=LARGE)
    await world.instance("i-1", expires="2027-02-28", anchor=31, price="300.00")
    await world.instance("i-2", expires="2027-01-31", price="100.00")
    order_id = await renew(client, "i-1", "i-2")
    order = (await client(ORDER, id=order_id))["order"]
    assert order == {
        "id": order_id,
        "kind": "MANUAL_RENEWAL",
        "createdAt": "2027-01-10T04:00:00+00:00",
        "total": "400.00",
        "voucherTotal": "50.00",
        "balanceTotal": "350.00",
        "vouchers": [
            {"amount": "30.00", "voucher": {"id": LARGE, "faceValue": "30.00", "available": "0.00"}},
            {"amount": "20.00", "voucher": {"id": SMALL, "faceValue": "20.00", "available": "0.00"}},
        ],
        "lines": [
            {
                "instanceId": "i-2",
                "startsAt": "2027-01-31T15:59:59+00:00",
                "expiresAt": "2027-02-28T15:59:59+00:00",
                "months": 1,
                "days": 0,
                "price": "100.00",
            },
            {
                "instanceId": "i-1",
                "startsAt": "2027-02-28T15:59:59+00:00",
                "expiresAt": "2027-03-31T15:59:59+00:00",
                "months": 1,
                "days": 0,
                "price": "300.00",
            },
        ],
    }
    assert (await read_page(client))["nodes"] == [order]


async def test_orders_are_listed_newest_first(world: World, client_with_orders: Client) -> None:
    client_with_orders.at(NOW + dt.timedelta(days=1))
    unified = (await client_with_orders(UNIFY))["unifyExpiry"]["order"]["id"]
    listed = await read_page(client_with_orders)
    assert listed["totalCount"] == 8
    assert (listed["nodes"][0]["id"], listed["nodes"][0]["kind"]) == (unified, "UNIFY_EXPIRY")
    renewed = [order["lines"][0]["instanceId"] for order in listed["nodes"][1:]]
    assert renewed[:5] == ["i-6", "i-5", "i-4", "i-3", "i-2"]
    assert sorted(renewed[5:]) == ["i-0", "i-1"]
    assert await world.count("orders") == 8


@pytest.mark.parametrize("size", [1, 2, 6, 7])
async def test_pages_contain_every_order_exactly_once_in_both_directions(
    client_with_orders: Client, size: int
) -> None:
    everything = [order["id"] for order in (await read_page(client_with_orders))["nodes"]]
    forward, after, has_next = [], None, True
    while has_next:
        listed = await read_page(client_with_orders, first=size, after=after)
        assert (listed["totalCount"], listed["pageInfo"]["hasPreviousPage"]) == (7, after is not None)
        forward += [order["id"] for order in listed["nodes"]]
        after, has_next = listed["pageInfo"]["endCursor"], listed["pageInfo"]["hasNextPage"]
    backward: list[str] = []
    before, has_previous = None, True
    while has_previous:
        listed = await read_page(client_with_orders, last=size, before=before)
        backward = [order["id"] for order in listed["nodes"]] + backward
        before, has_previous = listed["pageInfo"]["startCursor"], listed["pageInfo"]["hasPreviousPage"]
    assert forward == backward == everything
    assert len(set(everything)) == 7


@pytest.mark.parametrize("argument", ["after", "before"])
async def test_a_cursor_of_another_list_is_refused_with_the_name_of_the_argument(
    client_with_orders: Client, argument: str
) -> None:
    ledger = "{ ledger(first: 1) { pageInfo { endCursor } } }"
    ledger_cursor = (await client_with_orders(ledger))["ledger"]["pageInfo"]["endCursor"]
    result = (
        await client_with_orders.post(ORDERS.replace("totalCount", ""), **{argument: ledger_cursor})
    ).json()
    assert result["data"] is None
    for error in result["errors"]:
        assert error["extensions"] == {"code": "INVALID_INPUT", "field": argument}


@pytest.mark.parametrize(
    "order_id", ["", "x", "0", "\0", "%", "' OR TRUE --", "x" * 100_000, "网", str(uuid.UUID(int=0))]
)
async def test_an_order_with_an_unknown_id_is_null(client_with_orders: Client, order_id: str) -> None:
    assert await client_with_orders("query ($id: ID!) { order(id: $id) { id } }", id=order_id) == {
        "order": None
    }


async def test_the_number_of_statements_does_not_grow_with_the_number_of_orders(
    world: World, client_with_orders: Client
) -> None:
    for _ in range(3):
        await world.voucher("100.00", voucher_id=str(uuid.uuid4()))
    client_with_orders.at(NOW + dt.timedelta(days=1))
    await renew(client_with_orders, "i-1", "i-2", key="many")
    with sql_log.counted() as few:
        assert len((await read_page(client_with_orders, first=1))["nodes"][0]["vouchers"]) == 3
    with sql_log.counted() as many:
        assert len((await read_page(client_with_orders, first=8))["nodes"]) == 8
    # The key's account, the page with its count, and one statement each for all lines, uses and vouchers.
    assert len(few) == len(many) == 5
