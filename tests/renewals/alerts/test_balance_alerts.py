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


async def check_accounts(now: dt.datetime = NOW) -> None:
    await balance_alerts.check_changed_accounts(lambda: now)


async def read_events(world: World, event_type: str) -> list[Any]:
    """Return the instance and the payload of each event of a type."""
    rows = await world.rows(
        "SELECT instance_id, payload::text FROM events WHERE type = $1 ORDER BY account_id, sequence",
        event_type,
    )
    return [(instance_id, orjson.loads(payload)) for instance_id, payload in rows]


async def read_reminders(world: World) -> list[tuple[str, int]]:
    """Return the reminders, each as the instance and the number of days before its expiry."""
    return [
        (instance_id, payload["daysBefore"])
        for instance_id, payload in await read_events(world, "instance.expiring")
    ]


async def read_warnings(world: World) -> list[tuple[str, str]]:
    """Return the warnings, each as the first day with a shortfall and the top-up needed."""
    return [
        (p["firstShortfallOn"], p["topUpNeeded"]) for _, p in await read_events(world, "account.shortfall")
    ]


@given(st.integers(0, 60))
def test_the_due_reminder_has_the_fewest_days_that_are_not_below_the_days_left(days_left: int) -> None:
    due = expiry_reminders.due_days(days_left)
    assert due == min((days for days in (30, 15, 7, 3, 1) if days >= days_left), default=None)


async def test_one_reminder_each_is_sent_30_15_7_3_and_1_days_before_the_last_day(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(40))
    for days in range(42):
        for hour in (0, 9, 23):
            await check_accounts(world.at(f"{day(days)} {hour:02}:00"))
    assert await read_reminders(world) == [("i-1", days) for days in (30, 15, 7, 3, 1)]
    occurred_at = [row for (row,) in await world.rows("SELECT occurred_at FROM events ORDER BY sequence")]
    assert occurred_at == [world.at(f"{day(40 - days)} 00:00") for days in (30, 15, 7, 3, 1)]


async def test_after_a_downtime_only_the_latest_due_reminder_is_sent(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(40))
    await check_accounts(world.at(f"{day(5)} 12:00"))
    await check_accounts(world.at(f"{day(34)} 12:00"))  # 6 days before: only the reminder of 7 days
    await check_accounts(world.at(f"{day(40)} 12:00"))  # on the last day
    await check_accounts(world.at(f"{day(41)} 12:00"))  # too late
    assert await read_reminders(world) == [("i-1", 7), ("i-1", 1)]


async def test_a_renewal_starts_new_reminders_for_the_new_expiry(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires=day(3), price="1.00")
    await check_accounts()
    request = requests.OrderRequest(selection.ById(("i-1",)), planning.RenewFor(1), idempotency_key="key")
    await place_order.place_order("a", request, lambda: NOW)
    await check_accounts()
    assert await read_reminders(world) == [("i-1", 3)]
    await check_accounts(world.at(f"{day(5)} 12:00"))
    assert await read_reminders(world) == [("i-1", 3), ("i-1", 30)]


async def test_an_instance_that_is_expired_unmanageable_or_set_to_none_gets_no_reminder(world: World) -> None:
    await world.account("a")
    await world.instance("none", expires=day(3), mode="NONE")
    await world.instance("trial", expires=day(3), trial=True)
    await world.instance("once", expires=day(3), billing="ONE_OFF")
    await world.instance("cert", expires=day(3), product="cert")
    await world.instance("expired", expires=day(-1))
    await world.instance("as-you-go", expires=None)
    await world.instance("manual", expires=day(3))
    await check_accounts()
    assert await read_reminders(world) == [("manual", 3)]


async def test_the_reason_of_a_reminder_is_in_the_language_of_the_account(world: World) -> None:
    await world.account("a", balance="1.00", language=model.Language.ZH)
    await world.instance("i-1", expires=day(3), mode="AUTO", price="3.00")
    await check_accounts()
    [(_, payload)] = await read_events(world, "instance.expiring")
    assert payload["message"] == "余额不足：需支付 3.00，可用 1.00，还差 2.00。"


async def test_an_auto_instance_gets_a_reminder_only_if_its_renewal_is_forecast_to_fail(world: World) -> None:
    await world.account("a", balance="300.00")
    await world.instance("paid", expires=day(3), mode="AUTO", price="300.00")
    await world.instance("unpaid", expires=day(5), mode="AUTO", price="300.00")
    await check_accounts()
    [(instance_id, payload)] = await read_events(world, "instance.expiring")
    assert (instance_id, payload["daysBefore"], payload["renewalMode"], payload["code"]) == (
        "unpaid",
        7,
        "AUTO",
        "INSUFFICIENT_FUNDS",
    )


async def test_an_auto_instance_gets_one_reminder_when_its_renewal_becomes_unpayable(
    world: World,
) -> None:
    await world.account("a", balance="300.00")
    await world.instance("i-1", expires=day(2), mode="AUTO", price="300.00")
    await world.instance("i-2", expires=day(20), price="300.00")
    await check_accounts()
    assert await read_reminders(world) == [("i-2", 30)]
    request = requests.OrderRequest(selection.ById(("i-2",)), planning.RenewFor(1), idempotency_key="key")
    await place_order.place_order("a", request, lambda: NOW)
    await check_accounts()
    assert await read_reminders(world) == [("i-2", 30), ("i-1", 3)]
    policy = instances_policy.PolicyRequest(selection.ById(("i-1",)), model.RenewalMode.MANUAL)
    await instances_policy.set_policy("a", policy, lambda: NOW)
    await check_accounts()
    assert await read_reminders(world) == [("i-2", 30), ("i-1", 3)]


@dst_nights.every_night
async def test_reminders_are_sent_by_days_in_the_time_zone_of_the_account(world: World, night: Night) -> None:
    await world.account("a", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor)
    await check_accounts(world.at(night.at("23:59", days=-31)))
    assert await read_reminders(world) == []
    await check_accounts(world.at(night.at("00:00", days=-30)))
    await check_accounts(world.at(night.at("23:59", days=-16)))
    assert await read_reminders(world) == [("i-1", 30)]
    await check_accounts(world.at(night.at("00:00", days=-1)))
    await check_accounts(world.at(night.at("23:59:59")))
    assert await read_reminders(world) == [("i-1", 30), ("i-1", 1)]


async def test_one_warning_is_sent_when_the_forecast_of_15_days_first_has_a_shortfall(world: World) -> None:
    await world.account("a", balance="500.00")
    await world.instance("i-1", expires=day(20), mode="AUTO", price="300.00")
    await world.instance("i-2", expires=day(21), mode="AUTO", price="300.00")
    for days in range(20):
        for hour in (1, 13):
            await check_accounts(world.at(f"{day(days)} {hour:02}:00"))
    assert await read_warnings(world) == [(day(21), "100.00")]
    occurred_at = "SELECT occurred_at FROM events WHERE type = 'account.shortfall'"
    assert await world.value(occurred_at) == world.at(
        f"{day(7)} 01:00"
    )  # the first day whose 15 days include day 21
    [(_, payload)] = await read_events(world, "account.shortfall")
    assert (payload["days"], payload["balance"]) == (15, "500.00")


async def test_a_warning_is_sent_again_after_a_change_that_leaves_a_shortfall(world: World) -> None:
    await world.account("a", balance="500.00")
    await world.instance("i-1", expires=day(5), mode="AUTO", price="600.00")
    await check_accounts()
    await world.top_up("60.00")
    await check_accounts()
    await check_accounts()
    await world.top_up("40.00")
    await check_accounts()
    assert await read_warnings(world) == [(day(5), "100.00"), (day(5), "40.00")]
    await world.instance("i-2", expires=day(6), price="1.00")
    policy = instances_policy.PolicyRequest(selection.ById(("i-2",)), model.RenewalMode.AUTO)
    await instances_policy.set_policy("a", policy, lambda: NOW)
    await check_accounts()
    assert await read_warnings(world) == [(day(5), "100.00"), (day(5), "40.00"), (day(6), "1.00")]


async def test_an_automatic_renewal_does_not_repeat_the_warning_of_a_shortfall(world: World) -> None:
    await world.account("a", balance="500.00")
    await world.instance("i-1", expires=day(1), mode="AUTO", price="300.00")
    await world.instance("i-2", expires=day(4), mode="AUTO", price="300.00")
    await check_accounts()
    for days in range(1, 5):
        await renew.run_at(world.at(f"{day(days)} 00:30"))
        await check_accounts(world.at(f"{day(days)} 01:00"))
    assert await read_warnings(world) == [(day(4), "100.00")]


async def test_a_warning_is_sent_for_a_new_shortfall_after_the_last_one_ended(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(5), mode="AUTO", price="300.00")
    await check_accounts()
    await lifecycle.expire_and_release(world.at(f"{day(6)} 00:01"))
    await check_accounts(world.at(f"{day(6)} 00:02"))
    await world.instance("i-2", expires=day(9), mode="AUTO", price="200.00")
    await check_accounts(world.at(f"{day(7)} 00:02"))
    assert await read_warnings(world) == [(day(5), "300.00"), (day(9), "200.00")]


async def test_a_renewal_that_fails_for_another_reason_than_money_sends_no_warning(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires=day(5), mode="AUTO", product="cert")
    await world.instance("i-2", expires=day(5), mode="AUTO", price="1.00")
    await world.put("i-2", auto_renew_months=37)
    await check_accounts()
    assert await read_warnings(world) == []
    assert await read_reminders(world) == [("i-2", 7)]


async def test_an_unchanged_account_is_not_checked_until_its_next_day_begins(world: World) -> None:
    await world.account("a")
    await world.account("west", zone="America/New_York")
    await check_accounts()
    assert await balance_alerts.find_changed_accounts(NOW) == []
    assert await balance_alerts.find_changed_accounts(world.at(f"{day(0)} 00:00", account="west")) == ["west"]
    assert await balance_alerts.find_changed_accounts(world.at(f"{day(1)} 00:00")) == ["a", "west"]
    await world.top_up("1.00")
    assert await balance_alerts.find_changed_accounts(NOW) == ["a"]
    await check_accounts()
    await world.instance("i-1")
    policy = instances_policy.PolicyRequest(selection.ById(("i-1",)), model.RenewalMode.AUTO)
    await instances_policy.set_policy("a", policy, lambda: NOW)
    assert await balance_alerts.find_changed_accounts(NOW) == ["a"]


async def test_no_account_is_checked_during_a_renewal_run(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires=day(0), mode="AUTO")
    await runs.start_run(runs.Trigger.START, NOW, NOW)
    assert await balance_alerts.find_changed_accounts(NOW) == []


async def test_a_failed_check_of_one_account_does_not_prevent_the_checks_of_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for account in "ab":
        await world.account(account)
        await world.instance(f"i-{account}", account=account, expires=day(3))
    await database.execute(database.pool(), "ALTER TABLE reminders ADD CHECK (instance_id <> 'i-a')")
    await check_accounts()
    assert await read_reminders(world) == [("i-b", 3)]
    assert "cannot check the balance of account a" in caplog.text
    await integrity.assert_holds()


async def test_concurrent_checks_send_each_reminder_and_warning_once(world: World) -> None:
    await world.account("a")
    await world.instances([f"i-{n}" for n in range(20)], expires=day(3), mode="AUTO", price="1.00")
    await asyncio.gather(*(check_accounts() for _ in range(5)))
    assert len(await read_reminders(world)) == 20
    assert await read_warnings(world) == [(day(3), "20.00")]
