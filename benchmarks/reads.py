"""Lists a second by contender, in closed loops; all contenders run at once and take turns."""

import sys
from collections import defaultdict

import uvloop

from benchmarks import client, console, contenders, results, sizes, stage

TARGETS = {
    contenders.NAIVE: (8, 7, 7),
    contenders.BEST_PRACTICE: (3, 4.5, 5),
    contenders.POSTGRAPHILE: (1.5, 1.2, 2),
    contenders.FLOOR: (0.8, 0.8, 0.8),
}
"""How many times a peer's requests a second, for pages of 10, 100 and 1,000."""
NOTES = """\
Every contender looks up the API key in the database for every request.
Each server is one process on one core; PostgreSQL and the client use the other core. All servers run at \
once and take turns, in reverse order every second round. Every answer was compared with the project's \
before the first round.
The peers have an index that the project lacks, (account_id, expires_at, id), and return the stored status; \
the project derives the status at the request's instant.
Graphene, Ariadne and the tuned Strawberry read their rows by the same two statements through asyncpg, as \
the floor does; the floor also omits asyncpg's reset of a connection. The stock Strawberry uses Tortoise's \
models. PostGraphile runs without row-level security: the client sends the account as a condition.
"""


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure throughput, latency and processor time for every contender and page."""
    with contenders.up(environment, size) as (started, missing):
        for running in started:
            for page in console.PAGES:
                uvloop.run(_load(running, page, size, size.warm_up_seconds))
        figures = _measure(started, size)
    return results.Section(
        title="The console's list: 12 fields, two relations, filtered and counted",
        figures=figures,
        targets=_targets(figures),
        notes=(_setting(size), *NOTES.splitlines(), *missing),
    )


def _setting(size: sizes.Size) -> str:
    return (
        f"{size.instances:,} instances of {size.accounts:,} accounts; the list is that of the account with "
        f"{size.large_account_instances:,}. {size.connections} connections, {size.rounds} rounds of "
        f"{size.seconds:g} s for each contender and page."
    )


def _measure(started: list[contenders.RunningContender], size: sizes.Size) -> list[results.Figure]:
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for number in range(size.rounds):
        for page in console.PAGES:
            for running in started if number % 2 == 0 else reversed(started):
                before = running.server.cpu_seconds()
                load = uvloop.run(_load(running, page, size, size.seconds))
                cpu = (running.server.cpu_seconds() - before) / len(load.latencies)
                p99 = sorted(load.latencies)[int(0.99 * len(load.latencies))]
                values[f"page of {page}", running.name, "requests/s"].append(load.requests_per_second)
                values[f"p99 of {page}", running.name, "ms"].append(p99 * 1e3)
                values[f"a request of {page}", running.name, "ms of CPU in the server"].append(cpu * 1e3)
                print(
                    f"round {number + 1}, page of {page:>4}, {running.name:<30} {load.requests_per_second:8.1f}/s",
                    file=sys.stderr,
                )
    return [results.Figure(*key, tuple(rounds)) for key, rounds in values.items()]


async def _load(
    running: contenders.RunningContender, page: int, size: sizes.Size, seconds: float
) -> client.Load:
    return await client.ClosedLoop(
        running.server.port, running.requests[page], size.connections, seconds
    ).run()


def _targets(figures: list[results.Figure]) -> list[results.Target]:
    targets = []
    for peer, wanted in TARGETS.items():
        for page, at_least in zip(console.PAGES, wanted, strict=True):
            title = f"page of {page}"
            ours = results.median(figures, title, contenders.OURS)
            theirs = results.median(figures, title, peer)
            if ours is not None and theirs is not None:
                targets.append(results.Target(f"{title}, against {peer}", ours, theirs, at_least))
    return targets
