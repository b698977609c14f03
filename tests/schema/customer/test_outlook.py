"""The field `outlook`: whether the worker will renew an instance, when and at what price, or why not."""

from typing import Any

import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

OUTLOOK = "outlook { willRenew dueAt price refusals { code message } }"


@pytest.fixture
async def asked(world: World, graphql: Client) -> Client:
    await world.account("a", balance="150.00")
    graphql.key = await world.key("a")
    graphql.at(world.at("2027-01-20 12:00"))
    return graphql


async def outlooks(client: Client) -> dict[str, Any]:
    fields = f"nodes {{ id {OUTLOOK} }}"
    others = f"others: instances(first: 50, filter: {{manageable: false}}) {{ {fields} }}"
    data = await client(f"{{ manageable: instances(first: 50) {{ {fields} }} {others} }}")
    nodes = [*data["manageable"]["nodes"], *data["others"]["nodes"]]
    return {node["id"]: node["outlook"] for node in nodes}


def codes(outlook: Any) -> list[str]:
    return [refusal["code"] for refusal in outlook["refusals"]]


async def test_the_instance_that_is_due_first_is_paid_first(world: World, asked: Client) -> None:
    await world.instance("first", expires="2027-01-31", mode="AUTO", price="100.00")
    await world.instance("second", expires="2027-02-01", mode="AUTO", price="100.00")
    await world.instance("third", expires="2027-02-02", mode="AUTO", price="50.00")
    found = await outlooks(asked)
    assert found["first"] == {
        "willRenew": True,
        "dueAt": "2027-01-30T16:30:00+00:00",
        "price": "100.00",
        "refusals": [],
    }
    assert (found["second"]["willRenew"], codes(found["second"])) == (False, ["INSUFFICIENT_FUNDS"])
    assert found["second"]["price"] == "100.00"
    assert found["third"]["willRenew"] is True


async def test_an_instance_that_the_worker_does_not_renew_has_a_reason(world: World, asked: Client) -> None:
    await world.instance("manual", price="20.00", months=3)
    await world.instance("none", mode="NONE")
    await world.instance("no-expiry", expires=None)
    await world.instance("expired", expires="2027-01-05", status="EXPIRED", mode="AUTO", product="kec")
    await world.instance("trial", trial=True)
    await world.instance("ddos", product="ddos")
    found = await outlooks(asked)
    assert not any(each["willRenew"] or each["dueAt"] for each in found.values())
    assert {name: codes(each) for name, each in found.items()} == {
        "manual": [],
        "none": [],
        "no-expiry": ["NO_EXPIRY"],
        "expired": ["EXPIRED"],
        "trial": ["TRIAL"],
        "ddos": ["UNSUPPORTED_PRODUCT"],
    }
    assert found["manual"]["price"] == "60.00"
    assert found["trial"]["price"] is None


async def test_a_bundle_renews_or_fails_as_a_whole(world: World, asked: Client) -> None:
    await world.instances(["b-1", "b-2"], expires="2027-01-31", mode="AUTO", price="100.00", bundle="b")
    found = await outlooks(asked)
    assert [codes(each) for each in found.values()] == [["INSUFFICIENT_FUNDS"]] * 2
    await world.top_up("50.00")
    assert all(each["willRenew"] for each in (await outlooks(asked)).values())


@pytest.mark.parametrize(("price", "is_enough"), [("30.00", True), ("30.01", False)])
async def test_an_instance_due_after_the_forecast_is_judged_by_the_money_left_then(
    world: World, asked: Client, price: str, is_enough: bool
) -> None:
    await world.instance("monthly", expires="2027-01-31", mode="AUTO", price="10.00")
    await world.instance("distant", expires="2029-01-31", mode="AUTO", price=price)
    assert (await outlooks(asked))["distant"]["willRenew"] is is_enough, (
        "twelve times 10.00 of 150.00 are gone"
    )


async def test_a_page_of_outlooks_is_read_at_once(world: World, asked: Client) -> None:
    await world.instances([f"i-{number:02}" for number in range(40)], mode="AUTO", price="1.00")
    with sql_log.counted() as seen:
        assert len(await outlooks(asked)) == 40
    assert len(seen) <= 10, "the key, two lists, a snapshot of account, asked, mark, products, vouchers, held"
