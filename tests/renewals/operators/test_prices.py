"""Test changePrices and confirmPrices: a rise above the cap is not charged until the owner agrees to the price."""

import time
from typing import Any

import orjson
import pytest

from renewals.auto_renewal import renew
from renewals.domain import stored_messages
from tests.support import customer, integrity, sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

COUNTS = "{ changedCount unchangedCount heldCount refusals { id field message } }"
AT = "2027-01-31 00:30"


async def change_prices(operator: Operator, **prices: str) -> dict[str, Any]:
    """Change prices. The argument `i_1` is the new price of the instance i-1."""
    rows = [{"instanceId": name.replace("_", "-"), "monthlyPrice": price} for name, price in prices.items()]
    return await operator.done("changePrices", COUNTS, prices=rows)


@pytest.fixture
async def world_with_cap(world: World, operator: Operator) -> World:
    """Create account `a` with 10,000.00, a cap of 10 % and an AUTO instance of 100.00 that expires on 31 January."""
    await world.account("a", balance="10000.00")
    await operator.done("updateAccount", accountId="a", priceRiseCapPercent="10")
    await world.instance("i-1", mode="AUTO", price="100.00")
    return world


async def test_a_price_rise_up_to_the_cap_is_charged(world_with_cap: World, operator: Operator) -> None:
    assert (await change_prices(operator, i_1="110.00"))["heldCount"] == 0
    run = await renew.run_at(world_with_cap.at(AT))
    assert (run.renewed_count, run.amount_cents) == (1, 11000)
    assert await world_with_cap.value("SELECT agreed_price_cents FROM instances") is None, (
        "a payment agrees to the price"
    )
    await integrity.assert_holds()


async def test_an_instance_whose_price_rises_beyond_the_cap_is_held_and_not_charged(
    world_with_cap: World, operator: Operator
) -> None:
    answer = await change_prices(operator, i_1="110.01")
    assert answer == {"changedCount": 1, "unchangedCount": 0, "heldCount": 1, "refusals": []}
    run = await renew.run_at(world_with_cap.at(AT))
    assert (run.renewed_count, run.refused_count, run.amount_cents) == (0, 1, 0)
    code, message = await world_with_cap.row("SELECT code, message FROM renewal_attempts")
    assert code == "PRICE_HELD"
    assert "from 100.00 to 110.01" in str(stored_messages.from_json(orjson.loads(message)))
    assert (await world_with_cap.balance(), await world_with_cap.expiry("i-1")) == ("10000.00", "2027-01-31")
    sql = "SELECT type, instance_id, payload::text FROM events ORDER BY sequence LIMIT 1"
    assert await world_with_cap.row(sql) == (
        "instance.price_held",
        "i-1",
        '{"agreedPrice":"100.00","monthlyPrice":"110.01"}',
    )
    await integrity.assert_holds()


async def test_further_rises_of_a_held_price_write_no_further_event(
    world_with_cap: World, operator: Operator
) -> None:
    for price in ("200.00", "300.00"):
        await change_prices(operator, i_1=price)
    row = {"id": "i-1", "name": "I", "productCode": "eip", "dataCenterCode": "bj-6", "monthlyPrice": "400.00"}
    result = await operator.done("registerInstances", "{ heldCount }", accountId="a", instances=[row])
    assert result["heldCount"] == 1
    assert await world_with_cap.rows("SELECT type FROM events") == [("instance.price_held",)]


HELD = "SELECT instance_id, payload->>'agreedPrice', payload->>'monthlyPrice' FROM events ORDER BY sequence"


async def test_a_lower_cap_writes_one_event_for_each_newly_held_instance(
    world_with_cap: World, operator: Operator
) -> None:
    await world_with_cap.instances(["i-2", "i-3"], mode="AUTO", price="100.00")
    await world_with_cap.instance("i-4", price="100.00")
    await world_with_cap.instance("gone", mode="AUTO", price="100.00", expires="2027-01-09")
    rows = {"i_1": "108.00", "i_2": "102.00", "i_3": "200.00", "i_4": "108.00", "gone": "108.00"}
    assert (await change_prices(operator, **rows))["heldCount"] == 1
    assert await world_with_cap.rows(HELD) == [("i-3", "100.00", "200.00")]
    for cap in ("5", "4.50", None, "5"):
        await operator.done("updateAccount", accountId="a", priceRiseCapPercent=cap)
    result = [("i-3", "100.00", "200.00"), ("i-1", "100.00", "108.00")]
    assert await world_with_cap.rows(HELD) == [*result, *sorted(result)], "without a cap no price was held"
    await operator.done("updateAccount", accountId="a", name="Renamed")
    assert len(await world_with_cap.rows(HELD)) == 4


async def test_a_price_rise_of_an_expired_instance_writes_no_event_until_the_instance_is_restored(
    world_with_cap: World, operator: Operator
) -> None:
    await world_with_cap.instance("gone", mode="AUTO", price="100.00", expires="2027-01-09")
    assert (await change_prices(operator, gone="200.00"))["heldCount"] == 0
    assert await world_with_cap.count("events") == 0
    row = {
        "id": "gone", "name": "G", "productCode": "eip", "dataCenterCode": "bj-6", "monthlyPrice": "200.00",
        "expiresOn": "2027-02-28",
    }  # fmt: skip
    result = await operator.done("registerInstances", "{ heldCount }", accountId="a", instances=[row])
    assert result["heldCount"] == 1
    assert await world_with_cap.rows(HELD + " DESC LIMIT 1") == [("gone", "100.00", "200.00")]


async def test_price_rises_are_added_up_until_a_renewal_is_paid(
    world_with_cap: World, operator: Operator
) -> None:
    assert (await change_prices(operator, i_1="108.00"))["heldCount"] == 0
    assert (await change_prices(operator, i_1="116.00"))["heldCount"] == 1
    assert (await change_prices(operator, i_1="105.00"))["heldCount"] == 0
    await renew.run_at(world_with_cap.at(AT))
    assert (await change_prices(operator, i_1="115.50"))["heldCount"] == 0, "105.00 was paid"
    assert (await change_prices(operator, i_1="115.51"))["heldCount"] == 1


async def test_a_price_that_is_lowered_to_the_agreed_price_is_not_held(
    world_with_cap: World, operator: Operator
) -> None:
    await change_prices(operator, i_1="500.00")
    assert (await change_prices(operator, i_1="100.00"))["heldCount"] == 0
    assert await world_with_cap.value("SELECT agreed_price_cents FROM instances") is None


async def test_no_price_is_held_on_an_account_without_a_cap(
    world_with_cap: World, operator: Operator
) -> None:
    await operator.done("updateAccount", accountId="a", priceRiseCapPercent=None)
    assert (await change_prices(operator, i_1="10000.00"))["heldCount"] == 0
    assert (await renew.run_at(world_with_cap.at(AT))).renewed_count == 1


async def test_the_customer_agrees_to_a_price_by_setting_the_mode_auto_again(
    world_with_cap: World, operator: Operator, graphql: Client
) -> None:
    buyer = await customer.of(world_with_cap, graphql, "a")
    await change_prices(operator, i_1="200.00")
    result = await buyer.set_policy(["i-1"], "AUTO")
    assert (result["changedCount"], result["unchangedCount"]) == (1, 0)
    assert (await buyer.set_policy(["i-1"], "AUTO"))["unchangedCount"] == 1
    run = await renew.run_at(world_with_cap.at(AT))
    assert (run.renewed_count, run.amount_cents) == (1, 20000)


async def test_setting_the_mode_manual_does_not_agree_to_the_price(
    world_with_cap: World, operator: Operator, graphql: Client
) -> None:
    buyer = await customer.of(world_with_cap, graphql, "a")
    await change_prices(operator, i_1="200.00")
    await buyer.set_policy(["i-1"], "MANUAL")
    assert await world_with_cap.value("SELECT agreed_price_cents FROM instances") == 10000


async def test_the_customer_agrees_to_a_price_by_renewing_by_hand(
    world_with_cap: World, operator: Operator, graphql: Client
) -> None:
    buyer = await customer.of(world_with_cap, graphql, "a")
    await change_prices(operator, i_1="200.00")
    renewed = await buyer.renew(["i-1"])
    assert renewed["order"]["total"] == "200.00"
    run = await renew.run_at(world_with_cap.at("2027-02-28 00:30"))
    assert (run.renewed_count, run.amount_cents) == (1, 20000)


async def test_an_operator_can_agree_to_a_price_for_the_customer(
    world_with_cap: World, operator: Operator
) -> None:
    await change_prices(operator, i_1="200.00")
    result = await operator.done(
        "confirmPrices", "{ changedCount unchangedCount refusals { id } }", instanceIds=["i-1", "x"]
    )
    assert result == {"changedCount": 1, "unchangedCount": 0, "refusals": [{"id": "x"}]}
    assert (await renew.run_at(world_with_cap.at(AT))).renewed_count == 1


async def test_a_bundle_with_a_held_member_is_not_renewed(world_with_cap: World, operator: Operator) -> None:
    await world_with_cap.instances(["k-1", "k-2"], bundle="k", mode="AUTO", price="100.00")
    await change_prices(operator, k_2="200.00")
    run = await renew.run_at(world_with_cap.at(AT))
    assert (run.renewed_count, run.refused_count) == (1, 2)
    codes = await world_with_cap.rows(
        "SELECT instance_id, code FROM renewal_attempts WHERE NOT succeeded ORDER BY 1"
    )
    assert codes == [("k-1", "BUNDLED"), ("k-2", "PRICE_HELD")]
    await integrity.assert_holds()


async def test_forecast_and_outlook_show_held_instances(
    world_with_cap: World, operator: Operator, graphql: Client
) -> None:
    buyer = await customer.of(world_with_cap, graphql, "a")
    await world_with_cap.instance("i-2", mode="AUTO", price="50.00")
    await world_with_cap.instance("i-3", mode="MANUAL", price="50.00")
    await change_prices(operator, i_1="200.00", i_3="500.00")
    answer = await buyer.client("""{
      forecast(days: 30) { total topUpNeeded firstShortfallOn days { date dueCount atRisk { id } } }
      instances(orderBy: {field: ID}) { nodes { id outlook {
        willRenew dueAt price refusals { code message } } } } }""")
    forecast = answer["forecast"]
    [day] = [day for day in forecast["days"] if day["dueCount"]]
    assert (day["date"], day["atRisk"]) == ("2027-01-31", [{"id": "i-1"}])
    assert (forecast["total"], forecast["topUpNeeded"]) == ("50.00", "0.00")
    assert forecast["firstShortfallOn"] is None, "a held instance has no shortfall"
    held, paid, manual = [node["outlook"] for node in answer["instances"]["nodes"]]
    assert (held["willRenew"], held["dueAt"], held["price"]) == (False, "2027-01-30T16:30:00+00:00", "200.00")
    assert [refusal["code"] for refusal in held["refusals"]] == ["PRICE_HELD"]
    assert (paid["willRenew"], paid["refusals"]) == (True, [])
    assert (manual["willRenew"], manual["price"], manual["refusals"]) == (False, "500.00", [])


async def test_each_price_of_a_request_is_changed_or_refused_separately(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    await world.account("b")
    await world.instance("a-1")
    await world.instance("b-1", account="b")
    await world.instance("old", status="RELEASED", expires="2026-01-01")
    rows = [
        *(
            {"instanceId": instance_id, "monthlyPrice": "1.00"}
            for instance_id in ("a-1", "b-1", "x", "old", "\0")
        ),
        {"instanceId": "", "monthlyPrice": "1"},
    ]
    answer = await operator.done("changePrices", COUNTS, prices=rows)
    assert (answer["changedCount"], answer["unchangedCount"]) == (2, 0)
    assert [(row["id"], row["field"]) for row in answer["refusals"]] == [
        (instance_id, "instanceId") for instance_id in ("x", "old", "\0", "")
    ]
    rows = [{"instanceId": "a-1", "monthlyPrice": "1.00"}, {"instanceId": "b-1", "monthlyPrice": "-1"}]
    answer = await operator.done("changePrices", COUNTS, prices=rows)
    assert (answer["changedCount"], answer["unchangedCount"]) == (0, 1)
    assert [(row["id"], row["field"]) for row in answer["refusals"]] == [("b-1", "monthlyPrice")]
    twice = [{"instanceId": "a-1", "monthlyPrice": price} for price in ("2.00", "3.00")]
    answer = await operator.done("changePrices", COUNTS, prices=twice)
    assert (answer["changedCount"], [row["id"] for row in answer["refusals"]]) == (0, ["a-1"])
    assert (await operator.refused("changePrices", prices=[]))[1] == "input.prices"


async def test_10_000_changed_prices_take_as_many_statements_as_one_price(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    await world.instances([f"i-{number}" for number in range(10_000)], mode="AUTO")
    with sql_log.counted() as one:
        await change_prices(operator, i_1="1.00")
    rows = [{"instanceId": f"i-{number}", "monthlyPrice": "2.00"} for number in range(10_000)]
    started = time.perf_counter()
    with sql_log.counted() as many:
        answer = await operator.done("changePrices", COUNTS, prices=rows)
    print(f"10,000 prices: {time.perf_counter() - started:.2f} s, {len(many)} statements")  # noqa: T201
    assert answer["changedCount"] == 10_000
    assert len(many) == len(one)
