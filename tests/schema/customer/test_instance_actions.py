"""Instance.actions match the results of the mutations, and take a fixed number of statements for a page."""

import datetime as dt
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.domain import dates, errors, limits, model, planning
from renewals.instances import policy, selection
from renewals.orders import place_order, requests
from tests.renewals import random_accounts
from tests.support import core_calls, sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

ACTIONS = (
    "actions { action allowed refusal { instanceId code message bundleInstanceIds } monthsMin monthsMax }"
)
EVERY = "{manageable: null, status: [RUNNING, EXPIRED, RELEASED]}"
LIST = f"{{ instances(filter: {EVERY}, first: 1000) {{ nodes {{ id expiresOn {ACTIONS} }} }} }}"
WHOLE = model.BundleHandling.WHOLE


async def is_accepted(account_id: str, instance_id: str, extension: requests.Extension) -> bool:
    """Return whether a quote, which makes the same decision as the mutation, refuses nothing."""
    request = requests.QuoteRequest(selection.ById((instance_id,)), extension, WHOLE)
    return not (await place_order.quote(account_id, request, NOW)).refusals


@hypothesis.settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
@hypothesis.given(st.data())
async def test_an_action_is_allowed_exactly_if_its_mutation_is_accepted(
    world: World, graphql: Client, data: st.DataObject
) -> None:
    account_id, ids = await random_accounts.open_account(world, data.draw(random_accounts.fleets()))
    graphql.key = await world.key(account_id)
    nodes = (await graphql(LIST))["instances"]["nodes"]
    assert len(nodes) == len(ids)
    for node in nodes:
        single = await graphql(
            f"query ($id: ID!) {{ instance(id: $id) {{ id expiresOn {ACTIONS} }} }}", id=node["id"]
        )
        assert single["instance"] == node, "a list and a single instance have the same actions"
        actions = {action["action"]: action for action in node["actions"]}
        await check_renew(account_id, node["id"], actions["RENEW"])
        await check_unify(account_id, node, actions["UNIFY"])
    for node in nodes:  # last, because it changes the instances
        await check_set_auto(account_id, node["id"], node["actions"][1])


async def check_renew(account_id: str, instance_id: str, action: dict[str, Any]) -> None:
    if not action["allowed"]:
        assert action["refusal"]["instanceId"] == instance_id
        for months in (1, 12, limits.MONTHS_MAX):
            assert not await is_accepted(account_id, instance_id, planning.RenewFor(months))
        return
    least, most = action["monthsMin"], action["monthsMax"]
    assert 1 <= least <= most <= limits.MONTHS_MAX
    for months in {least - 1, least, most, most + 1} & set(range(1, limits.MONTHS_MAX + 1)):
        accepted = await is_accepted(account_id, instance_id, planning.RenewFor(months))
        assert accepted is (least <= months <= most), (months, action)
    order = requests.OrderRequest(
        selection.ById((instance_id,)),
        planning.RenewFor(least),
        WHOLE,
        idempotency_key=f"{instance_id} renew",
    )
    with pytest.raises(errors.PriceChangedError):  # this refusal comes after those of instances (rule 19)
        await place_order.place_order(account_id, _with_wrong_total(order), lambda: NOW)


def _with_wrong_total(order: requests.OrderRequest) -> requests.OrderRequest:
    return requests.OrderRequest(
        order.selector, order.extension, order.handling, order.batch_mode, 10**12, order.idempotency_key
    )


async def check_unify(account_id: str, node: dict[str, Any], action: dict[str, Any]) -> None:
    day_after = dt.date.fromisoformat(node["expiresOn"] or str(NOW.date())) + dt.timedelta(days=1)
    targets = {day_after, max(day_after, NOW.date()), dates.add_months(10, NOW.date(), 3)}
    accepted = [await is_accepted(account_id, node["id"], planning.UnifyToDate(date)) for date in targets]
    assert any(accepted) is action["allowed"]
    assert (action["refusal"] is None) is action["allowed"]


async def check_set_auto(account_id: str, instance_id: str, action: dict[str, Any]) -> None:
    request = policy.PolicyRequest(selection.ById((instance_id,)), model.RenewalMode.AUTO, handling=WHOLE)
    done = await policy.set_policy(account_id, request, lambda: NOW)
    refusals = {refusal.instance_id: refusal.code for refusal in done.refusals}
    assert action["allowed"] == (not refusals)
    assert (action["refusal"] or {}).get("code") == refusals.get(instance_id)


async def test_the_actions_of_a_page_take_a_fixed_number_of_statements_without_graphql_core(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        await world.instance(f"i-{number}", expires=f"2027-02-{1 + number % 28:02}")
    for number in range(10):
        await world.instances([f"m-{number}-1", f"m-{number}-2"], bundle=f"b-{number}")
    completed = core_calls.count_core_calls(monkeypatch, "complete_list_item_value")
    counts = []
    for first in (50, 60):
        with sql_log.counted() as seen:
            nodes = (await client(LIST.replace("first: 1000", f"first: {first}")))["instances"]["nodes"]
        assert len(nodes) == first
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 5, counts
    assert not completed


async def test_the_actions_in_the_result_of_a_renewal_are_those_after_the_renewal(
    world: World, client: Client
) -> None:
    await world.top_up("9000.00")
    await world.instance("i-1", expires="2027-01-08", status="EXPIRED")
    fields = "{ action allowed }"
    before = (await client(f'{{ instance(id: "i-1") {{ actions {fields} }} }}'))["instance"]["actions"]
    assert before[1] == {"action": "SET_AUTO", "allowed": False}
    renewed = await client(
        f"""mutation {{ renewInstances(input: {{selection: {{ids: ["i-1"]}}, months: 1, idempotencyKey: "k"}}) {{
             ... on RenewInstancesSuccess {{ instances {{ actions {fields} }} }} }} }}"""
    )
    [instance] = renewed["renewInstances"]["instances"]
    assert instance["actions"][1] == {"action": "SET_AUTO", "allowed": True}


async def test_the_actions_of_all_members_are_refused_if_one_member_is_unsupported(
    world: World, client: Client
) -> None:
    await world.instance("m-1", bundle="b")
    await world.instance("m-2", bundle="b", product="cert")
    nodes = (await client(LIST))["instances"]["nodes"]
    codes = {node["id"]: [action["refusal"]["code"] for action in node["actions"]] for node in nodes}
    assert codes == {"m-1": ["BUNDLED"] * 3, "m-2": ["UNSUPPORTED_PRODUCT"] * 3}
    assert nodes[0]["actions"][0]["refusal"]["bundleInstanceIds"] == ["m-1", "m-2"]
