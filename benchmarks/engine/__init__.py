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


def run(here: stage.Stage, size: sizes.Size) -> results.Section:
    """Run rounds of the contenders on copies of one night, then the large night once, and the mutations."""
    scale = SCALES.get(size.name, SCALES["full"])
    with _on_both_cores(here):
        _prepare(here, scale)
        found = Outcome(
            scale,
            rates=_rounds(here, scale, size.rounds),
            large=_large(here, scale),
            seconds=_calls(here, size.rounds),
        )
    return outcome.section(found)


@contextlib.contextmanager
def _on_both_cores(here: stage.Stage) -> Iterator[None]:
    """Let PostgreSQL and the contenders share both cores, so that the limit has the same machine as the product."""
    cores = {core for core in (here.server_core, here.other_core) if core is not None}
    pids = (os.getpid(), here.postgres.pid) if cores else ()
    for pid in pids:
        os.sched_setaffinity(pid, cores)
    yield
    for pid in pids:
        os.sched_setaffinity(pid, {here.other_core or 0})


def _prepare(here: stage.Stage, scale: Scale) -> None:
    """Create the night that every contender gets a copy of, and stage the product's result in it."""
    url = here.create_database("night")
    asyncio.run(night.fill(url, scale.accounts))
    made = here.create_database("engine", template="night")
    _contend(PRODUCT, made, scale)
    asyncio.run(verdict.check(made, scale.accounts, staged=False))
    asyncio.run(limit.stage(made, url))


def _rounds(here: stage.Stage, scale: Scale, rounds: int) -> Mapping[str, list[float]]:
    """Return instances a second by contender, one value a round; check every end state."""
    rates: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        for name in list(worker.CONTENDERS)[:: -1 if number % 2 else 1]:
            url = here.create_database("engine", template="night")
            asyncio.run(_settle(url))
            done = _contend(name, url, scale)
            asyncio.run(verdict.check(url, scale.sampled if name in (LOOP, TORTOISE) else scale.accounts))
            rates[name].append(done["instances"] / done["seconds"])
            print(f"round {number + 1}, {name:<24} {rates[name][-1]:9,.0f} instances/s", file=sys.stderr)
    return rates


def _large(here: stage.Stage, scale: Scale) -> dict[str, Any]:
    """Run the product once over the large night, in the database that was filled for it."""
    url = here.create_database("engine")
    accounts = LARGE * scale.accounts
    asyncio.run(night.fill(url, accounts))
    done = _contend(PRODUCT, url, scale)
    assert done["instances"] == accounts * night.DUE_PER_ACCOUNT
    asyncio.run(verdict.check(url, accounts, staged=False))
    print(f"large night: {done['instances'] / done['seconds']:,.0f} instances/s", file=sys.stderr)
    return done


def _calls(here: stage.Stage, rounds: int) -> Mapping[str, list[float]]:
    """Return the seconds of each way to renew 10,000 instances with mutations."""
    gc_tuning.tune_gc()  # the API does this when it starts
    asyncio.run(calls.fill(here.create_database("orders", template="night")))
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        for name, size in ((outcome.ONE_CALL, calls.INSTANCES), (outcome.MANY_CALLS, 100))[
            :: -1 if number % 2 else 1
        ]:
            url = here.create_database("engine", template="orders")
            asyncio.run(_settle(url))
            seconds[name].append(asyncio.run(calls.renew(url, size)))
            print(f"round {number + 1}, {name:<18} {seconds[name][-1]:6.2f} s", file=sys.stderr)
    return seconds


def _contend(name: str, url: str, scale: Scale) -> dict[str, Any]:
    """Run a contender and return its report."""
    command = [sys.executable, "-m", "benchmarks.engine", name, url, str(scale.sampled)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


async def _settle(url: str) -> None:
    """Make PostgreSQL write the pages of the copy, so that no contender pays for them."""
    connection = await asyncpg.connect(url)
    await connection.execute("CHECKPOINT")
    await connection.close()
