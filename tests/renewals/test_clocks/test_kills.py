"""A move of a test clock is finished by another process after a kill, and charges nothing twice (rule 37)."""

import asyncio
import datetime as dt
import sys
import uuid
from pathlib import Path

import pytest
from arq import create_pool
from arq.connections import RedisSettings

from renewals.domain import clock as clocks
from renewals.test_clocks import advance
from tests.renewals.test_clocks import lives
from tests.renewals.test_clocks.lives import AT_ONCE, DAILY
from tests.support import integrity
from tests.support.fixtures import NOW, World
from workers import jobs

ROOT = Path(__file__).parents[3]
UNTIL = NOW + dt.timedelta(days=40)


async def open_equal_accounts(world: World) -> None:
    """Open two test accounts with equal instances, and money for only a part of them."""
    for account_id in (DAILY, AT_ONCE):
        await world.account(account_id, balance="700.00", test_clock=NOW)
        for number in range(8):
            await world.instance(
                f"{account_id}:i-{number}",
                account=account_id,
                expires=f"2027-01-{12 + number}",
                mode="AUTO" if number % 4 else "MANUAL",
                price="60.00",
            )


async def kill_after(ticks: int, url: str, move_id: uuid.UUID) -> None:
    """Start a process that works on a move, and kill it with SIGKILL during a tick."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.renewals.test_clocks.victim", url, str(move_id)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    for _ in range(ticks):
        assert await process.stdout.readline()
    await asyncio.sleep(0.005 * ticks)
    process.kill()
    await process.wait()


@pytest.mark.long
async def test_a_move_of_a_test_clock_that_is_killed_four_times_writes_the_same_rows(
    world: World, database_url: str, redis_url: str
) -> None:
    await open_equal_accounts(world)
    await lives.move(DAILY, UNTIL)
    request = advance.MoveRequest(UNTIL, "killed")
    move = await advance.begin(AT_ONCE, request, clocks.utc_now)
    for ticks in (1, 2, 3, 5):
        await kill_after(ticks, database_url, move.id)
    assert await world.value("SELECT ended_at FROM test_clock_moves WHERE id = $1", move.id) is None
    queue = await create_pool(RedisSettings.from_dsn(redis_url))
    assert await advance.list_abandoned(clocks.utc_now) == [], "another process may still work on the move"
    later = clocks.utc_now() + dt.timedelta(minutes=1)
    [abandoned] = await advance.list_abandoned(lambda: later)
    await jobs.enqueue_abandoned_moves(queue)
    await jobs.move_test_clock({"redis": queue}, str(abandoned))
    await queue.aclose()
    finished = await advance.advance(AT_ONCE, request, clocks.utc_now, seconds_max=0.0)
    assert finished.ended_at is not None
    assert await lives.read_rows(world, AT_ONCE) == await lives.read_rows(world, DAILY)
    await integrity.assert_holds()


async def test_concurrent_requests_for_the_same_move_do_each_tick_once(world: World) -> None:
    await open_equal_accounts(world)
    await lives.move_daily(DAILY, NOW, UNTIL)
    request = advance.MoveRequest(UNTIL, "twice")
    results = await asyncio.gather(
        *[advance.advance(AT_ONCE, request, clocks.utc_now, seconds_max=600) for _ in range(3)]
    )
    assert len({(move.id, move.renewed_count, move.event_count) for move in results}) == 1
    assert await lives.read_rows(world, AT_ONCE) == await lives.read_rows(world, DAILY)
    await integrity.assert_holds()


async def test_manual_renewals_during_a_move_succeed_and_keep_the_integrity_rules(world: World) -> None:
    await open_equal_accounts(world)
    buyer = await lives.buyer(world, AT_ONCE)
    moving = asyncio.create_task(lives.move(AT_ONCE, UNTIL))
    answers = []
    while not moving.done():
        answers.append(await buyer.renew([f"{AT_ONCE}:i-0"], months=1, key=str(uuid.uuid4())))
    await moving
    assert any(answer["__typename"] == "RenewInstancesSuccess" for answer in answers)
    await integrity.assert_holds()
