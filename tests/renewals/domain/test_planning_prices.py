"""The worker does not charge a price that rose above the agreed price by more than the cap."""

import pytest

from renewals.domain import model, payment, planning, pricing, selection
from renewals.domain.errors import RefusalCode
from tests.renewals.factories import PRODUCTS, SHANGHAI, at, instance

NOW = at("2018-09-10 00:30:00")
CAPS = [(None, False), (0, True), (999, True), (1000, False), (1001, False)]


def auto(instance_id: str = "i-1", *, agreed: int | None = 100_00, **options: object) -> model.Instance:
    """Return an AUTO instance with a monthly price of 110.00 and an agreed price of 100.00."""
    built = instance(instance_id, monthly_cents=110_00, renewal_mode=model.RenewalMode.AUTO, **options)  # type: ignore[arg-type]
    return built._replace(agreed_price_cents=agreed)


def run(*instances: model.Instance, cap_bps: int | None) -> list[planning.UnitResult]:
    products = {product.code: product for product in PRODUCTS}
    context = planning.PlanContext(products, SHANGHAI, NOW, cap_bps)
    return planning.plan_run(instances=instances, context=context, wallet=payment.Wallet(1_000_00, [], NOW))


@pytest.mark.parametrize(("cap_bps", "is_held"), CAPS)
def test_a_price_rise_of_ten_percent_is_held_by_a_cap_below_ten_percent(
    cap_bps: int | None, is_held: bool
) -> None:
    [outcome] = run(auto(), cap_bps=cap_bps)
    assert [refusal.code for refusal in outcome.refusals] == [RefusalCode.PRICE_HELD] * is_held
    assert (outcome.payment is None) == is_held
    assert outcome.price_cents == (0 if is_held else 110_00)


def test_a_price_that_equals_the_agreed_price_is_not_held() -> None:
    [outcome] = run(auto(agreed=None), cap_bps=0)
    assert outcome.payment is not None


def test_a_price_that_fell_is_not_held() -> None:
    [outcome] = run(auto(agreed=500_00), cap_bps=0)
    assert outcome.payment is not None


def test_an_instance_with_an_agreed_price_of_zero_is_held_by_any_cap() -> None:
    [outcome] = run(auto(agreed=0), cap_bps=1_000_000)
    assert [refusal.code for refusal in outcome.refusals] == [RefusalCode.PRICE_HELD]


def test_a_held_member_causes_the_refusal_of_its_bundle_and_the_next_instance_is_renewed() -> None:
    held, paid = run(
        auto("a-1", bundle_id="b"),
        auto("a-2", agreed=None, bundle_id="b"),
        auto("c", agreed=None),
        cap_bps=500,
    )
    assert {refusal.instance_id: refusal.code for refusal in held.refusals} == {
        "a-1": RefusalCode.PRICE_HELD,
        "a-2": RefusalCode.BUNDLED,
    }
    assert paid.payment is not None and paid.payment.balance_after_cents == 890_00


def test_the_cap_on_price_rises_does_not_affect_a_manual_renewal() -> None:
    products = {product.code: product for product in PRODUCTS}
    plan = planning.plan(
        selection=selection.Selection([auto()], {}),
        handling=model.BundleHandling.REFUSE,
        extension=planning.RenewFor(1),
        context=planning.PlanContext(products, SHANGHAI, NOW, 0),
        balance_cents=1_000_00,
        vouchers=[],
    )
    assert (plan.total_cents, plan.refusals) == (110_00, ())


@pytest.mark.parametrize(
    ("agreed", "price", "cap", "is_exceeded"),
    [
        (3, 4, 3333, True),
        (3, 4, 3334, False),
        (10**11, 10**11 + 1, 0, True),
        (10**11, 2 * 10**11, 10_000, False),
    ],
)
def test_the_cap_is_compared_without_rounding(agreed: int, price: int, cap: int, is_exceeded: bool) -> None:
    assert pricing.exceeds_cap(agreed, price, cap) is is_exceeded
