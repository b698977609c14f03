"""Refusals are returned as data, in the order of rule 19, and a refused request changes nothing."""

from typing import Any

import pytest

from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "TRIAL": ({"trial": True}, "A trial instance cannot be renewed."),
    "ONE_OFF": ({"billing": "ONE_OFF"}, "A one-off purchase cannot be renewed."),
    "UNSUPPORTED_PRODUCT": ({"product": "cert"}, "Resubmit."),
    "NO_EXPIRY": ({"expires": None}, "It has no expiry, so there is nothing to renew."),
    "RELEASED": ({"status": "RELEASED", "expires": "2026-12-01"}, "It was released and cannot be restored."),
}


@pytest.mark.parametrize("code", REFUSED)
async def test_an_instance_that_cannot_be_renewed_is_refused_with_its_reason(
    world: World, graphql: Client, code: str
) -> None:
    columns, message = REFUSED[code]
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", **columns)
    refusal = {"instanceId": "i-1", "code": code, "message": message, "bundleInstanceIds": []}
    before = await world.snapshot()
    for refused in (
        await buyer.renew(["i-1"], months=1),
        await buyer.unify(["i-1"], date="2027-06-30"),
        await buyer.set_policy(["i-1"], "AUTO", batchMode="ALL_OR_NOTHING"),
    ):
        assert refused == {
            "__typename": "NotRenewable",
            "message": "1 instance cannot take part, so nothing was done.",
            "refusals": [refusal],
            "refusalCount": 1,
        }
    for quoted in (
        await buyer.quote(["i-1"], months=1),
        await buyer.quote_unify(["i-1"], date="2027-06-30"),
        await buyer.set_policy(["i-1"], "AUTO", batchMode="BEST_EFFORT"),
    ):
        assert (quoted["refusals"], quoted["refusalCount"]) == ([refusal], 1)
    assert await world.snapshot() == before


async def test_an_instance_with_several_reasons_is_refused_for_the_first_in_a_fixed_order(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instance("i-1", product="ddos", trial=True, billing="ONE_OFF", status="RELEASED")
    await world.instance("i-2", trial=True, billing="ONE_OFF", status="RELEASED")
    await world.instance("i-3", billing="ONE_OFF", expires=None)
    assert customer.codes(await buyer.renew(["i-1", "i-2", "i-3"])) == {
        "i-1": "UNSUPPORTED_PRODUCT",
        "i-2": "TRIAL",
        "i-3": "ONE_OFF",
    }


async def test_all_or_nothing_returns_every_refusal_and_makes_no_change(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("good")
    await world.instance("trial", trial=True)
    await world.instance("cert", product="cert")
    before = await world.snapshot()
    refused = await buyer.renew(["good", "trial", "cert", "unknown"], batchMode="ALL_OR_NOTHING")
    assert refused["message"] == "3 instances cannot take part, so nothing was done."
    assert customer.codes(refused) == {
        "trial": "TRIAL",
        "cert": "UNSUPPORTED_PRODUCT",
        "unknown": "NOT_FOUND",
    }
    assert await world.snapshot() == before


async def test_all_or_nothing_is_the_default_of_renewing_and_unifying(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("good")
    before = await world.snapshot()
    assert (await buyer.renew(["good", "unknown"]))["__typename"] == "NotRenewable"
    assert (await buyer.unify(["good", "unknown"], date="2027-06-30"))["__typename"] == "NotRenewable"
    assert await world.snapshot() == before


async def test_best_effort_orders_the_accepted_instances_and_returns_the_refusals(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["i-1", "i-2"], price="10.00")
    await world.instance("trial", trial=True)
    ids = ["unknown", "i-1", "trial", "i-2"]
    renewed = await buyer.renew(ids, key="1", batchMode="BEST_EFFORT", expectedTotal="20.00")
    unified = await buyer.unify(ids, date="2027-06-30", key="2", batchMode="BEST_EFFORT")
    for result in (renewed, unified):
        assert customer.codes(result) == {"unknown": "NOT_FOUND", "trial": "TRIAL"}
        assert [line["instanceId"] for line in result["order"]["lines"]] == ["i-1", "i-2"]
        assert [instance["id"] for instance in result["instances"]] == ["i-1", "i-2"]
    assert (await world.count("orders"), await world.expiry("trial")) == (2, "2027-01-31")
    await integrity.assert_holds()


async def test_best_effort_without_an_accepted_instance_returns_not_renewable(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("trial", trial=True)
    before = await world.snapshot()
    refused = await buyer.renew(["trial", "unknown"], batchMode="BEST_EFFORT")
    assert refused["__typename"] == "NotRenewable"
    assert customer.codes(refused) == {"trial": "TRIAL", "unknown": "NOT_FOUND"}
    assert await world.snapshot() == before


async def test_a_higher_or_a_lower_total_than_expected_returns_price_changed(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", price="300.00")
    before = await world.snapshot()
    refused = await buyer.renew(["i-1"], expectedTotal="299.99")
    assert refused == {
        "__typename": "PriceChanged",
        "message": "The total is now 300.00, not 299.99. Request a new quote.",
        "expectedTotal": "299.99",
        "total": "300.00",
    }
    lower = await buyer.renew(["i-1"], expectedTotal="300.01")
    assert (lower["__typename"], lower["expectedTotal"], lower["total"]) == (
        "PriceChanged",
        "300.01",
        "300.00",
    )
    unified = await buyer.unify(["i-1"], date="2027-02-28", expectedTotal=299)
    assert (unified["expectedTotal"], unified["total"]) == ("299.00", "300.00")
    assert await world.snapshot() == before
    assert (await buyer.renew(["i-1"], expectedTotal=300))["__typename"] == "RenewInstancesSuccess"


async def test_an_order_with_insufficient_funds_is_refused_without_any_change(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="149.99")
    await world.voucher("100.00")
    await world.voucher("50.00", products=["eip"])
    await world.voucher("1000.00", products=["kec"])
    await world.instances(["i-1", "i-2"], price="150.00", product="eip")
    before = await world.snapshot()
    for refused in (await buyer.renew(["i-1", "i-2"]), await buyer.unify(["i-1", "i-2"], date="2027-02-28")):
        assert refused == {
            "__typename": "InsufficientFunds",
            "message": "300.00 is required and 299.99 is available; 0.01 is missing.",
            "required": "300.00",
            "available": "299.99",
            "shortfall": "0.01",
        }
    assert await world.snapshot() == before
    await world.top_up("0.01")
    assert (await buyer.renew(["i-1", "i-2"]))["__typename"] == "RenewInstancesSuccess"
    assert await world.balance() == "0.00"
    await integrity.assert_holds()


async def test_best_effort_is_refused_if_the_money_covers_only_some_of_the_instances(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="300.00")
    await world.instances(["i-1", "i-2"], price="300.00")
    before = await world.snapshot()
    refused = await buyer.renew(["i-1", "i-2"], batchMode="BEST_EFFORT")
    assert (refused["__typename"], refused["shortfall"]) == ("InsufficientFunds", "300.00")
    assert await world.snapshot() == before


@pytest.mark.parametrize("verb", ["renew", "unify"])
async def test_a_request_with_several_errors_returns_the_first_in_a_fixed_order(
    world: World, graphql: Client, verb: str
) -> None:
    """Each step corrects the error of the previous step; all later errors remain."""
    buyer = await customer.open_account(world, graphql, balance="300.00")
    await world.instance("paid", price="300.00")
    await world.instances(["good", "poor"], price="200.00")
    await world.instance("trial", trial=True)
    extension: dict[str, Any] = {"months": 1} if verb == "renew" else {"date": "2027-02-28"}
    send = getattr(buyer, verb)
    assert (await send(["paid"], key="used", **extension))["order"]["total"] == "300.00"
    await world.top_up("1.00")
    before = await world.snapshot()

    invalid_extension: dict[str, Any] = {"months": 37} if verb == "renew" else {"day": 32}
    wrong_total = {"expectedTotal": "0.01"}
    results = [
        await send(["good", "poor", "trial"], key="used", **invalid_extension, **wrong_total),
        await send(["good", "poor", "trial"], key="used", **extension, **wrong_total),
        await send(["good", "poor", "trial"], key="new", **extension, **wrong_total),
        await send(["good", "poor"], key="new", **extension, **wrong_total),
        await send(["good", "poor"], key="new", **extension),
    ]
    assert [result["__typename"] for result in results] == [
        "InvalidInput",
        "IdempotencyKeyReused",
        "NotRenewable",
        "PriceChanged",
        "InsufficientFunds",
    ]
    assert await world.snapshot() == before
