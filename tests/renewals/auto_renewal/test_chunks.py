"""A run is divided into chunks. A chunk that is done several times, by any worker, charges once (rules 21, 23, 24)."""

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from renewals.auto_renewal import chunks, renew, runs
from renewals.auto_renewal.chunks import Chunk
from renewals.auto_renewal.runs import Trigger
from renewals.domain import planning
from renewals.instances import selection
from renewals.orders import place_order, requests
from tests.renewals import dst_nights
from tests.renewals.dst_nights import NIGHTS, Night, utc
from tests.support import integrity, sql_log
from tests.support.fixtures import World


async def open_run(now: dt.datetime) -> list[Chunk]:
    """Create a run, and return its chunks."""
    run_id = await runs.start_run(Trigger.OPERATOR, now, now, clock_at=now)
    return await chunks.list_pending_chunks(run_id)


async def put_accounts(
    world: World, sizes: dict[str, int], night: Night = NIGHTS["31 January in Shanghai"]
) -> None:
    """Create accounts with 100,000.00 and the given numbers of instances at 10.00, which are due on the same day."""
    for account, size in sizes.items():
        await world.account(account, balance="100000.00", zone=night.zone)
        ids = [f"{account}-{number:03}" for number in range(size)]
        about = {"expires": night.last_day, "anchor": night.anchor, "mode": "AUTO", "price": "10.00"}
        await world.instances(ids, account=account, **about)


def test_due_accounts_are_divided_into_chunks_of_about_the_given_number_of_instances() -> None:
    due = {"c": 5, "a": 3, "b": 1, "e": 2, "d": 1}
    assert list(chunks.split_into_chunks(due, 4)) == [(["a", "b"], 4), (["c"], 5), (["d", "e"], 3)]
    assert list(chunks.split_into_chunks(due, 1_000)) == [(["a", "b", "c", "d", "e"], 12)]
    assert list(chunks.split_into_chunks({}, 4)) == []


async def test_no_account_is_split_between_chunks(
    world: World, settings_override: Callable[..., None]
) -> None:
    settings_override(instances_per_chunk=3)
    await put_accounts(world, {"a": 7, "b": 1, "c": 1, "d": 1, "e": 2, "f": 0})
    done = await renew.run_at(world.at("2027-01-31 00:30"))
    assert await world.rows(
        "SELECT account_ids, due_count, renewed_count FROM renewal_chunks ORDER BY number"
    ) == [*[(["a"], 7, 7), (["b", "c", "d"], 3, 3), (["e"], 2, 2)]]
    assert (done.renewed_count, done.amount_cents) == (12, 120_00)
    assert [await world.balance(account) for account in "af"] == ["99930.00", "100000.00"]
    await integrity.assert_holds()


async def test_instances_of_accounts_with_special_characters_in_the_id_are_renewed(world: World) -> None:
    ids = ["a,b", "{c}", 'd"e', "f\\g", "账户", "NULL"]
    await put_accounts(world, dict.fromkeys(ids, 1))
    done = await renew.run_at(dt.datetime(2027, 1, 30, 16, 30, tzinfo=dt.UTC))
    assert done.renewed_count == len(ids)
    assert {await world.balance(account) for account in ids} == {"99990.00"}


async def test_the_number_of_statements_of_a_chunk_does_not_grow_with_its_instances(world: World) -> None:
    statements: dict[int, list[str]] = {}
    for size in (1, 40):
        accounts = {f"{size}-{account}": size for account in "abc"}
        await put_accounts(world, accounts)
        for account in accounts:
            await world.voucher("15.00", account=account)
        [chunk] = await open_run(world.at("2027-01-31 00:30", account=f"{size}-a"))
        with sql_log.counted() as statements[size]:
            await renew.renew_chunk(chunk)
    assert await world.count("order_lines") == 3 * 1 + 3 * 40
    assert statements[1] == statements[40]
    assert len(statements[40]) <= 11
    await integrity.assert_holds()


@dst_nights.every_night
async def test_a_chunk_that_is_processed_twice_charges_each_instance_once(world: World, night: Night) -> None:
    await put_accounts(world, {"a": 3}, night)
    [chunk] = await open_run(utc(night.due_from))
    await renew.renew_chunk(chunk)
    rows_after_first = await world.snapshot()
    await renew.renew_chunk(chunk)
    assert await world.snapshot() == rows_after_first
    assert await world.balance() == "99970.00"
    assert await world.count("renewal_attempts") == 3
    await integrity.assert_holds()


@dst_nights.every_night
async def test_a_chunk_that_is_processed_five_times_concurrently_charges_each_instance_once(
    world: World, night: Night
) -> None:
    await put_accounts(world, {"a": 20, "b": 20}, night)
    [chunk] = await open_run(utc(night.due_from))
    await asyncio.gather(*(renew.renew_chunk(chunk) for _ in range(5)))
    await runs.close_finished(utc(night.due_from))
    assert (await runs.get_run(chunk.run_id)).renewed_count == 40
    assert [await world.balance(account) for account in "ab"] == ["99800.00", "99800.00"]
    assert await world.count("renewal_attempts") == 40
    await integrity.assert_holds()


@dst_nights.every_night
async def test_five_concurrent_runs_charge_each_instance_once(
    world: World, settings_override: Callable[..., None], monkeypatch: pytest.MonkeyPatch, night: Night
) -> None:
    settings_override(instances_per_chunk=2)
    await put_accounts(world, dict.fromkeys("abcdef", 2), night)
    all_opened, start_run = asyncio.Barrier(5), runs.start_run

    async def start_run_and_wait(*args: Any, **kwargs: Any) -> int | None:
        run_id = await start_run(*args, **kwargs)
        await all_opened.wait()  # without this, fewer instances are due for the last run than for the first
        return run_id

    monkeypatch.setattr(runs, "start_run", start_run_and_wait)
    done = await asyncio.gather(*(renew.run_at(utc(night.due_from)) for _ in range(5)))
    assert sum(run.renewed_count for run in done) == 12
    assert sum(run.renewed_count + run.skipped_count for run in done) == 5 * 12
    assert {await world.balance(account) for account in "abcdef"} == {"99980.00"}
    assert await world.count("order_lines") == 12
    await integrity.assert_holds()


async def test_concurrent_starts_at_the_same_scheduled_time_create_one_run(world: World) -> None:
    await put_accounts(world, {"a": 2})
    now = world.at("2027-01-31 00:30:01")
    run_ids = await asyncio.gather(*(runs.start_scheduled_run(now) for _ in range(5)))
    [run_id] = [run_id for run_id in run_ids if run_id is not None]
    assert await runs.start_scheduled_run(world.at("2027-01-31 01:29:59")) is None
    assert await world.rows("SELECT trigger, scheduled_at FROM renewal_runs") == [
        ("SCHEDULED", world.at("2027-01-31 00:30"))
    ]
    assert await chunks.list_pending_chunks() == [Chunk(run_id, 0)]
    assert await runs.start_scheduled_run(world.at("2027-01-31 01:30")) is not None


async def test_a_starting_worker_renews_due_instances_even_after_the_scheduled_run(world: World) -> None:
    await world.account("a", balance="100.00")
    assert await runs.start_catch_up_run(world.at("2027-01-31 00:40")) is not None
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="100.00")
    now = world.at("2027-01-31 00:45:12")
    run_id = await runs.start_catch_up_run(now)
    assert await chunks.list_pending_chunks() == [Chunk(run_id or 0, 0)]
    await renew.renew_chunk(Chunk(run_id or 0, 0), clock=lambda: now)
    assert await world.expiry("i-1") == "2027-02-28"
    assert await world.rows("SELECT trigger FROM renewal_runs ORDER BY id") == [("SCHEDULED",), ("START",)]
    await integrity.assert_holds()


@dst_nights.every_night
async def test_a_catch_up_run_renews_only_the_instances_that_have_not_expired(
    world: World, night: Night
) -> None:
    """No worker ran from three days before the last day until the afternoon of the last day."""
    await world.account("a", balance="900.00", zone=night.zone)
    for days in (-2, -1):
        await world.instance(f"i{days}", expires=night.day(days), mode="AUTO", price="300.00")
    await world.instance("i-0", expires=night.last_day, anchor=night.anchor, mode="AUTO", price="300.00")
    now = world.at(night.at("15:07"))
    run_id = await runs.start_catch_up_run(now)
    assert run_id is not None
    await renew.renew_chunk(Chunk(run_id, 0), clock=lambda: now)
    await runs.close_finished(now)
    assert await world.rows("SELECT instance_id FROM order_lines") == [("i-0",)]
    assert [await world.expiry(i) for i in ("i-2", "i-1")] == [night.day(-2), night.day(-1)]
    assert await world.expiry("i-0") == night.following
    run = await runs.get_run(run_id)
    assert (run.scheduled_at, run.lateness) == (world.at(night.at("14:30")), dt.timedelta(minutes=37))
    assert await world.balance() == "600.00"
    await integrity.assert_holds()


async def test_a_run_records_its_counts_its_amount_and_its_lateness(world: World) -> None:
    await world.account("a", balance="350.00")
    await world.instances(["i-1", "i-2"], mode="AUTO", price="300.00")
    await world.instance("i-3", mode="AUTO", price="50.00")
    tick, late = world.at("2027-01-31 00:30"), world.at("2027-01-31 00:30:45")
    run_id = await runs.start_run(Trigger.SCHEDULED, tick, late)
    assert run_id is not None
    for chunk in await chunks.list_pending_chunks(run_id):
        await renew.renew_chunk(chunk, clock=lambda: late)
    assert (await runs.get_run(run_id)).ended_at is None
    ended = world.at("2027-01-31 00:30:46")
    await runs.close_finished(ended)
    done = await runs.get_run(run_id)
    assert (done.trigger, done.scheduled_at, done.started_at, done.ended_at) == (
        "SCHEDULED",
        tick,
        late,
        ended,
    )
    assert (done.renewed_count, done.refused_count, done.skipped_count) == (2, 1, 0)
    assert (done.amount_cents, done.parked_count, done.broken_rules) == (350_00, 0, None)
    assert done.lateness == dt.timedelta(seconds=45)
    await runs.close_finished(world.at("2027-01-31 09:00"))
    assert (await runs.get_run(run_id)).ended_at == ended
    await integrity.assert_holds()


async def test_a_run_without_due_instances_is_recorded_and_ended(world: World) -> None:
    done = await renew.run_at(world_time := dt.datetime(2027, 1, 30, 16, 30, tzinfo=dt.UTC))
    assert (done.scheduled_at, done.renewed_count, done.amount_cents) == (world_time, 0, 0)
    assert done.ended_at is not None
    assert await world.count("renewal_chunks") == 0


@dst_nights.every_night
async def test_an_instance_that_expires_before_its_chunk_is_processed_is_not_renewed(
    world: World, night: Night
) -> None:
    await put_accounts(world, {"a": 1}, night)
    now = world.at(night.at("23:30"))
    run_id = await runs.start_run(Trigger.SCHEDULED, now, now)
    assert run_id is not None
    await renew.renew_chunk(Chunk(run_id, 0), clock=lambda: world.at(night.at("00:00", days=1)))
    await runs.close_finished(now)
    done = await runs.get_run(run_id)
    assert (done.renewed_count, done.refused_count, done.skipped_count) == (0, 0, 1)
    assert await world.balance() == "100000.00"


@dst_nights.every_night
async def test_an_instance_renewed_by_hand_before_its_chunk_is_processed_is_skipped(
    world: World, night: Night
) -> None:
    await put_accounts(world, {"a": 2}, night)
    now = utc(night.due_from)
    [chunk] = await open_run(now)
    pick = selection.ById(("a-000",))
    await place_order.place_order(
        "a", requests.OrderRequest(pick, planning.RenewFor(1), idempotency_key="k"), lambda: now
    )
    await renew.renew_chunk(chunk)
    await runs.close_finished(now)
    done = await runs.get_run(chunk.run_id)
    assert (done.renewed_count, done.refused_count, done.skipped_count) == (1, 0, 1)
    assert {await world.expiry(i) for i in ("a-000", "a-001")} == {night.following}
    assert await world.balance() == "99980.00"
    await integrity.assert_holds()
