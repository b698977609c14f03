"""The rate of a nightly renewal run: against PostgreSQL's own limit, with several workers, and at 10 times the size."""

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import asyncpg

from benchmarks import results, sizes, stage
from benchmarks.engine import calls, limit, night, outcome, processes, verdict
from benchmarks.engine.outcome import PRODUCT, Measured, Outcome
from graphql_api.devserver import services
from renewals.observability import gc_tuning

ACCOUNTS = {"full": 10_000, "quick": 1_000}
LARGE = 10
"""The larger database has this many times the accounts of a round: at full size, one million due instances."""


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure the nightly run of each contender on copies of one database.

    Also measure the run of the product on a larger database, and renewals by mutations.
    """
    accounts = ACCOUNTS.get(size.name, ACCOUNTS["full"])
    with environment.on_both_cores(), services.Valkey(environment.folder) as queue:
        _prepare(environment, accounts)
        measured = Outcome(
            accounts,
            by_name=_rounds(environment, queue, accounts, size.rounds),
            large=_large(environment, accounts),
            seconds=_calls(environment, size.rounds),
        )
    return outcome.section(measured)


def _prepare(environment: stage.Stage, accounts: int) -> None:
    """Create a template database, run the product on a copy, and add to the template the rows that this run wrote.

    Every contender later runs on a copy of the template.
    """
    url = environment.create_database("night")
    asyncio.run(night.fill(url, accounts))
    copy_url = environment.create_database("engine", template="night")
    _contend(environment, PRODUCT, copy_url)
    asyncio.run(verdict.check(copy_url, accounts, staged=False))
    asyncio.run(limit.stage(copy_url, url))


def _rounds(
    environment: stage.Stage, queue: services.Valkey, accounts: int, rounds: int
) -> Mapping[str, list[Measured]]:
    """Run each contender once in each round, check each result, and return the measurements by contender."""
    by_name: dict[str, list[Measured]] = defaultdict(list)
    for number in range(rounds):
        for name in outcome.CONTENDERS[:: -1 if number % 2 else 1]:
            url = environment.create_database("engine", template="night")
            asyncio.run(_settle(url))
            if count := outcome.WORKERS.get(name):
                report = processes.renew(environment, queue, url, count)
            else:
                report = _contend(environment, name, url)
            asyncio.run(verdict.check(url, accounts))
            by_name[name].append(Measured.of(report))
            print(
                f"round {number + 1}, {name:<24} {by_name[name][-1].rate:9,.0f} instances/s", file=sys.stderr
            )
    return by_name


def _large(environment: stage.Stage, accounts: int) -> dict[str, Any]:
    """Run the product once on a new, larger database, check the result, and return the report."""
    url = environment.create_database("engine")
    asyncio.run(night.fill(url, LARGE * accounts))
    report = _contend(environment, PRODUCT, url)
    assert report["instances"] == LARGE * accounts * night.DUE_PER_ACCOUNT
    asyncio.run(verdict.check(url, LARGE * accounts, staged=False))
    print(f"large night: {report['instances'] / report['seconds']:,.0f} instances/s", file=sys.stderr)
    return report


def _calls(environment: stage.Stage, rounds: int) -> Mapping[str, list[tuple[float, float]]]:
    """Renew 10,000 instances with 1 call and with 100; return, for each, the seconds and CPU seconds of each round."""
    gc_tuning.tune_gc()  # the API does this when it starts
    asyncio.run(calls.fill(environment.create_database("orders", template="night")))
    seconds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(rounds):
        for name, size in ((outcome.ONE_CALL, calls.INSTANCES), (outcome.MANY_CALLS, 100))[
            :: -1 if number % 2 else 1
        ]:
            url = environment.create_database("engine", template="orders")
            asyncio.run(_settle(url))
            seconds[name].append(asyncio.run(calls.renew(url, size)))
            print(f"round {number + 1}, {name:<18} {seconds[name][-1][0]:6.2f} s", file=sys.stderr)
    return seconds


def _contend(environment: stage.Stage, name: str, url: str) -> dict[str, Any]:
    """Run a contender in a separate process, and return its report."""
    command = [sys.executable, "-m", "benchmarks.engine", name, url, str(environment.postgres.pid)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(process.stdout)
    return report


async def _settle(url: str) -> None:
    """Write PostgreSQL's changed pages to disk, so that this work is not part of the measurement."""
    connection = await asyncpg.connect(url)
    await connection.execute("CHECKPOINT")
    await connection.close()
