"""Actions match the planner and the decision on policies, and their refusals have reasons (rules 7, 8, 10, 14)."""

import datetime as dt

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.domain import instance_actions, limits, model, planning, policy
from renewals.domain.instance_actions import InstanceActionKind
from tests.renewals.factories import SHANGHAI, context, instance, plan, product, selection, unhurried

PRODUCTS = (
    product("KEC"),
    product("SHORT", max_term_months=3),
    product("LONG", max_term_months=120),
    product("KAD", unsupported_reason="It is not needed."),
)
NOON = context("2018-09-10 12:00", products=PRODUCTS)
MONTHS = range(1, limits.MONTHS_MAX + 1)


def facts(*picked: model.Instance) -> list[instance_actions.ActionFacts]:
    names = instance_actions.ActionFacts._fields
    return [instance_actions.ActionFacts(*(getattr(one, name) for name in names)) for one in picked]


def actions(
    *picked: model.Instance, judged_by: planning.PlanContext = NOON
) -> dict[InstanceActionKind, instance_actions.InstanceAction]:
    """Return the actions of the first instance; the others are members of its bundle."""
    members: dict[str, list[model.Instance]] = {}
    for one in picked:
        members.setdefault(one.bundle_id or "", []).append(one)
    [listed] = instance_actions.list_actions(facts(*picked[:1]), members, judged_by)
    return {action.action: action for action in listed}


def test_the_longest_term_begins_today_even_in_the_last_second_of_the_day() -> None:
    last_second = context("2018-09-10 23:59:59", products=PRODUCTS)
    for expires, months_max in (("2018-09-10", 3), ("2018-09-11", 2)):
        due = instance(expires=expires, product_code="SHORT")
        assert actions(due, judged_by=last_second)[InstanceActionKind.RENEW].months_max == months_max


@st.composite
def units(draw: st.DrawFn) -> tuple[planning.PlanContext, list[model.Instance]]:
    """Draw an instant, and an instance or a bundle near the bounds of its product's term."""
    moment = draw(
        st.sampled_from(["2018-09-10 12:00", "2018-09-10 23:59:59", "2018-01-31 00:00", "2018-02-28 09:00"])
    )
    judged_by = context(moment, products=PRODUCTS)
    today = judged_by.now.astimezone(SHANGHAI).date()
    distance = st.one_of(st.integers(-40, 40), st.integers(-1_200, 3_700))
    last_day = today + dt.timedelta(days=draw(distance))
    anchor = draw(st.sampled_from([last_day.day, 31])) if last_day.day >= 28 else last_day.day
    members = []
    count = draw(st.integers(1, 3))
    for number in range(count):
        one = instance(
            f"i-{number}",
            expires=str(last_day),
            anchor_day=anchor,
            product_code=draw(st.sampled_from(["KEC", "KEC", "SHORT", "LONG", "KAD"])),
            is_trial=draw(st.sampled_from([False] * 6 + [True])),
            auto_renew_months=draw(st.sampled_from([1, 1, 4, 36])),
            bundle_id="b" if count > 1 else None,
        )
        members.append(one._replace(status=one.status_at(judged_by.now).value))
    return judged_by, members


@unhurried
@hypothesis.given(units())
def test_renew_is_allowed_for_exactly_the_months_that_the_planner_accepts(
    drawn: tuple[planning.PlanContext, list[model.Instance]],
) -> None:
    judged_by, members = drawn
    renew = actions(*members, judged_by=judged_by)[InstanceActionKind.RENEW]
    accepted = [
        months
        for months in MONTHS
        if not plan(selection(*members), planning.RenewFor(months), judged_by).refusals
    ]
    assert renew.allowed is bool(accepted)
    if accepted:
        assert accepted == list(range(renew.months_min or 0, (renew.months_max or 0) + 1))
        assert renew.refusal is None
    else:
        assert (renew.months_min, renew.months_max) == (None, None)
        assert renew.refusal is not None
        assert renew.refusal.instance_id == members[0].id


@unhurried
@hypothesis.given(units())
def test_unify_is_allowed_if_the_planner_accepts_some_date(
    drawn: tuple[planning.PlanContext, list[model.Instance]],
) -> None:
    judged_by, members = drawn
    unify = actions(*members, judged_by=judged_by)[InstanceActionKind.UNIFY]
    assert members[0].expires_at is not None
    old = members[0].expires_at.astimezone(SHANGHAI).date()
    today = judged_by.now.astimezone(SHANGHAI).date()
    targets = {near + dt.timedelta(days=days) for near in (old, today) for days in range(-1, 40)}
    accepted = [
        date
        for date in targets
        if not plan(selection(*members), planning.UnifyToDate(date), judged_by).refusals
    ]
    assert unify.allowed is bool(accepted)
    assert (unify.refusal is None) is unify.allowed


@unhurried
@hypothesis.given(units())
def test_set_auto_is_allowed_if_the_policy_is_accepted(
    drawn: tuple[planning.PlanContext, list[model.Instance]],
) -> None:
    judged_by, members = drawn
    set_auto = actions(*members, judged_by=judged_by)[InstanceActionKind.SET_AUTO]
    decided = policy.plan_policy(
        selection(*members),
        policy.NewPolicy(model.RenewalMode.AUTO),
        judged_by,
        handling=model.BundleHandling.WHOLE,
        batch_mode=model.BatchMode.BEST_EFFORT,
    )
    refusals = {refusal.instance_id: refusal for refusal in decided.refusals}
    assert set_auto.refusal == refusals.get(members[0].id)
    assert set_auto.allowed == (not refusals)


@pytest.mark.parametrize(
    ("expires", "product_code", "bounds"),
    [
        ("2018-09-10", "KEC", (1, 36)),
        ("2018-09-09", "KEC", (1, 36)),
        ("2018-08-09", "KEC", (2, 36)),
        ("2018-09-10", "SHORT", (1, 3)),
        ("2018-10-15", "SHORT", (1, 1)),
        ("2018-08-10", "SHORT", (1, 4)),
        ("2016-09-10", "LONG", (24, 36)),
    ],
)
def test_the_months_of_a_renewal_are_bounded_by_today_and_the_longest_term(
    expires: str, product_code: str, bounds: tuple[int, int]
) -> None:
    renew = actions(instance(expires=expires, product_code=product_code))[InstanceActionKind.RENEW]
    assert (renew.months_min, renew.months_max) == bounds


@pytest.mark.parametrize(
    ("refused", "codes"),
    [
        (instance(product_code="KAD"), ["UNSUPPORTED_PRODUCT"] * 3),
        (instance(is_trial=True), ["TRIAL"] * 3),
        (instance(billing_mode=model.BillingMode.ONE_OFF), ["ONE_OFF"] * 3),
        (instance(expires=None, billing_mode=model.BillingMode.PAY_AS_YOU_GO), ["NO_EXPIRY"] * 3),
        (instance(expires="2018-08-01", status=model.InstanceStatus.RELEASED), ["RELEASED"] * 3),
        (instance(expires="2018-09-09"), [None, "EXPIRED", None]),
        (instance(expires="2015-01-01"), ["PERIOD_TOO_SHORT", "EXPIRED", None]),
        (
            instance(expires="2018-12-10", product_code="SHORT"),
            ["MAX_TERM_EXCEEDED", None, "MAX_TERM_EXCEEDED"],
        ),
        (instance(product_code="SHORT", auto_renew_months=4), [None, "MAX_TERM_EXCEEDED", None]),
    ],
)
def test_a_refused_action_has_the_refusal_code_of_its_operation(
    refused: model.Instance, codes: list[str | None]
) -> None:
    listed = list(actions(refused).values())
    assert [action.action for action in listed] == list(InstanceActionKind)
    assert [action.refusal and action.refusal.code.value for action in listed] == codes
    assert [action.allowed for action in listed] == [code is None for code in codes]


def test_a_bundle_member_allows_only_the_actions_that_its_whole_bundle_allows() -> None:
    member, other = instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b", is_trial=True)
    assert all(action.allowed for action in actions(member, member._replace(id="b-2")).values())
    for action in actions(member, other).values():
        assert action.refusal is not None
        assert (action.refusal.code, action.refusal.bundle_instance_ids) == ("BUNDLED", ("b-1", "b-2"))
    short = member._replace(id="b-2", product_code="SHORT")
    assert actions(member, short)[InstanceActionKind.RENEW].months_max == 3


def test_instances_that_differ_only_in_id_and_price_share_one_list_of_actions() -> None:
    first, second = instance("i-1"), instance("i-2", monthly_cents=1)
    lists = instance_actions.list_actions(facts(first, second), {}, NOON)
    assert lists[0] is lists[1]


def test_each_refusal_of_otherwise_equal_instances_names_its_own_instance() -> None:
    expired = [instance(f"i-{number}", expires="2018-09-01") for number in range(3)]
    for listed, one in zip(instance_actions.list_actions(facts(*expired), {}, NOON), expired, strict=True):
        [refusal] = [action.refusal for action in listed if action.refusal]
        assert refusal.instance_id == one.id
