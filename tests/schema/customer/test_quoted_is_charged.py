"""Random requests are charged exactly as quoted, line by line, or refused as the quote predicted."""

import datetime as dt
import random
from typing import Any

import pytest

from tests.support import customer, integrity
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

REQUESTS = 12


async def fill(world: World, chance: random.Random) -> list[str]:
    """Create more than 30 instances of every kind, with bundles, and vouchers; return the ids of the instances."""
    ids = []
    for number in range(24):
        columns: dict[str, Any] = {
            "price": f"{chance.randint(0, 400)}.{chance.randint(0, 99):02d}",
            "product": chance.choice(["eip", "eip", "kec", "ebs", "kes", "cert"]),
            "expires": str(NOW.date() + dt.timedelta(days=chance.randint(-40, 90))),
            "mode": chance.choice(["MANUAL", "AUTO", "NONE"]),
            "trial": chance.random() < 0.05,
        }
        if chance.random() < 0.05:
            columns["expires"] = None
        ids.append(await world.instance(f"i-{number:02d}", **columns))
    for number in range(4):
        members = [f"b-{number}-{n}" for n in range(chance.randint(2, 3))]
        expires = str(NOW.date() + dt.timedelta(days=chance.randint(-20, 60)))
        product = chance.choice(["kec", "kes", "eip"])
        ids += await world.instances(
            members, bundle=f"b-{number}", expires=expires, product=product, price="99.99"
        )
    for _ in range(8):
        await world.voucher(
            f"{chance.randint(1, 300)}.{chance.randint(0, 99):02d}",
            expires=str(NOW.date() + dt.timedelta(days=chance.choice([1, 5, 5, 30, 365]))),
            products=chance.choice([(), (), ("eip",), ("kec", "kes")]),
        )
    return ids


def draw_selection(chance: random.Random, ids: list[str]) -> customer.Selection:
    """Draw some ids, or a filter."""
    if chance.random() < 0.6:
        return [*chance.sample(ids, chance.randint(1, 5)), *(["i-unknown"] if chance.random() < 0.1 else [])]
    conditions: dict[str, Any] = chance.choice(
        [
            {"products": ["eip"]},
            {"tab": "AUTO"},
            {"bundled": False},
            {"search": "-1"},
            {"status": ["EXPIRED"]},
            {},
        ]
    )
    return customer.matching(except_ids=chance.sample(ids, 3), **conditions)


@pytest.mark.parametrize("seed", range(10))
async def test_an_order_charges_exactly_its_quote_or_is_refused_as_quoted(
    world: World, graphql: Client, seed: int
) -> None:
    chance = random.Random(seed)
    buyer = await customer.open_account(world, graphql, balance=f"{chance.choice([500, 5_000, 50_000])}.00")
    ids = await fill(world, chance)
    for number in range(REQUESTS):
        graphql.at(graphql.now + dt.timedelta(hours=chance.randint(0, 30)))
        selection = draw_selection(chance, ids)
        bundles = chance.choice(["REFUSE", "WHOLE", "WHOLE"])
        batch_mode = chance.choice(["ALL_OR_NOTHING", "BEST_EFFORT", "BEST_EFFORT"])
        extension: dict[str, Any] = chance.choice(
            [
                {"months": chance.choice([1, 1, 2, 12, 30])},
                {"day": chance.randint(1, 31)},
                {"date": str(graphql.now.date() + dt.timedelta(days=chance.randint(-3, 400)))},
            ]
        )
        request_quote, send_mutation = (
            (buyer.quote, buyer.renew) if "months" in extension else (buyer.quote_unify, buyer.unify)
        )
        before = await world.snapshot()
        quote = await request_quote(selection, bundles=bundles, **extension)
        assert await world.snapshot() == before
        result = await send_mutation(
            selection,
            key=str(number),
            bundles=bundles,
            batchMode=batch_mode,
            expectedTotal=quote["total"],
            **extension,
        )
        assert_result_equals_quote(quote, result, batch_mode)
        if "order" not in result:
            assert await world.snapshot() == before
    await integrity.assert_holds()


def assert_result_equals_quote(quote: customer.Result, result: customer.Result, batch_mode: str) -> None:
    """Check that the result equals the quote."""
    if quote["refusals"] and (batch_mode == "ALL_OR_NOTHING" or not quote["lines"]):
        assert result["__typename"] == "NotRenewable"
        assert result["refusals"] == quote["refusals"]
    elif not quote["lines"]:
        assert result["__typename"] == "InvalidInput"
    elif quote["shortfall"] != "0.00":
        assert result["__typename"] == "InsufficientFunds"
        assert (result["required"], result["shortfall"]) == (quote["total"], quote["shortfall"])
    else:
        order = result["order"]
        assert result["refusals"] == quote["refusals"]
        assert order["lines"] == sorted(
            ({key: line[key] for key in order["lines"][0]} for line in quote["lines"]),
            key=lambda line: (line["startsAt"], line["instanceId"]),
        )
        for key in ("total", "voucherTotal", "balanceTotal", "vouchers"):
            assert order[key] == quote[key]
        assert result["account"]["balance"] == quote["balanceAfter"]
