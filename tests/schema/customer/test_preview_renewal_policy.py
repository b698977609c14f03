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


def asked_for(*ids: str, mode: str = "AUTO", **more: Any) -> dict[str, Any]:
    return {"selection": {"ids": list(ids)}, "mode": mode, **more}


async def test_the_confirmation_page_shows_each_change_with_its_first_charge(
    world: World, asked: Client
) -> None:
    await world.instance("i-1", expires="2027-01-31", price="100.00", months=3)
    await world.instance("i-2", expires="2027-01-08", status="EXPIRED")
    await world.instance("i-3", mode="AUTO")
    before = await world.snapshot()
    preview = (await asked(PREVIEW, input=asked_for("i-1", "i-2", "i-3")))["previewRenewalPolicy"]
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
    buyer = await customer.of(world, asked, "a")
    done = await buyer.set_policy(["i-1", "i-2", "i-3"], "AUTO")
    assert (done["changedCount"], done["unchangedCount"]) == (1, 1)
    assert customer.codes(done) == {"i-2": "EXPIRED"}


async def test_with_all_or_nothing_a_refusal_leaves_no_change(world: World, asked: Client) -> None:
    await world.instance("i-1")
    sent = asked_for("i-1", "i-unknown", batchMode="ALL_OR_NOTHING")
    preview = (await asked(PREVIEW, input=sent))["previewRenewalPolicy"]
    assert (preview["changes"], preview["changeCount"], preview["unchangedCount"]) == ([], 0, 0)
    assert preview["refusals"] == [{"instanceId": "i-unknown", "code": "NOT_FOUND"}]


async def test_the_lists_are_slices_with_a_count(world: World, asked: Client) -> None:
    await world.instances([f"i-{number}" for number in range(5)])
    preview = (await asked(PREVIEW, input=asked_for(*(f"i-{n}" for n in range(9))), first=2, offset=3))[
        "previewRenewalPolicy"
    ]
    assert [change["instance"]["id"] for change in preview["changes"]] == ["i-3", "i-4"]
    assert [refusal["instanceId"] for refusal in preview["refusals"]] == ["i-8"]
    assert (preview["changeCount"], preview["refusalCount"]) == (5, 4)
    for field in ("first", "offset"):
        [error] = await asked.errors(PREVIEW, input=asked_for("i-1"), **{field: -1})
        assert error["extensions"] == {"code": "INVALID_INPUT", "field": field}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (asked_for(), "input.selection.ids"),
        (asked_for("i-1", autoRenewMonths=37), "input.autoRenewMonths"),
    ],
)
async def test_an_input_out_of_bounds_is_refused(asked: Client, sent: dict[str, Any], field: str) -> None:
    [error] = await asked.errors(PREVIEW, input=sent)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": field}


async def test_another_accounts_instance_is_not_found(world: World, asked: Client) -> None:
    await world.account("b")
    await world.instance("theirs", account="b")
    preview = (await asked(PREVIEW, input=asked_for("theirs")))["previewRenewalPolicy"]
    assert preview["changes"] == []
    assert preview["refusals"] == [{"instanceId": "theirs", "code": "NOT_FOUND"}]


async def test_statements_do_not_grow_with_the_selection(world: World, asked: Client) -> None:
    ids = await world.instances([f"i-{number}" for number in range(300)])
    counts = []
    for picked in (ids[:1], ids):
        with sql_log.counted() as seen:
            await asked(PREVIEW, input=asked_for(*picked), first=1_000)
        counts.append(len(seen))
    assert counts[1] == counts[0] + 1, counts  # a large selection is read by a separate statement


async def test_a_test_account_that_stands_at_a_run_has_had_it(world: World, graphql: Client) -> None:
    await world.account("t", balance="500.00", test_clock=NOW)
    await world.instance("t-1", account="t", expires="2027-01-12", price="100.00")
    await lives.move("t", world.at("2027-01-12 00:30", account="t"))
    buyer = await customer.of(world, graphql, "t")
    preview = (await graphql(PREVIEW, input=asked_for("t-1")))["previewRenewalPolicy"]
    await buyer.set_policy(["t-1"], "AUTO")
    await lives.move("t", world.at("2027-01-12 02:00", account="t"))
    [charged_at] = await world.row("SELECT created_at FROM orders")
    assert preview["changes"][0]["firstChargeAt"] == charged_at.isoformat() == "2027-01-11T17:30:00+00:00"
