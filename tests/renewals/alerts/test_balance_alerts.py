"""Reminders and warnings, each sent once (rule 25)."""

import asyncio
import datetime as dt
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.alerts import balance_alerts, expiry_reminders
from renewals.auto_renewal import renew, runs
from renewals.db import connection as database
from renewals.domain import model, planning
from renewals.instances import lifecycle, selection
from renewals.instances import policy as instances_policy
from renewals.orders import place_order, requests
from tests.renewals import dst_nights
from tests.renewals.dst_nights import Night
from tests.support import integrity
from tests.support.fixtures import NOW, World

TODAY = dt.date(2027, 1, 10)


def day(days: int) -> str:
    """Return the date that is `days` days after NOW."""
    return str(TODAY + dt.timedelta(days))


async def look(now: dt.datetime = NOW) -> None:
    await balance_alerts.check_changed_accounts(lambda: now)


async def told(world: World, happened: str) -> list[Any]:
    """Return the instance and the payload of each event of a type."""
    rows = await world.rows(
        "SELECT instance_id, payload::text FROM events WHERE type = $1 ORDER BY account_id, sequence",
        happened,
    )
    return [(instance_id, orjson.loads(payload)) for instance_id, payload in rows]


async def reminded(world: World) -> list[tuple[str, int]]:
    """Return the reminders, each as the instance and the number of days before its expiry."""
    return [(of, payload["daysBefore"]) for of, payload in await told(world, "instance.expiring")]


async def warned(world: World) -> list[tuple[str, str]]:
    """Return the warnings, each as the first day with a shortfall and the top-up needed."""
    return [(p["firstShortfallOn"], p["topUpNeeded"]) for _, p in await told(world, "account.shortfall")]


@given(st.integers(0, 60))
def test_the_latest_reminder_due_is_the_smallest_number_of_days_that_is_not_passed(days_left: int) -> None:
    due = expiry_reminders.due_days(days_left)
    assert due == min((days for days in (30, 15, 7, 3, 1) if days >= days_left), default=None)


async def test_an_instance_is_reminded_of_30_15_7_3_and_1_days_before_once_each(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(40))
    for days in range(42):
        for hour in (0, 9, 23):
            await look(world.at(f"{day(days)} {hour:02}:00"))
    assert await reminded(world) == [("i-1", days) for days in (30, 15, 7, 3, 1)]
    when = [row for (row,) in await world.rows("SELECT occurred_at FROM events ORDER BY sequence")]
    assert when == [world.at(f"{day(40 - days)} 00:00") for days in (30, 15, 7, 3, 1)]


async def test_after_a_downtime_only_the_latest_due_reminder_is_sent(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(40))
    await look(world.at(f"{day(5)} 12:00"))
    await look(world.at(f"{day(34)} 12:00"))  # 6 days before the expiry: only the reminder of 7 days
    await look(world.at(f"{day(40)} 12:00"))  # on the last day
    await look(world.at(f"{day(41)} 12:00"))  # too late
    assert await reminded(world) == [("i-1", 7), ("i-1", 1)]


async def test_a_new_expiry_is_reminded_of_anew(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires=day(3), price="1.00")
    await look()
    request = requests.OrderRequest(selection.ById(("i-1",)), planning.RenewFor(1), idempotency_key="key")
    await place_order.place_order("a", request, lambda: NOW)
    await look()
    assert await reminded(world) == [("i-1", 3)]
    await look(world.at(f"{day(5)} 12:00"))
    assert await reminded(world) == [("i-1", 3), ("i-1", 30)]


async def test_what_is_left_to_lapse_or_not_served_is_never_reminded_of(world: World) -> None:
    await world.account("a")
    await world.instance("none", expires=day(3), mode="NONE")
    await world.instance("trial", expires=day(3), trial=True)
    await world.instance("once", expires=day(3), billing="ONE_OFF")
    await world.instance("cert", expires=day(3), product="cert")
    await world.instance("expired", expires=day(-1))
    await world.instance("as-you-go", expires=None)
    await world.instance("manual", expires=day(3))
    await look()
    assert await reminded(world) == [("manual", 3)]


async def test_the_reason_of_a_reminder_is_in_the_language_of_the_account(world: World) -> None:
    await world.account("a", balance="1.00", language=model.Language.ZH)
    await world.instance("i-1", expires=day(3), mode="AUTO", price="3.00")
    await look()
    [(_, payload)] = await told(world, "instance.expiring")
    assert payload["message"] == "余额不足：需支付 3.00，可用 1.00，还差 2.00。"


async def test_auto_is_reminded_of_only_if_the_forecast_says_that_it_will_fail(world: World) -> None:
    await world.account("a", balance="300.00")
    await world.instance("paid", expires=day(3), mode="AUTO", price="300.00")
    await world.instance("unpaid", expires=day(5), mode="AUTO", price="300.00")
    await look()
    [(instance_id, payload)] = await told(world, "instance.expiring")
    assert (instance_id, payload["daysBefore"], payload["renewalMode"], payload["code"]) == (
        "unpaid",
        7,
        "AUTO",
        "INSUFFICIENT_FUNDS",
    )


async def test_auto_that_comes_to_fail_is_reminded_of_at_once_and_manual_that_was_auto_too(
    world: World,
) -> None:
    await world.account("a", balance="300.00")
    await world.instance("i-1", expires=day(2), mode="AUTO", price="300.00")
    await world.instance("i-2", expires=day(20), price="300.00")
    await look()
    assert await reminded(world) == [("i-2", 30)]
    request = requests.OrderRequest(selection.ById(("i-2",)), planning.RenewFor(1), idempotency_key="key")
    await place_order.place_order("a", request, lambda: NOW)
    await look()
    assert await reminded(world) == [("i-2", 30), ("i-1", 3)]
    policy = instances_policy.PolicyRequest(selection.ById(("i-1",)), model.RenewalMode.MANUAL)
    await instances_policy.set_policy("a", policy, lambda: NOW)
    await look()
    assert await reminded(world) == [("i-2", 30), ("i-1", 3)]


@dst_nights.every_night
async def test_days_are_those_of_the_accounts_zone(world: World, night: Night) -> None:
    await world.account("a", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor)
    await look(world.at(night.at("23:59", days=-31)))
    assert await reminded(world) == []
    await look(world.at(night.at("00:00", days=-30)))
    await look(world.at(night.at("23:59", days=-16)))
    assert await reminded(world) == [("i-1", 30)]
    await look(world.at(night.at("00:00", days=-1)))
    await look(world.at(night.at("23:59:59")))
    assert await reminded(world) == [("i-1", 30), ("i-1", 1)]


async def test_an_account_is_warned_once_when_its_forecast_of_15_days_first_falls_short(world: World) -> None:
    await world.account("a", balance="500.00")
    await world.instance("i-1", expires=day(20), mode="AUTO", price="300.00")
    await world.instance("i-2", expires=day(21), mode="AUTO", price="300.00")
    for days in range(20):
        for hour in (1, 13):
            await look(world.at(f"{day(days)} {hour:02}:00"))
    assert await warned(world) == [(day(21), "100.00")]
    first = "SELECT occurred_at FROM events WHERE type = 'account.shortfall'"
    assert await world.value(first) == world.at(
        f"{day(7)} 01:00"
    )  # the first day whose 15 days include day 21
    [(_, payload)] = await told(world, "account.shortfall")
    assert (payload["days"], payload["balance"]) == (15, "500.00")


async def test_it_is_warned_again_after_a_change_that_did_not_help(world: World) -> None:
    await world.account("a", balance="500.00")
    await world.instance("i-1", expires=day(5), mode="AUTO", price="600.00")
    await look()
    await world.top_up("60.00")
    await look()
    await look()
    await world.top_up("40.00")
    await look()
    assert await warned(world) == [(day(5), "100.00"), (day(5), "40.00")]
    await world.instance("i-2", expires=day(6), price="1.00")
    policy = instances_policy.PolicyRequest(selection.ById(("i-2",)), model.RenewalMode.AUTO)
    await instances_policy.set_policy("a", policy, lambda: NOW)
    await look()
    assert await warned(world) == [(day(5), "100.00"), (day(5), "40.00"), (day(6), "1.00")]


async def test_what_the_worker_does_is_no_change_to_be_warned_of_again(world: World) -> None:
    await world.account("a", balance="500.00")
    await world.instance("i-1", expires=day(1), mode="AUTO", price="300.00")
    await world.instance("i-2", expires=day(4), mode="AUTO", price="300.00")
    await look()
    for days in range(1, 5):
        await renew.run_at(world.at(f"{day(days)} 00:30"))
        await look(world.at(f"{day(days)} 01:00"))
    assert await warned(world) == [(day(4), "100.00")]


async def test_one_who_was_well_again_is_warned_anew(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(5), mode="AUTO", price="300.00")
    await look()
    await lifecycle.expire_and_release(world.at(f"{day(6)} 00:01"))
    await look(world.at(f"{day(6)} 00:02"))
    await world.instance("i-2", expires=day(9), mode="AUTO", price="200.00")
    await look(world.at(f"{day(7)} 00:02"))
    assert await warned(world) == [(day(5), "300.00"), (day(9), "200.00")]


async def test_a_failure_that_money_cannot_mend_is_no_shortfall(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires=day(5), mode="AUTO", product="cert")
    await world.instance("i-2", expires=day(5), mode="AUTO", price="1.00")
    await world.put("i-2", auto_renew_months=37)
    await look()
    assert await warned(world) == []
    assert await reminded(world) == [("i-2", 7)]


async def test_an_account_that_has_not_changed_is_not_looked_at_until_its_day_begins(world: World) -> None:
    await world.account("a")
    await world.account("west", zone="America/New_York")
    await look()
    assert await balance_alerts.find_changed_accounts(NOW) == []
    assert await balance_alerts.find_changed_accounts(world.at(f"{day(0)} 00:00", account="west")) == ["west"]
    assert await balance_alerts.find_changed_accounts(world.at(f"{day(1)} 00:00")) == ["a", "west"]
    await world.top_up("1.00")
    assert await balance_alerts.find_changed_accounts(NOW) == ["a"]
    await look()
    await world.instance("i-1")
    policy = instances_policy.PolicyRequest(selection.ById(("i-1",)), model.RenewalMode.AUTO)
    await instances_policy.set_policy("a", policy, lambda: NOW)
    assert await balance_alerts.find_changed_accounts(NOW) == ["a"]


async def test_nobody_is_looked_at_while_a_run_is_at_work(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(0), mode="AUTO")
    await runs.start_run(runs.Trigger.START, NOW, NOW)
    assert await balance_alerts.find_changed_accounts(NOW) == []


async def test_an_account_that_cannot_be_looked_at_does_not_hold_up_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for account in "ab":
        await world.account(account)
        await world.instance(f"i-{account}", account=account, expires=day(3))
    await database.execute(database.pool(), "ALTER TABLE reminders ADD CHECK (instance_id <> 'i-a')")
    await look()
    assert await reminded(world) == [("i-b", 3)]
    assert "cannot check the balance of account a" in caplog.text
    await integrity.assert_holds()


async def test_looking_twice_at_once_tells_once(world: World) -> None:
    await world.account("a")
    await world.instances([f"i-{n}" for n in range(20)], expires=day(3), mode="AUTO", price="1.00")
    await asyncio.gather(*(look() for _ in range(5)))
    assert len(await reminded(world)) == 20
    assert await warned(world) == [(day(3), "20.00")]
