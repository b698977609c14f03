"""The measurements of the engine benchmark as figures, targets and notes."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from benchmarks import results
from benchmarks.engine import night, worker

PRODUCT, POSTGRESQL = worker.CONTENDERS
ONE_WORKER, TWO_WORKERS = "1 worker process, arq and Redis", "2 worker processes, arq and Redis"
WORKERS = {ONE_WORKER: 1, TWO_WORKERS: 2}
CONTENDERS = (PRODUCT, ONE_WORKER, TWO_WORKERS, POSTGRESQL)
ONE_CALL, MANY_CALLS = "one call of 10,000", "100 calls of 100"
RATE, WORKER_CPU, POSTGRES_CPU = (
    "instances/s",
    "µs CPU of Python an instance",
    "µs CPU of PostgreSQL an instance",
)
AT_LEAST = {PRODUCT: 0.6, TWO_WORKERS: 0.75}
"""The minimum rate of a contender, as a share of PostgreSQL's own limit."""
COST_AT_MOST = 1.3
NOTES = """\
The database has {accounts:,} accounts, each with {each} due instances and {each} that are not due. A third of \
the accounts have vouchers, a fifth have a bundle, and a tenth have insufficient funds. Each contender has a copy \
of the same database, and the contenders take turns.
"{product}" is the worker's run with {at_once} chunks at a time in one process. It is measured from opening the \
run to the last chunk, without the verification that follows. PostgreSQL and the contender share two cores.
The worker processes run `renewals worker` as in production, with the queue in Redis and {at_once} chunks at a \
time in each process. They are measured from opening the run to the last chunk. Two processes, PostgreSQL and \
Redis share the same two cores, so the second process gains only the time that the first one leaves.
"{postgresql}" writes the exact rows that the product writes, staged in the server, by INSERT ... SELECT and \
UPDATE ... FROM. It uses the same chunks on {at_once} connections, but applies no rules, computes no plan, and \
sends no row over a connection.
A figure counts only if `renewals verify` finds no broken rule, and if balances, vouchers, expiries, lines and \
attempts equal those of the product's staged run. A figure of the larger run or of the orders counts only if each \
instance is charged once.
CPU is the processor time from opening the run to the last chunk, divided by the number of instances.
In the larger run, the process used {memory}. Its maximum was {peak:.0f} MiB, when the run was opened.
"Renewed by hand" means calls of renewInstances to the ASGI application in process, one after the other. Each \
response has the order and every instance's new expiry."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a contender: instances per second, and microseconds of processor time per instance."""

    rate: float
    worker_cpu: float
    postgres_cpu: float

    @classmethod
    def of(cls, report: Mapping[str, float]) -> Self:
        instances = report["instances"]
        return cls(
            rate=instances / report["seconds"],
            worker_cpu=report["cpu_seconds"] / instances * 1e6,
            postgres_cpu=report["postgres_cpu_seconds"] / instances * 1e6,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rounds of each contender, the report of the run on the larger database, and the seconds of the mutations."""

    accounts: int
    by_name: Mapping[str, Sequence[Measured]]
    large: Mapping[str, Any]
    seconds: Mapping[str, Sequence[tuple[float, float]]]

    @property
    def due(self) -> int:
        return self.accounts * night.DUE_PER_ACCOUNT

    def rate(self, name: str) -> float:
        return statistics.median(measured.rate for measured in self.by_name[name])


def section(outcome: Outcome) -> results.Section:
    return results.Section(
        title="Auto-renewal and large orders",
        figures=_figures(outcome),
        targets=_targets(outcome),
        notes=_notes(outcome),
        units_together=True,
    )


def _figures(outcome: Outcome) -> Sequence[results.Figure]:
    large, many = outcome.large, f"{outcome.large['instances']:,} due"
    of_large = Measured.of(large)
    return [
        *(
            results.Figure(f"{outcome.due:,} due", name, unit, tuple(values))
            for name, rounds in outcome.by_name.items()
            for unit, values in _by_unit(rounds).items()
        ),
        *(
            results.Figure(many, PRODUCT, unit, tuple(values))
            for unit, values in _by_unit([of_large]).items()
        ),
        results.Figure(many, PRODUCT, "s in total", (large["seconds"],)),
        results.Figure(many, PRODUCT, "MiB during the run", tuple(mib for _, mib in large["memory"])),
        *(
            results.Figure("10,000 renewed by hand", name, unit, tuple(pair[place] for pair in pairs))
            for name, pairs in outcome.seconds.items()
            for place, unit in enumerate(("s", "s CPU of the API"))
        ),
    ]


def _by_unit(rounds: Sequence[Measured]) -> Mapping[str, Sequence[float]]:
    return {
        RATE: [measured.rate for measured in rounds],
        WORKER_CPU: [measured.worker_cpu for measured in rounds],
        POSTGRES_CPU: [measured.postgres_cpu for measured in rounds],
    }


def _targets(outcome: Outcome) -> Sequence[results.Target]:
    ours, limit = outcome.rate(PRODUCT), outcome.rate(POSTGRESQL)
    large_rate = outcome.large["instances"] / outcome.large["seconds"]
    one_call = statistics.median(seconds for seconds, _ in outcome.seconds[ONE_CALL])
    return [
        *(
            results.Target(
                f"{outcome.due:,} due, {name}, against {POSTGRESQL}", outcome.rate(name), limit, at_least
            )
            for name, at_least in AT_LEAST.items()
        ),
        results.Target(
            f"microseconds an instance in a run of {outcome.large['instances']:,}, against {outcome.due:,}",
            1e6 / large_rate,
            1e6 / ours,
            1 / COST_AT_MOST,
            less_is_better=True,
        ),
        results.Target(f"{ONE_CALL} (s), against a second", one_call, 1, 1, less_is_better=True),
    ]


def _notes(outcome: Outcome) -> Sequence[str]:
    text = NOTES.format(
        accounts=outcome.accounts,
        each=night.DUE_PER_ACCOUNT,
        at_once=worker.CHUNKS_AT_ONCE,
        product=PRODUCT,
        postgresql=POSTGRESQL,
        memory=", ".join(
            f"{mib:.0f} MiB after {seconds:.0f} s" for seconds, mib in outcome.large["memory"][::4]
        ),
        peak=outcome.large["peak_mib"],
    )
    return tuple(text.splitlines())
