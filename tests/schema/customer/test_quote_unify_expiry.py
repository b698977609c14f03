"""quoteUnifyExpiry: the price of a common expiry, without any change."""

import pytest

from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import Client


async def test_the_quote_from_2018_09_10_to_2018_11_01_at_300_a_month_is_512_90(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2018-09-10", price="300.00")
    graphql.at(world.at("2018-09-01 12:00"))
    before = await world.snapshot()
    by_date = await buyer.quote_unify(["i-1"], date="2018-11-01")
    assert by_date["lines"] == [
        {
            "instanceId": "i-1",
            "startsAt": "2018-09-10T15:59:59+00:00",
            "expiresAt": "2018-11-01T15:59:59+00:00",
            "months": 1,
            "days": 22,
            "listPrice": "512.90",
            "discount": "0.00",
            "price": "512.90",
        }
    ]
    assert (by_date["total"], by_date["balanceAfter"]) == ("512.90", "487.10")
    assert await buyer.quote_unify(["i-1"], day=1) == by_date
    assert await world.snapshot() == before


async def test_the_total_is_the_sum_of_rounded_lines(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-1", "i-2", "i-3"], expires="2018-09-10", price="1.55")
    graphql.at(world.at("2018-09-01 12:00"))
    quote = await buyer.quote_unify(customer.matching(), date="2018-09-11")  # 1.55 / 30 = 0.0516
    assert [line["price"] for line in quote["lines"]] == ["0.05", "0.05", "0.05"]
    assert quote["total"] == "0.15"


async def test_the_total_of_a_quote_is_its_list_total_less_its_discount_total(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00", product="eip")
    quote = await buyer.quote_unify(["i-1"], date="2028-02-10")
    assert (quote["listTotal"], quote["discountTotal"], quote["total"]) == ("3703.45", "612.00", "3091.45")


async def test_a_quote_has_the_refused_instances_beside_the_lines(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("good", expires="2027-01-31")
    await world.instance("later", expires="2027-06-30")
    await world.instance("far", expires="2027-01-31", product="cert")
    quote = await buyer.quote_unify(["good", "later", "far", "unknown"], date="2027-03-31")
    assert [line["instanceId"] for line in quote["lines"]] == ["good"]
    assert customer.codes(quote) == {
        "later": "TARGET_NOT_LATER",
        "far": "UNSUPPORTED_PRODUCT",
        "unknown": "NOT_FOUND",
    }
    [later] = [refusal for refusal in quote["refusals"] if refusal["instanceId"] == "later"]
    assert later["message"] == "2027-03-31 is not after its expiry on 2027-06-30; choose a later date."


@pytest.mark.parametrize("day", [0, -1, 32])
async def test_a_day_of_the_month_out_of_bounds_is_refused_with_the_path_of_the_input(
    world: World, graphql: Client, day: int
) -> None:
    await customer.open_account(world, graphql)
    target = {"dayOfMonth": day}
    [error] = await graphql.errors(
        customer.QUOTE_UNIFY, input={"selection": {"ids": ["i-1"]}, "target": target}
    )
    assert error["message"] == f"input.target.dayOfMonth: must be between 1 and 31, not {day}"
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "input.target.dayOfMonth"}
