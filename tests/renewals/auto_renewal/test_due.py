"""An instance is due from 00:30 of its last day in the account's zone until it expires (rules 6, 20)."""

import datetime as dt
import itertools
from collections.abc import Callable

import pytest

from renewals.auto_renewal import chunks, renew, runs, schedule
from renewals.domain import dates
from tests.renewals import dst_nights
from tests.renewals.dst_nights import NIGHTS, Night, utc
from tests.support import integrity
from tests.support.fixtures import World, fixed_clock

SECOND = dt.timedelta(seconds=1)

LAST_DAYS = NIGHTS | {
    "half an hour off in Kolkata": Night(
        *("Asia/Kolkata", 31, "2027-01-31", "2027-02-28", "2027-03-31"),
        *("2027-01-30T19:00:00", "2027-01-31T18:29:59"),
    ),
    "the day after it went forward": Night(
        *("America/New_York", 15, "2027-03-15", "2027-04-15", "2027-05-15"),
        *("2027-03-15T04:30:00", "2027-03-16T03:59:59"),
    ),
    "the day after it went back": Night(
        *("America/New_York", 8, "2027-11-08", "2027-12-08", "2028-01-08"),
        *("2027-11-08T05:30:00", "2027-11-09T04:59:59"),
    ),
    "a night without 00:30 in Beirut": Night(
        *("Asia/Beirut", 28, "2027-03-28", "2027-04-28", "2027-05-28"),
        *("2027-03-27T22:30:00", "2027-03-28T20:59:59"),
    ),
    "a night with 00:30 twice in Havana": Night(
        *("America/Havana", 7, "2027-11-07", "2027-12-07", "2028-01-07"),
        *("2027-11-07T04:30:00", "2027-11-08T04:59:59"),
    ),
}


async def renewed_at(now: dt.datetime) -> int:
    """Return the number of instances that a run at `now` renews."""
    return (await renew.run_at(now)).renewed_count


@pytest.mark.parametrize("night", LAST_DAYS.values(), ids=LAST_DAYS)
async def test_it_is_renewed_from_half_past_midnight_and_not_a_second_before(
    world: World, night: Night
) -> None:
    await world.account("a", balance="300.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    before = await world.snapshot()
    assert await renewed_at(utc(night.due_from) - SECOND) == 0
    assert await world.count("renewal_attempts") == 0
    assert await world.snapshot() == before
    assert await renewed_at(utc(night.due_from)) == 1
    assert await world.expiry("i-1") == night.following
    assert await world.balance() == "0.00"
    assert await world.rows("SELECT due_at, attempted_at FROM renewal_attempts") == [
        (utc(night.due_from), utc(night.due_from))
    ]
    await integrity.assert_holds()


@pytest.mark.parametrize("night", LAST_DAYS.values(), ids=LAST_DAYS)
async def test_it_is_renewed_until_the_last_second_and_not_a_second_after(world: World, night: Night) -> None:
    await world.account("a", balance="600.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    before = await world.snapshot()
    assert await renewed_at(utc(night.due_until) + SECOND) == 0
    assert await world.count("renewal_attempts") == 0
    assert await world.snapshot() == before
    assert await renewed_at(utc(night.due_until)) == 1
    assert await world.expiry("i-1") == night.following
    assert await world.balance() == "300.00"
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("last_day", "kolkata", "before_new_york"),
    [
        ("2027-01-31", "2027-01-30T19:00:00", "2027-01-31T05:29:59"),
        ("2027-02-28", "2027-02-27T19:00:00", "2027-02-28T05:29:59"),
        ("2028-02-29", "2028-02-28T19:00:00", "2028-02-29T05:29:59"),
        ("2027-12-31", "2027-12-30T19:00:00", "2027-12-31T05:29:59"),
        ("2027-03-14", "2027-03-13T19:00:00", "2027-03-14T05:29:59"),
        ("2027-11-07", "2027-11-06T19:00:00", "2027-11-07T04:29:59"),
    ],
)
async def test_at_one_instant_only_the_zones_that_have_reached_the_day_are_served(
    world: World, last_day: str, kolkata: str, before_new_york: str
) -> None:
    for zone in ("Pacific/Auckland", "Asia/Shanghai", "Asia/Kolkata", "Europe/London", "America/New_York"):
        await world.account(zone, balance="300.00", zone=zone)
        await world.instance(f"i-{zone}", account=zone, expires=last_day, mode="AUTO")
    assert await renewed_at(utc(kolkata) - SECOND) == 2
    renewed = "SELECT instance_id FROM order_lines ORDER BY id"
    assert sorted(await world.rows(renewed)) == [("i-Asia/Shanghai",), ("i-Pacific/Auckland",)]
    assert await renewed_at(utc(kolkata)) == 1
    assert (await world.rows(renewed))[2:] == [("i-Asia/Kolkata",)]
    assert await renewed_at(utc(before_new_york)) == 1
    assert (await world.rows(renewed))[3:] == [("i-Europe/London",)]
    assert await renewed_at(utc(before_new_york) + SECOND) == 1
    assert (await world.rows(renewed))[4:] == [("i-America/New_York",)]
    await integrity.assert_holds()


@dst_nights.every_night
async def test_an_account_chooses_its_lead_days_from_0_to_9(world: World, night: Night) -> None:
    """The last day is four days after the day of the night, so that the lead days include the special night."""
    last_day = dt.date.fromisoformat(night.last_day) + dt.timedelta(days=4)
    for days in range(10):
        await world.account(f"lead-{days}", balance="600.00", lead_days=days, zone=night.zone)
        await world.instance(f"i-{days}", account=f"lead-{days}", expires=str(last_day), mode="AUTO")
    for days in reversed(range(10)):
        due_at = world.at(f"{last_day - dt.timedelta(days=days)} 00:30", account="lead-0")
        assert await renewed_at(due_at - SECOND) == 0
        assert await renewed_at(due_at) == 1
        assert await world.expiry(f"i-{days}") == str(dates.add_months(last_day.day, last_day, 1))
    assert {await world.balance(f"lead-{days}") for days in range(10)} == {"300.00"}
    await integrity.assert_holds()


@pytest.mark.parametrize(("lead_days", "due_on"), [(0, "2027-03-03"), (1, "2027-03-02"), (9, "2027-02-22")])
async def test_the_lead_days_of_an_account_without_its_own_are_a_setting(
    world: World, settings_override: Callable[..., None], lead_days: int, due_on: str
) -> None:
    settings_override(auto_renew_lead_days=lead_days)
    await world.account("a", balance="300.00")
    await world.account("own", balance="300.00", lead_days=4)
    await world.instance("i-1", expires="2027-03-03", mode="AUTO")
    await world.instance("i-own", account="own", expires="2027-03-03", mode="AUTO")
    await renewed_at(world.at(f"{due_on} 00:29:59"))
    assert await world.expiry("i-1") == "2027-03-03"
    await renewed_at(world.at(f"{due_on} 00:30"))
    assert await world.expiry("i-1") == "2027-04-03"
    assert await world.expiry("i-own") == ("2027-03-03" if lead_days == 9 else "2027-04-03")
    await integrity.assert_holds()


async def test_the_hour_is_a_setting(world: World, settings_override: Callable[..., None]) -> None:
    settings_override(auto_renew_time=dt.time(6, 15))
    await world.account("a", balance="300.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO")
    assert await renewed_at(world.at("2027-01-31 06:14:59")) == 0
    assert await renewed_at(world.at("2027-01-31 06:15")) == 1


# The anchor day, the months, and the successive last days.
STEPS = {
    "a month's last day": (31, 1, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
    "the same in a leap year": (31, 1, ["2028-01-31", "2028-02-29", "2028-03-31"]),
    "the 30th": (30, 1, ["2027-01-30", "2027-02-28", "2027-03-30"]),
    "the 29th": (29, 1, ["2028-01-29", "2028-02-29", "2028-03-29"]),
    "a year's end": (31, 1, ["2027-11-30", "2027-12-31", "2028-01-31"]),
    "a quarter": (31, 3, ["2027-08-31", "2027-11-30", "2028-02-29", "2028-05-31"]),
    "a year from the leap day": (29, 12, ["2028-02-29", "2029-02-28", "2030-02-28"]),
    "over the night that New York's clock goes forward": (14, 1, ["2027-02-14", "2027-03-14", "2027-04-14"]),
    "over the night that it goes back": (7, 1, ["2027-10-07", "2027-11-07", "2027-12-07"]),
}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/New_York"])
@pytest.mark.parametrize(("anchor", "months", "last_days"), STEPS.values(), ids=STEPS)
async def test_it_steps_on_its_anchor_day(
    world: World, anchor: int, months: int, last_days: list[str], zone: str
) -> None:
    await world.account("a", balance="100000.00", zone=zone)
    await world.instance("i-1", expires=last_days[0], anchor=anchor, mode="AUTO", months=months)
    for last_day, following in itertools.pairwise(last_days):
        assert await renewed_at(world.at(f"{last_day} 00:30")) == 1
        assert await world.expiry("i-1") == following
        assert await renewed_at(world.at(f"{last_day} 01:30")) == 0
    lines = await world.rows("SELECT starts_at, expires_at FROM order_lines ORDER BY starts_at")
    ends = [world.end_of(last_day) for last_day in last_days]
    assert lines == list(itertools.pairwise(ends))
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("months", "expiry", "price"),
    [(1, "2027-02-28", "300.00"), (3, "2027-04-30", "900.00"), (12, "2028-01-31", "2988.00")],
)
async def test_it_renews_for_as_many_months_as_were_chosen(
    world: World, months: int, expiry: str, price: str
) -> None:
    await world.account("a", balance=price)
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", months=months, price="300.00")
    assert await renewed_at(world.at("2027-01-31 00:30")) == 1
    assert await world.expiry("i-1") == expiry
    assert await world.balance() == "0.00"
    assert await world.rows("SELECT months, days FROM order_lines") == [(months, 0)]
    await integrity.assert_holds()


@dst_nights.every_night
async def test_it_is_tried_at_each_half_hour_of_its_day_though_the_day_has_23_hours_or_25(
    world: World, night: Night
) -> None:
    await world.account("a", balance="299.99", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    due_from, due_until = utc(night.due_from), utc(night.due_until)
    ticks = [due_from + dt.timedelta(hours=hours) for hours in range(-2, 28)]
    for tick in ticks:
        run_id = await runs.start_scheduled_run(tick)
        assert run_id is not None
        for chunk in await chunks.list_pending_chunks(run_id):
            await renew.renew_chunk(chunk, clock=fixed_clock(tick))
    tried = await world.rows("SELECT attempted_at, code FROM renewal_attempts ORDER BY id")
    assert tried == [(tick, "INSUFFICIENT_FUNDS") for tick in ticks if due_from <= tick <= due_until]
    hours = {"2027-03-14": 23, "2027-11-07": 25}
    assert len(tried) == hours.get(night.last_day, 24)
    assert await world.balance() == "299.99"
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("now", "tick"),
    [
        ("2027-01-30T16:30:00", "2027-01-30T16:30:00"),
        ("2027-01-30T16:29:59.999999", "2027-01-30T15:30:00"),
        ("2027-01-30T17:29:59", "2027-01-30T16:30:00"),
        ("2027-01-01T00:10:00", "2026-12-31T23:30:00"),
    ],
)
def test_the_last_tick_is_the_half_hour_before(now: str, tick: str) -> None:
    assert schedule.last_scheduled_at(utc(now)) == utc(tick)
