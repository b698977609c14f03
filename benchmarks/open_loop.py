"""The latency of requests that arrive independently of the server's responses (open loop), as users' requests do.

Arrivals are a Poisson process, the same for each contender. A request's latency is counted from its planned start. It
therefore includes the time for which the request waits for a slow server (no coordinated omission).
"""

import asyncio
import random
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import uvloop

from benchmarks import client, contenders, pools, results, sizes, stage

RATES = (60, 150)
"""Requests per second. The target applies to the last rate, about a third of the project's maximum."""
P50, P99 = "ms p50", "ms p99"
PAGES = {10: 0.6, 100: 0.3, 1000: 0.1}
CONNECTIONS_MAX = 64
AT_LEAST = 1
CONTENDERS = (contenders.OURS, contenders.MERCURIUS, contenders.FLOOR)
NOTES = """\
The arrivals follow a Poisson process, and are the same for all contenders. Latency is measured from the intended \
arrival.
If a server returns fewer responses a second than requests arrive, its latency depends on the length of the round \
instead of on its speed.
"""


class Arrival(NamedTuple):
    """The page size of a request, and its planned start in seconds from the start of the measurement."""

    at: float
    page: int


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure the latencies of the available CONTENDERS at each rate."""
    best = pools.best(environment, size)
    pool_sizes = {name: pool for name, pool in best.size_by_name.items() if name in CONTENDERS}
    with contenders.up(environment, size, pool_sizes) as started:
        figures = [figure for rate in RATES for figure in _measure(environment, started, rate, size)]
    return results.Section(
        title="Latency when requests arrive at random",
        figures=figures,
        targets=_targets(figures),
        notes=(_setting(size), *NOTES.splitlines(), *best.missing),
        units_together=True,
    )


def _targets(figures: Sequence[results.Figure]) -> Sequence[results.Target]:
    title = _title(RATES[-1])
    ours, theirs = (
        results.median(figures, title, name, P99) for name in (contenders.OURS, contenders.MERCURIUS)
    )
    if ours is None or theirs is None:
        return ()
    what = f"{P99} at {title}, against {contenders.MERCURIUS}"
    return [results.Target(what, ours, theirs, AT_LEAST, less_is_better=True)]


def _setting(size: sizes.Size) -> str:
    *first, last = (f"{share * 100:.0f} % have {page} rows" for page, share in PAGES.items())
    return (
        f"Of the pages, {', '.join(first)} and {last}. A round takes {size.open_loop_seconds:g} s; the number of "
        f"rounds for each rate and contender is {size.open_loop_rounds}."
    )


def _title(rate: int) -> str:
    return f"{rate} requests a second"


def _measure(
    environment: stage.Stage, started: Sequence[contenders.RunningContender], rate: int, size: sizes.Size
) -> Iterator[results.Figure]:
    for running in started:
        values: dict[str, list[float]] = defaultdict(list)
        for number in range(size.open_loop_rounds):
            arrivals = list(_arrivals(rate, size.open_loop_seconds, seed=number))
            before = environment.cpu_seconds(running.server)
            latencies, seconds = uvloop.run(OpenLoop(running, arrivals).run())
            used = environment.cpu_seconds(running.server).since(before)
            latencies.sort()
            count = len(latencies)
            for unit, value in (
                (P50, latencies[count // 2] * 1e3),
                (P99, latencies[int(0.99 * count)] * 1e3),
                ("responses a second", count / seconds),
                ("ms CPU of the server", used.server / count * 1e3),
                ("ms CPU of PostgreSQL", used.postgres / count * 1e3),
            ):
                values[unit].append(value)
            print(
                f"{rate}/s, round {number + 1}, {running.name:<30} p99 {values[P99][-1]:8.1f} ms",
                file=sys.stderr,
            )
        for unit, rounds in values.items():
            yield results.Figure(_title(rate), running.name, unit, tuple(rounds))


def _arrivals(rate: int, seconds: float, *, seed: int) -> Iterator[Arrival]:
    draw = random.Random(seed)
    at = draw.expovariate(rate)
    while at < seconds:
        yield Arrival(at, draw.choices(list(PAGES), list(PAGES.values()))[0])
        at += draw.expovariate(rate)


class OpenLoop:
    """A loop that sends each request when it is due. While all connections are busy, due requests wait in order."""

    def __init__(self, running: contenders.RunningContender, arrivals: Sequence[Arrival]) -> None:
        self.one = running
        self.arrivals = arrivals
        self.waiting: deque[Arrival] = deque()
        self.idle: deque[client.Connection] = deque()
        """The idle connections, used first in, first out, so that none is idle so long that the server closes it."""
        self.sent: dict[client.Connection, Arrival] = {}
        self.latencies: list[float] = []
        self.statuses: set[int] = set()

    async def run(self) -> tuple[list[float], float]:
        """Send the requests; return their latencies and the total duration, in seconds.

        Raises UnexpectedAnswerError unless all statuses are 200, and TimeoutError if a response is missing.
        """
        port = self.one.server.port
        self.idle.extend([await client.connect(port, self._answered) for _ in range(CONNECTIONS_MAX)])
        connections = list(self.idle)
        self.all_answered = asyncio.Event()
        self.started = time.perf_counter()
        for due in self.arrivals:
            await asyncio.sleep(max(0, self.started + due.at - time.perf_counter()))
            self.waiting.append(due)
            self._send()
        await asyncio.wait_for(self.all_answered.wait(), client.ANSWER_SECONDS_MAX)
        seconds = time.perf_counter() - self.started
        for connection in connections:
            connection.close()
        if self.statuses != {200}:
            raise client.UnexpectedAnswerError(f"{self.one.name} answered with {sorted(self.statuses)}")
        return self.latencies, max(seconds, self.arrivals[-1].at)

    def _send(self) -> None:
        while self.waiting and self.idle:
            connection = self.idle.popleft()
            due = self.sent[connection] = self.waiting.popleft()
            connection.send(self.one.requests[due.page])

    def _answered(self, connection: client.Connection, answer: client.Answer) -> None:
        due = self.sent.pop(connection)
        self.latencies.append(time.perf_counter() - self.started - due.at)
        self.statuses.add(answer.status)
        self.idle.append(connection)
        self._send()
        if len(self.latencies) == len(self.arrivals):
            self.all_answered.set()
