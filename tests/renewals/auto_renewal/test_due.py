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
    "a half-hour offset in Kolkata": Night(
        *("Asia/Kolkata", 31, "2027-01-31", "2027-02-28", "2027-03-31"),
        *("2027-01-30T19:00:00", "2027-01-31T18:29:59"),
    ),
    "the day after the clock went forward in New York": Night(
        *("America/New_York", 15, "2027-03-15", "2027-04-15", "2027-05-15"),
        *("2027-03-15T04:30:00", "2027-03-16T03:59:59"),
    ),
    "the day after the clock went back in New York": Night(
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


async def run_and_count_renewed(now: dt.datetime) -> int:
    """Do a run at `now`, and return the number of instances that it renewed."""
    return (await renew.run_at(now)).renewed_count


@pytest.mark.parametrize("night", LAST_DAYS.values(), ids=LAST_DAYS)
async def test_an_instance_is_renewed_from_00_30_of_its_last_day_and_not_a_second_before(
    world: World, night: Night
) -> None:
    await world.account("a", balance="300.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    before = await world.snapshot()
    assert await run_and_count_renewed(utc(night.due_from) - SECOND) == 0
    assert await world.count("renewal_attempts") == 0
    assert await world.snapshot() == before
    assert await run_and_count_renewed(utc(night.due_from)) == 1
    assert await world.expiry("i-1") == night.following
    assert await world.balance() == "0.00"
    assert await world.rows("SELECT due_at, attempted_at FROM renewal_attempts") == [
        (utc(night.due_from), utc(night.due_from))
    ]
    await integrity.assert_holds()


@pytest.mark.parametrize("night", LAST_DAYS.values(), ids=LAST_DAYS)
async def test_an_instance_is_renewed_until_the_second_of_its_expiry_and_not_a_second_after(
    world: World, night: Night
) -> None:
    await world.account("a", balance="600.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    before = await world.snapshot()
    assert await run_and_count_renewed(utc(night.due_until) + SECOND) == 0
    assert await world.count("renewal_attempts") == 0
    assert await world.snapshot() == before
    assert await run_and_count_renewed(utc(night.due_until)) == 1
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
async def test_a_run_renews_only_instances_in_time_zones_where_it_is_past_00_30_of_the_last_day(
    world: World, last_day: str, kolkata: str, before_new_york: str
) -> None:
    for zone in ("Pacific/Auckland", "Asia/Shanghai", "Asia/Kolkata", "Europe/London", "America/New_York"):
        await world.account(zone, balance="300.00", zone=zone)
        await world.instance(f"i-{zone}", account=zone, expires=last_day, mode="AUTO")
    assert await run_and_count_renewed(utc(kolkata) - SECOND) == 2
    renewed = "SELECT instance_id FROM order_lines ORDER BY id"
    assert sorted(await world.rows(renewed)) == [("i-Asia/Shanghai",), ("i-Pacific/Auckland",)]
    assert await run_and_count_renewed(utc(kolkata)) == 1
    assert (await world.rows(renewed))[2:] == [("i-Asia/Kolkata",)]
    assert await run_and_count_renewed(utc(before_new_york)) == 1
    assert (await world.rows(renewed))[3:] == [("i-Europe/London",)]
    assert await run_and_count_renewed(utc(before_new_york) + SECOND) == 1
    assert (await world.rows(renewed))[4:] == [("i-America/New_York",)]
    await integrity.assert_holds()


@dst_nights.every_night
async def test_an_instance_is_due_the_lead_days_of_its_account_before_its_last_day(
    world: World, night: Night
) -> None:
    """The last day is four days after the day of the night, so that the lead days include the special night."""
    last_day = dt.date.fromisoformat(night.last_day) + dt.timedelta(days=4)
    for days in range(10):
        await world.account(f"lead-{days}", balance="600.00", lead_days=days, zone=night.zone)
        await world.instance(f"i-{days}", account=f"lead-{days}", expires=str(last_day), mode="AUTO")
    for days in reversed(range(10)):
        due_at = world.at(f"{last_day - dt.timedelta(days=days)} 00:30", account="lead-0")
        assert await run_and_count_renewed(due_at - SECOND) == 0
        assert await run_and_count_renewed(due_at) == 1
        assert await world.expiry(f"i-{days}") == str(dates.add_months(last_day.day, last_day, 1))
    assert {await world.balance(f"lead-{days}") for days in range(10)} == {"300.00"}
    await integrity.assert_holds()


@pytest.mark.parametrize(("lead_days", "due_on"), [(0, "2027-03-03"), (1, "2027-03-02"), (9, "2027-02-22")])
async def test_an_account_without_lead_days_has_the_lead_days_of_the_setting(
    world: World, settings_override: Callable[..., None], lead_days: int, due_on: str
) -> None:
    settings_override(auto_renew_lead_days=lead_days)
    await world.account("a", balance="300.00")
    await world.account("own", balance="300.00", lead_days=4)
    await world.instance("i-1", expires="2027-03-03", mode="AUTO")
    await world.instance("i-own", account="own", expires="2027-03-03", mode="AUTO")
    await run_and_count_renewed(world.at(f"{due_on} 00:29:59"))
    assert await world.expiry("i-1") == "2027-03-03"
    await run_and_count_renewed(world.at(f"{due_on} 00:30"))
    assert await world.expiry("i-1") == "2027-04-03"
    assert await world.expiry("i-own") == ("2027-03-03" if lead_days == 9 else "2027-04-03")
    await integrity.assert_holds()


async def test_the_time_of_day_of_automatic_renewals_is_a_setting(
    world: World, settings_override: Callable[..., None]
) -> None:
    settings_override(auto_renew_time=dt.time(6, 15))
    await world.account("a", balance="300.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO")
    assert await run_and_count_renewed(world.at("2027-01-31 06:14:59")) == 0
    assert await run_and_count_renewed(world.at("2027-01-31 06:15")) == 1


# The anchor day, the months, and the successive last days.
STEPS = {
    "a month's last day": (31, 1, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
    "a month's last day in a leap year": (31, 1, ["2028-01-31", "2028-02-29", "2028-03-31"]),
    "the 30th": (30, 1, ["2027-01-30", "2027-02-28", "2027-03-30"]),
    "the 29th": (29, 1, ["2028-01-29", "2028-02-29", "2028-03-29"]),
    "a year's end": (31, 1, ["2027-11-30", "2027-12-31", "2028-01-31"]),
    "a quarter": (31, 3, ["2027-08-31", "2027-11-30", "2028-02-29", "2028-05-31"]),
    "a year from the leap day": (29, 12, ["2028-02-29", "2029-02-28", "2030-02-28"]),
    "over the night that New York's clock goes forward": (14, 1, ["2027-02-14", "2027-03-14", "2027-04-14"]),
    "over the night that New York's clock goes back": (7, 1, ["2027-10-07", "2027-11-07", "2027-12-07"]),
}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/New_York"])
@pytest.mark.parametrize(("anchor", "months", "last_days"), STEPS.values(), ids=STEPS)
async def test_successive_automatic_renewals_move_the_expiry_to_the_anchor_day(
    world: World, anchor: int, months: int, last_days: list[str], zone: str
) -> None:
    await world.account("a", balance="100000.00", zone=zone)
    await world.instance("i-1", expires=last_days[0], anchor=anchor, mode="AUTO", months=months)
    for last_day, following in itertools.pairwise(last_days):
        assert await run_and_count_renewed(world.at(f"{last_day} 00:30")) == 1
        assert await world.expiry("i-1") == following
        assert await run_and_count_renewed(world.at(f"{last_day} 01:30")) == 0
    lines = await world.rows("SELECT starts_at, expires_at FROM order_lines ORDER BY starts_at")
    ends = [world.end_of(last_day) for last_day in last_days]
    assert lines == list(itertools.pairwise(ends))
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("months", "expiry", "price"),
    [(1, "2027-02-28", "300.00"), (3, "2027-04-30", "900.00"), (12, "2028-01-31", "2988.00")],
)
async def test_an_automatic_renewal_is_for_the_months_of_the_renewal_policy(
    world: World, months: int, expiry: str, price: str
) -> None:
    await world.account("a", balance=price)
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", months=months, price="300.00")
    assert await run_and_count_renewed(world.at("2027-01-31 00:30")) == 1
    assert await world.expiry("i-1") == expiry
    assert await world.balance() == "0.00"
    assert await world.rows("SELECT months, days FROM order_lines") == [(months, 0)]
    await integrity.assert_holds()


@dst_nights.every_night
async def test_an_unpaid_instance_is_tried_every_hour_even_on_a_last_day_of_23_or_25_hours(
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
def test_the_last_scheduled_time_is_the_latest_half_past_the_hour(now: str, tick: str) -> None:
    assert schedule.last_scheduled_at(utc(now)) == utc(tick)
