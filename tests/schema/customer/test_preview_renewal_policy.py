"""previewRenewalPolicy has the result of setRenewalPolicy without a write (rule 8), and the first charge of changes."""

from typing import Any

import pytest

from tests.renewals.test_clocks import lives
from tests.support import customer, sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

PREVIEW = """query ($input: SetRenewalPolicyInput!, $first: Int! = 100, $offset: Int! = 0) {
  previewRenewalPolicy(input: $input) {
    changes(first: $first, offset: $offset) {
      instance { id renewalMode } fromMode toMode fromMonths toMonths firstChargeAt firstChargePrice }
    changeCount unchangedCount
    refusals(first: $first, offset: $offset) { instanceId code } refusalCount } }"""


def policy_input(*ids: str, mode: str = "AUTO", **more: Any) -> dict[str, Any]:
    return {"selection": {"ids": list(ids)}, "mode": mode, **more}


async def test_a_preview_returns_each_change_with_its_first_charge_and_changes_no_instance(
    world: World, client: Client
) -> None:
    await world.instance("i-1", expires="2027-01-31", price="100.00", months=3)
    await world.instance("i-2", expires="2027-01-08", status="EXPIRED")
    await world.instance("i-3", mode="AUTO")
    before = await world.snapshot()
    preview = (await client(PREVIEW, input=policy_input("i-1", "i-2", "i-3")))["previewRenewalPolicy"]
    assert preview == {
        "changes": [
            {
                "instance": {"id": "i-1", "renewalMode": "MANUAL"},
                "fromMode": "MANUAL",
                "toMode": "AUTO",
                "fromMonths": 3,
                "toMonths": 3,
                "firstChargeAt": "2027-01-30T16:30:00+00:00",
                "firstChargePrice": "300.00",
            }
        ],
        "changeCount": 1,
        "unchangedCount": 1,
        "refusals": [{"instanceId": "i-2", "code": "EXPIRED"}],
        "refusalCount": 1,
    }
    assert await world.snapshot() == before
    buyer = await customer.of(world, client, "a")
    done = await buyer.set_policy(["i-1", "i-2", "i-3"], "AUTO")
    assert (done["changedCount"], done["unchangedCount"]) == (1, 1)
    assert customer.codes(done) == {"i-2": "EXPIRED"}


async def test_a_preview_with_all_or_nothing_and_a_refusal_has_no_changes(
    world: World, client: Client
) -> None:
    await world.instance("i-1")
    sent = policy_input("i-1", "i-unknown", batchMode="ALL_OR_NOTHING")
    preview = (await client(PREVIEW, input=sent))["previewRenewalPolicy"]
    assert (preview["changes"], preview["changeCount"], preview["unchangedCount"]) == ([], 0, 0)
    assert preview["refusals"] == [{"instanceId": "i-unknown", "code": "NOT_FOUND"}]


async def test_the_changes_and_the_refusals_of_a_preview_are_slices_with_a_count(
    world: World, client: Client
) -> None:
    await world.instances([f"i-{number}" for number in range(5)])
    preview = (await client(PREVIEW, input=policy_input(*(f"i-{n}" for n in range(9))), first=2, offset=3))[
        "previewRenewalPolicy"
    ]
    assert [change["instance"]["id"] for change in preview["changes"]] == ["i-3", "i-4"]
    assert [refusal["instanceId"] for refusal in preview["refusals"]] == ["i-8"]
    assert (preview["changeCount"], preview["refusalCount"]) == (5, 4)
    for field in ("first", "offset"):
        [error] = await client.errors(PREVIEW, input=policy_input("i-1"), **{field: -1})
        assert error["extensions"] == {"code": "INVALID_INPUT", "field": field}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (policy_input(), "input.selection.ids"),
        (policy_input("i-1", autoRenewMonths=37), "input.autoRenewMonths"),
    ],
)
async def test_an_input_of_a_preview_out_of_bounds_is_refused_with_its_path(
    client: Client, sent: dict[str, Any], field: str
) -> None:
    [error] = await client.errors(PREVIEW, input=sent)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": field}


async def test_an_instance_of_another_account_is_refused_as_not_found(world: World, client: Client) -> None:
    await world.account("b")
    await world.instance("theirs", account="b")
    preview = (await client(PREVIEW, input=policy_input("theirs")))["previewRenewalPolicy"]
    assert preview["changes"] == []
    assert preview["refusals"] == [{"instanceId": "theirs", "code": "NOT_FOUND"}]


async def test_a_preview_of_300_instances_takes_one_statement_more_than_a_preview_of_one(
    world: World, client: Client
) -> None:
    ids = await world.instances([f"i-{number}" for number in range(300)])
    counts = []
    for selected_ids in (ids[:1], ids):
        with sql_log.counted() as seen:
            await client(PREVIEW, input=policy_input(*selected_ids), first=1_000)
        counts.append(len(seen))
    assert counts[1] == counts[0] + 1, counts  # a large selection is read by a separate statement


async def test_the_first_charge_is_at_the_next_run_if_the_test_clock_is_at_the_instant_of_a_run(
    world: World, graphql: Client
) -> None:
    await world.account("t", balance="500.00", test_clock=NOW)
    await world.instance("t-1", account="t", expires="2027-01-12", price="100.00")
    await lives.move("t", world.at("2027-01-12 00:30", account="t"))
    buyer = await customer.of(world, graphql, "t")
    preview = (await graphql(PREVIEW, input=policy_input("t-1")))["previewRenewalPolicy"]
    await buyer.set_policy(["t-1"], "AUTO")
    await lives.move("t", world.at("2027-01-12 02:00", account="t"))
    [charged_at] = await world.row("SELECT created_at FROM orders")
    assert preview["changes"][0]["firstChargeAt"] == charged_at.isoformat() == "2027-01-11T17:30:00+00:00"
