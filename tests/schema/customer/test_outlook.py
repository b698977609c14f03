"""The field `outlook`: whether the worker will renew an instance, when and at what price, or why not."""

from typing import Any

import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

OUTLOOK = "outlook { willRenew dueAt price refusals { code message } }"


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    await world.account("a", balance="150.00")
    graphql.key = await world.key("a")
    graphql.at(world.at("2027-01-20 12:00"))
    return graphql


async def read_outlooks(client: Client) -> dict[str, Any]:
    fields = f"nodes {{ id {OUTLOOK} }}"
    others = f"others: instances(first: 50, filter: {{manageable: false}}) {{ {fields} }}"
    data = await client(f"{{ manageable: instances(first: 50) {{ {fields} }} {others} }}")
    nodes = [*data["manageable"]["nodes"], *data["others"]["nodes"]]
    return {node["id"]: node["outlook"] for node in nodes}


def codes(outlook: Any) -> list[str]:
    return [refusal["code"] for refusal in outlook["refusals"]]


async def test_the_outlooks_use_the_money_for_the_instance_that_is_due_first(
    world: World, client: Client
) -> None:
    await world.instance("first", expires="2027-01-31", mode="AUTO", price="100.00")
    await world.instance("second", expires="2027-02-01", mode="AUTO", price="100.00")
    await world.instance("third", expires="2027-02-02", mode="AUTO", price="50.00")
    outlook_by_id = await read_outlooks(client)
    assert outlook_by_id["first"] == {
        "willRenew": True,
        "dueAt": "2027-01-30T16:30:00+00:00",
        "price": "100.00",
        "refusals": [],
    }
    assert (outlook_by_id["second"]["willRenew"], codes(outlook_by_id["second"])) == (
        False,
        ["INSUFFICIENT_FUNDS"],
    )
    assert outlook_by_id["second"]["price"] == "100.00"
    assert outlook_by_id["third"]["willRenew"] is True


async def test_an_instance_that_is_not_renewed_has_its_refusals_but_no_due_instant(
    world: World, client: Client
) -> None:
    await world.instance("manual", price="20.00", months=3)
    await world.instance("none", mode="NONE")
    await world.instance("no-expiry", expires=None)
    await world.instance("expired", expires="2027-01-05", status="EXPIRED", mode="AUTO", product="kec")
    await world.instance("trial", trial=True)
    await world.instance("ddos", product="ddos")
    outlook_by_id = await read_outlooks(client)
    assert not any(outlook["willRenew"] or outlook["dueAt"] for outlook in outlook_by_id.values())
    assert {name: codes(outlook) for name, outlook in outlook_by_id.items()} == {
        "manual": [],
        "none": [],
        "no-expiry": ["NO_EXPIRY"],
        "expired": ["EXPIRED"],
        "trial": ["TRIAL"],
        "ddos": ["UNSUPPORTED_PRODUCT"],
    }
    assert outlook_by_id["manual"]["price"] == "60.00"
    assert outlook_by_id["trial"]["price"] is None


async def test_all_members_of_a_bundle_have_the_same_outlook(world: World, client: Client) -> None:
    await world.instances(["b-1", "b-2"], expires="2027-01-31", mode="AUTO", price="100.00", bundle="b")
    outlook_by_id = await read_outlooks(client)
    assert [codes(outlook) for outlook in outlook_by_id.values()] == [["INSUFFICIENT_FUNDS"]] * 2
    await world.top_up("50.00")
    assert all(outlook["willRenew"] for outlook in (await read_outlooks(client)).values())


@pytest.mark.parametrize(("price", "is_enough"), [("30.00", True), ("30.01", False)])
async def test_the_outlook_of_an_instance_due_after_the_forecast_depends_on_the_money_left_then(
    world: World, client: Client, price: str, is_enough: bool
) -> None:
    await world.instance("monthly", expires="2027-01-31", mode="AUTO", price="10.00")
    await world.instance("distant", expires="2029-01-31", mode="AUTO", price=price)
    assert (await read_outlooks(client))["distant"]["willRenew"] is is_enough, (
        "the forecast spends twelve times 10.00 of 150.00"
    )


async def test_a_page_of_outlooks_takes_at_most_ten_statements(world: World, client: Client) -> None:
    await world.instances([f"i-{number:02}" for number in range(40)], mode="AUTO", price="1.00")
    with sql_log.counted() as seen:
        assert len(await read_outlooks(client)) == 40
    assert len(seen) <= 10, (
        "the key, two lists, a snapshot of account, instances, mark, products, vouchers, held"
    )
