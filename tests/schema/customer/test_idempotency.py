"""The idempotency key: a repeated request has the effect of one request (rule 18)."""

from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client


async def test_a_repeated_request_returns_the_first_result_without_a_second_payment(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.voucher("100.00")
    await world.instances(["i-1", "i-2"], price="300.00")
    first = await buyer.renew(["i-1", "i-2"], key="once")
    before = await world.snapshot()
    assert await buyer.renew(["i-1", "i-2"], key="once") == first
    assert await world.snapshot() == before
    unified = await buyer.unify(["i-1"], date="2027-03-31", key="once-too")
    before = await world.snapshot()
    assert await buyer.unify(["i-1"], date="2027-03-31", key="once-too") == unified
    assert await world.snapshot() == before
    await integrity.assert_holds()


async def test_a_request_with_reordered_or_repeated_ids_is_the_same_request(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-1", "i-2", "i-3"], price="100.00")
    first = await buyer.renew(["i-1", "i-2", "i-3"], key="once")
    before = await world.snapshot()
    assert await buyer.renew(["i-3", "i-1", "i-2", "i-1"], key="once") == first
    assert await world.snapshot() == before


async def test_an_omitted_argument_equals_its_default(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", price="100.00")
    first = await buyer.renew(["i-1"], key="once")
    again = await buyer.renew(
        ["i-1"], key="once", bundles="REFUSE", batchMode="ALL_OR_NOTHING", expectedTotal=None
    )
    assert (again, await world.balance()) == (first, "900.00")


async def test_a_repeated_request_returns_the_members_of_a_bundle_in_the_same_order(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["a", "z"], bundle="b", price="10.00")
    await world.instance("m", price="10.00")
    first = await buyer.renew(["a", "m", "z"], key="once", bundles="WHOLE")
    assert await buyer.renew(["a", "m", "z"], key="once", bundles="WHOLE") == first
    assert [instance["id"] for instance in first["instances"]] == ["a", "m", "z"]


async def test_a_repeated_filter_that_no_longer_matches_returns_the_first_result(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-1", "i-2"], expires="2027-01-20", price="100.00")
    selection = customer.matching(expiresBefore="2027-02-01T00:00:00+08:00", except_ids=["i-2"])
    first = await buyer.renew(selection, key="once")
    assert [line["instanceId"] for line in first["order"]["lines"]] == ["i-1"]
    before = await world.snapshot()
    assert await buyer.renew(selection, key="once") == first
    assert await world.snapshot() == before


async def test_a_filter_with_reordered_lists_is_the_same_request(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-1", "i-2", "i-3", "i-4"], price="100.00")
    selection = customer.matching(
        ids=["i-1", "i-2", "i-3"], products=["eip", "kec"], except_ids=["i-3", "i-4"]
    )
    reordered = customer.matching(
        ids=["i-3", "i-2", "i-1"], products=["kec", "eip"], except_ids=["i-4", "i-3"]
    )
    first = await buyer.renew(selection, key="once")
    assert await buyer.renew(reordered, key="once") == first
    assert await world.balance() == "800.00"


async def test_the_first_result_is_returned_even_if_the_request_would_now_be_refused(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="300.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    first = await buyer.renew(["i-1"], key="once", expectedTotal="300.00")
    graphql.at(world.at("2027-06-01 12:00"))  # without money, and a month would not be enough
    before = await world.snapshot()
    again = await buyer.renew(["i-1"], key="once", expectedTotal="300.00")
    assert again["order"] == first["order"]
    assert await world.snapshot() == before


async def test_a_repeated_best_effort_request_returns_the_first_refusals(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("good", expires="2027-01-31")
    await world.instances(["b-1", "b-2"], bundle="b")
    ids = ["good", "b-1", "trial", "unknown", "nul\0", "引号\"'\\"]
    first = await buyer.renew(ids, key="once", batchMode="BEST_EFFORT")
    assert customer.codes(first) == {
        "b-1": "BUNDLED",
        "trial": "NOT_FOUND",
        "unknown": "NOT_FOUND",
        "nul\0": "NOT_FOUND",
        "引号\"'\\": "NOT_FOUND",
    }
    await world.instance("trial", trial=True)
    before = await world.snapshot()
    assert await buyer.renew(ids, key="once", batchMode="BEST_EFFORT") == first
    assert await world.snapshot() == before


async def test_another_request_with_a_used_key_is_refused_without_any_change(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["i-1", "i-2"], price="100.00")
    await buyer.renew(["i-1"], 1, key="once")
    before = await world.snapshot()
    results = [
        await buyer.renew(["i-2"], 1, key="once"),
        await buyer.renew(["i-1", "i-2"], 1, key="once"),
        await buyer.renew(["i-1"], 2, key="once"),
        await buyer.renew(["i-1"], 1, key="once", bundles="WHOLE"),
        await buyer.renew(["i-1"], 1, key="once", batchMode="BEST_EFFORT"),
        await buyer.renew(["i-1"], 1, key="once", expectedTotal="100.00"),
        await buyer.renew(customer.matching(ids=["i-1"]), 1, key="once"),
        await buyer.unify(["i-1"], date="2027-06-30", key="once"),
        await buyer.unify(["i-1"], day=1, key="once"),
    ]
    message = "The idempotency key 'once' was used for another request, so nothing was done. Send a new key."
    assert results == [{"__typename": "IdempotencyKeyReused", "message": message}] * 9
    assert await world.snapshot() == before


async def test_a_refused_request_can_be_repeated_with_the_same_key(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100.00")
    await world.instance("i-1", price="300.00")
    refused = [
        await buyer.renew(["i-1"], 37, key="once"),
        await buyer.renew(["i-1", "unknown"], key="once"),
        await buyer.renew(["i-1"], key="once", expectedTotal="1.00"),
        await buyer.renew(["i-1"], key="once"),
    ]
    assert [result["__typename"] for result in refused] == [
        "InvalidInput",
        "NotRenewable",
        "PriceChanged",
        "InsufficientFunds",
    ]
    await world.top_up("200.00")
    assert (await buyer.renew(["i-1"], key="once"))["__typename"] == "RenewInstancesSuccess"
    assert (await world.count("orders"), await world.balance()) == (1, "0.00")


async def test_two_accounts_can_use_the_same_idempotency_key(world: World, graphql: Client) -> None:
    a = await customer.open_account(world, graphql, "a", balance="300.00")
    await world.instance("a-1", account="a", price="300.00")
    await a.renew(["a-1"], key="once")
    b = await customer.open_account(world, graphql, "b", balance="300.00")
    await world.instance("b-1", account="b", price="300.00")
    assert (await b.renew(["b-1"], key="once"))["__typename"] == "RenewInstancesSuccess"
    assert (await world.count("orders"), await world.balance("a"), await world.balance("b")) == (
        2,
        "0.00",
        "0.00",
    )


async def test_the_same_request_with_another_key_renews_the_instance_again(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await buyer.renew(["i-1"], key="once")
    await buyer.renew(["i-1"], key="twice")
    assert (await world.expiry("i-1"), await world.balance()) == ("2027-03-31", "400.00")


async def test_idempotency_keys_differ_by_case_and_by_spaces(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", price="10.00")
    for key in ("key", "KEY", " key", "key ", "钥匙", "k" * 64):
        assert (await buyer.renew(["i-1"], key=key))["__typename"] == "RenewInstancesSuccess"
    assert (await world.count("orders"), await world.balance()) == (6, "940.00")
