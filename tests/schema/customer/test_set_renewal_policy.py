"""setRenewalPolicy decides on each instance of a batch independently (rule 8)."""

import json

import pytest

from renewals import catalog
from renewals.db import connection as database
from tests.support import customer
from tests.support.fixtures import EVENTS, World
from tests.support.graphql_client import Client


async def read_policies(world: World) -> dict[str, tuple[str, int]]:
    """Return the mode and the months of every instance."""
    rows = await world.rows("SELECT id, renewal_mode, auto_renew_months FROM instances ORDER BY id")
    return {instance_id: (mode, months) for instance_id, mode, months in rows}


async def test_a_batch_is_set_and_an_instance_that_already_has_the_policy_is_unchanged(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instances(["i-1", "i-2"], mode="MANUAL")
    await world.instance("i-3", mode="AUTO", months=3)
    await world.instance("i-4", mode="AUTO", months=1)
    await world.instance("i-5", mode="MANUAL")
    result = await buyer.set_policy(["i-1", "i-2", "i-3", "i-4"], "AUTO", autoRenewMonths=3)
    assert (result["changedCount"], result["unchangedCount"], result["refusals"]) == (3, 1, [])
    assert {i["id"]: (i["renewalMode"], i["autoRenewMonths"]) for i in result["instances"]} == {
        "i-1": ("AUTO", 3),
        "i-2": ("AUTO", 3),
        "i-3": ("AUTO", 3),
        "i-4": ("AUTO", 3),
    }
    assert (await read_policies(world))["i-5"] == ("MANUAL", 1)


async def test_the_months_are_kept_if_the_mode_changes_from_auto_to_another_mode(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instances(["i-1", "i-2"], mode="AUTO", months=6)
    await buyer.set_policy(["i-1"], "MANUAL")
    await buyer.set_policy(["i-2"], "NONE", autoRenewMonths=12)
    assert await read_policies(world) == {"i-1": ("MANUAL", 6), "i-2": ("NONE", 6)}


async def test_setting_auto_without_months_keeps_the_months_of_each_instance(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instances(["i-1", "i-2"], mode="AUTO", months=12)
    await world.instance("i-3", mode="MANUAL", months=6)
    await world.instance("i-4")
    ids = ["i-1", "i-2", "i-3", "i-4"]
    result = await buyer.set_policy(ids, "AUTO")
    assert (result["changedCount"], result["unchangedCount"]) == (2, 2)
    assert await read_policies(world) == dict(
        zip(ids, [("AUTO", months) for months in (12, 12, 6, 1)], strict=True)
    )
    payload = await world.value("SELECT payload->'after' FROM events WHERE instance_id = 'i-3'")
    assert json.loads(payload) == {"renewalMode": "AUTO", "autoRenewMonths": 6}
    await buyer.set_policy(["i-1"], "AUTO", autoRenewMonths=3)
    result = await buyer.set_policy(["i-1", "i-2"], "AUTO", autoRenewMonths=None)
    assert (result["changedCount"], result["unchangedCount"]) == (0, 2)
    assert (await read_policies(world))["i-1"] == ("AUTO", 3)
    await world.put("i-2", agreed_price_cents=1)
    assert (await buyer.set_policy(["i-2"], "AUTO"))["changedCount"] == 1
    assert (await read_policies(world))["i-2"] == ("AUTO", 12)


async def test_setting_a_policy_takes_no_money_and_changes_no_expiry(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-10")
    before = await world.snapshot()
    await buyer.set_policy(["i-1"], "AUTO")
    after = await world.snapshot()
    assert {table for table in before if before[table] != after[table]} == {"instances", *EVENTS}
    assert await world.expiry("i-1") == "2027-01-10"


async def test_an_expired_instance_cannot_be_set_to_auto(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instance("noted", expires="2027-01-05", status="EXPIRED")
    await world.instance("passed", expires="2027-01-09", status="RUNNING")
    await world.instance("tonight", expires="2027-01-10")
    result = await buyer.set_policy(["noted", "passed", "tonight"], "AUTO")
    assert customer.codes(result) == {"noted": "EXPIRED", "passed": "EXPIRED"}
    assert (result["changedCount"], [i["id"] for i in result["instances"]]) == (1, ["tonight"])
    assert await read_policies(world) == {
        "noted": ("MANUAL", 1),
        "passed": ("MANUAL", 1),
        "tonight": ("AUTO", 1),
    }


@pytest.mark.parametrize("mode", ["MANUAL", "NONE"])
async def test_an_expired_instance_can_be_set_to_manual_or_none(
    world: World, graphql: Client, mode: str
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instance("i-1", expires="2027-01-05", status="EXPIRED", mode="AUTO")
    assert (await buyer.set_policy(["i-1"], mode))["changedCount"] == 1
    assert (await world.read("i-1")).renewal_mode == mode


async def test_the_months_of_an_expired_auto_instance_cannot_be_changed(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instance("i-1", expires="2027-01-05", status="EXPIRED", mode="AUTO", months=2)
    before = await world.snapshot()
    assert customer.codes(await buyer.set_policy(["i-1"], "AUTO", autoRenewMonths=3)) == {"i-1": "EXPIRED"}
    assert await world.snapshot() == before


async def test_best_effort_is_the_default_batch_mode_of_a_change_of_policy(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instance("good")
    await world.instance("trial", trial=True)
    result = await buyer.set_policy(["good", "trial", "unknown"], "AUTO")
    assert customer.codes(result) == {"trial": "TRIAL", "unknown": "NOT_FOUND"}
    assert await read_policies(world) == {"good": ("AUTO", 1), "trial": ("MANUAL", 1)}


async def test_all_or_nothing_changes_no_policy_if_one_instance_is_refused(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instance("good")
    await world.instance("expired", expires="2027-01-05", status="EXPIRED")
    before = await world.snapshot()
    refused = await buyer.set_policy(["good", "expired"], "AUTO", batchMode="ALL_OR_NOTHING")
    assert refused["__typename"] == "NotRenewable"
    assert customer.codes(refused) == {"expired": "EXPIRED"}
    assert await world.snapshot() == before


async def test_best_effort_without_an_accepted_instance_is_a_success_without_changes(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    before = await world.snapshot()
    assert await buyer.set_policy(["unknown"], "AUTO") == {
        "__typename": "SetRenewalPolicySuccess",
        "changedCount": 0,
        "unchangedCount": 0,
        "instances": [],
        "instanceCount": 0,
        "refusals": [
            {
                "instanceId": "unknown",
                "code": "NOT_FOUND",
                "message": "There is no such instance.",
                "bundleInstanceIds": [],
            }
        ],
        "refusalCount": 1,
    }
    assert await world.snapshot() == before


async def test_auto_renew_months_above_the_maximum_term_of_the_product_are_refused(
    world: World, graphql: Client
) -> None:
    async with database.transaction() as connection:
        short = catalog.ProductRecord("short", "Short", "短", max_term_months=3)
        await catalog.upsert_products(connection, [short])
    buyer = await customer.open_account(world, graphql)
    await world.instance("i-1", product="short")
    assert customer.codes(await buyer.set_policy(["i-1"], "AUTO", autoRenewMonths=4)) == {
        "i-1": "MAX_TERM_EXCEEDED"
    }
    assert await read_policies(world) == {"i-1": ("MANUAL", 1)}
    assert (await buyer.set_policy(["i-1"], "AUTO", autoRenewMonths=3))["changedCount"] == 1


async def test_a_bundle_changes_its_policy_as_a_whole_or_not_at_all(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instances(["b-1", "b-2"], bundle="b")
    await world.instance("single")
    assert customer.codes(await buyer.set_policy(["b-1"], "AUTO")) == {"b-1": "BUNDLE_INCOMPLETE"}
    assert customer.codes(await buyer.set_policy(["b-1", "b-2", "single"], "NONE")) == {
        "b-1": "BUNDLED",
        "b-2": "BUNDLED",
    }
    assert await read_policies(world) == {"b-1": ("MANUAL", 1), "b-2": ("MANUAL", 1), "single": ("NONE", 1)}
    result = await buyer.set_policy(["b-1", "single"], "AUTO", bundles="WHOLE")
    assert [i["id"] for i in result["instances"]] == ["b-1", "b-2", "single"]
    assert set((await read_policies(world)).values()) == {("AUTO", 1)}
