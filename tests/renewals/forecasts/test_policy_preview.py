"""The preview of a policy shows the effect of setting the policy, and the worker's first charges (rule 8)."""

import dataclasses

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.auto_renewal import renew
from renewals.domain import errors, model
from renewals.forecasts import instance_forecast, policy_preview
from renewals.instances import policy, selection
from tests.renewals import random_accounts
from tests.support.fixtures import NOW, World


def build_request(*ids: str, mode: model.RenewalMode = model.RenewalMode.AUTO) -> policy.PolicyRequest:
    return policy.PolicyRequest(selection.ById(ids), mode)


@hypothesis.settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
@hypothesis.given(st.data())
async def test_the_preview_and_the_mutation_agree_on_every_instance(
    world: World, data: st.DataObject
) -> None:
    account_id, ids = await random_accounts.open_account(world, data.draw(random_accounts.fleets()))
    picked = data.draw(st.lists(st.sampled_from([*ids, "i-unknown"]), min_size=1, unique=True))
    request = policy.PolicyRequest(
        data.draw(st.sampled_from([selection.ById(tuple(picked)), selection.ById(tuple(ids))])),
        data.draw(st.sampled_from(model.RenewalMode)),
        data.draw(st.sampled_from([None, 1, 4, 36])),
        data.draw(st.sampled_from(model.BundleHandling)),
        data.draw(st.sampled_from(model.BatchMode)),
    )
    before = await random_accounts.state(world, account_id)
    preview = await policy_preview.preview_policy(account_id, request, NOW)
    assert await random_accounts.state(world, account_id) == before
    changed_ids = [change.after.id for change in preview.changes]
    if preview.refusals and request.batch_mode is model.BatchMode.ALL_OR_NOTHING:
        with pytest.raises(errors.NotRenewableError) as refused:
            await policy.set_policy(account_id, request, lambda: NOW)
        assert refused.value.refusals == preview.refusals
        assert (changed_ids, preview.unchanged_count) == ([], 0)
        assert await random_accounts.state(world, account_id) == before
        return
    done = await policy.set_policy(account_id, request, lambda: NOW)
    assert list(done.changed_ids) == changed_ids
    assert len(done.unchanged) == preview.unchanged_count
    assert done.refusals == preview.refusals
    for change in preview.changes:
        assert await world.read(change.after.id) == change.after
    forecasts = await instance_forecast.read_instance_forecasts(account_id, changed_ids, NOW)
    for change in preview.changes:
        forecast, charge = forecasts[change.after.id], change.first_charge
        assert (charge is not None) is (forecast.due_at is not None and forecast.will_renew), change
        assert charge is None or charge.price_cents == forecast.price_cents


async def test_the_first_charge_of_a_preview_equals_the_charge_of_the_worker(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="100.00")
    request = dataclasses.replace(build_request("i-1"), auto_renew_months=12)
    [change] = (await policy_preview.preview_policy("a", request, NOW)).changes
    charge = change.first_charge
    assert charge == policy_preview.FirstCharge(world.at("2027-01-31 00:30"), 996_00), "12 months less 17 %"
    await policy.set_policy("a", request, lambda: NOW)
    await renew.run_at(world.at("2027-01-30 23:30"))
    assert await world.balance() == "1000.00"
    await renew.run_at(charge.at)
    assert await world.balance() == "4.00"


async def test_an_instance_that_is_due_now_is_charged_by_the_next_run(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires="2027-01-10")
    [change] = (await policy_preview.preview_policy("a", build_request("i-1"), NOW)).changes
    assert change.first_charge is not None
    assert change.first_charge.at == world.at("2027-01-10 12:30")
    last_minutes = world.at("2027-01-10 23:45")
    [change] = (await policy_preview.preview_policy("a", build_request("i-1"), last_minutes)).changes
    assert change.first_charge is None, "no run is left before it expires"


@pytest.mark.parametrize("mode", [model.RenewalMode.MANUAL, model.RenewalMode.NONE])
async def test_a_preview_of_the_mode_manual_or_none_has_no_first_charge(
    world: World, mode: model.RenewalMode
) -> None:
    await world.account("a")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO")
    [change] = (await policy_preview.preview_policy("a", build_request("i-1", mode=mode), NOW)).changes
    assert (change.before.renewal_mode, change.after.renewal_mode) == ("AUTO", mode)
    assert change.first_charge is None


async def test_an_instance_due_before_the_cut_over_has_no_first_charge(world: World) -> None:
    await world.account("a", auto_renew_from=NOW)
    await world.instances(["i-1"], expires="2027-01-10")
    await world.instances(["i-2"], expires="2027-01-11")
    preview = await policy_preview.preview_policy("a", build_request("i-1", "i-2"), NOW)
    charges = {change.after.id: change.first_charge for change in preview.changes}
    assert charges["i-1"] is None
    assert charges["i-2"] is not None


async def test_a_member_that_changes_without_its_bundle_has_a_first_charge(world: World) -> None:
    await world.account("a")
    await world.instances(["m-1", "m-2"], bundle="b", mode="AUTO", expires="2027-01-31")
    await world.put("m-1", agreed_price_cents=1)
    request = dataclasses.replace(build_request("m-1"), handling=model.BundleHandling.WHOLE)
    preview = await policy_preview.preview_policy("a", request, NOW)
    assert ([change.after.id for change in preview.changes], preview.unchanged_count) == (["m-1"], 1)
    assert preview.changes[0].first_charge is not None


async def test_a_preview_with_input_out_of_bounds_is_refused(world: World) -> None:
    await world.account("a")
    for invalid in (build_request(), dataclasses.replace(build_request("i-1"), auto_renew_months=37)):
        with pytest.raises(errors.InvalidInputError):
            await policy_preview.preview_policy("a", invalid, NOW)
