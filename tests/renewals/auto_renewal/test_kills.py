"""A chunk that is killed at any statement leaves no partial changes, and the next pass completes it (rule 23)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from renewals.auto_renewal import chunks, renew, runs
from renewals.auto_renewal.chunks import Chunk
from renewals.auto_renewal.runs import Trigger
from tests.renewals import dst_nights
from tests.renewals.dst_nights import NIGHTS, Night, utc
from tests.support import integrity
from tests.support.fixtures import World

# The place of a chunk when it is killed: the table that it reads or writes next, and the lock that stops it there.
PLACES = {
    "before the accounts are locked": ("accounts", "ACCESS EXCLUSIVE"),
    "before the products are read": ("products", "ACCESS EXCLUSIVE"),
    "before the vouchers are read": ("vouchers", "ACCESS EXCLUSIVE"),
    "before the instances are read": ("instances", "ACCESS EXCLUSIVE"),
    "before the orders": ("orders", "SHARE"),
    "between orders and lines": ("order_lines", "SHARE"),
    "between lines and entries": ("ledger_entries", "SHARE"),
    "between entries and balances": ("accounts", "SHARE"),
    "between balances and vouchers": ("vouchers", "SHARE"),
    "between vouchers and instances": ("instances", "SHARE"),
    "between instances and attempts": ("renewal_attempts", "SHARE"),
    "between attempts and the chunk's end": ("renewal_chunks", "SHARE"),
}

WAITING = """
    SELECT pid FROM pg_locks WHERE NOT granted AND relation = $1::regclass
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture
def night() -> Night:
    """Return the night of the tests that are not parametrized by nights."""
    return NIGHTS["31 January in Shanghai"]


@pytest.fixture
async def chunk(world: World, night: Night) -> Chunk:
    """Create a chunk of two accounts with vouchers. One account cannot pay for all of its due instances."""
    for account, balance in {"a": "1000.00", "b": "50.00"}.items():
        await world.account(account, balance=balance, zone=night.zone)
        await world.voucher("30.00", account=account, expires=night.last_day)
        ids = [f"{account}-{number}" for number in range(5)]
        about = {"expires": night.last_day, "anchor": night.anchor, "mode": "AUTO", "price": "20.00"}
        await world.instances(ids, account=account, **about)
    now = utc(night.due_from)
    run_id = await runs.start_run(Trigger.OPERATOR, now, now, clock_at=now)
    [chunk] = await chunks.list_pending_chunks(run_id)
    return chunk


@contextlib.asynccontextmanager
async def process_until_place(
    url: str, chunk: Chunk, place: str
) -> AsyncIterator[tuple[asyncio.Task[None], int]]:
    """Process a chunk until it waits at a place; yield its task and the process id of its connection."""
    table, mode = PLACES[place]
    barrier = await asyncpg.connect(url)
    try:
        await barrier.execute(f"BEGIN; LOCK TABLE {table} IN {mode} MODE")
        task = asyncio.create_task(renew.renew_chunk(chunk))
        async with asyncio.timeout(10):
            while not (pid := await barrier.fetchval(WAITING, table)):
                assert not task.done(), task.exception()
                await asyncio.sleep(0.005)
        yield task, pid
    finally:
        await barrier.close()


async def assert_next_pass_completes(world: World, chunk: Chunk) -> None:
    assert await world.value("SELECT done_at FROM renewal_chunks") is None
    assert await world.count("renewal_attempts") == 0
    assert await chunks.list_pending_chunks() == [chunk]
    await renew.renew_chunk(chunk)
    await runs.close_finished(world.at("2027-01-31 00:31"))
    done = await runs.get_run(chunk.run_id)
    assert (done.renewed_count, done.refused_count, done.amount_cents) == (5 + 4, 1, 180_00)
    assert [await world.balance(account) for account in "ab"] == ["930.00", "0.00"]
    await integrity.assert_holds()


@pytest.mark.parametrize("place", PLACES)
async def test_a_chunk_whose_connection_is_killed_changes_no_row_and_is_completed_by_the_next_pass(
    world: World, database_url: str, chunk: Chunk, place: str
) -> None:
    before = await world.snapshot()
    async with process_until_place(database_url, chunk, place) as (task, pid):
        assert await world.value("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await task
    assert await world.snapshot() == before
    await assert_next_pass_completes(world, chunk)


@pytest.mark.parametrize("place", PLACES)
async def test_a_canceled_chunk_changes_no_row_and_is_completed_by_the_next_pass(
    world: World, database_url: str, chunk: Chunk, place: str
) -> None:
    before = await world.snapshot()
    async with process_until_place(database_url, chunk, place) as (task, _):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await world.snapshot() == before
    await assert_next_pass_completes(world, chunk)


@dst_nights.every_night
async def test_a_second_worker_completes_a_chunk_after_the_connection_of_the_first_is_killed(
    world: World, database_url: str, chunk: Chunk, night: Night
) -> None:
    async with process_until_place(database_url, chunk, "between lines and entries") as (task, pid):
        second = asyncio.create_task(renew.renew_chunk(chunk))
        await asyncio.sleep(0.1)
        assert not second.done()
        assert await world.value("SELECT pg_terminate_backend($1)", pid)
        await asyncio.wait([task])
    await second
    assert task.exception() is not None
    assert await world.count("order_lines") == 9
    assert await world.expiry("a-0") == night.following
    assert await chunks.list_pending_chunks() == []
    await integrity.assert_holds()


async def test_a_run_whose_worker_stopped_after_the_last_chunk_is_ended_later(
    world: World, chunk: Chunk
) -> None:
    await renew.renew_chunk(chunk)
    assert (await runs.get_run(chunk.run_id)).ended_at is None
    done_at = world.at("2027-01-31 00:40")
    await runs.close_finished(done_at)
    done = await runs.get_run(chunk.run_id)
    assert (done.ended_at, done.renewed_count) == (done_at, 9)
