"""unifyExpiry: the day, the price, and the new anchor day (rules 9, 13 and 14)."""

import pytest

from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client


async def test_unifying_from_2018_09_10_to_2018_11_01_at_300_a_month_costs_512_90(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2018-09-10", price="300.00")
    graphql.at(world.at("2018-09-01 12:00"))
    unified = await buyer.unify(["i-1"], date="2018-11-01")
    order = unified["order"]
    assert unified == {
        "__typename": "UnifyExpirySuccess",
        "order": {
            "id": order["id"],
            "kind": "UNIFY_EXPIRY",
            "createdAt": "2018-09-01T04:00:00+00:00",
            "total": "512.90",
            "voucherTotal": "0.00",
            "balanceTotal": "512.90",
            "vouchers": [],
            "lines": [
                {
                    "instanceId": "i-1",
                    "startsAt": "2018-09-10T15:59:59+00:00",
                    "expiresAt": "2018-11-01T15:59:59+00:00",
                    "months": 1,
                    "days": 22,
                    "price": "512.90",
                }
            ],
            "lineCount": 1,
        },
        "instances": [
            {
                "id": "i-1",
                "expiresAt": "2018-11-01T15:59:59+00:00",
                "status": "RUNNING",
                "renewalMode": "MANUAL",
                "autoRenewMonths": 1,
            }
        ],
        "instanceCount": 1,
        "refusals": [],
        "refusalCount": 0,
        "account": {"balance": "487.10"},
    }
    assert (await world.expiry("i-1"), await world.balance()) == ("2018-11-01", "487.10")
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("expires", "day", "reached"),
    [
        ("2018-09-10", 1, "2018-11-01"),
        ("2018-05-17", 1, "2018-07-01"),
        ("2018-10-08", 12, "2018-11-12"),
        ("2018-10-18", 12, "2018-12-12"),
    ],
)
async def test_a_day_of_the_month_means_the_first_such_day_at_least_a_month_after_the_expiry(
    world: World, graphql: Client, expires: str, day: int, reached: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires=expires, price="300.00")
    graphql.at(world.at("2018-05-01 12:00"))
    await buyer.unify(["i-1"], day=day)
    assert await world.expiry("i-1") == reached


async def test_a_batch_is_unified_to_one_date_at_the_price_of_each_instance(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.instance("i-2", expires="2027-02-15", price="100.00")
    await world.instance("i-3", expires="2027-03-14", price="31.00")
    unified = await buyer.unify(["i-3", "i-1", "i-2"], date="2027-03-15")
    lines = [(li["instanceId"], li["months"], li["days"], li["price"]) for li in unified["order"]["lines"]]
    assert lines == [
        ("i-1", 1, 15, "445.16"),  # 300 + 300 x 15 of the 31 days from 28 February to 31 March
        ("i-2", 1, 0, "100.00"),
        ("i-3", 0, 1, "1.00"),
    ]
    assert unified["order"]["total"] == "546.16"
    assert {await world.expiry(i) for i in ("i-1", "i-2", "i-3")} == {"2027-03-15"}
    assert await world.count("orders") == 1
    await integrity.assert_holds()


async def test_day_31_is_the_last_day_of_each_month_and_becomes_the_anchor_day(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", expires="2027-01-28")
    await buyer.unify(["i-1"], day=31)
    reached = [await world.expiry("i-1")]
    for number in range(2):
        await buyer.renew(["i-1"], months=1, key=f"next-{number}")
        reached.append(await world.expiry("i-1"))
    assert reached == ["2027-02-28", "2027-03-31", "2027-04-30"]
    assert (await world.read("i-1")).anchor_day == 31


async def test_unifying_to_a_date_sets_the_anchor_day(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", expires="2027-01-31")
    await buyer.unify(["i-1"], date="2027-02-28")
    await buyer.renew(["i-1"], months=1, key="next")
    assert (await world.expiry("i-1"), (await world.read("i-1")).anchor_day) == ("2027-03-28", 28)


async def test_the_discount_applies_only_to_the_whole_months(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00", product="eip")
    unified = await buyer.unify(["i-1"], date="2028-02-10")
    [line] = unified["order"]["lines"]
    # 12 x 300 less 17 %, and 10 of the 29 days from 31 January to 29 February
    assert (line["months"], line["days"], line["price"]) == (12, 10, "3091.45")


async def test_a_target_that_is_not_after_the_expiry_is_refused(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("sooner", expires="2027-02-27")
    await world.instance("same", expires="2027-02-28")
    await world.instance("later", expires="2027-03-01")
    before = await world.snapshot()
    refused = await buyer.unify(["sooner", "same", "later"], date="2027-02-28")
    assert refused["__typename"] == "NotRenewable"
    assert customer.codes(refused) == {"same": "TARGET_NOT_LATER", "later": "TARGET_NOT_LATER"}
    assert await world.snapshot() == before
    unified = await buyer.unify(["sooner", "same", "later"], date="2027-02-28", batchMode="BEST_EFFORT")
    assert [line["instanceId"] for line in unified["order"]["lines"]] == ["sooner"]
    assert (await world.expiry("same"), await world.expiry("later")) == ("2027-02-28", "2027-03-01")


async def test_an_expired_instance_can_be_unified_to_a_date_that_has_not_passed(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    expired = {"product": "kec", "expires": "2026-12-15", "status": "EXPIRED"}
    await world.instances(["i-1", "i-2"], mode="AUTO", price="310.00", **expired)
    before = await world.snapshot()
    assert customer.codes(await buyer.unify(["i-1"], date="2027-01-09")) == {"i-1": "TARGET_NOT_LATER"}
    assert await world.snapshot() == before
    unified = await buyer.unify(["i-1"], date="2027-01-10")  # today, which ends tonight
    assert unified["instances"][0]["status"] == "RUNNING"
    assert unified["instances"][0]["renewalMode"] == "AUTO"
    [line] = unified["order"]["lines"]
    assert (line["startsAt"], line["days"], line["price"]) == ("2026-12-15T15:59:59+00:00", 26, "260.00")
    assert (await world.read("i-2")).status == "EXPIRED"


async def test_a_day_of_the_month_that_has_passed_is_refused(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1", product="kec", expires="2026-11-05", status="EXPIRED")
    before = await world.snapshot()
    assert customer.codes(await buyer.unify(["i-1"], day=20)) == {"i-1": "TARGET_NOT_LATER"}  # 20 December
    assert await world.snapshot() == before


async def test_a_target_beyond_the_maximum_term_from_now_is_refused(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.instance("i-1", expires="2029-12-20")
    before = await world.snapshot()
    assert customer.codes(await buyer.unify(["i-1"], date="2030-01-11")) == {"i-1": "MAX_TERM_EXCEEDED"}
    assert customer.codes(await buyer.unify(["i-1"], day=1)) == {"i-1": "MAX_TERM_EXCEEDED"}  # 1 February
    assert await world.snapshot() == before
    assert (await buyer.unify(["i-1"], date="2030-01-10"))["__typename"] == "UnifyExpirySuccess"


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
async def test_the_first_and_the_last_possible_date_are_refused_for_the_instance(
    world: World, graphql: Client, zone: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00", zone=zone)
    await world.instance("i-1")
    before = await world.snapshot()
    codes = {"0001-01-01": "TARGET_NOT_LATER", "9999-12-31": "MAX_TERM_EXCEEDED"}
    for date, code in codes.items():
        assert customer.codes(await buyer.unify(["i-1"], date=date)) == {"i-1": code}
        assert customer.codes(await buyer.quote_unify(["i-1"], date=date)) == {"i-1": code}
    assert await world.snapshot() == before


async def test_the_target_is_the_end_of_the_day_in_the_account_s_time_zone(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00", zone="America/New_York")
    await world.instance("i-1", expires="2027-03-01", price="310.00")
    unified = await buyer.unify(["i-1"], date="2027-03-20")
    [line] = unified["order"]["lines"]
    assert line["startsAt"] == "2027-03-02T04:59:59+00:00"
    assert line["expiresAt"] == "2027-03-21T03:59:59+00:00"  # summer time began on 14 March
    assert (line["months"], line["days"], line["price"]) == (0, 19, "190.00")


async def test_unifying_does_not_change_the_renewal_policy(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("auto", mode="AUTO", months=3)
    await world.instance("none", mode="NONE")
    unified = await buyer.unify(["auto", "none"], date="2027-02-28")
    modes = {i["id"]: (i["renewalMode"], i["autoRenewMonths"]) for i in unified["instances"]}
    assert modes == {"auto": ("AUTO", 3), "none": ("NONE", 1)}
