"""The rate of renewals of one instance over HTTP, compared with the same transaction written by hand for asyncpg."""

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import uvloop

from benchmarks import cpu, results, sizes, stage
from benchmarks.mutations import api, by_hand, filling

OURS, BY_HAND = "Renewals", "a hand-written transaction (asyncpg, no HTTP)"
ROUND_TRIPS_MAX = 7
RATE, PROCESS_CPU, POSTGRES_CPU = "requests/s", "ms CPU of the process", "ms CPU of PostgreSQL"


class Setting(NamedTuple):
    """A number of clients and of accounts, and the project's minimum rate as a share of the rate by hand."""

    clients: int
    accounts: int
    at_least: float

    @property
    def title(self) -> str:
        clients = f"{self.clients} client{'s' if self.clients > 1 else ''}"
        return f"{clients}, {self.accounts} account{'s' if self.accounts > 1 else ''}"


SETTINGS = (
    Setting(1, 1, 0.6),
    Setting(8, 8, 0.6),
    Setting(32, 32, 0.65),
    Setting(8, 1, 0.55),
    Setting(32, 1, 0.6),
)
NOTES = """\
A request renews one instance for a month with its own idempotency key, and returns the order, the balance and \
the instance.
By hand, the same transaction consists of plain statements, which asyncpg prepares once. It locks the account, \
looks up the idempotency key, and reads the instance, its discounts and the vouchers. It writes the order, its \
line, the ledger entry, the balance, the instance (if its expiry is still the same) and a numbered event. It has \
no HTTP, no GraphQL, no authentication, no limits, no log, and no other rules.
The API is one process with its production settings, including the log. Each contender's process has one core and \
16 connections; PostgreSQL and the HTTP client use the other core. The contenders take turns in one run, each in \
its own database.
"""


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Count the round trips of one renewal, and measure the contenders alternately in each setting."""
    asyncio.run(filling.fill(environment.create_database("mutations")))
    urls = {
        name: environment.create_database(f"mutations-{number}", template="mutations")
        for number, name in enumerate((OURS, BY_HAND))
    }
    keys = asyncio.run(filling.create_keys(urls[OURS]))
    trips = {
        OURS: asyncio.run(api.count_round_trips(urls[OURS], keys[0])),
        BY_HAND: asyncio.run(by_hand.count_round_trips(urls[BY_HAND])),
    }
    print(f"round trips: {trips}", file=sys.stderr)
    with environment.running(api.command, {"DATABASE_URL": urls[OURS]}) as server:
        figures = _measure(environment, server, urls, keys, size)
    figures += [
        results.Figure("one renewal", name, "round trips to PostgreSQL", (float(count),))
        for name, count in trips.items()
    ]
    return results.Section(
        title="Renewals of one instance",
        figures=figures,
        targets=[*_targets(figures), _round_trips(trips[OURS])],
        notes=(
            f"{size.rounds} rounds of {size.seconds:g} s for each setting and contender.",
            *NOTES.splitlines(),
        ),
        units_together=True,
    )


def _measure(
    environment: stage.Stage,
    server: stage.Running,
    urls: Mapping[str, str],
    keys: Sequence[str],
    size: sizes.Size,
) -> list[results.Figure]:
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for number in range(size.rounds):
        for setting in SETTINGS:
            for name in list(urls)[:: -1 if number % 2 else 1]:
                before = cpu.of_family(environment.postgres.pid)
                if name == OURS:
                    measured = _load_api(server, keys, setting, size)
                else:
                    measured = _load_by_hand(environment, urls[name], setting, size)
                postgres_seconds = cpu.of_family(environment.postgres.pid) - before
                figures = {
                    RATE: measured.renewed / measured.seconds,
                    PROCESS_CPU: measured.cpu_seconds / measured.renewed * 1e3,
                    POSTGRES_CPU: postgres_seconds / measured.renewed_in_all * 1e3,
                }
                for unit, value in figures.items():
                    values[setting.title, name, unit].append(value)
                shown = ", ".join(f"{value:,.2f} {unit}" for unit, value in figures.items())
                print(f"round {number + 1}, {setting.title:<23} {name:<27} {shown}", file=sys.stderr)
    return [results.Figure(*key, tuple(rounds)) for key, rounds in values.items()]


def _load_api(
    server: stage.Running, keys: Sequence[str], setting: Setting, size: sizes.Size
) -> by_hand.Measured:
    clients = [number % setting.accounts for number in range(setting.clients)]
    warm_up_count, _ = uvloop.run(api.Loop(server.port, keys, clients, size.warm_up_seconds).run())
    before = server.cpu_seconds()
    count, seconds = uvloop.run(api.Loop(server.port, keys, clients, size.seconds).run())
    return by_hand.Measured(count, seconds, server.cpu_seconds() - before, warm_up_count + count)


def _load_by_hand(environment: stage.Stage, url: str, setting: Setting, size: sizes.Size) -> by_hand.Measured:
    numbers = (setting.clients, setting.accounts, size.warm_up_seconds, size.seconds)
    command = [sys.executable, "-m", "benchmarks.mutations", url, *map(str, numbers)]
    core = environment.server_core
    process = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    return by_hand.Measured(*json.loads(process.stdout))


def _targets(figures: Sequence[results.Figure]) -> list[results.Target]:
    targets = []
    for setting in SETTINGS:
        ours, theirs = (results.median(figures, setting.title, name, RATE) for name in (OURS, BY_HAND))
        assert ours is not None and theirs is not None
        what = f"renewals a second, {setting.title}, against {BY_HAND}"
        targets.append(results.Target(what, ours, theirs, setting.at_least))
    return targets


def _round_trips(count: int) -> results.Target:
    what = f"round trips of a renewal, against {ROUND_TRIPS_MAX}"
    return results.Target(what, count, ROUND_TRIPS_MAX, 1, less_is_better=True)
