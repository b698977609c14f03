"""What the console's reads and the search for what is due cost in a database of ten, a hundred and a thousand times as
many instances, for an account that stays as it is; with the plans that PostgreSQL makes of them.

The statements are those that the product sends when it is asked over GraphQL, caught on their way, so that no copy
of them is kept here.
"""

import asyncio
import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from benchmarks import data, results, sizes, stage, statements

ACCOUNT_INSTANCES = 5_000
INSTANCES_PER_ACCOUNT = 100
TIMES = 15
FLAT = 1.3
"""So many times dearer a read may be in the largest database than in the smallest."""
PLANS = Path("docs/performance/plans.md")
NOTES = f"""\
The account has {ACCOUNT_INSTANCES:,} instances in each database, another {INSTANCES_PER_ACCOUNT} on average.
Medians of {TIMES} executions of the prepared statement, fetched by asyncpg on one connection."""


def counts(size: sizes.Size) -> Sequence[int]:
    """How many instances there are in all, from the smallest database to the largest."""
    return (10_000, 100_000, 1_000_000, 10_000_000)[: {"quick": 2, "full": 3, "huge": 4}[size.name]]


def run(here: stage.Stage, size: sizes.Size) -> results.Section:
    """A figure for each read and database; the plans of the largest are kept in PLANS."""
    figures: list[results.Figure] = []
    plans: list[statements.Plan] = []
    for count in counts(size):
        url = here.create_database("growth")
        loaded = asyncio.run(data.load(url, _size(size, count)))
        caught = asyncio.run(statements.catch(loaded))
        measured = asyncio.run(_measure(url, caught))
        figures += [
            results.Figure(read, f"{count:,} instances", "ms", tuple(values))
            for read, values in measured.items()
        ]
        plans = asyncio.run(statements.explain(url, caught))
        print(f"growth: {count:,} instances", file=sys.stderr)
    if size.name != "quick":
        PLANS.write_text(statements.describe(plans, counts(size)[-1]), encoding="utf-8")
    return results.Section(
        title="Reads in a growing database",
        figures=figures,
        targets=_targets(figures, counts(size)),
        notes=(
            *NOTES.splitlines(),
            f"Plans that look at more than they answer: {'; '.join(_found(plans)) or 'none'}.",
        ),
    )


def _size(size: sizes.Size, count: int) -> sizes.Size:
    return dataclasses.replace(
        size,
        instances=count,
        accounts=count // INSTANCES_PER_ACCOUNT,
        large_account_instances=ACCOUNT_INSTANCES,
    )


async def _measure(url: str, caught: Sequence[statements.Caught]) -> Mapping[str, list[float]]:
    """The milliseconds of each execution, by the name of the read."""
    connection = await asyncpg.connect(url)
    try:
        return {one.name: [await _time(connection, one) for _ in range(TIMES)] for one in caught}
    finally:
        await connection.close()


async def _time(connection: asyncpg.Connection, one: statements.Caught) -> float:
    started = time.perf_counter()
    await connection.fetch(one.sql, *one.values)
    return (time.perf_counter() - started) * 1e3


def _targets(figures: Sequence[results.Figure], found: Sequence[int]) -> list[results.Target]:
    """Every read of the account costs in the largest database what it costs in the smallest, or nearly."""
    first, last = (f"{count:,} instances" for count in (found[0], found[-1]))
    medians = {(figure.what, figure.contender): figure.median for figure in figures}
    return [
        results.Target(
            f"{read}, {last} against {first}",
            medians[read, last],
            medians[read, first],
            1 / FLAT,
            less_is_better=True,
        )
        for read, contender in medians
        if contender == last and read != statements.DUE
    ]


def _found(plans: Sequence[statements.Plan]) -> list[str]:
    return [f"{plan.name} ({'; '.join(plan.faults)})" for plan in plans if plan.faults]
