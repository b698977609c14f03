"""The process pool: its results, the order of its accounts, lost processes, and the end of the parent process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from renewals import config
from renewals.compute import messages, process_pool
from renewals.compute.packed import Packed
from renewals.db import connection_turns
from renewals.db import errors as db_errors
from renewals.domain import errors, planning
from renewals.forecasts import forecast, instance_forecast
from renewals.instances import selection
from renewals.orders import place_order, requests
from tests.renewals.compute import jobs
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

REQUEST = requests.QuoteRequest(
    selection.ById((*(f"i-{n:03}" for n in range(400)), "not there")), planning.RenewFor(2)
)


@pytest.fixture
async def pool(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(process_pool, "NICE", 0)  # with a lower priority, tests would wait on a busy machine
    async with process_pool.opened(config.get_settings().model_copy(update={"database_url": database_url})):
        yield


@pytest.fixture
async def account(world: World) -> str:
    await world.account("a", balance="3000.00")
    await world.voucher("50.00", expires="2027-02-10")
    await world.instances([f"i-{n:03}" for n in range(400)], mode="AUTO", price="2.50")
    return "a"


async def test_forecasts_and_quotes_of_the_process_pool_equal_those_computed_directly(
    account: str, pool: None
) -> None:
    assert await process_pool.run(account, jobs.get_pid) != os.getpid()
    for days in (1, 40, 366):
        assert await forecast.read_forecast(account, days, NOW) == await forecast.read_whole_forecast(
            account, days, NOW
        )
    ids = [f"i-{n:03}" for n in range(0, 400, 7)]
    assert await instance_forecast.read_instance_forecasts(
        account, ids, NOW
    ) == await instance_forecast.read_whole(account, ids, NOW)
    pooled, direct = (
        await place_order.quote(account, REQUEST, NOW),
        await place_order._quote(account, REQUEST, NOW),
    )
    assert isinstance(pooled.lines, Packed)
    assert (list(pooled.lines), list(pooled.refusals)) == (list(direct.lines), list(direct.refusals))
    assert (pooled.payment, pooled.total_cents) == (direct.payment, direct.total_cents)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_a_packed_list_has_the_length_items_and_slices_of_the_list(count: int) -> None:
    items = list(range(count))
    packed = Packed(items)
    assert len(packed) == count and list(packed) == items
    for start in (0, 1, 99, 100, 150, 300):
        for length in (0, 1, 100, 101):
            assert packed[start : start + length] == items[start : start + length]


async def test_an_error_of_a_job_is_raised_to_its_caller(account: str, pool: None) -> None:
    with pytest.raises(errors.InvalidInputError, match=r"input\.x: is refused"):
        await process_pool.run(account, jobs.refuse, "input.x")
    with pytest.raises(ConnectionError) as outage:
        await process_pool.run(account, jobs.lose_database)
    assert db_errors.is_unavailable(outage.value)
    with pytest.raises(RuntimeError, match="1 2"):
        await process_pool.run(account, jobs.raise_unpicklable)
    assert await process_pool.run(account, jobs.get_pid)


@pytest.mark.long
async def test_the_job_of_a_killed_process_fails_as_an_outage_and_the_next_has_a_new_process(
    account: str, pool: None
) -> None:
    first = await process_pool.run(account, jobs.get_pid)
    working = asyncio.create_task(process_pool.run(account, jobs.block, 30.0))
    await asyncio.sleep(0.2)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(process_pool.ProcessLostError) as lost:
        await working
    assert db_errors.is_unavailable(lost.value)
    second = await process_pool.run(account, jobs.get_pid)
    os.kill(second, signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert await process_pool.run(account, jobs.get_pid) not in (first, second)


async def test_jobs_of_different_accounts_alternate_even_if_some_are_cancelled(pool: None) -> None:
    order: list[str] = []

    async def work(owner: str) -> None:
        await process_pool.run(owner, jobs.block, 0.05)
        order.append(owner)

    await work("warm")
    many = [asyncio.create_task(work("many")) for _ in range(10)]
    await asyncio.sleep(0.02)
    few = asyncio.create_task(work("few"))
    many[0].cancel()
    many[5].cancel()
    await asyncio.gather(few, *many, return_exceptions=True)
    assert order.index("few") <= 2 and order.count("many") == 8


async def test_a_job_beyond_the_waiting_limit_of_its_account_is_refused_as_busy(pool: None) -> None:
    working = [
        asyncio.create_task(process_pool.run("a", jobs.block, 0.0))
        for _ in range(process_pool.WAITING_PER_ACCOUNT_MAX + 1)
    ]
    await asyncio.sleep(0)
    with pytest.raises(process_pool.BusyError):
        await process_pool.run("a", jobs.block, 0.0)
    await asyncio.gather(*working)


async def test_a_waiting_job_is_refused_when_the_pool_closes() -> None:
    pool = process_pool.ProcessPool(config.get_settings(), 1)
    job = messages.Job(jobs.block, (30.0,))
    running, waiting = (asyncio.create_task(pool.run(account, job)) for account in ("a", "b"))
    await asyncio.sleep(0.2)
    await pool.close()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(process_pool.ProcessLostError):
        await waiting


async def test_a_waiting_job_is_refused_even_if_the_job_before_it_had_not_started() -> None:
    pool = process_pool.ProcessPool(config.get_settings(), 1)
    job = messages.Job(jobs.block, (30.0,))
    first, waiting = (asyncio.create_task(pool.run(account, job)) for account in ("a", "b"))
    await asyncio.sleep(0)  # the first job has the slot, but its task has not started
    async with asyncio.timeout(5):
        await pool.close()
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(process_pool.ProcessLostError):
            await waiting


async def test_twenty_forecasts_of_one_request_stay_within_the_waiting_limit_of_the_account(
    account: str, pool: None, world: World, graphql: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphql.key = await world.key(account)
    monkeypatch.setattr(process_pool._pool._slots, "_waiting_max", connection_turns.REQUEST_JOBS_MAX)  # type: ignore[union-attr]
    fields = " ".join(f"f{days}: forecast(days: {days}) {{ total }}" for days in range(40, 60))
    data = await graphql(f"{{ {fields} }}")
    assert len(data) == 20 and all(Decimal(result["total"]) > 0 for result in data.values())


PARENT = """
import asyncio, sys
from renewals import config
from renewals.compute import messages, process_pool
from renewals.compute.packed import Packed
from tests.renewals.compute import jobs

async def main():
    async with process_pool.opened(config.get_settings()):
        print(await process_pool.run("a", jobs.get_pid), flush=True)
        await process_pool.run("a", jobs.block, 60.0)

asyncio.run(main())
"""


def test_a_process_ends_when_its_parent_is_killed_during_a_job(
    database_url: str,
) -> None:
    command = [sys.executable, "-c", PARENT]
    environment = os.environ | {"DATABASE_URL": database_url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(number: int) -> bool:
    process_status = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(number)], capture_output=True, check=False
    )
    return bool(process_status.stdout.strip()) and not process_status.stdout.strip().startswith(b"Z")
