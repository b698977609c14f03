"""The cost of the console's reads and of the count of due instances, in databases of growing size.

The account whose instances are read has the same size in each database. The statements are captured at the driver when
the product sends them, so this module has no copy of them. PostgreSQL's plans are recorded.
"""

import asyncio
import dataclasses
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from benchmarks import cpu, data, results, sizes, stage, statements

ACCOUNT_INSTANCES = 5_000
INSTANCES_PER_ACCOUNT = 100
TIMES = 15
MS, POSTGRES_CPU = "ms", "ms CPU of PostgreSQL"
KINDS = {"page": "pages", "count": "counts", "facets": "facets"}
"""The plural of each kind of read, by the word with which the names of its reads begin."""
FLAT = 1.3
"""The maximum time of a read in the largest database, as a multiple of its time in the smallest one."""
PLANS = Path("docs/performance/plans.md")
NOTES = f"""\
The account whose reads are measured has {ACCOUNT_INSTANCES:,} instances in each database; the other accounts \
have about {INSTANCES_PER_ACCOUNT} each.
Each figure is the median of {TIMES} executions of the prepared statement, whose rows asyncpg fetches on one \
connection."""


HUGE = "BENCHMARK_HUGE"
"""The environment variable that adds a database of 10 million instances, which takes 20 minutes and 10 GB of disk."""


def counts(size: sizes.Size) -> Sequence[int]:
    """Return the number of instances in each database, from the smallest to the largest."""
    largest = 10_000_000 if os.environ.get(HUGE) else size.instances
    return [count for count in (10_000, 100_000, 1_000_000, 10_000_000) if count <= largest]


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure each read in each database. Unless the size is quick, write the largest database's plans to PLANS."""
    figures: list[results.Figure] = []
    plans: list[statements.Plan] = []
    for count in counts(size):
        url = environment.create_database("growth")
        loaded = asyncio.run(data.load(url, _size(size, count)))
        caught = asyncio.run(statements.catch(loaded))
        measured = asyncio.run(_measure(url, caught))
        figures += [
            results.Figure(f"of {count:,} instances", read, unit, tuple(values))
            for (read, unit), values in measured.items()
        ]
        plans = asyncio.run(statements.explain(url, caught))
        print(f"growth: {count:,} instances", file=sys.stderr)
    if size.name != "quick":
        PLANS.parent.mkdir(parents=True, exist_ok=True)
        PLANS.write_text(statements.describe(plans, counts(size)[-1]), encoding="utf-8")
    return results.Section(
        title="Reads in a growing database",
        figures=figures,
        targets=_targets(figures, counts(size)),
        notes=(
            *NOTES.splitlines(),
            f"Plans with a fault ([plans](plans.md)): {'; '.join(_found(plans)) or 'none'}.",
        ),
    )


def _size(size: sizes.Size, count: int) -> sizes.Size:
    return dataclasses.replace(
        size,
        instances=count,
        accounts=count // INSTANCES_PER_ACCOUNT,
        large_account_instances=ACCOUNT_INSTANCES,
    )


async def _measure(
    url: str, caught: Sequence[statements.CapturedStatement]
) -> Mapping[tuple[str, str], list[float]]:
    """Return, by read and unit, the milliseconds of each execution, and the mean CPU milliseconds of the backend."""
    connection = await asyncpg.connect(url)
    backend = connection.get_server_pid()
    measured = {}
    try:
        for statement in caught:
            before = cpu.of_thread(backend)
            times = [await _time(connection, statement) for _ in range(TIMES)]
            measured[statement.name, MS] = times
            measured[statement.name, POSTGRES_CPU] = [(cpu.of_thread(backend) - before) / TIMES * 1e3]
    finally:
        await connection.close()
    return measured


async def _time(connection: asyncpg.Connection, statement: statements.CapturedStatement) -> float:
    started = time.perf_counter()
    await connection.fetch(statement.sql, *statement.values)
    return (time.perf_counter() - started) * 1e3


def _targets(figures: Sequence[results.Figure], instance_counts: Sequence[int]) -> list[results.Target]:
    """Return a target for each kind of read: its slowdown from the smallest to the largest database is at most FLAT.

    The targets compare the sums of the reads' fastest executions, because other work on the machine slows single
    executions.
    """
    fewest, most = instance_counts[0], instance_counts[-1]
    targets = []
    for kind, plural in KINDS.items():
        smallest, largest = (
            sum(
                figure.low
                for figure in figures
                if (figure.what, figure.unit) == (title, MS) and figure.contender.startswith(kind)
            )
            for title in (f"of {fewest:,} instances", f"of {most:,} instances")
        )
        title = f"all {plural}, with {most:,} instances against {fewest:,} (ms)"
        targets.append(results.Target(title, largest, smallest, 1 / FLAT, less_is_better=True))
    return targets


def _found(plans: Sequence[statements.Plan]) -> list[str]:
    return [f"{plan.name} ({'; '.join(plan.faults)})" for plan in plans if plan.faults]
