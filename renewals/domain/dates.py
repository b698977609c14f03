"""Dates and instants: month arithmetic on an anchor day, ends of days, due times, ISO 8601.

A date belongs to the account's time zone; an instant is UTC. An instance expires at 23:59:59 of its last day (rule 5).
Months are added to the last day of an instance, never to the instant of its expiry. The result is the anchor day of a
later month, or the last day of that month if the month does not have the anchor day (rule 6).
"""

import calendar
import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain.messages import InvalidValueError, Message

END_OF_DAY = dt.time(23, 59, 59, fold=1)
"""The last second of a day. If a clock change repeats this time, the second occurrence counts."""

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CACHED_DAYS = 65_536
"""The maximum size of each cache whose keys are expiries or last days.

Many instances share a last day, so these caches avoid many slow conversions.
"""


class Period(NamedTuple):
    """A period to be priced: whole months between anchor days, then `days` of a month that has `days_in_month` days."""

    months: int
    days: int
    days_in_month: int


@lru_cache(_CACHED_DAYS)
def last_day(expires_at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the date of an instant in a time zone."""
    return expires_at.astimezone(zone).date()


def days_left(expires_at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> int:
    """Return the number of days from today to an instance's last day, in a time zone; negative after the expiry."""
    days = (last_day(expires_at, zone) - today(now, zone)).days
    return days if now <= expires_at else min(days, -1)


@lru_cache(_CACHED_DAYS)
def end_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the UTC instant of 23:59:59 on a day in a time zone (rule 5)."""
    return dt.datetime.combine(day, END_OF_DAY, zone).astimezone(dt.UTC)


def start_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the UTC instant at which a day begins in a time zone."""
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def months_later(instant: dt.datetime, months: int, zone: ZoneInfo) -> dt.datetime:
    """Return the instant that is `months` calendar months later, at the same time of day in a time zone.

    If the later month has no such day, return the instant on the last day of that month.
    """
    local = instant.astimezone(zone)
    later = add_months(local.day, local.date(), months)
    return dt.datetime.combine(later, local.time(), zone).astimezone(dt.UTC)


@lru_cache(1_000)
def today(now: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the date at `now` in a time zone."""
    return now.astimezone(zone).date()


@lru_cache(1_000)
def current_day(now: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the first day in the time zone that has not ended; from 23:59:59 on, this is the next day."""
    day = today(now, zone)
    return day if now < end_of_day(day, zone) else day + dt.timedelta(days=1)


@lru_cache(_CACHED_DAYS)
def add_months(anchor_day: int, day: dt.date, months: int) -> dt.date:
    """Return the anchor day of the month that is `months` later, or its last day if it has no such day (rule 6)."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return anchor_date(anchor_day, year, month0 + 1)


def anchor_date(anchor_day: int, year: int, month: int) -> dt.date:
    """Return the anchor day of a month, or the last day of the month if it has no such day."""
    return dt.date(year, month, min(anchor_day, calendar.monthrange(year, month)[1]))


def months_between(anchor_day: int, day: dt.date, target: dt.date) -> int:
    """Return the number of whole months, from anchor day to anchor day, between `day` and the later `target`."""
    months = (target.year - day.year) * 12 + target.month - day.month
    return months if add_months(anchor_day, day, months) <= target else months - 1


@lru_cache(_CACHED_DAYS)
def period_between(anchor_day: int, day: dt.date, target: dt.date) -> Period:
    """Return the period from the end of `day` to the end of the later day `target` (rule 13)."""
    months = months_between(anchor_day, day, target)
    whole = add_months(anchor_day, day, months)
    month_later = add_months(anchor_day, day, months + 1)
    return Period(months, (target - whole).days, (month_later - whole).days)


def min_months_to_reach(anchor_day: int, day: dt.date, today: dt.date) -> int:
    """Return the smallest number of months, at least 1, that moves a last day to today or later (rule 7)."""
    months = max(1, months_between(anchor_day, day, today))
    return months if add_months(anchor_day, day, months) >= today else months + 1


def first_on_day_of_month(day_of_month: int, earliest: dt.date) -> dt.date:
    """Return the first date, not before `earliest`, that is the given day of its month (rule 14).

    In a shorter month, the last day counts as the given day.
    """
    candidate = anchor_date(day_of_month, earliest.year, earliest.month)
    return candidate if candidate >= earliest else add_months(day_of_month, earliest, 1)


@lru_cache(1_000)
def max_expiry_date(today: dt.date, max_term_months: int) -> dt.date:
    """Return the latest last day to which an instance can be renewed: `max_term_months` after today (rule 7).

    For an automatic renewal, `today` is the old last day if that is later.

    If today is the last day of a month, it counts as anchor day 31. An instance that expires today can therefore
    always be renewed for the whole term.
    """
    is_month_end = (today + dt.timedelta(days=1)).day == 1
    return add_months(31 if is_month_end else today.day, today, max_term_months)


@lru_cache(_CACHED_DAYS)
def due_at(day: dt.date, zone: ZoneInfo, *, time: dt.time, lead_days: int) -> dt.datetime:
    """Return the UTC instant from which the worker renews an instance with this last day (rule 20)."""
    return dt.datetime.combine(day - dt.timedelta(days=lead_days), time, zone).astimezone(dt.UTC)


def last_scheduled_at(instant: dt.datetime, minute: int) -> dt.datetime:
    """Return the latest scheduled time of the hourly run that is not after an instant (rule 21)."""
    tick = instant.replace(minute=minute, second=0, microsecond=0)
    return tick if tick <= instant else tick - dt.timedelta(hours=1)


def next_scheduled_at(instant: dt.datetime, minute: int) -> dt.datetime:
    """Return the first scheduled time of the hourly run that is not before an instant."""
    tick = last_scheduled_at(instant, minute)
    return tick if tick == instant else tick + dt.timedelta(hours=1)


def next_scheduled_after(instant: dt.datetime, minute: int) -> dt.datetime:
    """Return the first scheduled time of the hourly run after an instant."""
    return next_scheduled_at(instant + dt.timedelta(microseconds=1), minute)


def last_due_day(now: dt.datetime, zone: ZoneInfo, *, time: dt.time, lead_days: int) -> dt.date:
    """Return the latest last day whose due time has come at `now`, even if that day has already ended (rule 20)."""
    day = now.astimezone(zone).date() + dt.timedelta(days=lead_days)
    while due_at(day, zone, time=time, lead_days=lead_days) > now:
        day -= dt.timedelta(days=1)
    return day


_NOT_AN_INSTANT = Message(
    'an instant must be an existing day and time in ISO 8601 with an offset, as in "2026-11-23T23:59:59+08:00"'
)
_NOT_A_DATE = Message('a date must be an existing day in ISO 8601, as in "2026-11-23"')


def parse_instant(value: object) -> dt.datetime:
    """Parse an ISO 8601 instant that has an offset, and return it in UTC. Raises InvalidValueError for other values."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
    raise InvalidValueError(_NOT_AN_INSTANT)


def parse_date(value: object) -> dt.date:
    """Parse a date of the form YYYY-MM-DD. Raises InvalidValueError for other values."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise InvalidValueError(_NOT_A_DATE)
