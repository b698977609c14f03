"""Bundles and payments in plans and runs (rules 10, 11, 15 to 17, 20 to 22)."""

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.domain import model, payment, planning
from renewals.domain import selection as domain_selection
from renewals.domain.model import BundleHandling
from renewals.domain.payment import Payment, VoucherRedemption
from renewals.domain.planning import RenewFor, UnifyToDayOfMonth, UnitResult
from tests.renewals.factories import at, codes, context, instance, plan, selection, unhurried, voucher

KEC, EBS = instance("b-1", bundle_id="b"), instance("b-2", bundle_id="b", product_code="EBS")
TRIAL = instance("b-3", bundle_id="b", is_trial=True)
SINGLE = instance("i-1")


def line_ids(planned: planning.Plan) -> list[str]:
    return [line.instance.id for line in planned.lines]


def run(
    *due: model.Instance,
    balance_cents: int = 0,
    vouchers: tuple[model.Voucher, ...] = (),
    now: str = "2018-09-10 00:30",
) -> list[UnitResult]:
    judged_by = context(now)
    wallet = payment.Wallet(balance_cents, vouchers, judged_by.now)
    return planning.plan_run(instances=due, context=judged_by, wallet=wallet)


def renewed_ids(outcomes: list[UnitResult]) -> list[str]:
    return [line.instance.id for outcome in outcomes for line in outcome.lines]


def test_a_whole_bundle_alone_is_accepted() -> None:
    planned = plan(selection(EBS, KEC), RenewFor(1))
    assert line_ids(planned) == ["b-1", "b-2"]
    assert planned.refusals == ()


@pytest.mark.parametrize(
    "picked",
    [selection(SINGLE, KEC, EBS), selection(SINGLE, KEC, unpicked=[EBS])],
)
def test_bundle_members_in_a_batch_are_refused_and_the_other_instance_is_planned(
    picked: domain_selection.Selection,
) -> None:
    planned = plan(picked, RenewFor(1))
    assert line_ids(planned) == ["i-1"]
    assert set(codes(planned.refusals)) == {i.id for i in picked.instances} - {"i-1"}
    assert {(r.code.value, r.bundle_instance_ids) for r in planned.refusals} == {("BUNDLED", ("b-1", "b-2"))}
    assert planned.total_cents == planned.payment.balance_cents == 300_00


def test_a_bundle_beside_another_bundle_or_a_missing_id_is_refused() -> None:
    other = instance("c-1", bundle_id="c")
    planned = plan(selection(KEC, EBS, other), RenewFor(1))
    assert (line_ids(planned), codes(planned.refusals)) == (
        [],
        dict.fromkeys(["b-1", "b-2", "c-1"], "BUNDLED"),
    )
    planned = plan(selection(KEC, EBS, missing_ids=["i-404"]), RenewFor(1))
    assert codes(planned.refusals) == {"i-404": "NOT_FOUND", "b-1": "BUNDLED", "b-2": "BUNDLED"}
    assert planned.total_cents == planned.payment.balance_cents == 0


def test_a_bundle_without_all_its_members_is_refused_and_the_missing_ids_are_named() -> None:
    third = instance("b-3", bundle_id="b")
    planned = plan(selection(EBS, unpicked=[third, KEC]), RenewFor(1))
    (refusal,) = planned.refusals
    assert (refusal.instance_id, refusal.code.value) == ("b-2", "BUNDLE_INCOMPLETE")
    assert str(refusal.message).endswith("also select b-1, b-3.")
    assert set(refusal.bundle_instance_ids) == {"b-1", "b-2", "b-3"}
    assert planned.lines == ()


@pytest.mark.parametrize(
    "picked", [selection(SINGLE, TRIAL, unpicked=[KEC]), selection(TRIAL, unpicked=[KEC])]
)
def test_an_unmanageable_bundle_member_is_refused_for_its_own_reason(
    picked: domain_selection.Selection,
) -> None:
    planned = plan(picked, RenewFor(1))
    assert codes(planned.refusals) == {"b-3": "TRIAL"}
    assert set(line_ids(planned)) <= {"i-1"}


def test_the_handling_whole_adds_all_members_of_a_selected_bundle() -> None:
    planned = plan(selection(SINGLE, EBS, unpicked=[KEC]), RenewFor(1), handling=BundleHandling.WHOLE)
    assert line_ids(planned) == ["b-1", "b-2", "i-1"]
    assert planned.refusals == ()
    assert planned.total_cents == 900_00


@pytest.mark.parametrize("handling", list(BundleHandling))
def test_an_unmanageable_member_causes_the_refusal_of_its_whole_bundle(handling: BundleHandling) -> None:
    planned = plan(selection(KEC, EBS, TRIAL), RenewFor(1), handling=handling)
    assert planned.lines == ()
    assert codes(planned.refusals) == {"b-1": "BUNDLED", "b-2": "BUNDLED", "b-3": "TRIAL"}
    assert str(planned.refusals[0].message) == "Its bundle is refused as a whole because of b-3."


def test_an_unmanageable_member_does_not_cause_the_refusal_of_another_bundle() -> None:
    picked = selection(KEC, TRIAL, SINGLE, instance("c-1", bundle_id="c"), unpicked=[EBS])
    planned = plan(picked, RenewFor(1), handling=BundleHandling.WHOLE)
    assert line_ids(planned) == ["c-1", "i-1"]
    assert set(codes(planned.refusals)) == {"b-1", "b-2", "b-3"}


def test_all_members_of_an_extended_bundle_have_the_same_expiry_and_anchor_day() -> None:
    for extension in (RenewFor(5), UnifyToDayOfMonth(31)):
        planned = plan(selection(KEC, EBS), extension)
        assert len(planned.lines) == 2
        assert len({(line.expires_at, line.anchor_day) for line in planned.lines}) == 1


def test_refused_instances_are_listed_and_the_others_are_planned_and_paid() -> None:
    picked = selection(instance("i-2"), instance("i-1", is_trial=True), missing_ids=["i-404"])
    planned = plan(picked, RenewFor(1), balance_cents=300_00)
    assert (line_ids(planned), planned.payment) == (["i-2"], Payment((), 0, 300_00, 0, 0))
    assert codes(planned.refusals) == {"i-404": "NOT_FOUND", "i-1": "TRIAL"}


def test_lines_are_in_order_of_expiry_and_id() -> None:
    picked = selection(instance("z"), instance("y"), instance("x", expires="2018-09-11"), instance("i-10"))
    assert line_ids(plan(picked, RenewFor(1))) == ["i-10", "y", "z", "x"]


def test_vouchers_pay_the_lines_in_order_of_id() -> None:
    picked = selection(instance("i-2", product_code="EBS"), instance("i-1"))
    vouchers = [
        voucher("soon", 300_00, expires="2018-10-01 12:00"),
        voucher("v-ebs", 500_00, product_codes=["EBS"]),
    ]
    planned = plan(picked, RenewFor(1), vouchers=vouchers, balance_cents=7)
    assert planned.payment.uses == (
        VoucherRedemption("soon", 300_00, 0),
        VoucherRedemption("v-ebs", 300_00, 200_00),
    )
    assert planned.payment[1:] == (600_00, 0, 7, 0)


def test_a_voucher_pays_only_if_it_is_valid_at_the_instant_of_charging() -> None:
    vouchers = [voucher("v-1", 300_00, expires="2018-09-10 12:00:00")]
    in_time = plan(SINGLE, RenewFor(1), context("2018-09-10 12:00:00"), vouchers=vouchers)
    too_late = plan(SINGLE, RenewFor(1), context("2018-09-10 12:00:01"), vouchers=vouchers)
    assert in_time.payment.voucher_cents == too_late.payment.balance_cents == 300_00


def test_a_plan_without_money_has_the_price_and_the_shortfall_and_charges_nothing() -> None:
    planned = plan(SINGLE, RenewFor(1), balance_cents=0)
    assert (planned.total_cents, planned.payment) == (300_00, Payment((), 0, 0, 0, 300_00))


def test_the_worker_renews_each_instance_for_its_own_months() -> None:
    (first, second) = run(
        instance("i-1", auto_renew_months=3), SINGLE._replace(id="i-2"), balance_cents=2_000_00
    )
    assert [first.lines[0].expires_at, second.lines[0].expires_at] == [
        at("2018-12-10 23:59:59"),
        at("2018-10-10 23:59:59"),
    ]
    assert [outcome.payment for outcome in (first, second)] == [
        Payment((), 0, 900_00, 1_100_00, 0),
        Payment((), 0, 300_00, 800_00, 0),
    ]


def test_the_earliest_expiry_is_renewed_first_and_then_the_lower_id() -> None:
    late = instance("a", expires="2018-09-11")
    outcomes = run(late, instance("c"), instance("b"), balance_cents=600_00)
    assert [outcome.unit[0].id for outcome in outcomes] == ["b", "c", "a"]
    assert renewed_ids(outcomes) == ["b", "c"]


def test_a_run_skips_an_instance_without_sufficient_money_and_renews_a_cheaper_one() -> None:
    dear, cheap = instance("i-1", monthly_cents=500_00), instance("i-2", monthly_cents=200_00)
    skipped, paid = run(dear, cheap, balance_cents=250_00, vouchers=(voucher("v-1", 100_00),))
    assert (skipped.lines, skipped.payment) == ((), None)
    assert codes(skipped.refusals) == {"i-1": "INSUFFICIENT_FUNDS"}
    assert (
        str(skipped.refusals[0].message) == "500.00 is required and 350.00 is available; 150.00 is missing."
    )
    assert paid.payment == Payment((VoucherRedemption("v-1", 100_00, 0),), 100_00, 100_00, 150_00, 0)
    assert paid.refusals == ()


def test_a_run_refuses_an_unmanageable_instance_and_renews_the_next_one() -> None:
    refused, paid = run(instance("i-1", is_trial=True), instance("i-2"), balance_cents=300_00)
    assert (refused.lines, refused.payment, codes(refused.refusals)) == ((), None, {"i-1": "TRIAL"})
    assert renewed_ids([paid]) == ["i-2"]


def test_the_worker_renews_a_bundle_as_a_whole_or_not_at_all() -> None:
    (enough,) = run(EBS, KEC, balance_cents=600_00)
    assert [line.instance.id for line in enough.lines] == ["b-1", "b-2"]
    assert enough.payment == Payment((), 0, 600_00, 0, 0)
    short, single = run(EBS, KEC, SINGLE, balance_cents=599_99)
    assert (short.lines, short.payment) == ((), None)
    assert codes(short.refusals) == {"b-1": "INSUFFICIENT_FUNDS", "b-2": "INSUFFICIENT_FUNDS"}
    assert {refusal.bundle_instance_ids for refusal in short.refusals} == {("b-1", "b-2")}
    assert renewed_ids([single]) == ["i-1"]


def test_the_lines_of_a_bundle_are_paid_in_the_order_of_their_ids() -> None:
    # In the reverse order, EBS would use the unrestricted voucher and KEC its own, and the balance would pay nothing.
    vouchers = (voucher("v-all", 300_00), voucher("v-kec", 200_00, product_codes=["KEC"]))
    for members in ([KEC, EBS], [EBS, KEC]):
        planned = plan(selection(*members), RenewFor(1), vouchers=vouchers)
        (outcome,) = run(*members, balance_cents=1_000_000_00, vouchers=vouchers)
        assert planned.payment.uses == (VoucherRedemption("v-all", 300_00, 0),)
        assert outcome.payment == planned.payment


@unhurried
@hypothesis.given(
    st.lists(st.tuples(st.sampled_from(["KEC", "EBS", "KES"]), st.integers(0, 9)), max_size=8),
    st.lists(st.tuples(st.integers(1, 9), st.sets(st.sampled_from(["KEC", "EBS"]))), max_size=4),
    st.integers(0, 40),
)
def test_a_run_pays_the_same_as_one_order_if_the_money_is_sufficient(
    priced: list[tuple[str, int]], amounts: list[tuple[int, set[str]]], balance_cents: int
) -> None:
    due = [
        instance(f"i-{number}", product_code=code, monthly_cents=cents)
        for number, (code, cents) in enumerate(priced)
    ]
    vouchers = tuple(
        voucher(f"v-{number}", cents, product_codes=limits) for number, (cents, limits) in enumerate(amounts)
    )
    batch = plan(selection(*due), RenewFor(1), balance_cents=balance_cents, vouchers=vouchers)
    outcomes = run(*due, balance_cents=balance_cents, vouchers=vouchers)
    payments = [outcome.payment for outcome in outcomes if outcome.payment is not None]
    paid_cents = sum(payment.balance_cents for payment in payments)
    assert paid_cents <= balance_cents
    assert len(outcomes) == len(due)
    if batch.payment.shortfall_cents == 0:
        assert renewed_ids(outcomes) == line_ids(batch)
        assert paid_cents == batch.payment.balance_cents
        assert sum(payment.voucher_cents for payment in payments) == batch.payment.voucher_cents
    else:
        assert any(outcome.payment is None for outcome in outcomes)


def test_a_run_refuses_an_expired_instance() -> None:
    [outcome] = run(instance("i-1", expires="2018-09-09"), balance_cents=300_00, now="2018-09-10 00:00")
    assert codes(outcome.refusals) == {"i-1": "EXPIRED"}
    assert (outcome.lines, outcome.payment) == ((), None)


def test_an_automatic_renewal_before_the_last_day_can_use_the_whole_longest_term() -> None:
    longest = instance("i-1", expires="2018-09-10", auto_renew_months=36)
    [outcome] = run(longest, balance_cents=300_00 * 36, now="2018-09-07 00:30")
    assert [line.months for line in outcome.lines] == [36]
    by_hand = plan(longest, RenewFor(36), context("2018-09-07 00:30"))
    assert codes(by_hand.refusals) == {"i-1": "MAX_TERM_EXCEEDED"}
