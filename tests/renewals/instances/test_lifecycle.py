"""Expiry and release of instances that are not renewed (rules 5, 22)."""

import asyncio
import datetime as dt

import pytest

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import renew
from renewals.db import connection as database
from renewals.domain import errors, model, planning
from renewals.domain import policy as domain_policy
from renewals.instances import lifecycle, policy, selection
from renewals.instances.lifecycle import LapseCounts
from renewals.orders import place_order, requests
from tests.renewals import dst_nights
from tests.renewals.dst_nights import Night, utc
from tests.support import integrity
from tests.support.fixtures import World

SECOND = dt.timedelta(seconds=1)


async def put_product(code: str, *, retention_days: int) -> None:
    async with database.transaction() as connection:
        product = catalog.ProductRecord(code, code, code, retention_days=retention_days)
        await catalog.upsert_products(connection, [product])


async def renew_manually(*instance_ids: str, months: int, now: dt.datetime) -> None:
    pick = selection.ById(instance_ids)
    request = requests.OrderRequest(pick, planning.RenewFor(months), idempotency_key=f"{instance_ids} {now}")
    await place_order.place_order("a", request, lambda: now)


async def set_mode(instance_id: str, mode: model.RenewalMode, now: dt.datetime) -> domain_policy.PolicyPlan:
    return await policy.set_policy(
        "a", policy.PolicyRequest(selection.ById((instance_id,)), mode), lambda: now
    )


async def renew_automatically(now: dt.datetime) -> int:
    return (await renew.run_at(now)).renewed_count


@dst_nights.every_night
async def test_an_instance_of_any_mode_expires_after_the_last_second_of_its_last_day(
    world: World, night: Night
) -> None:
    last_day, until = night.last_day, utc(night.due_until)
    await world.account("a", balance="1000.00", zone=night.zone)
    for mode in ("MANUAL", "AUTO", "NONE"):
        await world.instance(f"i-{mode}", expires=last_day, mode=mode)
    await world.instance("i-later", expires=night.day(+1))
    await world.instance("i-as-you-go", expires=None)
    before = await world.snapshot()
    assert await lifecycle.expire_and_release(until) == LapseCounts(0, 0)
    assert await world.snapshot() == before
    await world.instance("i-earlier", expires=night.day(-1))
    assert await lifecycle.expire_and_release(until) == LapseCounts(1, 0)
    assert await lifecycle.expire_and_release(until + SECOND) == LapseCounts(3, 0)
    assert await world.rows("SELECT id, status, renewal_mode FROM instances ORDER BY id") == [
        ("i-AUTO", "EXPIRED", "AUTO"),
        ("i-MANUAL", "EXPIRED", "MANUAL"),
        ("i-NONE", "EXPIRED", "NONE"),
        ("i-as-you-go", "RUNNING", "MANUAL"),
        ("i-earlier", "EXPIRED", "MANUAL"),
        ("i-later", "RUNNING", "MANUAL"),
    ]
    assert await world.balance() == "1000.00"
    assert {await world.expiry(f"i-{mode}") for mode in ("MANUAL", "AUTO", "NONE")} == {last_day}
    await integrity.assert_holds()


async def test_repeating_the_expiry_and_release_changes_nothing(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires="2027-01-31")
    now = world.at("2027-02-08 00:00:00")
    assert await lifecycle.expire_and_release(now) == LapseCounts(1, 1)
    lapsed = await world.snapshot()
    assert await lifecycle.expire_and_release(now) == LapseCounts(0, 0)
    assert await world.snapshot() == lapsed


async def test_concurrent_expiries_and_releases_count_each_instance_once(world: World) -> None:
    for account in "abc":
        await world.account(account)
        await world.instances([f"{account}-{n}" for n in range(20)], account=account, expires="2027-01-31")
    now = world.at("2027-02-08 00:00:00")
    both = await asyncio.gather(lifecycle.expire_and_release(now), lifecycle.expire_and_release(now))
    assert [sum(counts.expired_count for counts in both), sum(counts.released_count for counts in both)] == [
        60,
        60,
    ]
    assert await world.rows("SELECT DISTINCT status FROM instances") == [("RELEASED",)]


@dst_nights.every_night
async def test_an_auto_instance_that_expired_unpaid_stays_auto_and_the_worker_does_not_renew_it(
    world: World, night: Night
) -> None:
    await world.account("a", balance="0.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    assert (await renew.run_at(world.at(night.at("23:30")))).refused_count == 1
    await lifecycle.expire_and_release(world.at(night.at("00:00", days=1)))
    await world.top_up("1000.00")
    tried = await world.count("renewal_attempts")
    for moment in (night.at("00:30", days=1), night.at("12:30", days=1), night.at("23:30", days=7)):
        assert await renew_automatically(world.at(moment)) == 0
    instance = await world.read("i-1")
    assert (instance.status, instance.renewal_mode) == ("EXPIRED", "AUTO")
    assert await world.count("renewal_attempts") == tried
    assert await world.balance() == "1000.00"
    await integrity.assert_holds()


@dst_nights.every_night
async def test_the_worker_does_not_renew_an_expired_instance_whose_status_is_still_running(
    world: World, night: Night
) -> None:
    await world.account("a", balance="1000.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, mode="AUTO")
    assert await renew_automatically(world.at(night.at("00:00", days=1))) == 0
    assert (await world.read("i-1")).status == "RUNNING"
    assert await world.expiry("i-1") == night.last_day
    assert await world.balance() == "1000.00"


@pytest.mark.parametrize("is_marked_expired", [True, False], ids=["marked as expired", "not yet marked"])
@dst_nights.every_night
async def test_a_manual_renewal_restores_an_expired_instance_and_the_worker_makes_the_next_one(
    world: World, night: Night, is_marked_expired: bool
) -> None:
    await world.account("a", balance="600.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    if is_marked_expired:
        await lifecycle.expire_and_release(world.at(night.at("10:00", days=3)))
    await renew_manually("i-1", months=1, now=world.at(night.at("12:00", days=3)))
    instance = await world.read("i-1")
    assert (instance.status, instance.renewal_mode) == ("RUNNING", "AUTO")
    assert await world.expiry("i-1") == night.following
    assert await lifecycle.expire_and_release(world.at(night.at("00:00", days=20))) == LapseCounts(0, 0)
    assert await renew_automatically(world.at(f"{night.following} 00:29:59")) == 0
    assert await renew_automatically(world.at(f"{night.following} 00:30")) == 1
    assert (await world.read("i-1")).expires_at == world.end_of(night.third)
    assert await world.balance() == "0.00"
    await integrity.assert_holds()


@dst_nights.every_night
async def test_an_expired_instance_can_be_set_to_none_but_not_to_auto(world: World, night: Night) -> None:
    await world.account("a", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, mode="AUTO")
    now = world.at(night.at("00:00", days=1))
    await lifecycle.expire_and_release(now)
    assert (await set_mode("i-1", model.RenewalMode.NONE, now)).changed_ids == ("i-1",)
    [refusal] = (await set_mode("i-1", model.RenewalMode.AUTO, now)).refusals
    assert refusal.code == "EXPIRED"
    assert (await world.read("i-1")).renewal_mode == "NONE"


# Zone, last day, retention in days, last second before the release.
RETENTIONS = {
    "a week": ("Asia/Shanghai", "2027-01-31", 7, "2027-02-07T15:59:59"),
    "a week in UTC": ("UTC", "2027-01-31", 7, "2027-02-07T23:59:59"),
    "a week in New York": ("America/New_York", "2027-01-31", 7, "2027-02-08T04:59:59"),
    "no retention": ("Asia/Shanghai", "2027-01-31", 0, "2027-01-31T15:59:59"),
    "a week in which the clock goes forward": ("America/New_York", "2027-03-12", 7, "2027-03-20T03:59:59"),
    "until the night the clock goes forward": ("America/New_York", "2027-03-07", 7, "2027-03-15T03:59:59"),
    "from the night the clock goes forward": ("America/New_York", "2027-03-14", 7, "2027-03-22T03:59:59"),
    "a week in which the clock goes back": ("America/New_York", "2027-11-05", 7, "2027-11-13T04:59:59"),
    "until the night the clock goes back": ("America/New_York", "2027-10-31", 7, "2027-11-08T04:59:59"),
    "from the night the clock goes back": ("America/New_York", "2027-11-07", 7, "2027-11-15T04:59:59"),
    "from 28 February in Shanghai": ("Asia/Shanghai", "2027-02-28", 7, "2027-03-07T15:59:59"),
    "from 28 February in UTC": ("UTC", "2027-02-28", 7, "2027-03-07T23:59:59"),
    "from 28 February in New York": ("America/New_York", "2027-02-28", 7, "2027-03-08T04:59:59"),
    "over a leap day": ("Asia/Kolkata", "2028-02-26", 3, "2028-02-29T18:29:59"),
    "from a leap day in Shanghai": ("Asia/Shanghai", "2028-02-29", 7, "2028-03-07T15:59:59"),
    "from a leap day in UTC": ("UTC", "2028-02-29", 7, "2028-03-07T23:59:59"),
    "from a leap day in New York": ("America/New_York", "2028-02-29", 7, "2028-03-08T04:59:59"),
    "over a year's end in Shanghai": ("Asia/Shanghai", "2027-12-31", 7, "2028-01-07T15:59:59"),
    "over a year's end in UTC": ("UTC", "2027-12-31", 7, "2028-01-07T23:59:59"),
    "over a year's end in New York": ("America/New_York", "2027-12-31", 7, "2028-01-08T04:59:59"),
}


@pytest.mark.parametrize(("zone", "last_day", "days", "kept_until"), RETENTIONS.values(), ids=RETENTIONS)
async def test_an_instance_is_released_after_the_retention_days_and_not_a_second_earlier(
    world: World, zone: str, last_day: str, days: int, kept_until: str
) -> None:
    await put_product("retained", retention_days=days)
    await world.account("a", zone=zone)
    await world.instance("i-1", product="retained", expires=last_day)
    last_second = utc(kept_until)
    assert (await lifecycle.expire_and_release(last_second)).released_count == 0
    assert (await lifecycle.expire_and_release(last_second + SECOND)).released_count == 1
    assert (await world.read("i-1")).status == "RELEASED"


async def test_a_bundle_is_released_as_a_whole_with_the_longest_retention(world: World) -> None:
    await put_product("short", retention_days=3)
    await put_product("long", retention_days=15)
    await world.account("a")
    for product in ("short", "eip", "long"):
        await world.instance(f"m-{product}", product=product, bundle="b", expires="2027-01-31")
    await world.instance("alone", product="short", expires="2027-01-31")
    assert await lifecycle.expire_and_release(world.at("2027-02-15 23:59:59")) == LapseCounts(4, 1)
    assert (await world.read("alone")).status == "RELEASED"
    assert await world.rows("SELECT DISTINCT status FROM instances WHERE bundle_id = 'b'") == [("EXPIRED",)]
    assert await lifecycle.expire_and_release(world.at("2027-02-16 00:00:00")) == LapseCounts(0, 3)


async def test_an_instance_added_to_an_expired_bundle_expires_and_is_released_with_the_bundle(
    world: World,
) -> None:
    await world.account("a")
    await world.instance("b-1", bundle="b", expires="2027-01-01", status="EXPIRED")
    await world.instance("b-2", bundle="b", expires="2027-01-01")
    async with database.transaction() as connection:
        await accounts_repository.lock_accounts(connection, ["a"])
        assert await lifecycle.release(connection, ["a"], world.at("2027-02-01 00:00")) == 2
    assert await world.rows("SELECT type, instance_id FROM events ORDER BY sequence") == [
        ("instance.expired", "b-2"),
        ("instance.released", "b-1"),
        ("instance.released", "b-2"),
    ]
    await integrity.assert_holds()


@dst_nights.every_night
async def test_a_released_instance_cannot_be_changed(world: World, night: Night) -> None:
    await world.account("a", balance="10000.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, mode="AUTO")
    now = world.at(night.at("00:00", days=8))
    assert await lifecycle.expire_and_release(now) == LapseCounts(1, 1)
    before = await world.snapshot()
    with pytest.raises(errors.NotRenewableError) as refused:
        await renew_manually("i-1", months=12, now=now)
    assert [refusal.code for refusal in refused.value.refusals] == ["RELEASED"]
    for mode in model.RenewalMode:
        [refusal] = (await set_mode("i-1", mode, now)).refusals
        assert refusal.code == "RELEASED"
    assert await renew_automatically(now) == 0
    assert await lifecycle.expire_and_release(world.at(night.at("00:00", days=335))) == LapseCounts(0, 0)
    assert await world.snapshot() == before


@dst_nights.every_night
async def test_an_instance_renewed_within_its_retention_days_is_not_released(
    world: World, night: Night
) -> None:
    await world.account("a", balance="300.00", zone=night.zone)
    await world.instance("i-1", expires=night.last_day, anchor=night.anchor, price="300.00")
    await lifecycle.expire_and_release(world.at(night.at("00:00", days=1)))
    await renew_manually("i-1", months=1, now=world.at(night.at("23:59:59", days=7)))
    assert await lifecycle.expire_and_release(world.at(night.at("00:00", days=8))) == LapseCounts(0, 0)
    assert (await world.read("i-1")).status == "RUNNING"
    await integrity.assert_holds()


async def test_more_instances_than_one_batch_are_all_expired_and_released(world: World) -> None:
    for account in "ab":
        await world.account(account)
        await world.instances([f"{account}-{n}" for n in range(1_100)], account=account, expires="2027-01-31")
    assert await lifecycle.expire_and_release(world.at("2027-02-01 00:00")) == LapseCounts(2_200, 0)
    assert await lifecycle.expire_and_release(world.at("2027-02-08 00:00")) == LapseCounts(0, 2_200)
