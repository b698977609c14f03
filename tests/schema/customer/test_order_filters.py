"""Filters of orders and of the ledger: kinds, an instance, a range of time, and combinations of these."""

import datetime as dt
from typing import Any

import pytest

from renewals.auto_renewal import renew
from tests.support import customer
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

ORDERS = """query ($filter: OrderFilter) { orders(filter: $filter, first: 100) {
  totalCount nodes { kind lines { instanceId } } } }"""
LEDGER = """query ($filter: LedgerFilter) { ledger(filter: $filter, first: 100) {
  totalCount nodes { kind amount } } }"""
LATER = (NOW + dt.timedelta(hours=1)).isoformat()


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    """Account `a` with a manual renewal at NOW, a unified expiry an hour later, and an automatic renewal that night."""
    buyer = await customer.open_account(world, graphql, balance="5000.00")
    await world.voucher("50.00")
    await world.instances(["i-1", "i-2"], price="100.00")
    await world.instance("auto", mode="AUTO", expires="2027-01-11", price="10.00")
    await buyer.renew(["i-1", "i-2"], key="1")
    graphql.at(NOW + dt.timedelta(hours=1))
    await buyer.unify(["i-2"], day=15, key="2")
    await renew.run_at(world.at("2027-01-11 00:30"))
    await world.account("b", balance="100.00")
    await world.instance("theirs", account="b", price="1.00")
    return graphql


@pytest.mark.parametrize(
    ("order_filter", "kinds"),
    [
        (None, ["AUTO_RENEWAL", "UNIFY_EXPIRY", "MANUAL_RENEWAL"]),
        ({}, ["AUTO_RENEWAL", "UNIFY_EXPIRY", "MANUAL_RENEWAL"]),
        ({"kinds": ["MANUAL_RENEWAL"]}, ["MANUAL_RENEWAL"]),
        ({"kinds": ["AUTO_RENEWAL", "UNIFY_EXPIRY"]}, ["AUTO_RENEWAL", "UNIFY_EXPIRY"]),
        ({"kinds": []}, []),
        ({"instanceId": "i-2"}, ["UNIFY_EXPIRY", "MANUAL_RENEWAL"]),
        ({"instanceId": "i-2", "kinds": ["MANUAL_RENEWAL"]}, ["MANUAL_RENEWAL"]),
        ({"instanceId": "theirs"}, []),
        ({"instanceId": "none\0"}, []),
        ({"createdFrom": LATER}, ["AUTO_RENEWAL", "UNIFY_EXPIRY"]),
        ({"createdBefore": LATER}, ["MANUAL_RENEWAL"]),
        ({"createdFrom": LATER, "createdBefore": LATER}, []),
    ],
    ids=str,
)
async def test_orders_that_meet_all_conditions_are_listed_newest_first(
    client: Client, order_filter: dict[str, Any] | None, kinds: list[str]
) -> None:
    orders = (await client(ORDERS, filter=order_filter))["orders"]
    assert [order["kind"] for order in orders["nodes"]] == kinds
    assert orders["totalCount"] == len(kinds)


@pytest.mark.parametrize(
    ("ledger_filter", "kinds"),
    [
        ({"kinds": ["TOP_UP"]}, ["TOP_UP", "TOP_UP"]),
        ({"kinds": ["TOP_UP"], "vouchers": False}, ["TOP_UP"]),
        ({"kinds": ["REFUND"]}, []),
        ({"kinds": []}, []),
        ({"kinds": ["RENEWAL"], "createdBefore": LATER}, ["RENEWAL", "RENEWAL"]),
        ({"vouchers": True}, ["RENEWAL", "TOP_UP"]),
        ({"createdFrom": LATER}, ["RENEWAL", "RENEWAL"]),
    ],
    ids=str,
)
async def test_ledger_entries_that_meet_all_conditions_are_listed_newest_first(
    client: Client, ledger_filter: dict[str, Any], kinds: list[str]
) -> None:
    ledger = (await client(LEDGER, filter=ledger_filter))["ledger"]
    assert [entry["kind"] for entry in ledger["nodes"]] == kinds
    assert ledger["totalCount"] == len(kinds)
