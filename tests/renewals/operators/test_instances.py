"""Test makeFormal, releaseInstances and the list of instances."""

import pytest

from renewals.auto_renewal import renew
from renewals.instances import lifecycle
from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

COUNTS = "{ changedCount unchangedCount refusals { id field message } }"


async def test_a_converted_trial_can_be_renewed(world: World, operator: Operator, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", trial=True)
    await world.instance("i-2")
    assert customer.codes(await buyer.renew(["i-1"], key="before")) == {"i-1": "TRIAL"}
    result = await operator.done("makeFormal", COUNTS, instanceIds=["i-1", "i-2", "x", "i-1"])
    assert (result["changedCount"], result["unchangedCount"]) == (1, 1)
    assert [(row["id"], row["field"]) for row in result["refusals"]] == [("x", "instanceIds")]
    assert (await buyer.renew(["i-1"], key="after"))["order"]["total"] == "300.00"


async def test_a_released_instance_is_not_renewed_by_its_customer_or_by_the_worker(
    world: World, operator: Operator, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instances(["i-1", "i-2"], mode="AUTO")
    result = await operator.done("releaseInstances", COUNTS, instanceIds=["i-1", "nothing"])
    assert (result["changedCount"], [row["id"] for row in result["refusals"]]) == (1, ["nothing"])
    assert (await operator.done("releaseInstances", COUNTS, instanceIds=["i-1"]))["unchangedCount"] == 1
    assert await world.rows("SELECT type, instance_id FROM events") == [("instance.released", "i-1")]
    assert customer.codes(await buyer.renew(["i-1"])) == {"i-1": "RELEASED"}
    run = await renew.run_at(world.at("2027-01-31 00:30"))
    assert (run.renewed_count, run.refused_count) == (1, 0)
    await lifecycle.expire_and_release(world.at("2027-02-01 00:00"))
    assert (await world.read("i-1")).status == "RELEASED"
    assert await buyer.client('{ instance(id: "i-1") { status outlook { refusals { code } } } }') == {
        "instance": {"status": "RELEASED", "outlook": {"refusals": [{"code": "RELEASED"}]}}
    }
    await integrity.assert_holds()


async def test_a_bundle_is_released_as_a_whole(world: World, operator: Operator) -> None:
    await world.account("a")
    await world.instances(["k-1", "k-2", "k-3"], bundle="k")
    await world.instance("i-1")
    result = await operator.done("releaseInstances", COUNTS, instanceIds=["k-1", "k-3", "i-1"])
    assert result["changedCount"] == 1
    assert [row["message"] for row in result["refusals"]] == [
        "a bundle is released as a whole; also send k-2"
    ] * 2
    result = await operator.done("releaseInstances", COUNTS, instanceIds=["k-1", "k-2", "k-3"])
    assert (result["changedCount"], result["refusals"]) == (3, [])


async def test_a_refusal_quotes_at_most_64_characters_of_an_unknown_id(
    world: World, operator: Operator
) -> None:
    result = await operator.done("releaseInstances", COUNTS, instanceIds=["x" * 64, "x" * 65])
    assert [(row["id"], row["message"]) for row in result["refusals"]] == [
        ("x" * 64, f"there is no instance '{'x' * 64}'"),
        ("x" * 65, f"there is no instance '{'x' * 64}...'"),
    ]


@pytest.mark.parametrize("verb", ["makeFormal", "releaseInstances", "confirmPrices"])
async def test_a_request_with_no_or_too_many_instances_is_refused(
    world: World, operator: Operator, verb: str
) -> None:
    for ids in ([], [str(number) for number in range(10_001)]):
        result = await operator.refused(verb, instanceIds=ids)
        assert result[:2] == ("InvalidInput", "input.instanceIds")
    assert await world.count("audit_log") == 0


async def test_the_operators_list_includes_trials_and_instances_of_unsupported_products(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    await world.account("b")
    await world.instance("a-1", trial=True)
    await world.instance("a-2", product="ddos")
    await world.instance("b-1", account="b")
    query = """query($id: ID!, $filter: InstanceFilter) { instances(accountId: $id, filter: $filter) {
      totalCount nodes { id accountId isTrial } } }"""
    listed = (await operator(query, id="a"))["instances"]
    assert (listed["totalCount"], [node["id"] for node in listed["nodes"]]) == (2, ["a-1", "a-2"])
    page = (await operator(query, id="b", filter={"search": "B-1"}))["instances"]
    assert page["nodes"] == [{"id": "b-1", "accountId": "b", "isTrial": False}]
    for account_id in ("nobody", "\0", ""):
        assert (await operator(query, id=account_id))["instances"]["totalCount"] == 0
