"""Test refundOrder: future periods are refunded once, to the vouchers and the balance that paid."""

import datetime as dt
import json
import time
import uuid
from typing import Any

import pytest

from renewals.auto_renewal import renew
from tests.support import customer, integrity, sql_log
from tests.support.customer import Buyer
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

FIELDS = """{ account { balance } refusals { id field message }
  refund { orderId reason createdAt total voucherTotal balanceTotal lines { instanceId amount }
    vouchers { amount voucher { id available } } } }"""
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
async def buyer(world: World, operator: Operator, graphql: Client) -> Buyer:
    """Create account `a` with 1,000.00."""
    return await customer.open_account(world, graphql, balance="1000.00")


async def refund(operator: Operator, order_id: str, *ids: str, key: str | None = None) -> dict[str, Any]:
    """Refund an order, or only the lines of some instances."""
    selection = {"instanceIds": ids} if ids else {}
    return await operator.done("refundOrder", FIELDS, key=key, orderId=order_id, reason="Outage", **selection)


async def read_refusals(operator: Operator, order_id: str, *ids: str) -> dict[str, str]:
    """Return the reasons of a refused refund, by instance."""
    query = """mutation($input: RefundOrderInput!) { refundOrder(input: $input) {
      ... on NotRefundable { message refusals { id field message } } } }"""
    sent = {"orderId": order_id, "reason": "Outage", "idempotencyKey": str(uuid.uuid4())}
    answer = await operator(query, input=sent | ({"instanceIds": ids} if ids else {}))
    assert (
        answer["refundOrder"]["message"]
        == "None of the requested lines can be refunded, so nothing was done."
    )
    assert {row["field"] for row in answer["refundOrder"]["refusals"]} == {"instanceIds"}
    return {row["id"]: row["message"] for row in answer["refundOrder"]["refusals"]}


async def renew_instances(buyer: Buyer, *ids: str, key: str = "key", months: int = 1) -> str:
    answer = await buyer.renew(ids, months, key=key)
    assert answer["__typename"] == "RenewInstancesSuccess", answer
    return str(answer["order"]["id"])


async def unify_instances(buyer: Buyer, *ids: str, date: str, key: str = "key") -> str:
    answer = await buyer.unify(ids, date=date, key=key)
    assert answer["__typename"] == "UnifyExpirySuccess", answer
    return str(answer["order"]["id"])


async def test_the_latest_order_of_an_instance_is_listed_first_even_for_an_earlier_period(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    first = await renew_instances(buyer, "i-1", key="first")
    second = await renew_instances(buyer, "i-1", key="second")
    await refund(operator, second)
    await refund(operator, first)
    again = await renew_instances(buyer, "i-1", key="again")  # the same period as in the first order
    data = await buyer.client('{ instance(id: "i-1") { orders { id } latest: orders(first: 1) { id } } }')
    orders = [order["id"] for order in data["instance"]["orders"]]
    assert (orders[0], set(orders[1:])) == (again, {first, second})
    assert [order["id"] for order in data["instance"]["latest"]] == [again]


async def test_a_refund_returns_the_money_and_restores_the_expiry(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="300.00")
    await world.instance("i-2", price="100.00")
    order_id = await renew_instances(buyer, "i-1", "i-2")
    answer = await refund(operator, order_id)
    assert answer["account"] == {"balance": "1000.00"}
    assert answer["refusals"] == []
    assert answer["refund"] == {
        "orderId": order_id,
        "reason": "Outage",
        "createdAt": "2027-01-10T04:00:00+00:00",
        "total": "400.00",
        "voucherTotal": "0.00",
        "balanceTotal": "400.00",
        "lines": [{"instanceId": "i-1", "amount": "300.00"}, {"instanceId": "i-2", "amount": "100.00"}],
        "vouchers": [],
    }
    assert [await world.expiry(instance_id) for instance_id in ("i-1", "i-2")] == ["2027-01-31"] * 2
    assert (await world.read("i-1")).status == "RUNNING"
    sql = """SELECT kind, amount_cents, balance_after_cents, order_id::text, memo FROM ledger_entries
             ORDER BY number DESC LIMIT 1"""
    assert await world.row(sql) == ("REFUND", 40000, 100000, order_id, "Instances refunded: 2")
    await integrity.assert_holds()


async def test_lines_can_be_refunded_at_different_times(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    ids = await world.instances(["i-1", "i-2", "i-3"], price="100.00")
    order_id = await renew_instances(buyer, *ids)
    answer = await refund(operator, order_id, "i-2", "x", "i-2")
    assert answer["account"] == {"balance": "800.00"}
    assert answer["refusals"] == [{"id": "x", "field": "instanceIds", "message": "has no line in this order"}]
    assert [await world.expiry(instance_id) for instance_id in ids] == [
        "2027-02-28",
        "2027-01-31",
        "2027-02-28",
    ]
    second = await refund(operator, order_id)
    assert [line["instanceId"] for line in second["refund"]["lines"]] == ["i-1", "i-3"]
    assert second["refusals"] == [{"id": "i-2", "field": "instanceIds", "message": "was already refunded"}]
    assert set((await read_refusals(operator, order_id)).values()) == {"was already refunded"}
    await integrity.assert_holds()


@pytest.fixture
async def order_paid_by_vouchers(world: World, buyer: Buyer) -> tuple[str, str, str]:
    """Create an order of two lines of 100.00, paid by both vouchers, and by the second voucher and the balance."""
    soon = await world.voucher("50.00", expires="2027-01-20")
    late = await world.voucher("80.00")
    await world.instances(["i-1", "i-2"], price="100.00")
    return await renew_instances(buyer, "i-1", "i-2"), soon, late


RETURNED = "SELECT amount_cents, voucher_id::text FROM ledger_entries WHERE kind = 'REFUND' ORDER BY number"


async def test_a_refund_returns_the_payment_of_each_voucher_to_that_voucher(
    world: World, operator: Operator, order_paid_by_vouchers: tuple[str, str, str]
) -> None:
    order_id, soon, late = order_paid_by_vouchers
    operator.at(world.end_of("2027-01-20"))
    first = await refund(operator, order_id, "i-1")
    assert (first["refund"]["voucherTotal"], first["refund"]["balanceTotal"]) == ("100.00", "0.00")
    assert [await world.available(voucher_id) for voucher_id in (soon, late)] == ["50.00", "50.00"]
    second = await refund(operator, order_id, "i-2")
    assert (second["refund"]["voucherTotal"], second["refund"]["balanceTotal"]) == ("30.00", "70.00")
    assert [await world.available(voucher_id) for voucher_id in (soon, late)] == ["50.00", "80.00"]
    assert await world.rows(RETURNED) == [(5000, soon), (5000, late), (3000, late), (7000, None)]
    await integrity.assert_holds()


async def test_each_refund_lists_the_vouchers_that_received_money_from_that_refund(
    world: World, operator: Operator, buyer: Buyer, order_paid_by_vouchers: tuple[str, str, str]
) -> None:
    """Refund one order twice at the same instant, which can happen on an account with a test clock."""
    order_id, soon, late = order_paid_by_vouchers
    first, second = await refund(operator, order_id, "i-1"), await refund(operator, order_id, "i-2")
    assert first["refund"]["vouchers"] == [
        {"amount": "50.00", "voucher": {"id": soon, "available": "50.00"}},
        {"amount": "50.00", "voucher": {"id": late, "available": "50.00"}},
    ]
    assert second["refund"]["vouchers"] == [
        {"amount": "30.00", "voucher": {"id": late, "available": "80.00"}}
    ]
    refunds = "refunds { voucherTotal vouchers { amount voucher { id } } }"
    wanted = [
        (
            "100.00",
            [{"amount": "50.00", "voucher": {"id": soon}}, {"amount": "50.00", "voucher": {"id": late}}],
        ),
        ("30.00", [{"amount": "30.00", "voucher": {"id": late}}]),
    ]
    query = f"query($id: ID!) {{ order(id: $id) {{ {refunds} }} }}"
    for client in (buyer.client, operator):
        seen = (await client(query, id=order_id))["order"]["refunds"]
        assert sorted((refund["voucherTotal"], refund["vouchers"]) for refund in seen) == sorted(wanted)


async def test_the_payment_of_an_expired_voucher_is_refunded_to_the_balance(
    world: World, operator: Operator, order_paid_by_vouchers: tuple[str, str, str]
) -> None:
    order_id, soon, late = order_paid_by_vouchers
    operator.at(world.end_of("2027-01-20") + SECOND)
    answer = await refund(operator, order_id)
    assert (answer["refund"]["voucherTotal"], answer["refund"]["balanceTotal"]) == ("80.00", "120.00")
    assert [await world.available(voucher_id) for voucher_id in (soon, late)] == ["0.00", "80.00"]
    assert answer["account"] == {"balance": "1050.00"}
    assert await world.rows(RETURNED) == [(8000, late), (12000, None)]
    await integrity.assert_holds()


async def test_a_voucher_for_one_product_is_refunded_only_its_payment_for_that_product(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    limited = await world.voucher("150.00", products=["kec"])
    await world.instance("i-1", price="100.00", product="eip")
    await world.instance("i-2", price="100.00", product="kec")
    order_id = await renew_instances(buyer, "i-1", "i-2")
    assert (await refund(operator, order_id, "i-1"))["refund"]["balanceTotal"] == "100.00"
    assert await world.available(limited) == "50.00"
    assert (await refund(operator, order_id, "i-2"))["refund"]["voucherTotal"] == "100.00"
    assert (await world.available(limited), await world.balance()) == ("150.00", "1000.00")
    await integrity.assert_holds()


async def test_a_customer_reads_refunds_and_the_original_payments(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.voucher("30.00")
    await world.instances(["i-1", "i-2"], price="100.00")
    order_id = await renew_instances(buyer, "i-1", "i-2")
    await refund(operator, order_id, "i-1")
    await refund(operator, order_id, "i-2")
    query = """query($id: ID!) { order(id: $id) { total vouchers { amount }
      refunds { id createdAt total voucherTotal balanceTotal lines { instanceId amount } } }
      ledger(first: 1) { nodes { kind amount orderId } } }"""
    seen = await buyer.client(query, id=order_id)
    assert seen["order"]["vouchers"] == [{"amount": "30.00"}]
    assert [
        (row["total"], row["voucherTotal"], row["balanceTotal"], row["lines"])
        for row in seen["order"]["refunds"]
    ] == [
        ("100.00", "30.00", "70.00", [{"instanceId": "i-1", "amount": "100.00"}]),
        ("100.00", "0.00", "100.00", [{"instanceId": "i-2", "amount": "100.00"}]),
    ]
    assert seen["ledger"]["nodes"] == [{"kind": "REFUND", "amount": "100.00", "orderId": order_id}]
    answer = await customer.of(world, buyer.client, await world.account("b"))
    assert await answer.client("query($id: ID!) { order(id: $id) { id } }", id=order_id) == {"order": None}


async def test_reading_the_refunds_of_four_orders_takes_as_many_statements_as_of_one_order(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    for number in range(4):
        await world.voucher("1.00")
        await world.instance(f"i-{number}", price="10.00")
        await refund(operator, await renew_instances(buyer, f"i-{number}", key=str(number)))
    nested = """nodes { id total lines { instanceId }
      refunds { total lines { instanceId amount } vouchers { amount voucher { id } } } }"""
    for client, query in (
        (buyer.client, f"query($n: Int) {{ orders(first: $n) {{ {nested} }} }}"),
        (operator, f'query($n: Int) {{ orders(accountId: "a", first: $n) {{ {nested} }} }}'),
    ):
        await client(query, n=1)
        with sql_log.counted() as one:
            await client(query, n=1)
        with sql_log.counted() as four:
            answer = await client(query, n=4)
        assert [len(order["refunds"][0]["lines"]) for order in answer["orders"]["nodes"]] == [1] * 4
        assert len(four) == len(one)


async def test_operators_read_an_order_with_its_refunds(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    order_id = await renew_instances(buyer, "i-1")
    await refund(operator, order_id)
    query = """query($id: ID!) { order(id: $id) { accountId kind total lines { instanceId price }
      refunds { orderId reason total } } }"""
    assert await operator(query, id=order_id) == {
        "order": {
            "accountId": "a",
            "kind": "MANUAL_RENEWAL",
            "total": "100.00",
            "lines": [{"instanceId": "i-1", "price": "100.00"}],
            "refunds": [{"orderId": order_id, "reason": "Outage", "total": "100.00"}],
        }
    }
    for unknown in ("x", str(uuid.uuid4())):
        assert await operator(query, id=unknown) == {"order": None}
    listed = "query($id: ID!) { orders(accountId: $id) { totalCount nodes { id accountId } } }"
    assert (await operator(listed, id="a"))["orders"] == {
        "totalCount": 1,
        "nodes": [{"id": order_id, "accountId": "a"}],
    }
    assert (await operator(listed, id="\0"))["orders"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("expires", "anchor", "target"),
    [("2027-01-31", 31, "2027-03-15"), ("2027-02-28", 30, "2027-04-01"), ("2028-02-29", 29, "2028-03-31")],
)
async def test_a_refunded_unify_restores_the_anchor_day(
    world: World, operator: Operator, buyer: Buyer, expires: str, anchor: int, target: str
) -> None:
    await world.instance("i-1", expires=expires, anchor=anchor, price="300.00")
    quoted = await buyer.quote(["i-1"], 2)
    order_id = await unify_instances(buyer, "i-1", date=target)
    assert (await world.read("i-1")).anchor_day == int(target[-2:])
    await refund(operator, order_id)
    assert ((await world.read("i-1")).anchor_day, await world.expiry("i-1")) == (anchor, expires)
    assert await buyer.quote(["i-1"], 2) == quoted
    await integrity.assert_holds()


async def test_successive_refunds_restore_each_earlier_expiry_and_anchor_day(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", expires="2027-01-31", price="100.00")
    orders = [
        await renew_instances(buyer, "i-1", key="1"),
        await unify_instances(buyer, "i-1", date="2027-03-15", key="2"),
        await renew_instances(buyer, "i-1", key="3"),
    ]
    seen = []
    for order_id in reversed(orders):
        await refund(operator, order_id)
        seen.append((await world.expiry("i-1"), (await world.read("i-1")).anchor_day))
    assert seen == [("2027-03-15", 15), ("2027-02-28", 31), ("2027-01-31", 31)]


async def test_an_instance_can_be_refunded_more_than_32_767_times(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    await world.put("i-1", refund_count=32_767)
    for key in "ab":
        await refund(operator, await renew_instances(buyer, "i-1", key=key))
    assert (await world.read("i-1")).refund_count == 32_769


async def test_a_bundle_is_refunded_as_a_whole(world: World, operator: Operator, buyer: Buyer) -> None:
    await world.instances(["k-1", "k-2"], bundle="k", price="100.00")
    await world.instance("i-1", price="100.00")
    answer = await buyer.renew(["k-1", "k-2", "i-1"], bundles="WHOLE")
    order_id = answer["order"]["id"]
    assert await read_refusals(operator, order_id, "k-1") == {
        "k-1": "its bundle is refunded as a whole; also send k-2"
    }
    partly = await refund(operator, order_id, "k-2", "i-1")
    assert [row["id"] for row in partly["refusals"]] == ["k-2"]
    await refund(operator, order_id, "k-2", "k-1")
    assert [await world.expiry(instance_id) for instance_id in ("k-1", "k-2")] == ["2027-01-31"] * 2
    assert await world.balance() == "1000.00"
    await integrity.assert_holds()


async def test_a_bundle_that_a_member_joined_after_the_order_is_not_refunded(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instances(["k-1"], bundle="k", price="100.00")
    order_id = await renew_instances(buyer, "k-1")
    await world.instances(["k-2"], bundle="k", expires="2027-02-28", anchor=31, price="100.00")
    assert await read_refusals(operator, order_id) == {
        "k-1": "k-2 joined the bundle after the order, so the expiries in the bundle would differ after the refund"
    }
    await integrity.assert_holds()


async def test_a_period_that_has_started_is_not_refunded(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", expires="2027-01-31", price="100.00")
    await world.instance("i-2", expires="2027-02-10", price="100.00")
    order_id = await renew_instances(buyer, "i-1", "i-2")
    operator.at(world.end_of("2027-01-31") + SECOND)
    assert await read_refusals(operator, order_id, "i-1") == {"i-1": "its period has begun"}
    answer = await refund(operator, order_id)
    assert [row["message"] for row in answer["refusals"]] == ["its period has begun"]
    assert [await world.expiry(instance_id) for instance_id in ("i-1", "i-2")] == ["2027-02-28", "2027-02-10"]
    assert answer["account"] == {"balance": "900.00"}
    await integrity.assert_holds()


async def test_a_period_can_be_refunded_until_the_second_before_it_starts(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    order_id = await renew_instances(buyer, "i-1")
    operator.at(world.end_of("2027-01-31"))
    await refund(operator, order_id)
    assert await world.expiry("i-1") == "2027-01-31"


async def test_the_renewal_of_an_expired_instance_is_not_refunded(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", expires="2027-01-05", price="100.00")
    order_id = await renew_instances(buyer, "i-1")
    assert await read_refusals(operator, order_id) == {"i-1": "its period has begun"}


async def test_a_period_is_not_refunded_before_the_later_period_of_its_instance(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    first, second = [await renew_instances(buyer, "i-1", key=key) for key in ("1", "2")]
    assert await read_refusals(operator, first) == {"i-1": "was renewed again; refund the later order first"}
    for order_id in (second, first):
        await refund(operator, order_id)
    assert (await world.expiry("i-1"), await world.balance()) == ("2027-01-31", "1000.00")
    assert (await world.read("i-1")).refund_count == 2
    await integrity.assert_holds()


async def test_a_refund_repeated_with_the_same_key_is_executed_once(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instances(["i-1", "i-2"], price="100.00")
    order_id = await renew_instances(buyer, "i-1", "i-2")
    first = await refund(operator, order_id, "i-1", key="once")
    before = await world.snapshot()
    assert await refund(operator, order_id.upper(), "i-1", key="once") == first
    kind, _, _ = await operator.refused("refundOrder", key="once", orderId=order_id, reason="Outage")
    assert kind == "IdempotencyKeyReused"
    assert await read_refusals(operator, order_id, "i-1") == {"i-1": "was already refunded"}
    assert await world.snapshot() == before


async def test_a_refunded_period_can_be_bought_again_once(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    bought = await buyer.renew(["i-1"], key="first")
    await refund(operator, bought["order"]["id"])
    again = await buyer.renew(["i-1"], key="first")
    assert again["order"] == bought["order"], "the key still belongs to the first order"
    assert (await world.expiry("i-1"), await world.balance()) == ("2027-01-31", "1000.00")
    second = await renew_instances(buyer, "i-1", key="second")
    assert (await world.expiry("i-1"), await world.balance()) == ("2027-02-28", "900.00")
    assert await world.rows("SELECT starts_at, refund_count FROM order_lines ORDER BY id") == [
        (world.end_of("2027-01-31"), 0),
        (world.end_of("2027-01-31"), 1),
    ]
    await refund(operator, second)
    await integrity.assert_holds()


async def test_the_worker_renews_a_refunded_auto_instance_again(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", mode="AUTO", price="100.00")
    due = world.at("2027-01-31 00:30")
    await renew.run_at(due, lambda: due)
    order_id = str(await world.value("SELECT id FROM orders"))
    operator.at(due)
    await refund(operator, order_id)
    assert (await world.read("i-1")).renewal_mode == "AUTO"
    buyer.client.at(due)
    seen = await buyer.client("""{ forecast(days: 20) { total }
      instance(id: "i-1") { outlook { willRenew price } } }""")
    assert seen["forecast"]["total"] == "100.00"
    assert seen["instance"]["outlook"] == {"willRenew": True, "price": "100.00"}
    run = await renew.run_at(due, lambda: due)
    assert (run.renewed_count, await world.expiry("i-1")) == (1, "2027-02-28")
    assert await world.balance() == "900.00"
    await integrity.assert_holds()


async def test_the_refund_of_a_free_line_restores_the_expiry(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="0.00")
    answer = await refund(operator, await renew_instances(buyer, "i-1"))
    assert (answer["refund"]["total"], await world.expiry("i-1")) == ("0.00", "2027-01-31")
    assert await world.count("ledger_entries") == 1
    await integrity.assert_holds()


async def test_a_future_period_of_a_released_instance_is_refunded(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    order_id = await renew_instances(buyer, "i-1")
    await operator.done("releaseInstances", instanceIds=["i-1"])
    await refund(operator, order_id)
    assert ((await world.read("i-1")).status, await world.balance()) == ("RELEASED", "1000.00")
    await integrity.assert_holds()


async def test_a_refund_writes_an_event_and_an_audit_entry(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.instance("i-1", price="100.00")
    order_id = await renew_instances(buyer, "i-1")
    await refund(operator, order_id, key="once")
    refund_id = str(await world.value("SELECT id FROM refunds"))
    kind, payload = await world.row("SELECT type, payload::text FROM events ORDER BY sequence DESC LIMIT 1")
    assert kind == "instance.refunded"
    assert json.loads(payload) == {
        "orderId": order_id,
        "refundId": refund_id,
        "expiresAt": "2027-01-31T15:59:59+00:00",
        "amount": "100.00",
    }
    log = await operator("""{ auditLog(accountId: "a", action: REFUND_ORDER) { nodes {
      operatorName idempotencyKey accountIds request before after } } }""")
    assert log["auditLog"]["nodes"] == [
        {
            "operatorName": "ops",
            "idempotencyKey": "once",
            "accountIds": ["a"],
            "request": {"order_id": order_id, "instance_ids": None, "reason": "Outage"},
            "before": {
                "balance_cents": 90000,
                "instances": {"i-1": {"expires_at": "2027-02-28T15:59:59+00:00", "anchor_day": 31}},
            },
            "after": {
                "balance_cents": 100000,
                "instances": {"i-1": {"expires_at": "2027-01-31T15:59:59+00:00", "anchor_day": 31}},
            },
        }
    ]


@pytest.mark.parametrize(
    ("sent", "kind", "field"),
    [
        ({"orderId": "x"}, "NotFound", "input.orderId"),
        ({"orderId": "\0"}, "NotFound", "input.orderId"),
        ({"orderId": str(uuid.UUID(int=1))}, "NotFound", "input.orderId"),
        ({"reason": ""}, "InvalidInput", "input.reason"),
        ({"reason": "a\0"}, "InvalidInput", "input.reason"),
        ({"reason": "a" * 201}, "InvalidInput", "input.reason"),
        ({"instanceIds": []}, "InvalidInput", "input.instanceIds"),
        ({"idempotencyKey": ""}, "InvalidInput", "input.idempotencyKey"),
    ],
)
async def test_a_refund_with_an_invalid_field_is_refused_with_that_field_and_changes_no_row(
    world: World, operator: Operator, buyer: Buyer, sent: dict[str, Any], kind: str, field: str
) -> None:
    await world.instance("i-1", price="100.00")
    order_id = await renew_instances(buyer, "i-1")
    before = await world.snapshot()
    query = """mutation($input: RefundOrderInput!) { refundOrder(input: $input) {
      __typename ... on InvalidInput { field } ... on NotFound { field } } }"""
    sent_input = {"orderId": order_id, "reason": "Outage", "idempotencyKey": "key"} | sent
    assert (await operator(query, input=sent_input))["refundOrder"] == {"__typename": kind, "field": field}
    assert await read_refusals(operator, order_id, "\0", "i-2") == dict.fromkeys(
        ("\0", "i-2"), "has no line in this order"
    )
    assert await world.snapshot() == before


async def test_10_000_refunded_lines_take_as_many_statements_as_one_line(
    world: World, operator: Operator, buyer: Buyer
) -> None:
    await world.top_up("2000000.00")
    await world.voucher("55555.55")
    await world.instances([f"i-{number}" for number in range(10_000)], price="100.00")
    await world.instance("one", price="100.00")
    one = await renew_instances(buyer, "one", key="1")
    many = (await buyer.renew(customer.matching(except_ids=["one"]), key="2"))["order"]["id"]
    with sql_log.counted() as of_one:
        await refund(operator, one)
    started = time.perf_counter()
    with sql_log.counted() as of_many:
        await refund(operator, many)
    print(f"10,000 lines refunded: {time.perf_counter() - started:.2f} s, {len(of_many)} statements")  # noqa: T201
    assert len(of_many) == len(of_one)
    assert await world.balance() == "2001000.00"
    await integrity.assert_holds()
