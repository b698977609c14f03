"""`renewals run-now`: it refuses a future instant, except for dry runs, and finishes killed runs."""

import asyncio
import datetime as dt
import json
import os
import re
import signal
import sys
import time

import asyncpg
import pytest

from renewals.db import connection as database
from tests.support.cli import Renewals, query
from tests.support.fixtures import World

NOW = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
DUE = "2027-01-31T00:30+08:00"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
TABLES = (
    *(
        "renewal_runs",
        "renewal_chunks",
        "renewal_attempts",
        "orders",
        "ledger_entries",
        "events",
        "reminders",
    ),
    *("account_watches", "instances"),
)


@pytest.fixture
async def due_url(database_url: str) -> str:
    """Return a database with two accounts that have instances due on 31 January. One cannot pay for all of them."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="500.00")
        await world.voucher("100.00")
        await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO", price="300.00")
        await world.instance("i-3", expires="2027-01-30")
        await world.account("账户", balance="50.00")
        await world.instances(
            ["j-1", "j-2"], account="账户", expires="2027-01-31", mode="AUTO", price="30.00"
        )
        await world.instance("j-3", account="账户", expires="2027-01-11")
    return database_url


def read_tables(url: str) -> list[object]:
    return [query(url, f"SELECT t::text FROM {table} t ORDER BY 1") for table in TABLES]


def test_a_run_in_the_future_is_refused_and_writes_no_data(renewals: Renewals, due_url: str) -> None:
    before = read_tables(due_url)
    done = renewals("run-now", "--at", "2027-01-31T00:30", DATABASE_URL=due_url)
    assert (done.exit_code, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("--at: must not be after the current time, 20")
    assert line.endswith("only a dry run can be in the future (--dry-run)")
    assert read_tables(due_url) == before


def test_a_dry_run_prints_the_result_for_each_account_and_writes_no_data(
    renewals: Renewals, due_url: str
) -> None:
    before = read_tables(due_url)
    done = renewals("run-now", "--dry-run", "--at", DUE, DATABASE_URL=due_url)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (
        done.stdout
        == """\
dry run at 2027-01-30T16:30:00+00:00: nothing is written

account       due  renewed   total  vouchers  balance  refused  expired  released  why refused
a               2        2  600.00    100.00   500.00        0        1         0
账户            2        1   30.00      0.00    30.00        1        1         1  Insufficient funds 1
all accounts    4        3  630.00    100.00   530.00        1        2         1
"""
    )
    assert read_tables(due_url) == before


def test_a_dry_run_in_chinese_has_the_same_numbers(renewals: Renewals, due_url: str) -> None:
    done = renewals("run-now", "--dry-run", "--at", DUE, "--lang", "zh", DATABASE_URL=due_url)
    assert (
        done.stdout
        == """\
试运行（2027-01-30T16:30:00+00:00）：不写入任何数据

账户      待续费  续费    总价  代金券    余额  未续费  过期  释放  未续费原因
a              2     2  600.00  100.00  500.00       0     1     0
账户           2     1   30.00    0.00   30.00       1     1     1  余额不足 1
全部账户       4     3  630.00  100.00  530.00       1     2     1
"""
    )


def test_a_run_in_chinese_has_the_same_numbers(renewals: Renewals, due_url: str) -> None:
    done = renewals("run-now", "--at", DUE, "--lang", "zh", now=NOW, DATABASE_URL=due_url)
    assert done.stdout == (
        "续费批次 1（2027-01-30T16:30:00+00:00）：续费 3 个，金额 630.00，未续费 1 个，跳过 0 个，"
        "过期 2 个，释放 1 个\n"
    )
    assert "已完成 1 组，共 1 组" in done.stderr


def test_a_run_has_the_result_of_its_dry_run(renewals: Renewals, due_url: str) -> None:
    dry_run = json.loads(renewals("run-now", "--dry-run", "--json", "--at", DUE, DATABASE_URL=due_url).stdout)
    assert (dry_run["at"], dry_run["unfinishedRunIds"]) == ("2027-01-30T16:30:00+00:00", [])
    assert dry_run["accounts"][1] == {
        "accountId": "账户",
        "dueCount": 2,
        "renewedCount": 1,
        "total": "30.00",
        "voucherTotal": "0.00",
        "balanceTotal": "30.00",
        "refusedCount": 1,
        "refusals": [{"code": "INSUFFICIENT_FUNDS", "count": 1}],
        "expiredCount": 1,
        "releasedCount": 1,
        "error": None,
    }
    done = renewals("run-now", "--at", DUE, now=NOW, DATABASE_URL=due_url)
    assert done.stdout == (
        "run 1 at 2027-01-30T16:30:00+00:00: 3 renewed for 630.00, 1 refused, 0 skipped, 2 expired, 1 released\n"
    )


def test_json_output_without_a_dry_run_is_refused(renewals: Renewals, due_url: str) -> None:
    assert renewals("run-now", "--json", now=NOW, DATABASE_URL=due_url).exit_code == 2
    assert query(due_url, "SELECT count(*) FROM renewal_runs") == [(0,)]


async def kill_between_chunks(url: str) -> None:
    """Kill a `run-now` of two chunks with SIGKILL, when the first is done and the second waits for its account."""
    barrier = await asyncpg.connect(url)
    try:
        async with barrier.transaction():
            await barrier.execute("SELECT FROM accounts WHERE id = '账户' FOR UPDATE")
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.support.clocked_cli", DUE, "run-now"),
                env=os.environ | {"DATABASE_URL": url, "RENEWALS_INSTANCES_PER_CHUNK": "1"},
                stderr=asyncio.subprocess.DEVNULL,
            )
            done = "SELECT count(*) FROM renewal_chunks WHERE done_at IS NOT NULL"
            deadline = time.monotonic() + 60
            while not (await barrier.fetchval(done) and await barrier.fetchval(WAITING)):
                assert process.returncode is None
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL
    finally:
        await barrier.close()


def test_the_next_run_finishes_a_killed_run_and_prints_its_result(renewals: Renewals, due_url: str) -> None:
    asyncio.run(kill_between_chunks(due_url))
    [killed] = renewals("runs", DATABASE_URL=due_url).stdout.splitlines()
    assert "not ended: 0 renewed" in killed
    dry = renewals("run-now", "--dry-run", "--at", DUE, DATABASE_URL=due_url).stdout
    unfinished = re.search(r"^run (\d+) has not ended; run-now would finish it first\n", dry, re.MULTILINE)
    assert unfinished is not None
    run_id = int(unfinished[1])
    done = renewals("run-now", "--at", DUE, now=NOW, DATABASE_URL=due_url)
    assert done.exit_code == 0
    first, second = done.stdout.splitlines()
    assert first == f"interrupted run {run_id} was finished: 3 renewed for 630.00, 1 refused, 0 skipped"
    assert second.startswith(
        f"run {run_id + 1} at 2027-01-30T16:30:00+00:00: 0 renewed for 0.00, 1 refused, 0 skipped, "
    )
    listed = renewals("runs", DATABASE_URL=due_url).stdout.splitlines()
    assert ["not ended" in line for line in listed] == [False, False]
    assert ["consistent" in line for line in listed] == [True, True]
    assert query(due_url, "SELECT instance_id FROM order_lines ORDER BY 1") == [("i-1",), ("i-2",), ("j-1",)]
    assert renewals("verify", DATABASE_URL=due_url).exit_code == 0
