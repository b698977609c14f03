"""The nightly run: renewals a second, compared with the ORM way, with PostgreSQL itself, and at 10 times the size."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg

from benchmarks import results, sizes, stage
from benchmarks.engine import calls, limit, night, outcome, verdict, worker
from benchmarks.engine.outcome import LOOP, PRODUCT, TORTOISE, Outcome, Scale
from renewals.observability import gc_tuning

SCALES = {"full": Scale(10_000, 200), "quick": Scale(1_000, 50)}
LARGE = 10
"""The large night has this many times the accounts and instances of a round: one million at full size."""


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Run rounds of the contenders on copies of one night, then the large night once, and the mutations."""
    scale = SCALES.get(size.name, SCALES["full"])
    with _on_both_cores(environment):
        _prepare(environment, scale)
        measured = Outcome(
            scale,
            rates=_rounds(environment, scale, size.rounds),
            large=_large(environment, scale),
            seconds=_calls(environment, size.rounds),
        )
    return outcome.section(measured)


@contextlib.contextmanager
def _on_both_cores(environment: stage.Stage) -> Iterator[None]:
    """Let PostgreSQL and the contenders share both cores, so that the limit has the same machine as the product."""
    cores = {core for core in (environment.server_core, environment.other_core) if core is not None}
    pids = (os.getpid(), environment.postgres.pid) if cores else ()
    for pid in pids:
        os.sched_setaffinity(pid, cores)
    yield
    for pid in pids:
        os.sched_setaffinity(pid, {environment.other_core or 0})


def _prepare(environment: stage.Stage, scale: Scale) -> None:
    """Create the night that every contender gets a copy of, and stage the product's result in it."""
    url = environment.create_database("night")
    asyncio.run(night.fill(url, scale.accounts))
    copy_url = environment.create_database("engine", template="night")
    _contend(PRODUCT, copy_url, scale)
    asyncio.run(verdict.check(copy_url, scale.accounts, staged=False))
    asyncio.run(limit.stage(copy_url, url))


def _rounds(environment: stage.Stage, scale: Scale, rounds: int) -> Mapping[str, list[float]]:
    """Return instances a second by contender, one value a round; check every end state."""
    rates: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        for name in list(worker.CONTENDERS)[:: -1 if number % 2 else 1]:
            url = environment.create_database("engine", template="night")
            asyncio.run(_settle(url))
            report = _contend(name, url, scale)
            asyncio.run(verdict.check(url, scale.sampled if name in (LOOP, TORTOISE) else scale.accounts))
            rates[name].append(report["instances"] / report["seconds"])
            print(f"round {number + 1}, {name:<24} {rates[name][-1]:9,.0f} instances/s", file=sys.stderr)
    return rates


def _large(environment: stage.Stage, scale: Scale) -> dict[str, Any]:
    """Run the product once over the large night, in the database that was filled for it."""
    url = environment.create_database("engine")
    accounts = LARGE * scale.accounts
    asyncio.run(night.fill(url, accounts))
    report = _contend(PRODUCT, url, scale)
    assert report["instances"] == accounts * night.DUE_PER_ACCOUNT
    asyncio.run(verdict.check(url, accounts, staged=False))
    print(f"large night: {report['instances'] / report['seconds']:,.0f} instances/s", file=sys.stderr)
    return report


def _calls(environment: stage.Stage, rounds: int) -> Mapping[str, list[float]]:
    """Return the seconds of each way to renew 10,000 instances with mutations."""
    gc_tuning.tune_gc()  # the API does this when it starts
    asyncio.run(calls.fill(environment.create_database("orders", template="night")))
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        for name, size in ((outcome.ONE_CALL, calls.INSTANCES), (outcome.MANY_CALLS, 100))[
            :: -1 if number % 2 else 1
        ]:
            url = environment.create_database("engine", template="orders")
            asyncio.run(_settle(url))
            seconds[name].append(asyncio.run(calls.renew(url, size)))
            print(f"round {number + 1}, {name:<18} {seconds[name][-1]:6.2f} s", file=sys.stderr)
    return seconds


def _contend(name: str, url: str, scale: Scale) -> dict[str, Any]:
    """Run a contender and return its report."""
    command = [sys.executable, "-m", "benchmarks.engine", name, url, str(scale.sampled)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(process.stdout)
    return report


async def _settle(url: str) -> None:
    """Make PostgreSQL write the pages of the copy, so that no contender pays for them."""
    connection = await asyncpg.connect(url)
    await connection.execute("CHECKPOINT")
    await connection.close()
