"""The instances that a run renews, their order, and their payment (rules 10, 11, 15, 20, 21, 24)."""

from typing import Any

from renewals.auto_renewal import renew
from renewals.db.models import RenewalRun
from renewals.domain import model, planning
from renewals.instances import selection
from renewals.orders import place_order, requests
from tests.renewals import dst_nights
from tests.renewals.dst_nights import Night
from tests.support import integrity
from tests.support.fixtures import EVENTS, World


async def run(world: World, moment: str) -> RenewalRun:
    """Do a whole run at a local time in the zone of account `a`."""
    at = world.at(moment)
    return await renew.run_at(at, clock=lambda: at)


async def list_attempts(world: World) -> list[tuple[Any, ...]]:
    return await world.rows("SELECT instance_id, code FROM renewal_attempts ORDER BY id")


async def list_renewed_ids(world: World) -> list[str]:
    """Return the ids of the instances with a paid period, in the order of the payments."""
    sql = """SELECT l.instance_id FROM order_lines l
             JOIN (SELECT order_id, min(number) AS number FROM ledger_entries GROUP BY 1) AS e USING (order_id)
             ORDER BY e.number, l.id"""
    return [instance_id for (instance_id,) in await world.rows(sql)]


async def test_an_automatic_renewal_writes_an_order_a_ledger_entry_and_an_attempt(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
    done = await run(world, "2027-01-31 00:30")
    assert (done.renewed_count, done.refused_count, done.skipped_count, done.amount_cents) == (
        1,
        0,
        0,
        300_00,
    )
    assert await world.expiry("i-1") == "2027-02-28"
    assert await world.balance() == "700.00"
    order = await world.row(
        "SELECT id, account_id, kind, total_cents, idempotency_key, created_at FROM orders"
    )
    assert order[1:] == ("a", "AUTO_RENEWAL", 300_00, None, world.at("2027-01-31 00:30"))
    assert await world.rows(
        "SELECT kind, amount_cents, memo FROM ledger_entries WHERE order_id IS NOT NULL"
    ) == [("RENEWAL", -300_00, "Renewed automatically: i-1")]
    assert await world.rows("SELECT instance_id, succeeded, code, order_id FROM renewal_attempts") == [
        ("i-1", True, None, order[0])
    ]
    assert (await world.read("i-1")).renewal_mode == "AUTO"
    await integrity.assert_holds()


async def test_the_memo_of_an_entry_is_in_the_language_of_the_account(world: World) -> None:
    await world.account("a", balance="2000.00", language=model.Language.ZH)
    await world.voucher("10.00")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO", bundle="b")
    await run(world, "2027-01-31 00:30")
    await place_order.place_order(
        "a",
        requests.OrderRequest(selection.ById(("i-1", "i-2")), planning.RenewFor(1), idempotency_key="k"),
        lambda: world.at("2027-01-31 01:00"),
    )
    memos = await world.rows("SELECT memo FROM ledger_entries WHERE number > 1 ORDER BY number")
    assert [memo for (memo,) in memos] == [
        "发放代金券",
        "自动续费：i-1、i-2",
        "自动续费：i-1、i-2",
        "续费实例 2 个",
    ]


@dst_nights.every_night
async def test_a_run_renews_the_instances_in_the_order_of_expiry_and_id(world: World, night: Night) -> None:
    await world.account("a", balance="300.00", lead_days=9, zone=night.zone)
    await world.instance("i-0", expires=night.day(+3), mode="AUTO", price="100.00")
    await world.instances(["i-3", "i-10", "i-2"], expires=night.day(+2), mode="AUTO", price="100.00")
    await world.instance("i-9", expires=night.day(+1), mode="AUTO", price="100.00")
    done = await run(world, night.at("00:30"))
    assert await list_renewed_ids(world) == ["i-9", "i-10", "i-2"]
    assert (done.renewed_count, done.refused_count) == (3, 2)
    assert await list_attempts(world) == [
        *[("i-9", None), ("i-10", None), ("i-2", None)],
        *[("i-3", "INSUFFICIENT_FUNDS"), ("i-0", "INSUFFICIENT_FUNDS")],
    ]
    assert await world.balance() == "0.00"
    await integrity.assert_holds()


async def test_the_orders_of_a_run_are_listed_in_the_reverse_of_the_order_of_payment(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instances(
        [f"i-{number:02}" for number in range(50)], expires="2027-01-31", mode="AUTO", price="1.00"
    )
    await run(world, "2027-01-31 00:30")
    listed = await world.rows("""SELECT l.instance_id FROM orders o JOIN order_lines l ON l.order_id = o.id
                                 ORDER BY o.created_at DESC, o.id DESC""")
    assert [instance_id for (instance_id,) in listed] == (await list_renewed_ids(world))[::-1]
    assert len(listed) == 50


@dst_nights.every_night
async def test_a_run_renews_a_cheaper_instance_after_an_instance_that_cannot_be_paid(
    world: World, night: Night
) -> None:
    await world.account("a", balance="250.00", zone=night.zone)
    for instance_id, price in {"i-1": "100.00", "i-2": "200.00", "i-3": "150.01", "i-4": "150.00"}.items():
        await world.instance(instance_id, expires=night.last_day, mode="AUTO", price=price)
    done = await run(world, night.at("00:30"))
    assert await list_renewed_ids(world) == ["i-1", "i-4"]
    assert (done.renewed_count, done.refused_count, done.amount_cents) == (2, 2, 250_00)
    assert await list_attempts(world) == [
        *[("i-1", None), ("i-2", "INSUFFICIENT_FUNDS"), ("i-3", "INSUFFICIENT_FUNDS"), ("i-4", None)],
    ]
    assert [await world.expiry(i) for i in ("i-2", "i-3")] == [night.last_day, night.last_day]
    assert await world.balance() == "0.00"
    await integrity.assert_holds()


@dst_nights.every_night
async def test_an_unpaid_instance_is_renewed_by_the_next_run_after_a_top_up(
    world: World, night: Night
) -> None:
    await world.account("a", balance="299.99", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    assert (await run(world, night.at("00:30"))).refused_count == 1
    assert (await run(world, night.at("14:30"))).refused_count == 1
    assert await world.balance() == "299.99"
    await world.top_up("0.01")
    assert (await run(world, night.at("15:30"))).renewed_count == 1
    assert (await run(world, night.at("16:30"))).renewed_count == 0
    assert await list_attempts(world) == [
        *[("i-1", "INSUFFICIENT_FUNDS"), ("i-1", "INSUFFICIENT_FUNDS"), ("i-1", None)],
    ]
    assert await world.expiry("i-1") == night.following
    assert await world.balance() == "0.00"
    await integrity.assert_holds()


@dst_nights.every_night
async def test_a_bundle_is_renewed_in_one_order(world: World, night: Night) -> None:
    await world.account("a", balance="320.00", zone=night.zone)
    on = {"expires": night.last_day, "anchor": night.anchor, "mode": "AUTO"}
    for instance_id, product in {"m-kes": "kes", "m-kec": "kec", "m-ebs": "ebs"}.items():
        await world.instance(instance_id, product=product, bundle="b", price="100.00", **on)
    await world.instance("z", price="20.00", **on)
    done = await run(world, night.at("00:30"))
    assert (done.renewed_count, done.amount_cents) == (4, 320_00)
    assert await list_renewed_ids(world) == ["m-ebs", "m-kec", "m-kes", "z"]
    assert await world.rows("SELECT total_cents FROM orders ORDER BY 1") == [(20_00,), (300_00,)]
    assert {await world.expiry(i) for i in ("m-kes", "m-kec", "m-ebs")} == {night.following}
    await integrity.assert_holds()


async def test_a_bundle_that_cannot_be_paid_in_full_is_refused_as_a_whole(world: World) -> None:
    await world.account("a", balance="299.99")
    await world.instances(["m-1", "m-2", "m-3"], bundle="b", mode="AUTO", price="100.00")
    await world.instance("z", mode="AUTO", price="299.99")
    done = await run(world, "2027-01-31 00:30")
    assert (done.renewed_count, done.refused_count) == (1, 3)
    assert await list_renewed_ids(world) == ["z"]
    assert await list_attempts(world) == [
        *[("m-1", "INSUFFICIENT_FUNDS"), ("m-2", "INSUFFICIENT_FUNDS"), ("m-3", "INSUFFICIENT_FUNDS")],
        ("z", None),
    ]
    assert {await world.expiry(i) for i in ("m-1", "m-2", "m-3")} == {"2027-01-31"}
    await integrity.assert_holds()


async def test_a_bundle_with_an_unsupported_member_is_refused_as_a_whole(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("m-1", product="kec", bundle="b", mode="AUTO")
    await world.instance("m-2", product="ddos", bundle="b", mode="AUTO")
    before = await world.snapshot(but=EVENTS)
    assert (await run(world, "2027-01-31 00:30")).refused_count == 2
    assert await list_attempts(world) == [("m-1", "BUNDLED"), ("m-2", "UNSUPPORTED_PRODUCT")]
    assert await world.snapshot(but=EVENTS) == before


async def test_a_run_renews_only_running_auto_instances_that_can_be_renewed(world: World) -> None:
    await world.account("a", balance="100000.00")
    await world.instance("manual", mode="MANUAL")
    await world.instance("none", mode="NONE")
    await world.instance("trial", mode="AUTO", trial=True)
    await world.instance("one-off", mode="AUTO", billing="ONE_OFF")
    await world.instance("cert", mode="AUTO", product="cert")
    await world.instance("as-you-go", mode="AUTO", expires=None)
    await world.instance("expired", mode="AUTO", status="EXPIRED")
    await world.instance("released", mode="AUTO", status="RELEASED")
    before = await world.snapshot(but=EVENTS)
    for hour in range(24):
        assert (await run(world, f"2027-01-31 {hour:02}:30")).renewed_count == 0
    assert await world.snapshot(but=EVENTS) == before
    tried = "SELECT DISTINCT instance_id, code FROM renewal_attempts ORDER BY 1"
    assert await world.rows(tried) == [
        *[("cert", "UNSUPPORTED_PRODUCT"), ("one-off", "ONE_OFF"), ("trial", "TRIAL")]
    ]


async def test_vouchers_pay_before_the_balance_by_earliest_expiry_and_then_by_largest_amount(
    world: World,
) -> None:
    await world.account("a", balance="500.00")
    later = await world.voucher("200.00", expires="2027-03-01")
    soon_small = await world.voucher("10.00", expires="2027-02-01")
    soon_large = await world.voucher("50.00", expires="2027-02-01")
    today = await world.voucher("7.00", expires="2027-01-31")
    expired = await world.voucher("99.00", expires="2027-01-30")
    for_kec = await world.voucher("88.00", expires="2027-01-31", products=["kec"])
    await world.instance("i-1", mode="AUTO", product="eip", price="100.00")
    await world.instance("i-2", mode="AUTO", product="eip", price="200.00")
    await run(world, "2027-01-31 00:30")
    used = await world.rows("""SELECT l.instance_id, e.voucher_id::text, e.amount_cents FROM ledger_entries e
      JOIN order_lines l ON l.order_id = e.order_id ORDER BY e.number""")
    assert used == [
        *[("i-1", today, -7_00), ("i-1", soon_large, -50_00), ("i-1", soon_small, -10_00)],
        *[("i-1", later, -33_00), ("i-2", later, -167_00), ("i-2", None, -33_00)],
    ]
    assert await world.available(expired) == "99.00"
    assert await world.available(for_kec) == "88.00"
    assert await world.balance() == "467.00"
    await integrity.assert_holds()


async def test_the_order_of_vouchers_is_fixed_at_the_start_of_the_accounts_run(world: World) -> None:
    """After the renewal of i-1, the second voucher is the larger one. The first is still used up before it."""
    await world.account("a")
    first = await world.voucher("100.00", expires="2027-02-01")
    second = await world.voucher("90.00", expires="2027-02-01")
    await world.instances(["i-1", "i-2", "i-3"], mode="AUTO", price="60.00")
    await run(world, "2027-01-31 00:30")
    used = await world.rows("""SELECT l.instance_id, e.voucher_id::text, e.amount_cents FROM ledger_entries e
      JOIN order_lines l ON l.order_id = e.order_id ORDER BY e.number""")
    assert used == [
        *[("i-1", first, -60_00), ("i-2", first, -40_00), ("i-2", second, -20_00), ("i-3", second, -60_00)]
    ]
    assert await world.available(second) == "10.00"
    await integrity.assert_holds()


async def test_a_voucher_that_cannot_complete_a_payment_is_used_for_the_next_instance(world: World) -> None:
    await world.account("a", balance="70.00")
    voucher = await world.voucher("50.00")
    await world.instance("i-1", mode="AUTO", price="120.01")
    await world.instance("i-2", mode="AUTO", price="120.00")
    await run(world, "2027-01-31 00:30")
    assert await list_attempts(world) == [("i-1", "INSUFFICIENT_FUNDS"), ("i-2", None)]
    assert await world.rows("SELECT voucher_cents, balance_cents FROM orders") == [(50_00, 70_00)]
    assert (await world.available(voucher), await world.balance()) == ("0.00", "0.00")
    await integrity.assert_holds()


async def test_a_free_instance_is_renewed_without_a_ledger_entry(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", mode="AUTO", price="0.00")
    assert (await run(world, "2027-01-31 00:30")).renewed_count == 1
    assert await world.expiry("i-1") == "2027-02-28"
    assert await world.count("ledger_entries") == 0
    await integrity.assert_holds()


@dst_nights.every_night
async def test_an_account_pays_only_for_its_own_instances(world: World, night: Night) -> None:
    await world.account("poor", balance="0.00", zone=night.zone)
    await world.account("a", balance="1000.00", zone=night.zone)
    await world.voucher("500.00", account="a", expires=night.last_day)
    await world.instance("i-poor", account="poor", expires=night.last_day, mode="AUTO", price="10.00")
    await world.instance("i-rich", account="a", expires=night.last_day, mode="AUTO", price="500.00")
    await run(world, night.at("00:30"))
    assert await list_renewed_ids(world) == ["i-rich"]
    assert [await world.balance(account) for account in ("poor", "a")] == ["0.00", "1000.00"]
    await integrity.assert_holds()
