"""Payment (rules 15 and 16): the vouchers pay in order, then the balance; an order is paid in full or not at all."""

import random
from collections.abc import Sequence

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.domain import model
from renewals.domain import payment as domain_payment
from renewals.domain.payment import Charge, Payment, VoucherRedemption
from tests.renewals import factories
from tests.renewals.factories import at, voucher

NOW = at("2018-09-10 00:30")


def wallet(balance_cents: int, *vouchers: model.Voucher) -> domain_payment.Wallet:
    return domain_payment.Wallet(balance_cents, vouchers, NOW)


def order(*vouchers: model.Voucher) -> list[str]:
    return [v.id for v in domain_payment.sort_for_redemption(vouchers, NOW)]


def test_the_voucher_that_expires_first_pays_first() -> None:
    late, soon = (
        voucher("a", 900, expires="2018-10-02 00:00:00"),
        voucher("b", 1, expires="2018-10-01 00:00:00"),
    )
    assert order(late, soon) == ["b", "a"]


def test_the_larger_of_two_vouchers_with_one_expiry_pays_first() -> None:
    assert order(voucher("a", 100), voucher("b", 300), voucher("c", 200)) == ["b", "c", "a"]


def test_equal_vouchers_pay_in_the_order_of_their_ids() -> None:
    assert order(voucher("v-9", 100), voucher("v-10", 100), voucher("v-1", 100)) == ["v-1", "v-10", "v-9"]


def test_a_voucher_is_valid_until_the_second_of_its_expiry() -> None:
    now, passed = (
        voucher("now", expires="2018-09-10 00:30:00"),
        voucher("passed", expires="2018-09-10 00:29:59"),
    )
    assert order(now, passed) == ["now"]
    assert wallet(50, passed).pay([Charge("KEC", 50)]) == Payment((), 0, 50, 0, 0)


def test_an_empty_voucher_is_not_used() -> None:
    assert order(voucher("empty", 0), voucher("full", 1)) == ["full"]


def test_a_voucher_pays_before_the_balance_and_keeps_its_remainder() -> None:
    payment = wallet(500, voucher("v-1", 300)).pay([Charge("KEC", 200)])
    assert payment == Payment((VoucherRedemption("v-1", 200, 100),), 200, 0, 500, 0)


def test_the_balance_pays_the_part_that_the_vouchers_do_not_cover() -> None:
    payment = wallet(500, voucher("v-1", 300), voucher("v-2", 50)).pay([Charge("KEC", 400)])
    assert payment.uses == (VoucherRedemption("v-1", 300, 0), VoucherRedemption("v-2", 50, 0))
    assert payment[1:] == (350, 50, 450, 0)


def test_a_payment_may_use_the_last_cent_of_the_balance() -> None:
    payment = wallet(100, voucher("v-1", 300)).pay([Charge("KEC", 400)])
    assert payment == Payment((VoucherRedemption("v-1", 300, 0),), 300, 100, 0, 0)


def test_a_voucher_limited_to_products_pays_for_no_other_product() -> None:
    limited = voucher("v-1", 300, product_codes=["EBS", "KES"])
    assert wallet(500, limited).pay([Charge("KEC", 200)]) == Payment((), 0, 200, 300, 0)
    assert wallet(500, limited).pay([Charge("KES", 200)]).voucher_cents == 200


def test_a_limited_voucher_pays_for_its_product_and_the_balance_for_the_other_one() -> None:
    payment = wallet(500, voucher("v-1", 300, product_codes=["EBS"])).pay(
        [Charge("KEC", 200), Charge("EBS", 250)]
    )
    assert payment == Payment((VoucherRedemption("v-1", 250, 50),), 250, 200, 300, 0)


def test_a_shortfall_of_one_cent_charges_nothing() -> None:
    account = wallet(99, voucher("v-1", 300))
    payment = account.pay([Charge("KEC", 150), Charge("KEC", 250)])
    assert payment.shortfall_cents == 1
    assert payment.balance_after_cents == 0
    assert account.balance_cents == 99
    assert account.pay([Charge("KEC", 399)]) == Payment((VoucherRedemption("v-1", 300, 0),), 300, 99, 0, 0)


def test_a_shortfall_is_the_whole_missing_amount() -> None:
    payment = wallet(100, voucher("v-1", 300)).pay([Charge("KEC", 1000)])
    assert payment == Payment((VoucherRedemption("v-1", 300, 0),), 300, 100, 0, 600)


def test_a_payment_without_money_or_without_charges_uses_no_money() -> None:
    assert wallet(0).pay([Charge("KEC", 1)]) == Payment((), 0, 0, 0, 1)
    assert wallet(0).pay([]) == Payment((), 0, 0, 0, 0)
    assert wallet(0, voucher("v-1", 10)).pay([Charge("KEC", 0)]) == Payment((), 0, 0, 0, 0)


def test_the_order_of_the_vouchers_does_not_change_after_a_payment() -> None:
    # After a payment of 250, the first voucher is the smaller one. It still pays first.
    account = wallet(0, voucher("a", 300), voucher("b", 200))
    first, second = account.pay([Charge("KEC", 250)]), account.pay([Charge("KEC", 100)])
    assert first.uses == (VoucherRedemption("a", 250, 50),)
    assert second.uses == (VoucherRedemption("a", 50, 0), VoucherRedemption("b", 50, 150))


# Few products, expiries and amounts, so that ties, empty vouchers and shortfalls are common.
PRODUCTS = st.sampled_from(["EBS", "KEC", "KES"])
CHARGES = st.lists(st.builds(Charge, PRODUCTS, st.integers(0, 9)), max_size=5)
EXPIRIES = st.sampled_from(["2018-09-10 00:29:59", "2018-09-10 00:30:00", "2018-10-01 23:59:59"])
VOUCHERS = st.lists(
    st.builds(
        lambda number, cents, expires, codes: voucher(
            f"v-{number}", cents, expires=expires, product_codes=codes
        ),
        st.integers(1, 12),
        st.integers(0, 9),
        EXPIRIES,
        st.sets(PRODUCTS, max_size=2),
    ),
    max_size=6,
    unique_by=lambda v: v.id,
)
BALANCES = st.integers(0, 30)


@factories.unhurried
@hypothesis.given(BALANCES, VOUCHERS, st.lists(CHARGES, max_size=5))
def test_a_payment_equals_the_payment_computed_cent_by_cent(
    balance_cents: int, vouchers: list[model.Voucher], orders: list[list[Charge]]
) -> None:
    account = wallet(balance_cents, *vouchers)
    remaining = {v.id: v.available_cents for v in vouchers}
    for charges in orders:
        expected = pay_cent_by_cent(balance_cents, vouchers, remaining, charges)
        assert account.pay(charges) == expected
        if not expected.shortfall_cents:
            remaining |= {use.voucher_id: use.available_after_cents for use in expected.uses}
            balance_cents -= expected.balance_cents
        assert account.balance_cents == balance_cents


def pay_cent_by_cent(
    balance_cents: int,
    vouchers: Sequence[model.Voucher],
    remaining: dict[str, int],
    charges: Sequence[Charge],
) -> Payment:
    """Return the payment by rules 15 and 16, computed cent by cent."""
    valid_vouchers = [v for v in vouchers if v.expires_at >= NOW]
    valid_vouchers.sort(key=lambda v: v.id)
    valid_vouchers.sort(key=lambda v: v.available_cents, reverse=True)
    valid_vouchers.sort(key=lambda v: v.expires_at)
    remaining = dict(remaining)
    used = dict.fromkeys((v.id for v in valid_vouchers), 0)
    unpaid_cents = 0
    for charge in charges:
        for _ in range(charge.cents):
            fitting = (
                v for v in valid_vouchers if not v.product_codes or charge.product_code in v.product_codes
            )
            payer = next((v.id for v in fitting if remaining[v.id] > 0), None)
            if payer is None:
                unpaid_cents += 1
            else:
                remaining[payer] -= 1
                used[payer] += 1
    uses = tuple(
        VoucherRedemption(voucher_id, cents, remaining[voucher_id])
        for voucher_id, cents in used.items()
        if cents
    )
    paid_cents = min(unpaid_cents, balance_cents)
    return Payment(
        uses, sum(used.values()), paid_cents, balance_cents - paid_cents, unpaid_cents - paid_cents
    )


@factories.unhurried
@hypothesis.given(BALANCES, VOUCHERS, CHARGES)
def test_the_parts_of_a_payment_add_up_and_none_is_negative(
    balance_cents: int, vouchers: list[model.Voucher], charges: list[Charge]
) -> None:
    account = wallet(balance_cents, *vouchers)
    payment = account.pay(charges)
    total_cents = sum(charge.cents for charge in charges)
    assert sum(use.amount_cents for use in payment.uses) == payment.voucher_cents
    assert payment.voucher_cents + payment.balance_cents + payment.shortfall_cents == total_cents
    assert payment.balance_cents + payment.balance_after_cents == balance_cents
    assert min(payment[1:]) >= 0
    available = {v.id: v.available_cents for v in vouchers}
    for use in payment.uses:
        assert use.amount_cents > 0
        assert use.amount_cents + use.available_after_cents == available[use.voucher_id]
        assert use.available_after_cents >= 0


@factories.unhurried
@hypothesis.given(BALANCES, VOUCHERS, CHARGES, CHARGES)
def test_a_payment_with_a_shortfall_does_not_change_later_payments(
    balance_cents: int, vouchers: list[model.Voucher], charges: list[Charge], later: list[Charge]
) -> None:
    tried, untouched = wallet(balance_cents, *vouchers), wallet(balance_cents, *vouchers)
    dear = [*charges, Charge("KEC", 1_000)]
    assert tried.pay(dear).shortfall_cents > 0
    assert tried.pay(later) == untouched.pay(later)
    assert tried.pay(charges) == untouched.pay(charges)


@factories.unhurried
@hypothesis.given(VOUCHERS, CHARGES)
def test_charges_paid_together_use_the_same_money_as_charges_paid_one_by_one(
    vouchers: list[model.Voucher], charges: list[Charge]
) -> None:
    at_once, singly = wallet(1_000, *vouchers), wallet(1_000, *vouchers)
    batch = at_once.pay(charges)
    steps = [singly.pay([charge]) for charge in charges]
    taken: dict[str, int] = {}
    for use in (use for step in steps for use in step.uses):
        taken[use.voucher_id] = taken.get(use.voucher_id, 0) + use.amount_cents
    assert {use.voucher_id: use.amount_cents for use in batch.uses} == taken
    assert batch.balance_cents == sum(step.balance_cents for step in steps)
    assert at_once.balance_cents == singly.balance_cents
    assert at_once.pay([Charge("KES", 9)]) == singly.pay([Charge("KES", 9)])


@factories.unhurried
@hypothesis.given(BALANCES, VOUCHERS, st.randoms(use_true_random=False), CHARGES)
def test_a_payment_does_not_depend_on_the_order_in_which_the_vouchers_are_read(
    balance_cents: int, vouchers: list[model.Voucher], chance: random.Random, charges: list[Charge]
) -> None:
    shuffled = list(vouchers)
    chance.shuffle(shuffled)
    assert wallet(balance_cents, *shuffled).pay(charges) == wallet(balance_cents, *vouchers).pay(charges)


PAID = st.lists(
    st.tuples(st.sampled_from(["KEC", "EBS", "KES"]), st.sampled_from([0, 1, 50, 100, 333, 1_000])),
    min_size=1,
    max_size=8,
)
VOUCHER_ROWS = st.lists(
    st.tuples(
        st.integers(1, 1_200),
        st.sampled_from(["2018-10-01 00:00:00", "2018-10-02 00:00:00"]),
        st.sampled_from([(), (), ("KEC",), ("EBS", "KES")]),
    ),
    max_size=5,
)


@factories.unhurried
@hypothesis.given(orders=st.lists(PAID, min_size=1, max_size=3), voucher_rows=VOUCHER_ROWS)
def test_the_payment_of_each_line_is_reconstructed_from_the_payment_of_its_order(
    orders: list[list[tuple[str, int]]], voucher_rows: list[tuple[int, str, tuple[str, ...]]]
) -> None:
    """Compare the reconstruction of each order with the payments of its single lines."""
    vouchers = [
        voucher(f"v-{number}", cents, expires=expires, product_codes=codes)
        for number, (cents, expires, codes) in enumerate(voucher_rows)
    ]
    of_orders, of_lines = wallet(10**6, *vouchers), wallet(10**6, *vouchers)
    known = {v.id: v for v in vouchers}
    for lines in orders:
        charges = [Charge(*line) for line in lines]
        payment = of_orders.pay(charges)
        single_payments = [of_lines.pay([charge]) for charge in charges]
        taken = [known[use.voucher_id]._replace(available_cents=use.amount_cents) for use in payment.uses]
        shares = domain_payment.reconstruct_payments(charges, taken, payment.balance_cents)
        assert [_amounts_by_source(share) for share in shares] == [
            _amounts_by_source(payment) for payment in single_payments
        ]
        sums: dict[str, int] = {}
        for share in shares:
            for use in share.uses:
                sums[use.voucher_id] = sums.get(use.voucher_id, 0) + use.amount_cents
        assert sums == {use.voucher_id: use.amount_cents for use in payment.uses}
        assert sum(share.balance_cents for share in shares) == payment.balance_cents


def _amounts_by_source(payment: Payment) -> tuple[dict[str, int], int]:
    return {use.voucher_id: use.amount_cents for use in payment.uses}, payment.balance_cents


def test_a_reconstruction_of_payments_that_leaves_a_remainder_is_an_error() -> None:
    for taken_cents, balance_cents in ((99, 0), (101, 0), (100, 1), (50, 49)):
        with pytest.raises(AssertionError):
            domain_payment.reconstruct_payments(
                [Charge("KEC", 100)], [voucher("v-1", taken_cents)], balance_cents
            )
