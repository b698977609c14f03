"""One call can select 10,000 instances, and takes at most two statements more than a call with few instances."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.support import customer, integrity, sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

VERBS: dict[str, Callable[[customer.Buyer, customer.Selection], Awaitable[customer.Result]]] = {
    "renewInstances": lambda buyer, selection: buyer.renew(
        selection, bundles="WHOLE", batchMode="BEST_EFFORT"
    ),
    "unifyExpiry": lambda buyer, selection: buyer.unify(
        selection, day=15, bundles="WHOLE", batchMode="BEST_EFFORT"
    ),
    "setRenewalPolicy": lambda buyer, selection: buyer.set_policy(selection, "AUTO", bundles="WHOLE"),
    "quoteRenewal": lambda buyer, selection: buyer.quote(selection, bundles="WHOLE"),
    "quoteUnifyExpiry": lambda buyer, selection: buyer.quote_unify(selection, day=15, bundles="WHOLE"),
}


@contextlib.contextmanager
def timed(description: str) -> Iterator[None]:
    """Print the duration of the block. It is not asserted, because a machine may be busy."""
    start = time.perf_counter()
    yield
    print(f"{description}: {time.perf_counter() - start:.2f} s")  # noqa: T201


async def create_instances(world: World, count: int) -> list[str]:
    """Create instances of four products, each product with its own day, and return their ids."""
    ids: list[str] = []
    for part, product in enumerate(("eip", "kec", "ebs", "kes")):
        names = [f"{product}-{number:05d}" for number in range(part, count, 4)]
        if names:
            ids += await world.instances(
                names, product=product, expires=f"2027-02-{10 + part}", price="10.00"
            )
    return ids


async def test_10_000_instances_are_renewed_by_one_call_in_one_order(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.voucher("30000.00", products=["kec"])
    ids = await create_instances(world, 10_000)

    with timed("renewed 10,000 by id"):
        renewed = await buyer.renew(ids, key="by id", expectedTotal="100000.00")
    assert (renewed["order"]["lineCount"], renewed["instanceCount"]) == (10_000, 10_000)
    assert (len(renewed["order"]["lines"]), len(renewed["instances"])) == (1_000, 1_000)
    order = renewed["order"]
    assert (order["total"], order["voucherTotal"], order["balanceTotal"]) == (
        "100000.00",
        "25000.00",
        "75000.00",
    )
    assert (await world.count("orders"), await world.count("order_lines")) == (1, 10_000)
    assert await world.rows("SELECT DISTINCT expires_at::date::text FROM instances ORDER BY 1") == [
        (f"2027-03-{day}",) for day in (10, 11, 12, 13)
    ]
    await integrity.assert_holds()

    with timed("repeated the renewal"):
        assert await buyer.renew(ids[::-1], key="by id", expectedTotal="100000.00") == renewed
    assert (await world.count("orders"), await world.balance()) == (1, "25000.00")


async def test_10_000_instances_are_unified_by_one_call_in_one_order(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="200000.00")
    await create_instances(world, 10_000)

    with timed("quoted 10,000"):
        quote = await buyer.quote_unify(customer.matching(), date="2027-03-31")
    with timed("unified 10,000 by filter"):
        unified = await buyer.unify(customer.matching(), date="2027-03-31", expectedTotal=quote["total"])
    assert unified["order"]["lineCount"] == 10_000
    assert unified["account"]["balance"] == quote["balanceAfter"]
    assert (await world.count("orders"), await world.count("order_lines")) == (1, 10_000)
    assert await world.rows("SELECT DISTINCT expires_at, anchor_day FROM instances") == [
        (world.end_of("2027-03-31"), 31)
    ]
    await integrity.assert_holds()


async def test_10_000_instances_change_their_policy_by_one_call(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql)
    ids = await create_instances(world, 10_000)
    with timed("set the policy of 9,999"):
        result = await buyer.set_policy(customer.matching(except_ids=ids[:1]), "AUTO", autoRenewMonths=3)
    assert (result["changedCount"], result["unchangedCount"], result["instanceCount"]) == (9_999, 0, 9_999)
    assert await world.rows(
        "SELECT renewal_mode, auto_renew_months, count(*) FROM instances GROUP BY 1, 2 ORDER BY 3"
    ) == [("MANUAL", 1, 1), ("AUTO", 3, 9_999)]


@pytest.mark.parametrize("verb", VERBS)
async def test_a_call_with_1_000_instances_takes_at_most_two_statements_more_than_with_one(
    world: World, graphql: Client, verb: str
) -> None:
    """Even the small case has a bundle, vouchers of several products, and a refusal.

    The two additional statements read a large selection and the instances of its response.
    """
    counts = []
    for account, count in (("one", 1), ("ten", 10), ("thousand", 1_000)):
        buyer = await customer.open_account(world, graphql, account, balance="1000000.00")
        ids_by_kind = {
            "single": await world.instances([f"{account}-{n}" for n in range(count)], account=account),
            "trial": await world.instances(
                [f"{account}-t-{n}" for n in range(count)], account=account, trial=True
            ),
        }
        for number in range(max(1, count // 10)):
            members = [f"{account}-b-{number}-{n}" for n in range(2)]
            ids_by_kind[f"bundle {number}"] = await world.instances(
                members, account=account, bundle=f"{account}-{number}", product="kec"
            )
        for number in range(min(count, 100)):
            products = ["eip"] if number % 2 else ["kec"]
            await world.voucher(
                "10.00", account=account, products=products, expires=f"2027-0{1 + number % 9}-28"
            )
        await world.voucher("10.00", account=account)
        selected_ids = [instance_id for ids in ids_by_kind.values() for instance_id in ids]
        with sql_log.counted() as seen:
            result = await VERBS[verb](buyer, [*selected_ids, "unknown"])
        accepted_count = result["lineCount"] if "lineCount" in result else result["instanceCount"]
        assert (accepted_count, result["refusalCount"]) == (count + 2 * max(1, count // 10), count + 1)
        counts.append(len(seen))
    assert counts[1] == counts[0] <= 10
    assert counts[2] <= counts[0] + 2
