"""Decisions on the renewal policy of a batch (rules 1, 2, 8, 10, 11), without a database."""

import pytest

from renewals.domain import model, planning, policy
from renewals.domain import selection as domain_selection
from renewals.domain.model import BatchMode, BundleHandling, InstanceStatus, RenewalMode
from tests.renewals.factories import codes, context, instance, product, selection

AUTO, MANUAL, NONE = map(policy.NewPolicy, (RenewalMode.AUTO, RenewalMode.MANUAL, RenewalMode.NONE))
NOW = context(
    "2018-09-01 12:00", products=[product(), product("KAD", unsupported_reason="It is not needed.")]
)


def plan(
    picked: domain_selection.Selection,
    new: policy.NewPolicy,
    judged_by: planning.PlanContext = NOW,
    *,
    handling: BundleHandling = BundleHandling.REFUSE,
    batch_mode: BatchMode = BatchMode.BEST_EFFORT,
) -> policy.PolicyPlan:
    return policy.plan_policy(picked, new, judged_by, handling=handling, batch_mode=batch_mode)


def decide(new: policy.NewPolicy, *instances: model.Instance) -> policy.PolicyPlan:
    return plan(selection(*instances), new)


def test_a_refused_or_unchanged_instance_does_not_prevent_the_change_of_another() -> None:
    outcome = decide(
        AUTO,
        instance("i-manual"),
        instance("i-expired", expires="2018-08-31"),
        instance("i-auto", renewal_mode=RenewalMode.AUTO),
    )
    assert outcome.changed_ids == ("i-manual",)
    assert outcome.unchanged_ids == ("i-auto",)
    assert codes(outcome.refusals) == {"i-expired": "EXPIRED"}


@pytest.mark.parametrize("mode", [RenewalMode.MANUAL, RenewalMode.AUTO, RenewalMode.NONE])
def test_an_expired_instance_cannot_be_set_to_auto_even_if_its_mode_is_auto(mode: RenewalMode) -> None:
    outcome = decide(AUTO, instance(expires="2018-08-31", renewal_mode=mode))
    assert codes(outcome.refusals) == {"i-1": "EXPIRED"}
    assert outcome.changed_ids == outcome.unchanged_ids == ()


def test_an_instance_with_the_status_expired_cannot_be_set_to_auto() -> None:
    outcome = decide(AUTO, instance(expires="2018-08-31", status=InstanceStatus.EXPIRED))
    assert codes(outcome.refusals) == {"i-1": "EXPIRED"}


def test_a_released_instance_cannot_be_set_to_auto() -> None:
    released = instance(expires="2018-08-31", status=InstanceStatus.RELEASED)
    assert released.status_at(NOW.now) is InstanceStatus.RELEASED
    assert codes(decide(AUTO, released).refusals) == {"i-1": "RELEASED"}


def test_an_instance_has_not_expired_in_the_last_second_of_its_last_day() -> None:
    picked = selection(instance(expires="2018-09-10"))
    in_time = plan(picked, AUTO, context("2018-09-10 23:59:59"))
    too_late = plan(picked, AUTO, context("2018-09-10 23:59:59.000001"))
    assert (in_time.changed_ids, in_time.refusals) == (("i-1",), ())
    assert (too_late.changed_ids, codes(too_late.refusals)) == ((), {"i-1": "EXPIRED"})


@pytest.mark.parametrize("wanted", [MANUAL, NONE])
def test_an_expired_instance_can_be_set_from_auto_to_manual_or_none(wanted: policy.NewPolicy) -> None:
    outcome = decide(wanted, instance(expires="2018-08-31", renewal_mode=RenewalMode.AUTO))
    assert outcome.changed_ids == ("i-1",)
    assert outcome.refusals == ()


@pytest.mark.parametrize(
    ("unmanageable", "code"),
    [
        (instance(product_code="KAD"), "UNSUPPORTED_PRODUCT"),
        (instance(is_trial=True), "TRIAL"),
        (instance(billing_mode=model.BillingMode.ONE_OFF), "ONE_OFF"),
        (instance(expires=None, billing_mode=model.BillingMode.PAY_AS_YOU_GO), "NO_EXPIRY"),
        (instance(expires="2018-08-01", status=InstanceStatus.RELEASED), "RELEASED"),
    ],
)
@pytest.mark.parametrize("wanted", [AUTO, MANUAL, NONE])
def test_the_policy_of_an_unmanageable_instance_cannot_be_set(
    unmanageable: model.Instance, code: str, wanted: policy.NewPolicy
) -> None:
    outcome = decide(wanted, unmanageable)
    assert codes(outcome.refusals) == {"i-1": code}
    assert outcome.changed_ids == outcome.unchanged_ids == ()


def test_new_months_change_an_auto_policy_but_not_a_manual_one() -> None:
    auto = instance("i-1", renewal_mode=RenewalMode.AUTO, auto_renew_months=1)
    manual = instance("i-2", renewal_mode=RenewalMode.MANUAL, auto_renew_months=1)
    three_months = policy.NewPolicy(RenewalMode.AUTO, 3)
    assert decide(three_months, auto).changed_ids == ("i-1",)
    by_hand = policy.NewPolicy(RenewalMode.MANUAL, 3)
    assert decide(by_hand, manual).changed_ids == ()
    assert decide(by_hand, manual).unchanged_ids == ("i-2",)


def test_auto_renew_months_stay_within_the_products_longest_term() -> None:
    year_at_most = context("2018-09-01 12:00", products=[product(max_term_months=12)])

    def decide_months(months: int | None, current: int = 1) -> policy.PolicyPlan:
        picked = selection(instance(auto_renew_months=current))
        return plan(picked, policy.NewPolicy(RenewalMode.AUTO, months), year_at_most)

    assert decide_months(12).changed_ids == ("i-1",)
    assert decide_months(13).changed_ids == ()
    assert codes(decide_months(13).refusals) == {"i-1": "MAX_TERM_EXCEEDED"}
    assert decide_months(None, current=12).changed_ids == ("i-1",)
    assert codes(decide_months(None, current=13).refusals) == {"i-1": "MAX_TERM_EXCEEDED"}
    assert decide_months(12, current=13).changed_ids == ("i-1",)


def test_bundle_members_in_a_batch_are_refused_and_the_other_instance_changes() -> None:
    outcome = decide(AUTO, instance("i-1"), instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b"))
    assert outcome.changed_ids == ("i-1",)
    assert codes(outcome.refusals) == {"b-1": "BUNDLED", "b-2": "BUNDLED"}


def test_the_policy_of_a_bundle_is_set_for_all_members_or_refused() -> None:
    first, second = instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b")
    assert decide(AUTO, first, second).changed_ids == ("b-1", "b-2")
    incomplete = plan(selection(first, unpicked=[second]), AUTO)
    assert incomplete.changed_ids == ()
    assert codes(incomplete.refusals) == {"b-1": "BUNDLE_INCOMPLETE"}


def test_the_handling_whole_changes_all_members_of_a_selected_bundle() -> None:
    picked = selection(
        instance("i-1"), instance("b-1", bundle_id="b"), unpicked=[instance("b-2", bundle_id="b")]
    )
    outcome = plan(picked, NONE, handling=BundleHandling.WHOLE)
    assert outcome.changed_ids == ("b-1", "b-2", "i-1")
    assert outcome.refusals == ()


def test_a_refused_member_causes_the_refusal_of_its_whole_bundle() -> None:
    picked = selection(
        instance("i-1"), instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b", is_trial=True)
    )
    outcome = plan(picked, AUTO, handling=BundleHandling.WHOLE)
    assert outcome.changed_ids == ("i-1",)
    assert codes(outcome.refusals) == {"b-1": "BUNDLED", "b-2": "TRIAL"}


def test_a_missing_id_is_refused_and_the_other_instance_changes() -> None:
    outcome = plan(selection(instance(), missing_ids=["i-404"]), AUTO)
    assert outcome.changed_ids == ("i-1",)
    assert codes(outcome.refusals) == {"i-404": "NOT_FOUND"}


def test_in_the_mode_all_or_nothing_one_refusal_prevents_all_changes() -> None:
    picked = selection(instance("i-1"), instance("i-expired", expires="2018-08-31"))
    stopped = plan(picked, AUTO, batch_mode=BatchMode.ALL_OR_NOTHING)
    assert (stopped.changed_ids, stopped.unchanged_ids) == ((), ())
    assert codes(stopped.refusals) == {"i-expired": "EXPIRED"}
    whole = plan(selection(instance("i-1")), AUTO, batch_mode=BatchMode.ALL_OR_NOTHING)
    assert whole.changed_ids == ("i-1",)


def test_a_change_of_policy_has_the_instance_before_and_after() -> None:
    agreed = instance(monthly_cents=400_00)._replace(agreed_price_cents=300_00)
    [change] = decide(policy.NewPolicy(RenewalMode.AUTO, 3), agreed).changes
    assert change.before == agreed
    assert change.after == agreed._replace(
        renewal_mode=RenewalMode.AUTO, auto_renew_months=3, agreed_price_cents=None
    )
    [change] = decide(policy.NewPolicy(RenewalMode.NONE, 3), agreed).changes
    assert change.after == agreed._replace(renewal_mode=RenewalMode.NONE), "NONE leaves months and price"


def test_setting_auto_again_accepts_a_changed_price() -> None:
    held = instance(renewal_mode=RenewalMode.AUTO)._replace(agreed_price_cents=200_00)
    assert decide(AUTO, held).changed_ids == ("i-1",)
