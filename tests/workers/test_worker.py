"""The worker as a process that is really killed. Pending work is in PostgreSQL; arq only starts it (rule 23)."""

import asyncio
import contextlib
import datetime as dt
import signal
from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest
import redis
from arq.connections import ArqRedis

from renewals.auto_renewal import chunks, runs
from renewals.domain import clock as clocks
from tests.chaos import processes
from tests.support import integrity
from tests.support.fixtures import World
from tests.support.waiting import eventually
from tests.workers.conftest import Start
from workers import jobs, main

# The worker, with its periodic jobs due immediately.
IMMEDIATE_JOBS_WORKER = """
import asyncio, datetime as dt
from renewals import config
from workers import main
create = main.create
def at_once(*given):
    worker = create(*given)
    for job in worker.cron_jobs:
        job.next_run = dt.datetime.now(dt.UTC)
    return worker
main.create = at_once
asyncio.run(main.run(config.get_settings()))
"""

# The worker, with less time until its marks of jobs in progress expire.
SHORT_MARK_SECONDS = 3
SHORT_MARK_WORKER = f"""
import asyncio
from renewals import config
from workers import main
main.IN_PROGRESS_TTL_SECONDS = {SHORT_MARK_SECONDS}
asyncio.run(main.run(config.get_settings()))
"""


async def put_due(world: World, *accounts: str, price: str = "10.00") -> None:
    """Create two due instances per account. Their last day is today, in a time zone where it is about noon."""
    now = dt.datetime.now(dt.UTC)
    east = 12 - now.hour
    today = (now + dt.timedelta(hours=east)).date()
    for account in accounts:
        await world.account(account, balance="100.00", zone=f"Etc/GMT{-east:+}")
        ids = [f"{account}-1", f"{account}-2"]
        await world.instances(ids, account=account, expires=today.isoformat(), mode="AUTO", price=price)


async def exit_code(worker: processes.Process, seconds: float = 20) -> int:
    return await asyncio.wait_for(worker.ended(), seconds)


async def all_ended(world: World) -> bool:
    """Return whether there is at least one run, and all runs have ended."""
    return bool(await world.value("SELECT count(*) > 0 AND bool_and(ended_at IS NOT NULL) FROM renewal_runs"))


async def is_empty(queue: ArqRedis) -> bool:
    return not await queue.zcard(queue.default_queue_name)


async def has_value(world: World, sql: str, answer: object) -> bool:
    return bool(await world.value(sql) == answer)


async def assert_each_charged_once(world: World, *accounts: str) -> None:
    assert await world.rows("SELECT id, balance_cents FROM accounts ORDER BY id") == [
        (a, 80_00) for a in accounts
    ]
    assert await world.count("order_lines") == 2 * len(accounts)
    assert await world.value("SELECT count(*) FROM renewal_attempts WHERE succeeded") == 2 * len(accounts)
    assert await chunks.list_pending_chunks() == []
    await integrity.assert_holds()


@contextlib.asynccontextmanager
async def locked(url: str, account: str) -> AsyncIterator[None]:
    """Lock the account's row in another session, so that the worker's chunk waits."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"BEGIN; SELECT FROM accounts WHERE id = '{account}' FOR UPDATE")
        yield
    finally:
        await connection.close()


WAITING_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def test_a_starting_worker_renews_due_instances_and_no_expired_instances(
    world: World, start: Start
) -> None:
    await put_due(world, "a")
    await world.account("late", balance="100.00")
    before = (dt.datetime.now(dt.UTC) - dt.timedelta(days=2)).date().isoformat()
    await world.instance("late-1", account="late", expires=before, mode="AUTO", price="10.00")
    worker = start()
    await eventually(lambda: all_ended(world))
    assert await world.rows("SELECT trigger, renewed_count, amount_cents FROM renewal_runs LIMIT 1") == [
        ("SCHEDULED", 2, 20_00)
    ]
    worker.signal(signal.SIGTERM)
    assert await exit_code(worker) == 0
    assert await world.count("order_lines") == 2
    assert await world.expiry("late-1") == before
    assert [await world.balance(account) for account in ("a", "late")] == ["80.00", "100.00"]
    await integrity.assert_holds()


async def test_three_workers_started_at_once_charge_once(world: World, start: Start) -> None:
    await put_due(world, *"abcdefgh")
    workers = [start(RENEWALS_INSTANCES_PER_CHUNK="1") for _ in range(3)]
    await eventually(
        lambda: world.value("SELECT count(*) = 3 FROM renewal_runs")
    )  # each worker has opened a run, so all are running
    await eventually(lambda: all_ended(world))
    for worker in workers:
        worker.signal(signal.SIGTERM)
    assert [await exit_code(worker) for worker in workers] == [0, 0, 0]
    assert await all_ended(world)
    assert await world.value("SELECT count(*) FROM renewal_runs WHERE trigger = 'SCHEDULED'") == 1
    await assert_each_charged_once(world, *"abcdefgh")


async def test_a_worker_completes_the_run_of_killed_workers_at_once_and_charges_once(
    world: World, database_url: str, start: Start
) -> None:
    accounts = [f"a{number:02}" for number in range(20)]
    await put_due(world, *accounts)
    for victim in ("a05", "a13"):
        async with locked(database_url, victim):
            worker = start(RENEWALS_INSTANCES_PER_CHUNK="1", RENEWALS_WORKER_CHUNKS_AT_ONCE="1")
            await eventually(lambda: world.value(WAITING_SESSIONS))
            await worker.kill()
        done = await world.value("SELECT count(*) FROM renewal_chunks WHERE done_at IS NOT NULL")
        assert 0 < done < 20, "killed in the middle"
    started_at = asyncio.get_running_loop().time()
    start(RENEWALS_INSTANCES_PER_CHUNK="1")
    await eventually(lambda: all_ended(world))
    took_seconds = asyncio.get_running_loop().time() - started_at
    assert took_seconds < main.IN_PROGRESS_TTL_SECONDS / 2, (
        "the new worker waited for the marks of the killed workers"
    )
    await assert_each_charged_once(world, *accounts)


async def test_a_chunk_moves_to_another_worker_only_after_its_worker_was_killed(
    world: World, database_url: str, queue: ArqRedis, start: Start
) -> None:
    """The second worker exists all the time, and no further worker starts."""
    first_worker, second_worker = start("-c", SHORT_MARK_WORKER), start("-c", SHORT_MARK_WORKER)
    await eventually(lambda: has_value(world, "SELECT count(*) FROM renewal_runs", 2))  # both are running
    await put_due(world, "a")
    async with locked(database_url, "a"):
        second_worker.signal(signal.SIGSTOP)
        now = clocks.utc_now()
        await runs.start_run(runs.Trigger.OPERATOR, now, now)
        await jobs.enqueue_pending_chunks(queue)
        await eventually(lambda: has_value(world, WAITING_SESSIONS, 1))
        [mark] = await queue.keys("arq:in-progress:renew:*")
        assert 0 < await queue.pttl(mark) <= 1_000 * SHORT_MARK_SECONDS
        second_worker.signal(signal.SIGCONT)
        await asyncio.sleep(1.5 * SHORT_MARK_SECONDS)
        assert await world.value(WAITING_SESSIONS) == 1
        first_worker.signal(signal.SIGKILL)
        # PostgreSQL does not detect the killed client while its session waits for the lock.
        await eventually(lambda: has_value(world, WAITING_SESSIONS, 2), SHORT_MARK_SECONDS + 5)
    await eventually(lambda: all_ended(world))
    await assert_each_charged_once(world, "a")


async def test_sigterm_completes_the_current_chunks_and_starts_no_other_chunk(
    world: World, database_url: str, start: Start
) -> None:
    await put_due(world, *"abcdef")
    one_by_one = {"RENEWALS_INSTANCES_PER_CHUNK": "1", "RENEWALS_WORKER_CHUNKS_AT_ONCE": "1"}
    async with locked(database_url, "a"), locked(database_url, "b"):
        worker = start(**one_by_one)
        await eventually(lambda: has_value(world, WAITING_SESSIONS, 2))
        worker.signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        assert worker.is_alive
        assert await world.count("order_lines") == 0
    assert await exit_code(worker) == 0
    done = (
        "SELECT string_agg(account_ids[1], '' ORDER BY number) FROM renewal_chunks WHERE done_at IS NOT NULL"
    )
    assert await world.value(done) == "ab"
    start(**one_by_one)
    await eventually(lambda: all_ended(world))
    await assert_each_charged_once(world, *"abcdef")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_worker_exits_with_code_0_on_a_signal(
    world: World, start: Start, signal_number: signal.Signals
) -> None:
    worker = start()
    await eventually(lambda: all_ended(world))
    worker.signal(signal_number)
    assert await exit_code(worker) == 0


async def test_the_sweep_fills_an_emptied_queue_again_without_duplicate_jobs(
    world: World, redis_url: str, queue: ArqRedis, start: Start
) -> None:
    await put_due(world, *"abc")
    now = clocks.utc_now()
    await runs.start_scheduled_run(now)
    await jobs.run_every_minute({"redis": queue})
    with redis.Redis.from_url(redis_url) as client:
        assert client.zcard("arq:queue") == 1
        client.flushdb()
    for _ in range(3):
        await jobs.run_every_minute({"redis": queue})
    assert [(job.function, *job.args) for job in await queue.queued_jobs()] == [("renew_chunk", 1, 0)]
    start()
    await eventually(lambda: all_ended(world))
    await assert_each_charged_once(world, *"abc")


async def test_a_job_is_json_with_the_number_of_a_chunk(
    world: World, database_url: str, redis_url: str, start: Start
) -> None:
    await put_due(world, "a")
    async with locked(database_url, "a"):
        start()
        await eventually(lambda: world.value(WAITING_SESSIONS))
        with redis.Redis.from_url(redis_url) as client:
            job = orjson.loads(client.get("arq:job:renew:1:0"))
            assert [client.get(key) for key in client.scan_iter("arq:result:*")] == []
    assert (job["f"], job["a"], job["k"]) == ("renew_chunk", [1, 0], {})
    await eventually(lambda: all_ended(world))


async def test_a_lost_connection_to_the_database_ends_a_chunk_but_not_the_worker(
    world: World, database_url: str, queue: ArqRedis, start: Start
) -> None:
    await put_due(world, "a")
    async with locked(database_url, "a"):
        worker = start()
        await eventually(lambda: world.value(WAITING_SESSIONS))
        await world.rows(WAITING_SESSIONS.replace("count(*)", "pg_terminate_backend(pid)"))
    await eventually(lambda: is_empty(queue))
    assert await world.count("order_lines") == 0
    await jobs.run_every_minute({"redis": queue})
    await eventually(lambda: all_ended(world))
    assert worker.is_alive
    await assert_each_charged_once(world, "a")


async def test_the_periodic_jobs_make_the_hourly_run_and_expire_instances(world: World, start: Start) -> None:
    await put_due(world, "a")
    await world.account("late")
    days_ago = [(dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).date().isoformat() for days in (2, 20)]
    await world.instance("late-1", account="late", expires=days_ago[0], mode="AUTO")
    await world.instance("late-2", account="late", expires=days_ago[1], mode="AUTO")
    start("-c", IMMEDIATE_JOBS_WORKER)
    status = "SELECT string_agg(status, ' ' ORDER BY id) FROM instances WHERE account_id = 'late'"
    await eventually(lambda: has_value(world, status, "EXPIRED RELEASED"))
    await eventually(lambda: all_ended(world))
    assert await world.count("renewal_runs") == 1
    assert await world.balance("a") == "80.00"
