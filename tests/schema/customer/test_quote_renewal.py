"""quoteRenewal: the price of a renewal, without any change."""

import pytest

from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import Client

A = "00000000-0000-4000-8000-00000000000a"


async def test_a_quote_has_its_lines_discounts_and_refusals_and_the_split_of_the_payment(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.voucher("500.00", voucher_id=A)
    await world.instance("i-1", expires="2027-01-31", price="300.00", product="eip")
    await world.instance("i-2", expires="2027-02-10", price="100.00", product="kec")
    await world.instance("trial", trial=True)
    before = await world.snapshot()
    assert await buyer.quote(["i-2", "i-1", "trial"], months=12) == {
        "lines": [
            {
                "instanceId": "i-1",
                "startsAt": "2027-01-31T15:59:59+00:00",
                "expiresAt": "2028-01-31T15:59:59+00:00",
                "months": 12,
                "days": 0,
                "listPrice": "3600.00",
                "discount": "612.00",
                "price": "2988.00",
            },
            {
                "instanceId": "i-2",
                "startsAt": "2027-02-10T15:59:59+00:00",
                "expiresAt": "2028-02-10T15:59:59+00:00",
                "months": 12,
                "days": 0,
                "listPrice": "1200.00",
                "discount": "0.00",
                "price": "1200.00",
            },
        ],
        "lineCount": 2,
        "refusals": [
            {
                "instanceId": "trial",
                "code": "TRIAL",
                "message": "A trial instance cannot be renewed.",
                "bundleInstanceIds": [],
            }
        ],
        "refusalCount": 1,
        "vouchers": [{"voucher": {"id": A}, "amount": "500.00"}],
        "listTotal": "4800.00",
        "discountTotal": "612.00",
        "total": "4188.00",
        "voucherTotal": "500.00",
        "balanceTotal": "3688.00",
        "balanceAfter": "6312.00",
        "shortfall": "0.00",
    }
    assert await world.snapshot() == before


async def test_a_quote_has_the_same_shortfall_as_the_refused_renewal(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100.00")
    await world.voucher("50.00", voucher_id=A)
    await world.instance("i-1", price="300.00")
    before = await world.snapshot()
    quote = await buyer.quote(["i-1"])
    assert (quote["total"], quote["shortfall"]) == ("300.00", "150.00")
    assert (quote["voucherTotal"], quote["balanceTotal"], quote["balanceAfter"]) == (
        "50.00",
        "100.00",
        "0.00",
    )
    assert (await buyer.renew(["i-1"]))["shortfall"] == "150.00"
    assert await world.snapshot() == before


async def test_a_quote_for_a_filter_without_matches_is_empty(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100.00")
    quote = await buyer.quote(customer.matching(search="nothing is called so"))
    assert (quote["lines"], quote["refusals"], quote["total"]) == ([], [], "0.00")
    assert (quote["balanceAfter"], quote["shortfall"]) == ("100.00", "0.00")


async def test_a_quote_uses_the_vouchers_and_the_least_months_at_its_instant(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.voucher("50.00", expires="2027-01-12")
    await world.instance("i-1", product="kec", expires="2026-12-12", status="EXPIRED")
    graphql.at(world.at("2027-01-12 23:59:58"))
    quote = await buyer.quote(["i-1"])
    assert (quote["refusals"], quote["voucherTotal"]) == ([], "50.00")
    graphql.at(world.at("2027-01-13 00:00:00"))
    assert customer.codes(await buyer.quote(["i-1"])) == {"i-1": "PERIOD_TOO_SHORT"}
    assert (await buyer.quote(["i-1"], months=2))["voucherTotal"] == "0.00"


async def test_a_total_that_changed_after_the_quote_is_not_charged(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-1", "i-2"], price="100.00")
    total = (await buyer.quote(customer.matching()))["total"]
    await world.instance("i-3", price="100.00")
    before = await world.snapshot()
    refused = await buyer.renew(customer.matching(), expectedTotal=total)
    assert (refused["__typename"], refused["expectedTotal"], refused["total"]) == (
        "PriceChanged",
        "200.00",
        "300.00",
    )
    assert await world.snapshot() == before


@pytest.mark.parametrize("months", [0, -1, 37, 2**31 - 1])
async def test_months_of_a_quote_out_of_bounds_are_refused_with_the_path_of_the_input(
    world: World, graphql: Client, months: int
) -> None:
    await customer.open_account(world, graphql)
    [error] = await graphql.errors(customer.QUOTE, input={"selection": {"ids": ["i-1"]}, "months": months})
    assert error["message"] == f"input.months: must be between 1 and 36, not {months}"
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "input.months"}
