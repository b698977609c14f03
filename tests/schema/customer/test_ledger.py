"""The ledger: every change of the balance and of vouchers, the newest first (rule 16)."""

import base64
import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

LEDGER = """query ($filter: LedgerFilter, $first: Int, $after: String, $last: Int, $before: String) {
  ledger(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { id kind amount balanceAfter availableAfter voucher { id } createdAt orderId memo }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
RENEW = """mutation ($id: ID!, $key: String!) {
  renewInstances(input: {selection: {ids: [$id]}, months: 1, idempotencyKey: $key}) {
    ... on RenewInstancesSuccess { order { id } } ... on Error { message } } }"""


@pytest.fixture
async def client_with_entries(world: World, client: Client) -> Client:
    """Account `a` after a top-up, a voucher, three renewals of 300.00 and a second top-up; and `b` with money."""
    await world.top_up("1000.00")
    await world.voucher("350.00")
    await world.instances(["i-1", "i-2", "i-3"], price="300.00")
    for number in (1, 2, 3):
        await client(RENEW, id=f"i-{number}", key=f"key-{number}")
    await world.top_up("0.01")
    await world.account("b", balance="77.00")
    return client


async def read_page(client: Client, **arguments: Any) -> dict[str, Any]:
    listed: dict[str, Any] = (await client(LEDGER, **arguments))["ledger"]
    assert [edge["node"]["id"] for edge in listed["edges"]] == [node["id"] for node in listed["nodes"]]
    return listed


def sums_by_voucher(entries: list[dict[str, Any]]) -> dict[str | None, Decimal]:
    """Return the sum of the entries of each voucher, by its id. The key None is the balance."""
    sums: dict[str | None, Decimal] = defaultdict(Decimal)
    for entry in entries:
        sums[entry["voucher"] and entry["voucher"]["id"]] += Decimal(entry["amount"])
    return sums


async def test_the_sum_of_the_entries_without_vouchers_is_the_balance(
    world: World, client_with_entries: Client
) -> None:
    listed = await read_page(client_with_entries, filter={"vouchers": False})
    assert sum(Decimal(entry["amount"]) for entry in listed["nodes"]) == Decimal("450.01")
    assert await world.balance() == "450.01"
    assert (await client_with_entries("{ account { balance } }"))["account"] == {"balance": "450.01"}


async def test_the_entries_of_the_balance_and_of_each_voucher_add_up_to_the_remaining_amount(
    world: World, client_with_entries: Client
) -> None:
    await world.voucher("20.00", expires="2027-01-20")
    await world.instance("i-4", price="35.00")
    order = (await client_with_entries(RENEW, id="i-4", key="key-4"))["renewInstances"]["order"]["id"]
    await world.refund(order)
    sums = sums_by_voucher((await read_page(client_with_entries, first=100))["nodes"])
    account = (await client_with_entries("{ account { balance vouchers(usable: null) { id available } } }"))[
        "account"
    ]
    assert sums == {
        None: Decimal(account["balance"]),
        **{voucher["id"]: Decimal(voucher["available"]) for voucher in account["vouchers"]},
    }
    assert len(sums) == 3


async def test_the_issue_use_and_refund_of_a_voucher_are_ledger_entries(world: World, client: Client) -> None:
    voucher = await world.voucher("50.00")
    await world.top_up("100.00")
    await world.instance("i-1", price="80.00")
    order = (await client(RENEW, id="i-1", key="key"))["renewInstances"]["order"]["id"]
    await world.refund(order)
    listed = await read_page(client)
    fields = ("kind", "amount", "balanceAfter", "availableAfter", "orderId")
    assert [(*(entry[name] for name in fields), bool(entry["voucher"])) for entry in listed["nodes"]] == [
        ("REFUND", "30.00", "100.00", None, order, False),
        ("REFUND", "50.00", "70.00", "50.00", order, True),
        ("RENEWAL", "-30.00", "70.00", None, order, False),
        ("RENEWAL", "-50.00", "100.00", "0.00", order, True),
        ("TOP_UP", "100.00", "100.00", None, None, False),
        ("TOP_UP", "50.00", "0.00", "50.00", None, True),
    ]
    assert {entry["voucher"]["id"] for entry in listed["nodes"] if entry["voucher"]} == {voucher}


async def test_a_filter_lists_only_the_entries_of_vouchers_or_of_the_balance(
    client_with_entries: Client,
) -> None:
    everything = (await read_page(client_with_entries))["nodes"]
    for vouchers in (True, False):
        listed = await read_page(client_with_entries, filter={"vouchers": vouchers})
        assert listed["nodes"] == [entry for entry in everything if bool(entry["voucher"]) is vouchers]
        assert listed["totalCount"] == len(listed["nodes"]) > 0
        only_count = "query ($filter: LedgerFilter) { ledger(filter: $filter) { totalCount } }"
        counted = await client_with_entries(only_count, filter={"vouchers": vouchers})
        assert counted["ledger"]["totalCount"] == listed["totalCount"]
    for no_condition in (None, {}, {"vouchers": None}):
        assert (await read_page(client_with_entries, filter=no_condition))["nodes"] == everything
    assert len(everything) == 7


async def test_ledger_entries_are_listed_newest_first_with_the_balance_after_each_entry(
    client_with_entries: Client,
) -> None:
    orders = (await client_with_entries("{ orders { nodes { id balanceTotal } } }"))["orders"]["nodes"]
    listed = await read_page(client_with_entries, filter={"vouchers": False})
    assert [(entry["kind"], entry["amount"], entry["balanceAfter"]) for entry in listed["nodes"]] == [
        ("TOP_UP", "0.01", "450.01"),
        ("RENEWAL", "-300.00", "450.00"),
        ("RENEWAL", "-250.00", "750.00"),
        ("TOP_UP", "1000.00", "1000.00"),
    ]
    paid = {order["id"] for order in orders if order["balanceTotal"] != "0.00"}
    assert {entry["orderId"] for entry in listed["nodes"]} == paid | {None}
    assert listed["nodes"][-1]["memo"] == "Top-up"
    assert listed["nodes"][-1]["createdAt"] == "2027-01-10T04:00:00+00:00"
    assert listed["totalCount"] == 4


async def test_pages_contain_every_ledger_entry_exactly_once_in_both_directions(
    client_with_entries: Client,
) -> None:
    everything = [entry["id"] for entry in (await read_page(client_with_entries))["nodes"]]
    forward, after, has_next = [], None, True
    while has_next:
        listed = await read_page(client_with_entries, first=3, after=after)
        assert (listed["totalCount"], listed["pageInfo"]["hasPreviousPage"]) == (7, after is not None)
        forward += [entry["id"] for entry in listed["nodes"]]
        after, has_next = listed["pageInfo"]["endCursor"], listed["pageInfo"]["hasNextPage"]
    backward: list[str] = []
    before, has_previous = None, True
    while has_previous:
        listed = await read_page(client_with_entries, last=3, before=before)
        assert listed["pageInfo"]["hasNextPage"] is (before is not None)
        backward = [entry["id"] for entry in listed["nodes"]] + backward
        before, has_previous = listed["pageInfo"]["startCursor"], listed["pageInfo"]["hasPreviousPage"]
    assert forward == backward == everything
    assert len(set(everything)) == 7


async def test_an_entry_that_is_added_between_pages_moves_no_other_entry(
    world: World, client_with_entries: Client
) -> None:
    everything = (await read_page(client_with_entries))["nodes"]
    seen = await read_page(client_with_entries, first=2)
    await world.top_up("5.00")
    rest = await read_page(client_with_entries, first=10, after=seen["pageInfo"]["endCursor"])
    assert seen["nodes"] + rest["nodes"] == everything
    assert rest["totalCount"] == 8


async def test_the_ledger_of_an_account_without_entries_is_empty(client: Client) -> None:
    listed = await read_page(client)
    assert (listed["nodes"], listed["totalCount"]) == ([], 0)
    assert set(listed["pageInfo"].values()) == {False, None}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": -1}, "first"),
        ({"first": 1_001}, "first"),
        ({"last": 1_001}, "last"),
        ({"first": 1, "last": 1}, "last"),
    ],
    ids=str,
)
async def test_invalid_arguments_of_a_page_are_refused_with_the_name_of_the_argument(
    client_with_entries: Client, arguments: dict[str, int], field: str
) -> None:
    [error] = await client_with_entries.errors(LEDGER, **arguments)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": field}


INVALID_NUMBERS = [-1, 2**63, 2**64, 10**400, True, None, "3", 3.0, [3], {"number": 3}, "3\0"]


@pytest.mark.parametrize("argument", ["after", "before"])
async def test_an_invalid_cursor_of_the_ledger_is_refused_with_the_name_of_the_argument(
    client_with_entries: Client, argument: str
) -> None:
    forged = [json.dumps(["ledger", number]) for number in INVALID_NUMBERS]
    for content in (*forged, '["ledger"]', '["ledger", 1, 2]', '["orders", 1]', "[]", "1", "null", ""):
        cursor = base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
        result = (
            await client_with_entries.post(LEDGER.replace("totalCount", ""), **{argument: cursor})
        ).json()
        assert result["data"] is None, content
        for error in result["errors"]:
            assert error["extensions"] == {"code": "INVALID_INPUT", "field": argument}, content


async def test_a_page_of_the_ledger_and_its_count_are_each_read_in_one_statement(
    client_with_entries: Client,
) -> None:
    with sql_log.counted() as seen:
        await client_with_entries("{ ledger { nodes { id } edges { cursor } pageInfo { endCursor } } }")
    assert len(seen) == 2  # the key's account, the page
    with sql_log.counted() as seen:
        await client_with_entries("{ ledger { totalCount } }")
    assert len(seen) == 2  # the key's account, the count
