"""Dates and instants (rules 5 to 7, 14, 20): month arithmetic, ends of days, due times."""

import datetime as dt
import zoneinfo
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.auto_renewal import due
from renewals.domain import dates, model
from tests.renewals import factories
from tests.renewals.dst_nights import NIGHTS
from tests.renewals.factories import KOLKATA, NEW_YORK, SHANGHAI, at, day

HALF_PAST_MIDNIGHT = dt.time(0, 30)
SECOND = dt.timedelta(seconds=1)

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31))
MONTHS = st.integers(0, 120)
ZONES = st.sampled_from(sorted(zoneinfo.available_timezones())).map(ZoneInfo)
RECENT_DAYS = st.dates(dt.date(2018, 1, 1), dt.date(2059, 12, 31))
"""Days since 2018. In earlier years, some islands skipped a day."""


@st.composite
def anchored(draw: st.DrawFn) -> tuple[int, dt.date]:
    """Draw an anchor day and a date on it."""
    anchor_day, date = draw(st.integers(1, 31)), draw(DAYS)
    return anchor_day, dates.anchor_date(anchor_day, date.year, date.month)


def is_on(day_of_month: int, date: dt.date) -> bool:
    is_month_end = (date + dt.timedelta(days=1)).day == 1
    return date.day == day_of_month or (is_month_end and date.day < day_of_month)


@pytest.mark.parametrize(
    ("anchor_day", "start", "months", "end"),
    [
        (31, "2018-01-31", 1, "2018-02-28"),
        (31, "2018-02-28", 1, "2018-03-31"),
        (31, "2018-01-31", 2, "2018-03-31"),
        (28, "2018-02-28", 1, "2018-03-28"),
        (30, "2018-02-28", 1, "2018-03-30"),
        (31, "2020-01-31", 1, "2020-02-29"),
        (29, "2019-01-29", 1, "2019-02-28"),
        (29, "2020-02-29", 12, "2021-02-28"),
        (29, "2021-02-28", 36, "2024-02-29"),
        (31, "2099-12-31", 2, "2100-02-28"),
        (10, "2018-12-10", 1, "2019-01-10"),
        (10, "2018-09-10", 12, "2019-09-10"),
        (10, "2018-09-10", 0, "2018-09-10"),
    ],
)
def test_months_are_added_on_the_anchor_day(anchor_day: int, start: str, months: int, end: str) -> None:
    assert dates.add_months(anchor_day, day(start), months) == day(end)


@pytest.mark.parametrize(
    ("day_of_month", "earliest", "first"),
    [
        (1, "2018-10-10", "2018-11-01"),
        (1, "2018-06-17", "2018-07-01"),
        (12, "2018-11-08", "2018-11-12"),
        (12, "2018-11-18", "2018-12-12"),
        (12, "2018-11-12", "2018-11-12"),
        (1, "2018-12-02", "2019-01-01"),
        (31, "2018-02-10", "2018-02-28"),
        (31, "2020-02-10", "2020-02-29"),
        (31, "2018-04-30", "2018-04-30"),
        (30, "2018-01-31", "2018-02-28"),
    ],
)
def test_the_first_date_on_a_day_of_the_month_is_not_before_the_given_date(
    day_of_month: int, earliest: str, first: str
) -> None:
    assert dates.first_on_day_of_month(day_of_month, day(earliest)) == day(first)


@pytest.mark.parametrize(
    ("anchor_day", "start", "today", "months"),
    [
        (10, "2018-09-10", "2018-10-10", 1),
        (10, "2018-09-10", "2018-10-11", 2),
        (31, "2018-01-31", "2018-02-28", 1),
        (31, "2018-01-31", "2018-03-01", 2),
        (31, "2018-01-31", "2018-03-31", 2),
        (10, "2018-12-10", "2018-09-10", 1),
    ],
)
def test_the_minimum_months_are_the_fewest_from_1_on_that_reach_a_date(
    anchor_day: int, start: str, today: str, months: int
) -> None:
    assert dates.min_months_to_reach(anchor_day, day(start), day(today)) == months


@pytest.mark.parametrize(
    ("zone", "last", "expires_at"),
    [
        (SHANGHAI, "2018-09-10", "2018-09-10T15:59:59+00:00"),
        (KOLKATA, "2018-09-10", "2018-09-10T18:29:59+00:00"),
        (NEW_YORK, "2018-03-10", "2018-03-11T04:59:59+00:00"),
        (NEW_YORK, "2018-03-11", "2018-03-12T03:59:59+00:00"),
        (NEW_YORK, "2018-11-03", "2018-11-04T03:59:59+00:00"),
        (NEW_YORK, "2018-11-04", "2018-11-05T04:59:59+00:00"),
        # 23:59:59 occurs twice in Beirut; the day ends with the second one.
        (ZoneInfo("Asia/Beirut"), "2018-10-27", "2018-10-27T21:59:59+00:00"),
        # 23:59:59 does not occur in Nuuk; the last second there is 22:59:59.
        (ZoneInfo("America/Nuuk"), "2024-03-30", "2024-03-31T00:59:59+00:00"),
        *[(ZoneInfo(night.zone), night.last_day, f"{night.due_until}+00:00") for night in NIGHTS.values()],
    ],
)
def test_a_day_ends_at_its_last_second_in_the_zone(zone: ZoneInfo, last: str, expires_at: str) -> None:
    instant = dt.datetime.fromisoformat(expires_at)
    assert dates.end_of_day(day(last), zone) == instant
    assert dates.end_of_day(day(last), zone).tzinfo is dt.UTC
    assert dates.last_day(instant, zone) == day(last)
    assert dates.last_day(instant + SECOND, zone) == day(last) + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "current"),
    [
        ("2018-09-10 00:00:00", "2018-09-10"),
        ("2018-09-10 23:59:58.999999", "2018-09-10"),
        ("2018-09-10 23:59:59", "2018-09-11"),
        ("2018-09-10 23:59:59.500000", "2018-09-11"),
        ("2018-09-11 00:00:00", "2018-09-11"),
    ],
)
def test_in_the_last_second_of_a_day_the_current_day_is_already_the_next_day(now: str, current: str) -> None:
    assert dates.current_day(at(now), SHANGHAI) == day(current)
    assert dates.current_day(at(now, NEW_YORK), NEW_YORK) == day(current)


@pytest.mark.parametrize(
    ("today", "months", "furthest"),
    [
        ("2018-09-10", 36, "2021-09-10"),
        ("2020-02-28", 12, "2021-02-28"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2019-02-28", 12, "2020-02-29"),
        ("2018-04-30", 1, "2018-05-31"),
        ("2018-01-30", 1, "2018-02-28"),
    ],
)
def test_a_term_from_a_months_end_reaches_a_months_end(today: str, months: int, furthest: str) -> None:
    assert dates.max_expiry_date(day(today), months) == day(furthest)


@pytest.mark.parametrize(
    ("zone", "last", "lead_days", "due_at"),
    [
        (SHANGHAI, "2018-09-10", 0, "2018-09-09T16:30:00+00:00"),
        (KOLKATA, "2018-09-10", 0, "2018-09-09T19:00:00+00:00"),
        (NEW_YORK, "2018-09-10", 0, "2018-09-10T04:30:00+00:00"),
        # The clock changes at 02:00, after 00:30 and before the end of the day.
        (NEW_YORK, "2018-03-11", 0, "2018-03-11T05:30:00+00:00"),
        (NEW_YORK, "2018-03-12", 0, "2018-03-12T04:30:00+00:00"),
        (NEW_YORK, "2018-11-04", 0, "2018-11-04T04:30:00+00:00"),
        (NEW_YORK, "2018-11-05", 0, "2018-11-05T05:30:00+00:00"),
        # Lead days are calendar days, not periods of 24 hours.
        (NEW_YORK, "2018-03-12", 1, "2018-03-11T05:30:00+00:00"),
        (NEW_YORK, "2018-11-05", 1, "2018-11-04T04:30:00+00:00"),
        (SHANGHAI, "2018-09-10", 1, "2018-09-08T16:30:00+00:00"),
        (SHANGHAI, "2018-09-10", 9, "2018-08-31T16:30:00+00:00"),
        (SHANGHAI, "2019-01-01", 3, "2018-12-28T16:30:00+00:00"),
        *[(ZoneInfo(night.zone), night.last_day, 0, f"{night.due_from}+00:00") for night in NIGHTS.values()],
    ],
)
def test_an_instance_is_due_from_half_past_midnight(
    zone: ZoneInfo, last: str, lead_days: int, due_at: str
) -> None:
    instant = dt.datetime.fromisoformat(due_at)
    assert dates.due_at(day(last), zone, time=HALF_PAST_MIDNIGHT, lead_days=lead_days) == instant
    a_moment_before = instant - dt.timedelta(microseconds=1)
    for now, latest in [(instant, day(last)), (a_moment_before, day(last) - dt.timedelta(days=1))]:
        last_due = dates.last_due_day(now, zone, time=HALF_PAST_MIDNIGHT, lead_days=lead_days)
        assert last_due == latest


@factories.unhurried
@hypothesis.given(anchored(), MONTHS, MONTHS)
def test_adding_months_twice_equals_adding_their_sum(
    start: tuple[int, dt.date], first: int, second: int
) -> None:
    anchor_day, begin = start
    between = dates.add_months(anchor_day, begin, first)
    assert dates.add_months(anchor_day, between, second) == dates.add_months(
        anchor_day, begin, first + second
    )


@factories.unhurried
@hypothesis.given(anchored(), MONTHS)
def test_adding_months_skips_no_month(start: tuple[int, dt.date], months: int) -> None:
    anchor_day, begin = start
    end = dates.add_months(anchor_day, begin, months)
    assert (end.year - begin.year) * 12 + end.month - begin.month == months
    assert is_on(anchor_day, end)
    assert 28 <= (dates.add_months(anchor_day, begin, months + 1) - end).days <= 31
    assert dates.months_between(anchor_day, begin, end) == months


@factories.unhurried
@hypothesis.given(anchored(), st.integers(0, 2000))
def test_the_months_between_two_days_are_the_most_that_fit(start: tuple[int, dt.date], days: int) -> None:
    anchor_day, begin = start
    target = begin + dt.timedelta(days=days)
    months = dates.months_between(anchor_day, begin, target)
    assert (
        dates.add_months(anchor_day, begin, months)
        <= target
        < dates.add_months(anchor_day, begin, months + 1)
    )
    least = dates.min_months_to_reach(anchor_day, begin, target)
    reaching = (n for n in range(1, 70) if dates.add_months(anchor_day, begin, n) >= target)
    assert least == next(reaching)


@factories.unhurried
@hypothesis.given(anchored(), st.integers(0, 2000))
def test_a_period_is_whole_months_and_the_remaining_days(start: tuple[int, dt.date], days: int) -> None:
    anchor_day, begin = start
    target = begin + dt.timedelta(days=days)
    span = dates.period_between(anchor_day, begin, target)
    assert dates.add_months(anchor_day, begin, span.months) + dt.timedelta(days=span.days) == target
    assert 0 <= span.days < span.days_in_month
    assert 28 <= span.days_in_month <= 31


@factories.unhurried
@hypothesis.given(st.integers(1, 31), DAYS)
def test_the_first_date_on_a_day_of_the_month_is_the_earliest(day_of_month: int, earliest: dt.date) -> None:
    days = (earliest + dt.timedelta(days=n) for n in range(62))
    least = next(date for date in days if is_on(day_of_month, date))
    assert dates.first_on_day_of_month(day_of_month, earliest) == least


@factories.unhurried
@hypothesis.given(anchored(), st.integers(1, 36))
def test_an_instance_that_expires_today_can_be_renewed_for_the_longest_term_and_no_more(
    start: tuple[int, dt.date], months: int
) -> None:
    anchor_day, today = start
    furthest = dates.max_expiry_date(today, months)
    assert (
        dates.add_months(anchor_day, today, months)
        <= furthest
        < dates.add_months(anchor_day, today, months + 1)
    )


@factories.unhurried
@hypothesis.given(RECENT_DAYS, ZONES)
def test_a_day_ends_one_second_before_the_next_in_every_zone(last: dt.date, zone: ZoneInfo) -> None:
    end = dates.end_of_day(last, zone)
    assert dates.last_day(end, zone) == last
    assert dates.last_day(end + SECOND, zone) == last + dt.timedelta(days=1)
    assert dates.current_day(end - SECOND, zone) == last
    assert dates.current_day(end, zone) == last + dt.timedelta(days=1)


INSTANTS = st.datetimes(dt.datetime(2018, 1, 1), dt.datetime(2059, 12, 31), timezones=st.just(dt.UTC))  # noqa: DTZ001


@factories.unhurried
@hypothesis.given(INSTANTS, ZONES, st.integers(0, 9), st.times())
# 23:30 does not occur on that night. The due time is 00:30, so at 00:10 not even the day before is due.
@hypothesis.example(
    dt.datetime(2024, 3, 31, 1, 10, tzinfo=dt.UTC), ZoneInfo("America/Nuuk"), 0, dt.time(23, 30)
)
def test_the_last_due_day_is_the_latest_whose_due_time_has_passed(
    now: dt.datetime, zone: ZoneInfo, lead_days: int, time: dt.time
) -> None:
    latest = dates.last_due_day(now, zone, time=time, lead_days=lead_days)
    for offset in range(-3, 15):
        date = now.date() + dt.timedelta(days=offset)
        assert (dates.due_at(date, zone, time=time, lead_days=lead_days) <= now) == (date <= latest)


@factories.unhurried
@hypothesis.given(INSTANTS, ZONES, st.integers(0, 9))
def test_the_expiries_up_to_the_latest_due_expiry_are_exactly_those_that_are_due(
    now: dt.datetime, zone: ZoneInfo, lead_days: int
) -> None:
    cutoff = due.latest_due_expiry(now, model.Account("a", zone, 0, 0, lead_days))
    for offset in range(-3, 15):
        date = now.date() + dt.timedelta(days=offset)
        due_at = dates.due_at(date, zone, time=HALF_PAST_MIDNIGHT, lead_days=lead_days)
        assert (due_at <= now) == (dates.end_of_day(date, zone) <= cutoff)
