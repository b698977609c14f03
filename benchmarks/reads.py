"""The rate, the latency and the processor time of the console's list for each contender, in closed loops.

All servers run concurrently, but only one at a time is measured.
"""

import sys
from collections import defaultdict

import uvloop

from benchmarks import console, contenders, pools, results, sizes, stage

TARGETS = {
    contenders.BEST_PRACTICE: (3, 4.5, 5),
    contenders.POSTGRAPHILE: (1.5, 1.2, 2),
    contenders.MERCURIUS: (1.0, 0.8, 1.4),
    contenders.FLOOR: (0.9, 0.8, 1.1),
}
"""The project's minimum rate as a multiple of each peer's rate, for pages of 10, 100 and 1,000."""
CPU_TARGETS = (1.5, 1.4, 1.0)
"""The maximum processor time of the project's server as a multiple of the floor's, for the same page sizes."""
RATE, P99, SERVER_CPU, POSTGRES_CPU = (
    "requests/s",
    "ms p99",
    "ms CPU of the server",
    "ms CPU of PostgreSQL",
)
NOTES = """\
For each request, each contender looks up the API key in the database, and reads a page and its count with one \
more statement. PostGraphile generates its statement.
Each server is one process on one core; PostgreSQL and the client use the other core. All servers run at the same \
time and are measured in turn, in reverse order every second round. Before the first round, the response of each \
contender was compared with the project's.
CPU is the user and system time for one request: that of the server's processes, and that of all processes of \
PostgreSQL while the server was measured.
All contenders except PostGraphile, which has no request log, write a line for each request to a file. The \
project logs as in production; Fastify writes blocks through pino, uvicorn its access log, and the floor blocks \
of JSON lines.
The peers have the best index for this list, which the project lacks: (account_id, renewal_mode, expires_at, id) \
with the product, for instances that can be managed. The peers return the stored status; the project derives the \
status at the instant of the request. No connection is reset between requests. PostGraphile runs without \
row-level security: the client sends the account as a condition.
"""


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure throughput, latency and processor time for every contender and page size."""
    best = pools.best(environment, size)
    with contenders.up(environment, size, best.size_by_name) as started:
        for running in started:
            for page in console.PAGES:
                uvloop.run(contenders.load(running, page, size, size.warm_up_seconds))
        figures = _measure(environment, started, size)
    return results.Section(
        title="The console's list: 12 fields, two relations, filtered and counted",
        figures=[*figures, *best.figures],
        targets=_targets(figures),
        notes=(_setting(size, best), *NOTES.splitlines(), *best.missing),
        units_together=True,
    )


def _setting(size: sizes.Size, best: pools.Pools) -> str:
    pool_sizes = ", ".join(f"{pool_size} ({name})" for name, pool_size in best.size_by_name.items())
    return (
        f"The database has {size.instances:,} instances of {size.accounts:,} accounts; the account of the list has "
        f"{size.large_account_instances:,}. The client uses {size.connections} connections, and measures {size.rounds} "
        f"rounds of {size.seconds:g} s for each contender and page. Connections to PostgreSQL: {pool_sizes}. The "
        "project uses its default, and each peer the best size of the last table."
    )


def _measure(
    environment: stage.Stage, started: list[contenders.RunningContender], size: sizes.Size
) -> list[results.Figure]:
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for number in range(size.rounds):
        for page in console.PAGES:
            for running in started if number % 2 == 0 else reversed(started):
                before = environment.cpu_seconds(running.server)
                load = uvloop.run(contenders.load(running, page, size, size.seconds))
                used = environment.cpu_seconds(running.server).since(before)
                count = len(load.latencies)
                for unit, value in (
                    (RATE, load.requests_per_second),
                    (P99, sorted(load.latencies)[int(0.99 * count)] * 1e3),
                    (SERVER_CPU, used.server / count * 1e3),
                    (POSTGRES_CPU, used.postgres / count * 1e3),
                ):
                    values[f"page of {page}", running.name, unit].append(value)
                print(
                    f"round {number + 1}, page of {page:>4}, {running.name:<30} {load.requests_per_second:8.1f}/s, "
                    f"{used.server / count * 1e3:6.2f} ms CPU",
                    file=sys.stderr,
                )
    return [results.Figure(*key, tuple(rounds)) for key, rounds in values.items()]


def _targets(figures: list[results.Figure]) -> list[results.Target]:
    targets = []
    for peer, wanted in TARGETS.items():
        for page, at_least in zip(console.PAGES, wanted, strict=True):
            title = f"page of {page}"
            ours = results.median(figures, title, contenders.OURS, RATE)
            theirs = results.median(figures, title, peer, RATE)
            if ours is not None and theirs is not None:
                targets.append(results.Target(f"{title}, against {peer}", ours, theirs, at_least))
    for page, at_most in zip(console.PAGES, CPU_TARGETS, strict=True):
        title = f"page of {page}"
        ours, floor = (
            results.median(figures, title, name, SERVER_CPU) for name in (contenders.OURS, contenders.FLOOR)
        )
        if ours and floor:
            what = f"{SERVER_CPU}, {title}, against {contenders.FLOOR}"
            targets.append(results.Target(what, ours, floor, 1 / at_most, less_is_better=True))
    return targets
