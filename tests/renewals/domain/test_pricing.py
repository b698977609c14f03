"""Prices of periods (rules 12 and 13): tiers, days, and one rounding per line."""

import datetime as dt
import math
from collections.abc import Sequence
from fractions import Fraction

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.domain import dates, pricing
from renewals.domain.pricing import DiscountTier, Price
from tests.renewals import factories

TIERS = (DiscountTier(months=12, discount_bps=1700), DiscountTier(24, 2500), DiscountTier(36, 4000))

MONTHLY = st.integers(0, 10_000_000)
MONTHS = st.integers(0, 36)
ANY_TIERS = st.dictionaries(st.integers(1, 36), st.integers(0, 10_000), max_size=4).map(
    lambda by_months: [DiscountTier(*item) for item in by_months.items()]
)


@st.composite
def parts(draw: st.DrawFn) -> tuple[int, int]:
    """Draw a number of days and the length of their month."""
    days_in_month = draw(st.integers(28, 31))
    return draw(st.integers(0, days_in_month - 1)), days_in_month


def test_a_tier_of_17_percent_from_12_months_reduces_the_price_of_12_months() -> None:
    assert pricing.price_period(300_00, 12, 0, 1, TIERS) == Price(list_cents=3600_00, price_cents=2988_00)


@pytest.mark.parametrize(
    ("months", "bps"),
    [(0, 0), (1, 0), (11, 0), (12, 1700), (13, 1700), (23, 1700), (24, 2500), (35, 2500), (36, 4000)],
)
def test_only_the_largest_tier_that_the_months_reach_applies(months: int, bps: int) -> None:
    assert pricing.discount_bps(TIERS, months) == bps
    assert pricing.discount_bps(TIERS[::-1], months) == bps


def test_the_largest_reached_tier_applies_even_if_a_smaller_tier_is_cheaper() -> None:
    assert pricing.discount_bps([DiscountTier(12, 3000), DiscountTier(24, 1000)], 24) == 1000


def test_without_tiers_the_price_is_the_list_price() -> None:
    assert pricing.price_period(300_00, 36, 0, 1, ()) == Price(10800_00, 10800_00)


def test_one_month_and_22_of_31_days_at_300_00_a_month_cost_512_90() -> None:
    assert pricing.price_period(300_00, 1, 22, 31, ()) == Price(512_90, 512_90)


def test_tiers_apply_to_the_months_and_not_to_the_days() -> None:
    # 12 x 300.00 x 0.83 = 2,988.00, and 15 / 30 x 300.00 = 150.00 in full.
    assert pricing.price_period(300_00, 12, 15, 30, TIERS) == Price(list_cents=3750_00, price_cents=3138_00)


def test_days_do_not_count_toward_the_months_of_a_tier() -> None:
    assert pricing.price_period(300_00, 11, 30, 31, TIERS) == Price(3590_32, 3590_32)


@pytest.mark.parametrize(
    ("monthly_cents", "price_cents"),
    # Half prices are 0.5, 1.5 and 2.5 cents. Rounding to even would give 0, 2, 2; rounding down, 0, 1, 2.
    [(1, 1), (3, 2), (5, 3)],
)
def test_half_a_cent_is_rounded_up(monthly_cents: int, price_cents: int) -> None:
    half = [DiscountTier(1, 5000)]
    assert pricing.price_period(monthly_cents, 1, 0, 1, half) == Price(monthly_cents, price_cents)


def test_a_line_is_rounded_once_and_not_month_by_month() -> None:
    # 0.10 per month less 17 %: 12 x 8.3 cents are 99.6 cents, not 12 x 8 = 96.
    assert pricing.price_period(10, 12, 0, 1, TIERS).price_cents == 100


def test_a_line_is_rounded_once_and_not_separately_for_months_and_days() -> None:
    # 1 x 12 x 0.83 = 9.96 and 1 x 15 / 30 = 0.50: together 10.46. Rounded separately, 10 + 1 would be 11.
    assert pricing.price_period(1, 12, 15, 30, TIERS).price_cents == 10
    # 13 x 12 x 0.83 = 129.48 and 13 x 1 / 30 = 0.43: together 129.91. Rounded separately, 129 + 0 would be 129.
    assert pricing.price_period(13, 12, 1, 30, TIERS).price_cents == 130


def test_a_price_of_zero_stays_zero_for_any_period() -> None:
    assert pricing.price_period(0, 36, 30, 31, TIERS) == Price(0, 0)


@factories.unhurried
@hypothesis.given(MONTHLY, MONTHS, parts(), ANY_TIERS)
def test_the_price_is_the_exact_price_rounded_half_up(
    monthly_cents: int, months: int, part: tuple[int, int], tiers: Sequence[DiscountTier]
) -> None:
    days, days_in_month = part
    discounts = {tier.months: Fraction(tier.discount_bps, 10_000) for tier in tiers if tier.months <= months}
    discount = discounts[max(discounts)] if discounts else Fraction(0)
    share = Fraction(days, days_in_month)
    price = pricing.price_period(monthly_cents, months, days, days_in_month, tiers)
    assert price.list_cents == half_up(monthly_cents * (months + share))
    assert price.price_cents == half_up(monthly_cents * (months * (1 - discount) + share))
    assert {type(cents) for cents in price} == {int}


def half_up(exact: Fraction) -> int:
    return math.floor(exact + Fraction(1, 2))


@factories.unhurried
@hypothesis.given(MONTHLY, MONTHS, parts(), ANY_TIERS)
def test_a_discounted_price_is_between_zero_and_the_list_price(
    monthly_cents: int, months: int, part: tuple[int, int], tiers: Sequence[DiscountTier]
) -> None:
    price = pricing.price_period(monthly_cents, months, *part, tiers)
    assert price.list_cents >= price.price_cents >= 0


@factories.unhurried
@hypothesis.given(MONTHLY, MONTHS, st.integers(28, 31))
def test_all_days_of_a_month_cost_the_same_as_the_month(
    monthly_cents: int, months: int, days_in_month: int
) -> None:
    whole = pricing.price_period(monthly_cents, months, days_in_month, days_in_month, ())
    assert whole == pricing.price_period(monthly_cents, months + 1, 0, 1, ())


@factories.unhurried
@hypothesis.given(MONTHLY, MONTHS, ANY_TIERS)
def test_the_price_of_whole_months_does_not_depend_on_the_length_of_the_next_month(
    monthly_cents: int, months: int, tiers: Sequence[DiscountTier]
) -> None:
    by_months = pricing.price_period(monthly_cents, months, 0, 1, tiers)
    assert pricing.price_period(monthly_cents, months, 0, 31, tiers) == by_months


@factories.unhurried
@hypothesis.given(
    MONTHLY,
    st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)),
    st.integers(1, 1100),
    st.integers(1, 31),
)
def test_without_tiers_the_price_to_a_later_day_is_never_lower(
    monthly_cents: int, start: dt.date, days: int, days_later: int
) -> None:
    sooner = start + dt.timedelta(days=days)
    later = sooner + dt.timedelta(days=days_later)
    assert price_to(monthly_cents, start, sooner) <= price_to(monthly_cents, start, later)


def price_to(monthly_cents: int, start: dt.date, target: dt.date) -> int:
    months = dates.months_between(start.day, start, target)
    whole = dates.add_months(start.day, start, months)
    month = dates.add_months(start.day, start, months + 1) - whole
    return pricing.price_period(monthly_cents, months, (target - whole).days, month.days, ()).price_cents
