"""A run on an operator's clock: never in the future, and its preview is what it then does, without a row written."""

import datetime as dt
from collections.abc import Callable

import pytest

from renewals.auto_renewal import runs
from renewals.demo import loader
from renewals.domain import errors
from renewals.instances import lifecycle
from renewals.operators import run_now
from renewals.operators.run_now import AccountPreview
from tests.renewals import dst_nights
from tests.renewals.auto_renewal import test_parking
from tests.renewals.dst_nights import Night
from tests.support import integrity
from tests.support.fixtures import NO_TRACE, World

ALL = frozenset[str]()
"""The tables that a snapshot of everything leaves out."""


async def everything(world: World) -> dict[str, list[str]]:
    """Every row of every table, those of runs among them."""
    traces = {
        table: [str(row) for row in await world.rows(f"SELECT * FROM {table} ORDER BY 1")]
        for table in NO_TRACE
    }
    return await world.snapshot() | traces


async def fill(world: World, night: Night) -> None:
    """Three accounts: one that can pay all, one that cannot, one of which things lapse only; and one with nothing."""
    last_day, about = night.last_day, {"expires": night.last_day, "anchor": night.anchor, "mode": "AUTO"}
    for account, balance in {"a": "1000.00", "b": "50.00", "c": "0.00", "d": "5.00"}.items():
        await world.account(account, balance=balance, zone=night.zone)
    await world.voucher("30.00", expires=last_day)
    await world.voucher("7.00", expires=night.day(-1))
    await world.instances(["a-1", "a-2"], price="20.00", **about)
    await world.instances(["a-k", "a-e"], product="kec", bundle="k", price="10.01", **about)
    await world.instances(["b-1", "b-2", "b-3"], account="b", price="20.00", **about)
    await world.instance("b-4", account="b", price="20.00", months=36, product="eip", **about)
    await world.instance("b-5", account="b", expires=night.day(-1), mode="AUTO")
    await world.instances(["c-1", "c-2"], account="c", expires=night.day(-1))
    await world.instance("c-3", account="c", expires=night.day(-8))
    await world.instance("c-4", account="c", expires=night.day(-8), mode="NONE", status="EXPIRED")
    await world.instance("d-1", account="d", expires=night.day(1), mode="AUTO")


@dst_nights.every_night
async def test_a_preview_is_what_the_run_then_does(world: World, night: Night) -> None:
    await fill(world, night)
    at = dst_nights.utc(night.due_from)
    found = await run_now.preview_run(at)
    result = await run_now.run_now(at, lambda: at)
    assert sum(each.due_count for each in found.accounts) == 4 + 4
    assert sum(each.renewed_count for each in found.accounts) == result.run.renewed_count == 4 + 2
    assert sum(each.refused_count for each in found.accounts) == result.run.refused_count == 2
    assert sum(each.total_cents for each in found.accounts) == result.run.amount_cents == 60_02 + 40_00
    lapsed = lifecycle.LapseCounts(
        sum(each.expired_count for each in found.accounts),
        sum(each.released_count for each in found.accounts),
    )
    assert lapsed == result.lapsed == lifecycle.LapseCounts(4, 2)
    assert result.run.skipped_count == 0
    await integrity.assert_holds()


async def test_a_preview_says_of_each_account_what_becomes_of_it_and_how_it_pays(world: World) -> None:
    night = dst_nights.NIGHTS["31 January in Shanghai"]
    await fill(world, night)
    at = dst_nights.utc(night.due_from)
    short = errors.RefusalCode.INSUFFICIENT_FUNDS
    assert (await run_now.preview_run(at)).accounts == [
        AccountPreview("a", due_count=4, renewed_count=4, voucher_cents=30_00, balance_cents=30_02),
        AccountPreview(
            *("b", 4, 2, 0, 40_00),
            refusal_counts={short: 2},
            expired_count=1,
        ),
        AccountPreview("c", expired_count=3, released_count=2),
    ]
    await run_now.run_now(at, lambda: at)
    assert await world.balance("a") == "969.98"
    assert await world.balance("b") == "10.00"


@dst_nights.every_night
async def test_a_preview_leaves_every_table_as_it_was(world: World, night: Night) -> None:
    await fill(world, night)
    before = await everything(world)
    for days in (-30, -1, 0, 1, 5, 400):
        await run_now.preview_run(dst_nights.utc(night.due_from) + dt.timedelta(days=days))
    assert await everything(world) == before


async def test_of_a_demo_account_every_preview_is_what_the_run_then_does(world: World) -> None:
    day = dt.date(2027, 1, 31)
    await loader.load(day)
    for days in (0, 1, 2, 3, 10, 31, 62):
        at = dt.datetime.combine(day + dt.timedelta(days), dt.time(0, 30), loader.ZONE).astimezone(dt.UTC)
        [found] = (await run_now.preview_run(at)).accounts or [AccountPreview(loader.ACCOUNT_ID)]
        result = await run_now.run_now(at, lambda at=at: at)
        assert (found.renewed_count, found.refused_count, found.total_cents) == (
            *(result.run.renewed_count, result.run.refused_count, result.run.amount_cents),
        )
        assert lifecycle.LapseCounts(found.expired_count, found.released_count) == result.lapsed


async def test_a_run_in_the_future_is_refused_and_changes_nothing(world: World) -> None:
    night = dst_nights.NIGHTS["31 January in Shanghai"]
    await fill(world, night)
    before = await everything(world)
    now = dst_nights.utc(night.due_from)
    for ahead in (dt.timedelta(seconds=1), dt.timedelta(days=30), dt.timedelta(days=36_500)):
        with pytest.raises(errors.InvalidInputError, match="is in the future, as it is 2027-01-30T16:30:00"):
            await run_now.run_now(now + ahead, lambda: now)
    assert await everything(world) == before


async def test_a_run_now_or_in_the_past_catches_up(world: World) -> None:
    await world.account("a", balance="100.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="20.00")
    morning = world.at("2027-02-01 08:00")
    result = await run_now.run_now(world.at("2027-01-31 23:00"), lambda: morning)
    assert (result.run.renewed_count, result.lapsed) == (1, lifecycle.LapseCounts(0, 0))
    assert await world.expiry("i-1") == "2027-02-28"


async def test_a_preview_names_the_account_that_would_be_parked_and_plans_the_others(world: World) -> None:
    for account_id in "abc":
        await world.account(account_id, balance="1000.00")
        await world.instance(f"{account_id}-1", account=account_id, expires="2027-01-31", mode="AUTO")
    await test_parking.poison("b")
    found = await run_now.preview_run(world.at(test_parking.AT))
    assert [(each.account_id, each.due_count, each.renewed_count) for each in found.accounts] == [
        *[("a", 1, 1), ("b", 1, 0), ("c", 1, 1)]
    ]
    at = world.at(test_parking.AT)
    await run_now.run_now(at, lambda: at)
    parked = await world.value("SELECT error FROM renewal_chunks WHERE error IS NOT NULL")
    assert found.accounts[1].error == parked


async def test_the_next_run_finishes_what_another_left_with_the_counts_of_each(
    world: World, settings_override: Callable[..., None]
) -> None:
    settings_override(instances_per_chunk=1)
    for account_id in "ab":
        await world.account(account_id, balance="100.00")
        await world.instance(
            f"{account_id}-1", account=account_id, expires="2027-01-31", mode="AUTO", price="20.00"
        )
    at = world.at("2027-01-31 00:30")
    left = await runs.start_run(runs.Trigger.OPERATOR, at, at, clock_at=at)
    later = world.at("2027-01-31 01:30")
    assert (await run_now.preview_run(later)).unfinished_run_ids == [left]
    result = await run_now.run_now(later, lambda: later)
    assert [(run.id, run.renewed_count, run.amount_cents, run.ended_at) for run in result.finished] == [
        (left, 2, 40_00, later)
    ]
    assert (result.run.renewed_count, result.run.skipped_count, result.run.ended_at) == (0, 0, later)
    assert await world.count("order_lines") == 2
    await integrity.assert_holds()
