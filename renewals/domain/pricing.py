"""What a period costs, in cents, rounded half up once per line (rules 12 and 13)."""

from collections.abc import Sequence
from typing import NamedTuple

from renewals.domain import money

BASIS_POINTS = 10_000
"""Discounts are basis points: 1,700 of 10,000 are 17 %."""


class DiscountTier(NamedTuple):
    """From so many months on, so many basis points off."""

    months: int
    discount_bps: int


class Price(NamedTuple):
    """The price without and with the discount of the tier."""

    list_cents: int
    price_cents: int


def discount_bps(tiers: Sequence[DiscountTier], months: int) -> int:
    """The discount of the largest tier that `months` reaches, 0 below the first."""
    reached = [tier for tier in tiers if tier.months <= months]
    return max(reached).discount_bps if reached else 0


def exceeds_cap(agreed_cents: int | None, monthly_cents: int, cap_bps: int | None) -> bool:
    """Whether a price is more than so much above the agreed one; no other agreed price or no cap: it is not."""
    if agreed_cents is None or cap_bps is None:
        return False
    return monthly_cents * BASIS_POINTS > agreed_cents * (BASIS_POINTS + cap_bps)


def price_period(
    monthly_cents: int, months: int, days: int, days_in_month: int, tiers: Sequence[DiscountTier]
) -> Price:
    """The price of whole months and some days of the anchored month after them (rule 13).

    Tiers apply to the months alone; `days` of `days_in_month` are a fraction of the monthly price.
    """
    kept_bps = BASIS_POINTS - discount_bps(tiers, months)
    return Price(
        list_cents=money.divide_half_up(monthly_cents * (months * days_in_month + days), days_in_month),
        price_cents=money.divide_half_up(
            monthly_cents * (months * kept_bps * days_in_month + days * BASIS_POINTS),
            days_in_month * BASIS_POINTS,
        ),
    )
