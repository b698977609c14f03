"""Dates, instants and prices as docs/rules.md reads them, reckoned the slow and plain way.

Nothing here comes from the code under test, nor follows its formulas: days are walked, cents are fractions.
"""

import datetime as dt
import math
from collections.abc import Mapping
from fractions import Fraction
from zoneinfo import ZoneInfo

DAY = dt.timedelta(days=1)


def end_of(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Rule 5: the instant of 23:59:59 there; where the clock shows it twice, the second one."""
    return dt.datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone, fold=1).astimezone(dt.UTC)


def due_at(last_day: dt.date, zone: ZoneInfo, lead_days: int) -> dt.datetime:
    """Rule 20: 00:30 there of the last day, less the lead days."""
    day = last_day - lead_days * DAY
    return dt.datetime(day.year, day.month, day.day, 0, 30, tzinfo=zone).astimezone(dt.UTC)


def anchored(anchor: int, year: int, month: int) -> dt.date:
    """The anchor day of a month, or the last one before it that the month has."""
    days = (dt.date(year, month, 1) + n * DAY for n in range(31))
    return max(day for day in days if day.month == month and day.day <= anchor)


def step(anchor: int, day: dt.date, months: int) -> dt.date:
    """Rule 6: so many months later, on the anchor day."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return anchored(anchor, year, month)


def first_on(day_of_month: int, earliest: dt.date) -> dt.date:
    """Rule 14: the first such day from `earliest` on; 31 is the last of every month."""
    day = earliest
    while day != anchored(day_of_month, day.year, day.month):
        day += DAY
    return day


def whole_months(anchor: int, old: dt.date, new: dt.date) -> int:
    """Rule 13: the anchored months that fit between two days."""
    months = 0
    while step(anchor, old, months + 1) <= new:
        months += 1
    return months


def furthest(now: dt.datetime, zone: ZoneInfo, max_term_months: int, earliest: dt.date) -> dt.date:
    """Rule 7: the last day within the longest term, from the day that ends next or from a later one.

    A month's last day is an anchor of 31, or what expires then could not have the whole term.
    """
    day = now.astimezone(zone).date()
    while end_of(day, zone) <= now or day < earliest:
        day += DAY
    return step(31 if (day + DAY).month != day.month else day.day, day, max_term_months)


def list_price(monthly_cents: int, months: int, days: int, days_in_month: int) -> int:
    """Rules 12 and 13 without the tiers."""
    return half_up(monthly_cents * (months + Fraction(days, days_in_month)))


def price(
    monthly_cents: int, months: int, days: int, days_in_month: int, percent_off: Mapping[int, int]
) -> int:
    """Rules 12 and 13: the tiers (percent by months) are off the months alone; rounded once."""
    off = max(((tier, percent) for tier, percent in percent_off.items() if tier <= months), default=(0, 0))[1]
    kept = Fraction(100 - off, 100)
    return half_up(monthly_cents * (months * kept + Fraction(days, days_in_month)))


def half_up(cents: Fraction) -> int:
    """Whole cents, a half rounded up."""
    return math.floor(cents + Fraction(1, 2))
