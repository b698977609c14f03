"""Decisions on the renewal policy of a batch (rules 1, 2, 8, 10, 11, 26), without a database."""

import pytest

from renewals.domain import errors, limits, model
from renewals.domain.model import BundleHandling, InstanceStatus, RenewalMode
from renewals.instances import policy
from renewals.instances import selection as instances_selection
from tests.renewals.factories import codes, context, instance, product, selection

NOBODY = instances_selection.ById(("i-1",))
AUTO = policy.PolicyRequest(NOBODY, RenewalMode.AUTO)
MANUAL = policy.PolicyRequest(NOBODY, RenewalMode.MANUAL)
NONE = policy.PolicyRequest(NOBODY, RenewalMode.NONE)
NOW = context(
    "2018-09-01 12:00", products=[product(), product("KAD", unsupported_reason="It is not needed.")]
)


def decide(request: policy.PolicyRequest, *instances: model.Instance) -> policy.PolicyOutcome:
    return policy.plan_policy(selection(*instances), request, NOW)


def widened(mode: RenewalMode) -> policy.PolicyRequest:
    return policy.PolicyRequest(NOBODY, mode, handling=BundleHandling.WHOLE)


def test_each_instance_is_decided_alone() -> None:
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
def test_an_expired_instance_cannot_be_set_to_auto_even_if_it_is(mode: RenewalMode) -> None:
    outcome = decide(AUTO, instance(expires="2018-08-31", renewal_mode=mode))
    assert codes(outcome.refusals) == {"i-1": "EXPIRED"}
    assert outcome.changed_ids == outcome.unchanged_ids == ()


def test_an_instance_stored_as_expired_is_refused_too() -> None:
    outcome = decide(AUTO, instance(expires="2018-08-31", status=InstanceStatus.EXPIRED))
    assert codes(outcome.refusals) == {"i-1": "EXPIRED"}


def test_a_released_instance_is_refused() -> None:
    released = instance(expires="2018-08-31", status=InstanceStatus.RELEASED)
    assert released.status_at(NOW.now) is InstanceStatus.RELEASED
    assert codes(decide(AUTO, released).refusals) == {"i-1": "RELEASED"}


def test_in_the_last_second_of_its_last_day_it_has_not_expired() -> None:
    picked = selection(instance(expires="2018-09-10"))
    in_time = policy.plan_policy(picked, AUTO, context("2018-09-10 23:59:59"))
    too_late = policy.plan_policy(picked, AUTO, context("2018-09-10 23:59:59.000001"))
    assert (in_time.changed_ids, in_time.refusals) == (("i-1",), ())
    assert (too_late.changed_ids, codes(too_late.refusals)) == ((), {"i-1": "EXPIRED"})


@pytest.mark.parametrize("wanted", [MANUAL, NONE])
def test_an_expired_instance_may_leave_auto(wanted: policy.PolicyRequest) -> None:
    outcome = decide(wanted, instance(expires="2018-08-31", renewal_mode=RenewalMode.AUTO))
    assert outcome.changed_ids == ("i-1",)
    assert outcome.refusals == ()


@pytest.mark.parametrize(
    ("left_out", "code"),
    [
        (instance(product_code="KAD"), "UNSUPPORTED_PRODUCT"),
        (instance(is_trial=True), "TRIAL"),
        (instance(billing_mode=model.BillingMode.ONE_OFF), "ONE_OFF"),
        (instance(expires=None, billing_mode=model.BillingMode.PAY_AS_YOU_GO), "NO_EXPIRY"),
        (instance(expires="2018-08-01", status=InstanceStatus.RELEASED), "RELEASED"),
    ],
)
@pytest.mark.parametrize("wanted", [AUTO, MANUAL, NONE])
def test_an_unrenewable_instance_has_no_policy_to_set(
    left_out: model.Instance, code: str, wanted: policy.PolicyRequest
) -> None:
    outcome = decide(wanted, left_out)
    assert codes(outcome.refusals) == {"i-1": code}
    assert outcome.changed_ids == outcome.unchanged_ids == ()


def test_the_months_matter_to_auto_alone() -> None:
    auto = instance("i-1", renewal_mode=RenewalMode.AUTO, auto_renew_months=1)
    manual = instance("i-2", renewal_mode=RenewalMode.MANUAL, auto_renew_months=1)
    three_months = policy.PolicyRequest(NOBODY, RenewalMode.AUTO, auto_renew_months=3)
    assert decide(three_months, auto).changed_ids == ("i-1",)
    by_hand = policy.PolicyRequest(NOBODY, RenewalMode.MANUAL, auto_renew_months=3)
    assert decide(by_hand, manual).changed_ids == ()
    assert decide(by_hand, manual).unchanged_ids == ("i-2",)


def test_auto_renew_months_stay_within_the_products_longest_term() -> None:
    year_at_most = context("2018-09-01 12:00", products=[product(max_term_months=12)])

    def decide_months(months: int | None, current: int = 1) -> policy.PolicyOutcome:
        request = policy.PolicyRequest(NOBODY, RenewalMode.AUTO, auto_renew_months=months)
        return policy.plan_policy(selection(instance(auto_renew_months=current)), request, year_at_most)

    assert decide_months(12).changed_ids == ("i-1",)
    assert decide_months(13).changed_ids == ()
    assert codes(decide_months(13).refusals) == {"i-1": "MAX_TERM_EXCEEDED"}
    assert decide_months(None, current=12).changed_ids == ("i-1",)
    assert codes(decide_months(None, current=13).refusals) == {"i-1": "MAX_TERM_EXCEEDED"}
    assert decide_months(12, current=13).changed_ids == ("i-1",)


def test_a_bundle_member_cannot_take_part_in_a_batch() -> None:
    outcome = decide(AUTO, instance("i-1"), instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b"))
    assert outcome.changed_ids == ("i-1",)
    assert codes(outcome.refusals) == {"b-1": "BUNDLED", "b-2": "BUNDLED"}


def test_a_bundle_alone_is_set_whole_or_not_at_all() -> None:
    first, second = instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b")
    assert decide(AUTO, first, second).changed_ids == ("b-1", "b-2")
    lacking = policy.plan_policy(selection(first, unpicked=[second]), AUTO, NOW)
    assert lacking.changed_ids == ()
    assert codes(lacking.refusals) == {"b-1": "BUNDLE_INCOMPLETE"}


def test_widened_to_whole_bundles_all_members_change_their_mode() -> None:
    picked = selection(
        instance("i-1"), instance("b-1", bundle_id="b"), unpicked=[instance("b-2", bundle_id="b")]
    )
    outcome = policy.plan_policy(picked, widened(RenewalMode.NONE), NOW)
    assert outcome.changed_ids == ("b-1", "b-2", "i-1")
    assert outcome.refusals == ()


def test_a_refused_member_refuses_its_bundle() -> None:
    picked = selection(
        instance("i-1"), instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b", is_trial=True)
    )
    outcome = policy.plan_policy(picked, widened(RenewalMode.AUTO), NOW)
    assert outcome.changed_ids == ("i-1",)
    assert codes(outcome.refusals) == {"b-1": "BUNDLED", "b-2": "TRIAL"}


def test_a_missing_id_is_refused_and_the_others_are_decided() -> None:
    outcome = policy.plan_policy(selection(instance(), missing_ids=["i-404"]), AUTO, NOW)
    assert outcome.changed_ids == ("i-1",)
    assert codes(outcome.refusals) == {"i-404": "NOT_FOUND"}


@pytest.mark.parametrize("months", [-1, 0, 37])
def test_auto_renew_months_are_1_to_36(months: int) -> None:
    with pytest.raises(errors.InvalidInputError) as caught:
        policy.check_request(policy.PolicyRequest(NOBODY, RenewalMode.AUTO, auto_renew_months=months))
    assert (caught.value.field, caught.value.reason) == ("input.autoRenewMonths", "must be between 1 and 36")
    policy.check_request(policy.PolicyRequest(NOBODY, RenewalMode.AUTO, auto_renew_months=1))
    policy.check_request(policy.PolicyRequest(NOBODY, RenewalMode.AUTO, auto_renew_months=36))


def test_a_selection_has_1_to_10_000_instances() -> None:
    assert limits.INSTANCES_PER_SELECTION_MAX == 10_000
    ids = tuple(f"i-{number}" for number in range(10_001))
    policy.check_request(
        policy.PolicyRequest(instances_selection.ById((*ids[:10_000], "i-0")), RenewalMode.AUTO)
    )
    for refused in ((), ids):
        with pytest.raises(errors.InvalidInputError, match=r"input\.selection\.ids"):
            policy.check_request(policy.PolicyRequest(instances_selection.ById(refused), RenewalMode.AUTO))
