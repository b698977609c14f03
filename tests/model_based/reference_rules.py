"""Dates, instants and prices of docs/rules.md, computed slowly and literally.

Nothing here comes from the tested code or uses its formulas: days are counted one by one, and cents are fractions.
"""

import datetime as dt
import math
from collections.abc import Mapping
from fractions import Fraction
from zoneinfo import ZoneInfo

DAY = dt.timedelta(days=1)


def end_of(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the instant of 23:59:59 in the zone (rule 5). If the clock shows this time twice, return the second."""
    return dt.datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone, fold=1).astimezone(dt.UTC)


def due_at(last_day: dt.date, zone: ZoneInfo, lead_days: int) -> dt.datetime:
    """Return 00:30 of the last day in the zone, less the lead days (rule 20)."""
    day = last_day - lead_days * DAY
    return dt.datetime(day.year, day.month, day.day, 0, 30, tzinfo=zone).astimezone(dt.UTC)


def anchored(anchor: int, year: int, month: int) -> dt.date:
    """Return the anchor day of a month, or the last day of a shorter month."""
    days = (dt.date(year, month, 1) + n * DAY for n in range(31))
    return max(day for day in days if day.month == month and day.day <= anchor)


def step(anchor: int, day: dt.date, months: int) -> dt.date:
    """Return the day some months later, on the anchor day (rule 6)."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return anchored(anchor, year, month)


def first_on(day_of_month: int, earliest: dt.date) -> dt.date:
    """Return the first date on this day of a month from `earliest` on (rule 14). 31 is the last day of every month."""
    day = earliest
    while day != anchored(day_of_month, day.year, day.month):
        day += DAY
    return day


def whole_months(anchor: int, old: dt.date, new: dt.date) -> int:
    """Return the number of anchored months that fit between two days (rule 13)."""
    months = 0
    while step(anchor, old, months + 1) <= new:
        months += 1
    return months


def furthest(now: dt.datetime, zone: ZoneInfo, max_term_months: int, earliest: dt.date) -> dt.date:
    """Return the last day within the longest term (rule 7), counted from today or, if it is later, from `earliest`.

    The last day of a month counts as anchor 31, so that an instance that expires on it can have the whole term.
    """
    day = now.astimezone(zone).date()
    while day < earliest:
        day += DAY
    return step(31 if (day + DAY).month != day.month else day.day, day, max_term_months)


def list_price(monthly_cents: int, months: int, days: int, days_in_month: int) -> int:
    """Return the price without discount tiers (rules 12 and 13)."""
    return half_up(monthly_cents * (months + Fraction(days, days_in_month)))


def price(
    monthly_cents: int, months: int, days: int, days_in_month: int, percent_off: Mapping[int, int]
) -> int:
    """Return the price (rules 12 and 13), rounded once. The tiers (percent by months) reduce only the months' part."""
    off = max(((tier, percent) for tier, percent in percent_off.items() if tier <= months), default=(0, 0))[1]
    rest_share = Fraction(100 - off, 100)
    return half_up(monthly_cents * (months * rest_share + Fraction(days, days_in_month)))


def half_up(cents: Fraction) -> int:
    """Return whole cents, a half rounded up."""
    return math.floor(cents + Fraction(1, 2))
