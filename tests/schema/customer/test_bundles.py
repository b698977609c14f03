"""Instances that were ordered together are renewed together, and never separately (rules 10 and 11)."""

from typing import Any

import pytest

from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client

VERBS: dict[str, dict[str, Any]] = {"renew": {"months": 1}, "unify": {"date": "2027-03-15"}}
every_verb = pytest.mark.parametrize("verb", VERBS)


@every_verb
async def test_a_bundle_that_is_selected_alone_and_completely_is_paid_in_one_order(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("b-1", bundle="b", product="kes", price="100.00")
    await world.instance("b-2", bundle="b", product="kec", price="50.00")
    result = await getattr(buyer, verb)(["b-2", "b-1"], **VERBS[verb])
    assert [line["instanceId"] for line in result["order"]["lines"]] == ["b-1", "b-2"]
    assert await world.expiry("b-1") == await world.expiry("b-2") != "2027-01-31"
    assert await world.count("orders") == 1
    await integrity.assert_holds()


@every_verb
async def test_a_part_of_a_bundle_is_refused_with_the_ids_of_all_members(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2", "b-3"], bundle="b")
    before = await world.snapshot()
    refused = await getattr(buyer, verb)(["b-1", "b-3"], **VERBS[verb])
    assert refused["refusals"] == [
        {
            "instanceId": instance_id,
            "code": "BUNDLE_INCOMPLETE",
            "message": "Its bundle must be selected as a whole; also select b-2.",
            "bundleInstanceIds": ["b-1", "b-2", "b-3"],
        }
        for instance_id in ("b-1", "b-3")
    ]
    assert await world.snapshot() == before


@every_verb
@pytest.mark.parametrize("other_id", ["single", "unknown", "c-1"])
async def test_a_bundle_that_is_selected_together_with_another_id_is_refused(
    world: World, graphql: Client, verb: str, other_id: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2"], bundle="b")
    await world.instances(["c-1", "c-2"], bundle="c")
    await world.instance("single")
    before = await world.snapshot()
    refused = await getattr(buyer, verb)(["b-1", "b-2", other_id], **VERBS[verb])
    codes = {"b-1": "BUNDLED", "b-2": "BUNDLED"}
    codes |= {"unknown": {"unknown": "NOT_FOUND"}, "c-1": {"c-1": "BUNDLED"}}.get(other_id, {})
    assert customer.codes(refused) == codes
    assert refused["refusals"][-1]["bundleInstanceIds"] in (["b-1", "b-2"], ["c-1", "c-2"])
    assert {refusal["message"] for refusal in refused["refusals"] if refusal["code"] == "BUNDLED"} == {
        "It belongs to a bundle and cannot take part in a batch; send its bundle alone, or use bundles: WHOLE."
    }
    assert await world.snapshot() == before


async def test_a_trial_member_of_a_bundle_is_refused_as_a_trial(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("b-1", bundle="b", trial=True)
    await world.instance("b-2", bundle="b")
    await world.instance("single")
    before = await world.snapshot()
    assert customer.codes(await buyer.renew(["b-1", "b-2", "single"])) == {"b-1": "TRIAL", "b-2": "BUNDLED"}
    assert customer.codes(await buyer.renew(["b-1"])) == {"b-1": "TRIAL"}
    assert customer.codes(await buyer.renew(["b-2"])) == {"b-2": "BUNDLE_INCOMPLETE"}
    assert await world.snapshot() == before


async def test_best_effort_renews_instances_without_a_bundle_and_refuses_the_bundle(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2"], bundle="b")
    await world.instance("single")
    renewed = await buyer.renew(["b-1", "b-2", "single"], batchMode="BEST_EFFORT")
    assert [line["instanceId"] for line in renewed["order"]["lines"]] == ["single"]
    assert customer.codes(renewed) == {"b-1": "BUNDLED", "b-2": "BUNDLED"}
    assert await world.expiry("b-1") == "2027-01-31"


@every_verb
async def test_bundle_handling_whole_adds_the_other_members_to_selected_ids(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2"], bundle="b")
    await world.instances(["c-1", "c-2"], bundle="c")
    await world.instances(["single", "untouched"])
    result = await getattr(buyer, verb)(["b-2", "single"], bundles="WHOLE", **VERBS[verb])
    assert [line["instanceId"] for line in result["order"]["lines"]] == ["b-1", "b-2", "single"]
    assert [await world.expiry(i) for i in ("c-1", "c-2", "untouched")] == ["2027-01-31"] * 3
    await integrity.assert_holds()


@every_verb
async def test_bundle_handling_whole_adds_the_other_members_to_the_matches_of_a_filter(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("b-1", bundle="b", product="kes")
    await world.instance("b-2", bundle="b", product="kec")
    result = await getattr(buyer, verb)(customer.matching(products=["kes"]), bundles="WHOLE", **VERBS[verb])
    assert [line["instanceId"] for line in result["order"]["lines"]] == ["b-1", "b-2"]


@every_verb
async def test_a_bundle_with_a_refused_member_is_refused_as_a_whole(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("b-1", bundle="b")
    await world.instance("b-2", bundle="b", trial=True)
    await world.instance("single")
    renewed = await getattr(buyer, verb)(
        ["b-1", "single"], bundles="WHOLE", batchMode="BEST_EFFORT", **VERBS[verb]
    )
    assert [line["instanceId"] for line in renewed["order"]["lines"]] == ["single"]
    assert renewed["refusals"] == [
        {
            "instanceId": "b-1",
            "code": "BUNDLED",
            "message": "Its bundle is refused as a whole because of b-2.",
            "bundleInstanceIds": ["b-1", "b-2"],
        },
        {
            "instanceId": "b-2",
            "code": "TRIAL",
            "message": "A trial instance cannot be renewed.",
            "bundleInstanceIds": [],
        },
    ]
    assert await world.expiry("b-1") == "2027-01-31"


async def test_the_members_of_a_bundle_have_the_same_expiry_and_anchor_day_after_each_change(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.instance("b-1", bundle="b", product="kes", expires="2027-01-31")
    await world.instance("b-2", bundle="b", product="ebs", expires="2027-01-31")
    await buyer.renew(["b-1", "b-2"], key="1")
    await integrity.assert_holds()
    await buyer.unify(["b-1"], day=12, key="2", bundles="WHOLE")
    await integrity.assert_holds()
    await buyer.set_policy(["b-2"], "AUTO", autoRenewMonths=2, bundles="WHOLE")
    await integrity.assert_holds()
    assert {await world.expiry(i) for i in ("b-1", "b-2")} == {"2027-04-12"}
    assert {(await world.read(i)).anchor_day for i in ("b-1", "b-2")} == {12}


async def test_the_renewal_of_an_expired_bundle_sets_all_members_to_running(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2"], bundle="b", product="kec", expires="2026-12-20", status="EXPIRED")
    renewed = await buyer.renew(["b-1", "b-2"])
    assert [instance["status"] for instance in renewed["instances"]] == ["RUNNING", "RUNNING"]


@every_verb
async def test_bundle_handling_whole_does_not_add_an_excepted_member(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2"], bundle="b")
    await world.instance("i-1")
    selection = customer.matching(except_ids=["b-2"])
    result = await getattr(buyer, verb)(selection, bundles="WHOLE", batchMode="BEST_EFFORT", **VERBS[verb])
    assert [line["instanceId"] for line in result["order"]["lines"]] == ["i-1"]
    assert {r["instanceId"]: r["code"] for r in result["refusals"]} == {"b-1": "BUNDLE_INCOMPLETE"}
    assert await world.expiry("b-1") == await world.expiry("b-2") == "2027-01-31"
