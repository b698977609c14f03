"""The planner (rules 1 to 3, 5 to 7, 10 to 17, 20 to 22): lines, refusals, prices and payments."""

import datetime as dt

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.domain import dates, errors, model, planning
from renewals.domain.model import InstanceStatus
from renewals.domain.payment import Payment
from renewals.domain.planning import RenewAuto, RenewFor, UnifyToDate, UnifyToDayOfMonth
from tests.renewals import factories
from tests.renewals.factories import NEW_YORK, SHANGHAI, at, codes, context, day, instance, plan, product

EXTENSIONS = [RenewFor(1), RenewAuto(), UnifyToDate(day("2018-12-01")), UnifyToDayOfMonth(1)]


def only_line(planned: planning.Plan) -> planning.RenewalLine:
    assert planned.refusals == ()
    (line,) = planned.lines
    return line


def only_refusal(planned: planning.Plan) -> errors.Refusal:
    """Return the only refusal of a plan without lines and payment."""
    assert (planned.lines, planned.total_cents, planned.list_cents) == ((), 0, 0)
    assert planned.payment == Payment((), 0, 0, 1_000_000_00, 0)
    (refusal,) = planned.refusals
    return refusal


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize(
    ("unmanageable", "code", "message"),
    [
        (instance(product_code="KAD"), "UNSUPPORTED_PRODUCT", "It is not needed."),
        (instance(is_trial=True), "TRIAL", "A trial instance cannot be renewed."),
        (
            instance(billing_mode=model.BillingMode.ONE_OFF),
            "ONE_OFF",
            "A one-off purchase cannot be renewed.",
        ),
        (instance(expires=None), "NO_EXPIRY", "It has no expiry, so there is nothing to renew."),
        (instance(status=InstanceStatus.RELEASED), "RELEASED", "It was released and cannot be restored."),
        # The first of several reasons is returned.
        (instance(product_code="KAD", is_trial=True), "UNSUPPORTED_PRODUCT", "It is not needed."),
    ],
)
def test_an_unmanageable_instance_is_refused_by_every_extension(
    unmanageable: model.Instance, code: str, message: str, extension: planning.Extension
) -> None:
    judged_by = context(products=[product("KEC"), product("KAD", unsupported_reason="It is not needed.")])
    refusal = only_refusal(plan(unmanageable, extension, judged_by))
    assert (refusal.code.value, str(refusal.message)) == (code, message)


def test_a_product_that_the_catalog_supports_is_renewable_whatever_its_code() -> None:
    assert only_line(plan(instance(product_code="KAD"), RenewFor(1), context(products=[product("KAD")])))


def test_a_new_period_starts_at_the_old_expiry_and_ends_at_the_end_of_a_day() -> None:
    line = only_line(plan(instance(expires="2018-09-10"), RenewFor(1)))
    assert (line.starts_at, line.expires_at) == (at("2018-09-10 23:59:59"), at("2018-10-10 23:59:59"))
    assert (line.months, line.days, line.anchor_day) == (1, 0, 10)


def test_a_period_over_a_clock_change_ends_at_the_end_of_a_day_in_the_time_zone() -> None:
    # In UTC, the instance expires on 1 November.
    line = only_line(plan(instance(expires="2018-10-31", zone=NEW_YORK), RenewFor(1), context(zone=NEW_YORK)))
    assert line.starts_at == dt.datetime(2018, 11, 1, 3, 59, 59, tzinfo=dt.UTC)
    assert line.expires_at == dt.datetime(2018, 12, 1, 4, 59, 59, tzinfo=dt.UTC)


def test_monthly_renewals_return_to_the_anchor_day() -> None:
    renewed = instance(expires="2018-01-31")
    for expires in ("2018-02-28", "2018-03-31", "2018-04-30"):
        line = only_line(plan(renewed, RenewFor(1), context("2018-01-31 12:00")))
        assert (line.expires_at, line.anchor_day) == (at(f"{expires} 23:59:59"), 31)
        renewed = renewed._replace(expires_at=line.expires_at, anchor_day=line.anchor_day)


def test_a_late_renewal_starts_at_the_old_expiry_and_charges_the_whole_period() -> None:
    line = only_line(plan(instance(expires="2018-09-10"), RenewFor(2), context("2018-10-20 12:00")))
    assert (line.starts_at, line.expires_at) == (at("2018-09-10 23:59:59"), at("2018-11-10 23:59:59"))
    assert line.price == (600_00, 600_00)


@pytest.mark.parametrize(
    ("now", "months", "least"),
    [
        ("2018-10-10 23:59:59", 1, 2),
        ("2018-10-20 12:00:00", 1, 2),
        ("2018-12-11 00:00:00", 1, 4),
        ("2018-12-11 00:00:00", 3, 4),
    ],
)
def test_a_renewal_that_would_end_in_the_past_is_refused_with_the_minimum_months(
    now: str, months: int, least: int
) -> None:
    late = instance(expires="2018-09-10", status=InstanceStatus.EXPIRED)
    refusal = only_refusal(plan(late, RenewFor(months), context(now)))
    assert refusal.code.value == "PERIOD_TOO_SHORT"
    assert str(refusal.message) == f"It expired on 2018-09-10; renew it for at least {least} months."
    assert only_line(plan(late, RenewFor(least), context(now))).expires_at > at(now)


@pytest.mark.parametrize("max_term_months", [1, 12])
@pytest.mark.parametrize(
    ("now", "target"),
    [
        ("2021-09-10 23:59:59", "2021-09-11"),
        ("2022-10-15 12:00:00", "2022-10-15"),
        ("2026-01-31 23:59:59", "2026-02-01"),
    ],
)
def test_an_instance_that_no_renewal_can_extend_is_referred_to_a_date_to_which_unify_extends_it(
    now: str, target: str, max_term_months: int
) -> None:
    judged_by = context(now, products=[product(max_term_months=max_term_months)])
    late = instance(expires="2018-09-10", status=InstanceStatus.EXPIRED)
    refusal = only_refusal(plan(late, RenewFor(36), judged_by))
    least = refusal.facts.least_months
    assert refusal.code.value == "PERIOD_TOO_SHORT" and least is not None and least > 36
    assert str(refusal.message) == (
        f"It expired on 2018-09-10; a renewal would need at least {least} months, but 36 is the maximum. "
        f"Unify its expiry to {target} or a later date."
    )
    line = only_line(plan(late, UnifyToDate(day(target)), judged_by))
    assert line.expires_at == at(f"{target} 23:59:59")


def test_an_instance_that_the_longest_renewal_can_extend_is_referred_to_that_renewal() -> None:
    late = instance(expires="2018-09-10", status=InstanceStatus.EXPIRED)
    refusal = only_refusal(plan(late, RenewFor(35), context("2021-09-10 12:00")))
    assert str(refusal.message) == "It expired on 2018-09-10; renew it for at least 36 months."


def test_a_late_renewal_is_accepted_until_a_second_before_its_new_expiry() -> None:
    late = instance(expires="2018-09-10")
    assert only_line(plan(late, RenewFor(1), context("2018-10-10 23:59:58"))).months == 1


@pytest.mark.parametrize(
    ("extension", "too_far"),
    [
        (RenewFor(12), RenewFor(13)),
        (UnifyToDate(day("2019-09-10")), UnifyToDate(day("2019-09-11"))),
        (UnifyToDate(day("2019-09-10")), UnifyToDate(dt.date.max)),
    ],
)
def test_an_extension_beyond_the_longest_term_from_now_is_refused(
    extension: planning.Extension, too_far: planning.Extension
) -> None:
    judged_by = context("2018-09-10 12:00", products=[product(max_term_months=12)])
    assert only_line(plan(instance(expires="2018-09-10"), extension, judged_by))
    refusal = only_refusal(plan(instance(expires="2018-09-10"), too_far, judged_by))
    assert refusal.code.value == "MAX_TERM_EXCEEDED"
    assert str(refusal.message).endswith("its longest term of 12 months ends on 2019-09-10.")


def test_the_longest_term_counts_from_now_and_not_from_the_expiry() -> None:
    judged_by = context("2018-09-01 12:00", products=[product(max_term_months=12)])
    assert (
        only_refusal(plan(instance(expires="2018-09-10"), RenewFor(12), judged_by)).code
        == "MAX_TERM_EXCEEDED"
    )
    assert only_line(plan(instance(expires="2018-09-10"), RenewFor(11), judged_by))


def test_a_plan_has_the_list_price_beside_the_discounted_price() -> None:
    judged_by = context(products=[product(tiers=[(12, 1700)])])
    planned = plan(instance(), RenewFor(12), judged_by)
    assert only_line(planned).price == (3600_00, 2988_00)
    assert (planned.list_cents, planned.total_cents) == (3600_00, 2988_00)
    assert plan(instance(), RenewFor(11), judged_by).total_cents == 3300_00


def test_unify_charges_whole_months_and_the_remaining_days() -> None:
    line = only_line(plan(instance(expires="2018-09-10"), UnifyToDate(day("2018-11-01"))))
    assert (line.months, line.days, line.anchor_day) == (1, 22, 1)
    assert line.price == (512_90, 512_90)
    assert line.expires_at == at("2018-11-01 23:59:59")


def test_the_total_is_the_sum_of_rounded_lines() -> None:
    halves = context(products=[product(tiers=[(1, 5000)])])
    picked = factories.selection(instance("i-1", monthly_cents=1), instance("i-2", monthly_cents=1))
    planned = plan(picked, RenewFor(1), halves)
    assert (planned.list_cents, planned.total_cents) == (2, 2)


@pytest.mark.parametrize(
    ("expires", "day_of_month", "target"),
    [
        ("2018-09-10", 1, "2018-11-01"),
        ("2018-05-17", 1, "2018-07-01"),
        ("2018-10-08", 12, "2018-11-12"),
        ("2018-10-18", 12, "2018-12-12"),
        ("2018-01-15", 31, "2018-02-28"),
        ("2018-01-31", 31, "2018-02-28"),
        ("2018-01-31", 28, "2018-02-28"),
        ("2018-02-10", 30, "2018-03-30"),
    ],
)
def test_unify_to_a_day_of_the_month_extends_by_at_least_one_month(
    expires: str, day_of_month: int, target: str
) -> None:
    line = only_line(
        plan(instance(expires=expires), UnifyToDayOfMonth(day_of_month), context("2018-01-10 12:00"))
    )
    assert (line.expires_at, line.anchor_day) == (at(f"{target} 23:59:59"), day_of_month)
    assert line.months >= 1


def test_a_renewal_after_a_unify_uses_the_new_anchor_day() -> None:
    unified = only_line(
        plan(instance(expires="2018-01-15"), UnifyToDayOfMonth(31), context("2018-01-10 12:00"))
    )
    later = instance(expires="2018-02-28", anchor_day=unified.anchor_day)
    assert only_line(plan(later, RenewFor(1), context("2018-02-10 12:00"))).expires_at == at(
        "2018-03-31 23:59:59"
    )


@pytest.mark.parametrize("target", ["2018-09-09", "2018-09-10", "0001-01-01"])
def test_unify_to_a_date_that_is_not_after_the_expiry_is_refused(target: str) -> None:
    picked = factories.selection(instance("i-1", expires="2018-08-31"), instance("i-2", expires="2018-09-10"))
    planned = plan(picked, UnifyToDate(day(target)), context("2018-08-20 12:00"))
    assert codes(planned.refusals)["i-2"] == "TARGET_NOT_LATER"
    assert "i-2" not in {line.instance.id for line in planned.lines}


def test_unify_includes_an_expired_instance_only_if_the_target_is_in_the_future() -> None:
    late, now = instance(expires="2018-09-10"), context("2018-10-20 12:00")
    line = only_line(plan(late, UnifyToDate(day("2018-10-20")), now))
    assert (line.starts_at, line.months, line.days) == (at("2018-09-10 23:59:59"), 1, 10)
    assert only_refusal(plan(late, UnifyToDate(day("2018-10-19")), now)).code == "TARGET_NOT_LATER"
    last_second = context("2018-10-20 23:59:59")
    assert only_refusal(plan(late, UnifyToDate(day("2018-10-20")), last_second)).code == "TARGET_NOT_LATER"
    much_later = context("2018-12-20 12:00")
    assert only_refusal(plan(late, UnifyToDayOfMonth(1), much_later)).code == "TARGET_NOT_LATER"


def test_the_longest_term_begins_today_even_in_the_last_second_of_the_day() -> None:
    months = factories.PRODUCTS[0].max_term_months
    last_second = context("2018-09-10 23:59:59")
    today, tomorrow = instance(expires="2018-09-10"), instance(expires="2018-09-11")
    assert only_line(plan(today, RenewFor(months), last_second)).months == months
    refusal = only_refusal(plan(tomorrow, RenewFor(months), last_second))
    latest = dates.add_months(10, day("2018-09-10"), months)
    assert (refusal.code, refusal.facts.latest_expiry) == ("MAX_TERM_EXCEEDED", latest)


@factories.unhurried
@hypothesis.given(
    st.dates(dt.date(2018, 1, 1), dt.date(2030, 12, 31)),
    st.integers(1, 31),
    st.integers(1, 31),
    st.integers(1, 900),
    st.integers(0, 10_000_00),
)
def test_unify_to_a_date_equals_another_extension_that_ends_on_the_same_date(
    start: dt.date, anchor_day: int, day_of_month: int, days: int, monthly_cents: int
) -> None:
    old = dates.anchor_date(anchor_day, start.year, start.month)
    unified = instance(expires=f"{old}", anchor_day=anchor_day, monthly_cents=monthly_cents)
    now = context(f"{old} 12:00")
    to_day = only_line(plan(unified, UnifyToDayOfMonth(day_of_month), now))
    new = dates.last_day(to_day.expires_at, SHANGHAI)
    to_date = only_line(plan(unified, UnifyToDate(new), now))
    assert (to_date[1:3], to_date[4:]) == (to_day[1:3], to_day[4:])
    assert (
        dates.add_months(anchor_day, old, 1)
        <= new
        < dates.add_months(anchor_day, old, 2) + dt.timedelta(days=31)
    )
    anywhere = only_line(plan(unified, UnifyToDate(old + dt.timedelta(days=days)), now))
    if anywhere.days == 0:
        assert anywhere.price == only_line(plan(unified, RenewFor(anywhere.months), now)).price
    whole = dates.add_months(anchor_day, old, anywhere.months)
    assert dates.last_day(anywhere.expires_at, SHANGHAI) == whole + dt.timedelta(days=anywhere.days)
