"""Vouchers pay before the balance, and every change is in the ledger (rules 15 and 16)."""

from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client


def list_voucher_uses(result: customer.Result) -> list[tuple[str, str]]:
    """Return the vouchers that paid, with their amounts, in order."""
    return [(use["voucher"]["id"], use["amount"]) for use in result["vouchers"]]


async def list_renewal_entries(world: World) -> list[tuple[object, ...]]:
    """Return the ledger entries of account `a` without its top-up."""
    return await world.rows(
        """SELECT number, amount_cents, balance_after_cents, voucher_id::text, order_id IS NOT NULL
           FROM ledger_entries WHERE account_id = 'a' AND kind = 'RENEWAL' ORDER BY number"""
    )


A = "00000000-0000-4000-8000-00000000000a"
B = "00000000-0000-4000-8000-00000000000b"
C = "00000000-0000-4000-8000-00000000000c"
D = "00000000-0000-4000-8000-00000000000d"


async def test_vouchers_pay_first_and_the_balance_pays_the_rest(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="500.00")
    await world.voucher("120.00", voucher_id=A)
    await world.instance("i-1", price="300.00")
    renewed = await buyer.renew(["i-1"])
    order = renewed["order"]
    assert (order["total"], order["voucherTotal"], order["balanceTotal"]) == ("300.00", "120.00", "180.00")
    assert list_voucher_uses(order) == [(A, "120.00")]
    assert renewed["account"] == {"balance": "320.00"}
    assert await list_renewal_entries(world) == [(3, -120_00, 0, A, True), (4, -180_00, 320_00, None, True)]
    await integrity.assert_holds()


async def test_a_voucher_that_exceeds_the_total_is_used_in_part_and_keeps_the_rest(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="500.00")
    await world.voucher("1000.00", voucher_id=A)
    await world.instance("i-1", price="300.00")
    assert list_voucher_uses((await buyer.renew(["i-1"], key="1"))["order"]) == [(A, "300.00")]
    assert list_voucher_uses((await buyer.renew(["i-1"], key="2"))["order"]) == [(A, "300.00")]
    assert (await world.available(A), await world.balance()) == ("400.00", "500.00")
    assert await list_renewal_entries(world) == [(3, -300_00, 700_00, A, True), (4, -300_00, 400_00, A, True)]
    await integrity.assert_holds()


async def test_the_voucher_with_the_first_expiry_pays_first_then_the_larger_then_the_lower_id(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.voucher("10.00", expires="2027-06-30", voucher_id=A)
    await world.voucher("10.00", expires="2027-06-30", voucher_id=C)
    await world.voucher("20.00", expires="2027-06-30", voucher_id=D)
    await world.voucher("10.00", expires="2027-02-28", voucher_id=B)
    await world.instance("i-1", price="45.00")
    renewed = await buyer.renew(["i-1"])
    assert list_voucher_uses(renewed["order"]) == [(B, "10.00"), (D, "20.00"), (A, "10.00"), (C, "5.00")]
    assert [await world.available(v) for v in (A, B, C, D)] == ["0.00", "0.00", "5.00", "0.00"]
    await integrity.assert_holds()


async def test_vouchers_are_compared_by_their_available_amounts_at_the_start_of_the_order(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.voucher("100.00", expires="2027-06-30", voucher_id=A)
    await world.voucher("60.00", expires="2027-06-30", voucher_id=B)
    await world.instance("i-1", price="50.00")
    # After the first order, A has 50.00 left. So B, with 60.00, pays before A in the second order.
    assert list_voucher_uses((await buyer.renew(["i-1"], key="1"))["order"]) == [(A, "50.00")]
    assert list_voucher_uses((await buyer.renew(["i-1"], key="2"))["order"]) == [(B, "50.00")]
    # Within one order, the sequence does not change, although A falls below B.
    await world.voucher("60.00", expires="2027-03-31", voucher_id=C)
    await world.voucher("59.00", expires="2027-03-31", voucher_id=D)
    await world.instances(["j-1", "j-2"], price="30.00")
    assert list_voucher_uses((await buyer.renew(["j-1", "j-2"], key="3"))["order"]) == [(C, "60.00")]
    await integrity.assert_holds()


async def test_a_voucher_for_some_products_does_not_pay_for_other_products(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.voucher("500.00", expires="2027-01-31", products=["kec", "ebs"], voucher_id=A)
    await world.voucher("50.00", expires="2027-12-31", voucher_id=B)
    await world.instance("address", product="eip", price="100.00")
    await world.instance("server", product="kec", price="100.00")
    await world.instance("disk", product="ebs", price="30.00")
    renewed = await buyer.renew(["address", "server", "disk"])
    assert list_voucher_uses(renewed["order"]) == [(A, "130.00"), (B, "50.00")]
    assert renewed["order"]["balanceTotal"] == "50.00"
    assert (await world.available(A), await world.balance()) == ("370.00", "950.00")
    await integrity.assert_holds()


async def test_a_voucher_for_other_products_is_not_part_of_the_available_money(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="99.99")
    await world.voucher("500.00", products=["kec"])
    await world.instance("i-1", product="eip", price="100.00")
    before = await world.snapshot()
    refused = await buyer.renew(["i-1"])
    assert (refused["available"], refused["shortfall"]) == ("99.99", "0.01")
    assert await world.snapshot() == before


async def test_a_voucher_pays_until_its_last_second_and_not_after_it(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.voucher("50.00", expires="2027-01-12", voucher_id=A)
    await world.instance("i-1", price="20.00")
    graphql.at(world.at("2027-01-12 23:59:59"))
    assert list_voucher_uses((await buyer.renew(["i-1"], key="1"))["order"]) == [(A, "20.00")]
    graphql.at(world.at("2027-01-13 00:00:00"))
    assert list_voucher_uses((await buyer.renew(["i-1"], key="2"))["order"]) == []
    assert (await world.available(A), await world.balance()) == ("30.00", "980.00")


async def test_one_order_and_single_renewals_use_the_same_vouchers_and_balance(
    world: World, graphql: Client
) -> None:
    async def create_money_and_instances(account: str) -> list[str]:
        await world.voucher("35.00", account=account, expires="2027-03-31", products=["eip"])
        await world.voucher("100.00", account=account, expires="2027-06-30")
        await world.instance(
            f"{account}-1", account=account, expires="2027-01-20", product="eip", price="30.00"
        )
        await world.instance(
            f"{account}-2", account=account, expires="2027-01-21", product="kec", price="80.00"
        )
        return [f"{account}-1", f"{account}-2"]

    batch = await customer.open_account(world, graphql, "a", balance="100.00")
    await batch.renew(await create_money_and_instances("a"))
    single = await customer.open_account(world, graphql, "b", balance="100.00")
    for number, instance_id in enumerate(await create_money_and_instances("b")):
        await single.renew([instance_id], key=str(number))
    query = "SELECT available_cents FROM vouchers WHERE account_id = $1 ORDER BY expires_at"
    assert await world.rows(query, "a") == await world.rows(query, "b") == [(5_00,), (20_00,)]
    assert await world.balance("a") == await world.balance("b") == "100.00"
    await integrity.assert_holds()


async def test_an_order_can_use_the_whole_balance_but_not_more(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="300.00")
    await world.instance("i-1", price="300.00")
    assert (await buyer.renew(["i-1"], key="1"))["account"] == {"balance": "0.00"}
    before = await world.snapshot()
    refused = await buyer.renew(["i-1"], key="2")
    assert (refused["available"], refused["shortfall"]) == ("0.00", "300.00")
    assert await world.snapshot() == before


async def test_no_account_pays_with_the_money_of_another(world: World, graphql: Client) -> None:
    await world.account("b", balance="1000.00")
    await world.voucher("1000.00", account="b")
    buyer = await customer.open_account(world, graphql, "a", balance="1.00")
    await world.instance("i-1", price="300.00")
    before = await world.snapshot()
    assert (await buyer.renew(["i-1"]))["available"] == "1.00"
    assert await world.snapshot() == before
