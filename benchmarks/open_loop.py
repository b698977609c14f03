"""The latency a user sees: requests arrive independently of the server's responses (open loop).

Arrivals are a Poisson process, the same for each contender. A request's latency counts from its planned
start, so that a slow server is charged for its queue (no coordinated omission).
"""

import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import uvloop

from benchmarks import client, contenders, results, sizes, stage

RATES = (30, 60)
"""Requests a second; the target applies to the last rate."""
PAGES = {10: 0.6, 100: 0.3, 1000: 0.1}
CONNECTIONS_MAX = 64
AT_LEAST = 8
CONTENDERS = (contenders.OURS, contenders.NAIVE)
NOTES = """\
Arrivals follow a Poisson process and are the same for both; latency counts from the intended arrival.
If fewer requests are answered a second than arrive, the server does not keep up, and its latency measures \
the length of the round instead of the speed of the server.
"""


class Arrival(NamedTuple):
    """A request and its planned start, in seconds from the start of the measurement."""

    at: float
    page: int


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure the latencies of the project and of stock Strawberry at each rate."""
    with contenders.up(environment, size, CONTENDERS) as (started, missing):
        figures = [figure for rate in RATES for figure in _measure(started, rate, size)]
    last = _p99(RATES[-1])
    ours, naive = (next(f.median for f in figures if (f.what, f.contender) == (last, n)) for n in CONTENDERS)
    return results.Section(
        title="Latency when requests arrive at random",
        figures=figures,
        targets=(
            results.Target(f"{last}, against {contenders.NAIVE}", ours, naive, AT_LEAST, less_is_better=True),
        ),
        notes=(_setting(size), *NOTES.splitlines(), *missing),
    )


def _setting(size: sizes.Size) -> str:
    shares = ", ".join(f"{share:.0%} of {page}" for page, share in PAGES.items())
    return f"Pages: {shares}. {size.open_loop_rounds} round(s) of {size.open_loop_seconds:g} s."


def _p99(rate: int) -> str:
    return f"p99 at {rate}/s"


def _measure(
    started: Sequence[contenders.RunningContender], rate: int, size: sizes.Size
) -> Iterator[results.Figure]:
    for running in started:
        rounds = []
        for number in range(size.open_loop_rounds):
            arrivals = list(_arrivals(rate, size.open_loop_seconds, seed=number))
            latencies, seconds = uvloop.run(OpenLoop(running, arrivals).run())
            rounds.append((sorted(latencies), len(latencies) / seconds))
            print(f"{rate}/s, round {number + 1}, {running.name:<30} {rounds[-1][1]:6.1f}/s", file=sys.stderr)
        for title, share in ((f"p50 at {rate}/s", 0.5), (_p99(rate), 0.99)):
            values = tuple(latencies_[int(share * len(latencies_))] * 1e3 for latencies_, _ in rounds)
            yield results.Figure(title, running.name, "ms", values)
        yield results.Figure(
            f"answered at {rate}/s", running.name, "requests/s", tuple(per for _, per in rounds)
        )


def _arrivals(rate: int, seconds: float, *, seed: int) -> Iterator[Arrival]:
    draw = random.Random(seed)
    at = draw.expovariate(rate)
    while at < seconds:
        yield Arrival(at, draw.choices(list(PAGES), list(PAGES.values()))[0])
        at += draw.expovariate(rate)


class OpenLoop:
    """Send requests when they are due; requests that find all connections busy wait in order."""

    def __init__(self, running: contenders.RunningContender, arrivals: Sequence[Arrival]) -> None:
        self.one = running
        self.arrivals = arrivals
        self.waiting: deque[Arrival] = deque()
        self.idle: deque[client.Connection] = deque()
        """First in, first out, so that no connection is idle until the server closes it."""
        self.sent: dict[client.Connection, Arrival] = {}
        self.latencies: list[float] = []
        self.statuses: set[int] = set()

    async def run(self) -> tuple[list[float], float]:
        """Return each request's latency and the total duration; raises UnexpectedAnswerError unless all are 200."""
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
