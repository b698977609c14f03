"""Test runs at an instant that an operator chooses, and their previews, which write nothing."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from renewals.auto_renewal import runs
from renewals.db import connection as database
from renewals.demo import loader
from renewals.domain import errors
from renewals.instances import lifecycle
from renewals.operators import run_now
from renewals.operators.run_now import AccountPreview
from tests.renewals import dst_nights
from tests.renewals.auto_renewal import test_parking
from tests.renewals.dst_nights import Night
from tests.support import integrity
from tests.support.fixtures import NO_TRACE, World, fixed_clock


async def read_all_rows(world: World) -> dict[str, list[str]]:
    """Return every row of every table, including the tables of runs."""
    traces = {
        table: [str(row) for row in await world.rows(f"SELECT * FROM {table} ORDER BY 1")]
        for table in NO_TRACE
    }
    return await world.snapshot() | traces


async def fill(world: World, night: Night) -> None:
    """Create four accounts: with enough money, with too little, with only expiring instances, and with no instances."""
    last_day = night.last_day
    about: dict[str, Any] = {"expires": last_day, "anchor": night.anchor, "mode": "AUTO"}
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
async def test_the_preview_of_a_run_has_the_same_counts_and_total_as_the_run(
    world: World, night: Night
) -> None:
    await fill(world, night)
    at = dst_nights.utc(night.due_from)
    preview = await run_now.preview_run(at)
    result = await run_now.run_now(at, lambda: at)
    assert sum(account.due_count for account in preview.accounts) == 4 + 4
    assert sum(account.renewed_count for account in preview.accounts) == result.run.renewed_count == 4 + 2
    assert sum(account.refused_count for account in preview.accounts) == result.run.refused_count == 2
    assert (
        sum(account.total_cents for account in preview.accounts) == result.run.amount_cents == 60_02 + 40_00
    )
    lapsed = lifecycle.LapseCounts(
        sum(account.expired_count for account in preview.accounts),
        sum(account.released_count for account in preview.accounts),
    )
    assert lapsed == result.lapsed == lifecycle.LapseCounts(4, 2)
    assert result.run.skipped_count == 0
    await integrity.assert_holds()


async def test_a_preview_has_the_counts_and_payments_of_each_account(world: World) -> None:
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
async def test_a_preview_changes_no_row(world: World, night: Night) -> None:
    await fill(world, night)
    before = await read_all_rows(world)
    for days in (-30, -1, 0, 1, 5, 400):
        await run_now.preview_run(dst_nights.utc(night.due_from) + dt.timedelta(days=days))
    assert await read_all_rows(world) == before


async def remove_test_clock(account_id: str) -> None:
    """Remove a test account's clock, for which the database's triggers must be disabled."""
    async with database.transaction() as connection:
        await database.execute(connection, "SET LOCAL session_replication_role = replica")
        sql = "UPDATE accounts SET test_clock = NULL WHERE id = $1"
        await database.execute(connection, sql, account_id)


async def test_previews_of_the_demo_account_have_the_same_counts_and_total_as_the_runs(world: World) -> None:
    day = dt.date(2027, 1, 31)
    await loader.load(day)
    await remove_test_clock(loader.ACCOUNT_ID)
    for days in (0, 1, 2, 3, 10, 31, 62):
        at = dt.datetime.combine(day + dt.timedelta(days), dt.time(0, 30), loader.ZONE).astimezone(dt.UTC)
        [preview] = (await run_now.preview_run(at)).accounts or [AccountPreview(loader.ACCOUNT_ID)]
        result = await run_now.run_now(at, fixed_clock(at))
        assert (preview.renewed_count, preview.refused_count, preview.total_cents) == (
            *(result.run.renewed_count, result.run.refused_count, result.run.amount_cents),
        )
        assert lifecycle.LapseCounts(preview.expired_count, preview.released_count) == result.lapsed


async def test_a_run_in_the_future_is_refused_and_changes_no_row(world: World) -> None:
    night = dst_nights.NIGHTS["31 January in Shanghai"]
    await fill(world, night)
    before = await read_all_rows(world)
    now = dst_nights.utc(night.due_from)
    for ahead in (dt.timedelta(seconds=1), dt.timedelta(days=30), dt.timedelta(days=36_500)):
        with pytest.raises(
            errors.InvalidInputError, match="must not be after the current time, 2027-01-30T16:30:00"
        ):
            await run_now.run_now(now + ahead, lambda: now)
    assert await read_all_rows(world) == before


async def test_a_run_at_a_past_instant_renews_an_instance_that_has_expired_since(world: World) -> None:
    await world.account("a", balance="100.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="20.00")
    morning = world.at("2027-02-01 08:00")
    result = await run_now.run_now(world.at("2027-01-31 23:00"), lambda: morning)
    assert (result.run.renewed_count, result.lapsed) == (1, lifecycle.LapseCounts(0, 0))
    assert await world.expiry("i-1") == "2027-02-28"


async def test_a_preview_has_the_error_of_an_account_to_be_parked_and_plans_the_other_accounts(
    world: World,
) -> None:
    for account_id in "abc":
        await world.account(account_id, balance="1000.00")
        await world.instance(f"{account_id}-1", account=account_id, expires="2027-01-31", mode="AUTO")
    await test_parking.poison("b")
    preview = await run_now.preview_run(world.at(test_parking.AT))
    assert [
        (account.account_id, account.due_count, account.renewed_count) for account in preview.accounts
    ] == [*[("a", 1, 1), ("b", 1, 0), ("c", 1, 1)]]
    at = world.at(test_parking.AT)
    await run_now.run_now(at, lambda: at)
    parked = await world.value("SELECT error FROM renewal_chunks WHERE error IS NOT NULL")
    assert preview.accounts[1].error == parked


async def test_the_next_run_finishes_an_interrupted_run_and_returns_the_counts_of_both_runs(
    world: World, settings_override: Callable[..., None]
) -> None:
    settings_override(instances_per_chunk=1)
    for account_id in "ab":
        await world.account(account_id, balance="100.00")
        await world.instance(
            f"{account_id}-1", account=account_id, expires="2027-01-31", mode="AUTO", price="20.00"
        )
    at = world.at("2027-01-31 00:30")
    interrupted = await runs.start_run(runs.Trigger.OPERATOR, at, at, clock_at=at)
    later = world.at("2027-01-31 01:30")
    assert (await run_now.preview_run(later)).unfinished_run_ids == [interrupted]
    result = await run_now.run_now(later, lambda: later)
    assert [(run.id, run.renewed_count, run.amount_cents, run.ended_at) for run in result.finished] == [
        (interrupted, 2, 40_00, later)
    ]
    assert (result.run.renewed_count, result.run.skipped_count, result.run.ended_at) == (0, 0, later)
    assert await world.count("order_lines") == 2
    await integrity.assert_holds()
