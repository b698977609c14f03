"""Prices of periods in cents, rounded half up once per line (rules 12 and 13)."""

from collections.abc import Sequence
from typing import NamedTuple

from renewals.domain import money

BASIS_POINTS = 10_000
"""The number of basis points in 100 %; a discount of 1,700 basis points is 17 %."""


class DiscountTier(NamedTuple):
    """A discount in basis points for periods of at least `months` months."""

    months: int
    discount_bps: int


class Price(NamedTuple):
    """A price in cents before and after the discount."""

    list_cents: int
    price_cents: int


def discount_bps(tiers: Sequence[DiscountTier], months: int) -> int:
    """Return the discount of the largest tier not above `months`, or 0 if there is none (rule 12)."""
    reached = [tier for tier in tiers if tier.months <= months]
    return max(reached).discount_bps if reached else 0


def format_percent(basis_points: int) -> str:
    """Format basis points as percent without trailing zeros: 1700 as "17", 1250 as "12.5"."""
    whole, hundredths = divmod(basis_points, 100)
    return f"{whole}.{hundredths:02}".rstrip("0").rstrip(".")


def exceeds_cap(agreed_cents: int | None, monthly_cents: int, cap_bps: int | None) -> bool:
    """Return whether the monthly price exceeds the agreed price by more than the cap.

    Without an agreed price or a cap, return False.
    """
    if agreed_cents is None or cap_bps is None:
        return False
    return monthly_cents * BASIS_POINTS > agreed_cents * (BASIS_POINTS + cap_bps)


def price_period(
    monthly_cents: int, months: int, days: int, days_in_month: int, tiers: Sequence[DiscountTier]
) -> Price:
    """Return the price of whole months and of the remaining days in the month that follows (rule 13).

    The discount applies to the months only. The days cost `days / days_in_month` of the monthly price.
    """
    charged_bps = BASIS_POINTS - discount_bps(tiers, months)
    return Price(
        list_cents=money.divide_half_up(monthly_cents * (months * days_in_month + days), days_in_month),
        price_cents=money.divide_half_up(
            monthly_cents * (months * charged_bps * days_in_month + days * BASIS_POINTS),
            days_in_month * BASIS_POINTS,
        ),
    )
