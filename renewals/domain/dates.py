"""Dates and instants: months on an anchor day, the last second of a day, when a renewal is due.

A date belongs to the account's time zone, an instant is UTC. An instance expires at 23:59:59 of its
last day (rule 5); months step the last day on the anchor day (rule 6), never the instant.
"""

import calendar
import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

END_OF_DAY = dt.time(23, 59, 59, fold=1)
"""The second one where the clock is set back over midnight: the day lasts until it has ended."""

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CACHED_DAYS = 65_536
"""Calendars are slow and days are few: what is due in a night has a handful of last days and anchors."""


class Period(NamedTuple):
    """A period as it is priced: whole anchored months, then some days of a month that has so many."""

    months: int
    days: int
    days_in_month: int


@lru_cache(_CACHED_DAYS)
def last_day(expires_at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The date in the zone on which the instant falls."""
    return expires_at.astimezone(zone).date()


@lru_cache(_CACHED_DAYS)
def end_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The UTC instant of 23:59:59 on that day in the zone (rule 5)."""
    return dt.datetime.combine(day, END_OF_DAY, zone).astimezone(dt.UTC)


@lru_cache(1_000)
def current_day(now: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The first day in the zone whose end is still to come."""
    day = now.astimezone(zone).date()
    return day if now < end_of_day(day, zone) else day + dt.timedelta(days=1)


@lru_cache(_CACHED_DAYS)
def add_months(anchor_day: int, day: dt.date, months: int) -> dt.date:
    """The day that many months after `day`, on the anchor day or the month's last (rule 6)."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return anchor_date(anchor_day, year, month0 + 1)


def anchor_date(anchor_day: int, year: int, month: int) -> dt.date:
    """The anchor day of a month, or the month's last day where it has no such day."""
    return dt.date(year, month, min(anchor_day, calendar.monthrange(year, month)[1]))


def months_between(anchor_day: int, day: dt.date, target: dt.date) -> int:
    """How many whole anchored months fit between `day` and a later `target`."""
    months = (target.year - day.year) * 12 + target.month - day.month
    return months if add_months(anchor_day, day, months) <= target else months - 1


@lru_cache(_CACHED_DAYS)
def period_between(anchor_day: int, day: dt.date, target: dt.date) -> Period:
    """The period from the end of `day` to the end of a later `target`."""
    months = months_between(anchor_day, day, target)
    whole = add_months(anchor_day, day, months)
    month_later = add_months(anchor_day, day, months + 1)
    return Period(months, (target - whole).days, (month_later - whole).days)


def min_months_to_reach(anchor_day: int, day: dt.date, today: dt.date) -> int:
    """The least number of months, one at least, that steps `day` to `today` or later."""
    months = max(1, months_between(anchor_day, day, today))
    return months if add_months(anchor_day, day, months) >= today else months + 1


def first_on_day_of_month(day_of_month: int, earliest: dt.date) -> dt.date:
    """The first such day of a month that is `earliest` or later; a month without it has its last (rule 14)."""
    candidate = anchor_date(day_of_month, earliest.year, earliest.month)
    return candidate if candidate >= earliest else add_months(day_of_month, earliest, 1)


@lru_cache(1_000)
def max_expiry_date(today: dt.date, max_term_months: int) -> dt.date:
    """The last day that lies within the product's longest term from today (rule 7).

    The last day of a month counts as an anchor of 31, so that what expires today at a month's end
    can always be renewed for the whole term.
    """
    is_month_end = (today + dt.timedelta(days=1)).day == 1
    return add_months(31 if is_month_end else today.day, today, max_term_months)


@lru_cache(_CACHED_DAYS)
def due_at(day: dt.date, zone: ZoneInfo, *, time: dt.time, lead_days: int) -> dt.datetime:
    """The UTC instant from which the worker renews what has its last day on `day` (rule 20)."""
    return dt.datetime.combine(day - dt.timedelta(days=lead_days), time, zone).astimezone(dt.UTC)


def last_scheduled_at(instant: dt.datetime, minute: int) -> dt.datetime:
    """Return the latest time until an instant at which an hourly run was to be, by its minute (rule 21)."""
    tick = instant.replace(minute=minute, second=0, microsecond=0)
    return tick if tick <= instant else tick - dt.timedelta(hours=1)


def next_scheduled_at(instant: dt.datetime, minute: int) -> dt.datetime:
    """Return the first time from an instant on at which an hourly run is to be."""
    tick = last_scheduled_at(instant, minute)
    return tick if tick == instant else tick + dt.timedelta(hours=1)


def last_due_day(now: dt.datetime, zone: ZoneInfo, *, time: dt.time, lead_days: int) -> dt.date:
    """The latest last day that is due at `now`: `due_at` of it has come, of the day after it has not."""
    day = now.astimezone(zone).date() + dt.timedelta(days=lead_days)
    while due_at(day, zone, time=time, lead_days=lead_days) > now:
        day -= dt.timedelta(days=1)
    return day


def parse_instant(value: object) -> dt.datetime:
    """Reads ISO 8601 with an offset as UTC; raises ValueError for anything else."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError('an instant is ISO 8601 with an offset, as in "2026-11-23T23:59:59+08:00"')


def parse_date(value: object) -> dt.date:
    """Reads YYYY-MM-DD; raises ValueError for anything else."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError('a date is ISO 8601, as in "2026-11-23"')
