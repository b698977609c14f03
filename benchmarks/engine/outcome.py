"""The measurements of the engine, as figures, targets and sentences."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import results
from benchmarks.engine import night, worker

PRODUCT, TORTOISE, LOOP, POSTGRESQL = worker.CONTENDERS
ONE_CALL, MANY_CALLS = "one call of 10,000", "100 calls of 100"
AT_LEAST = {LOOP: 60, POSTGRESQL: 0.6}
AT_LEAST_ONE_CALL = 2
COST_AT_MOST = 1.3
NOTES = """\
{accounts:,} accounts with {each} due instances each and the same number that are not due. A third have \
vouchers, a fifth have a bundle, a tenth have insufficient funds. Each contender has a copy of the same \
database, and they take turns.
The product is `auto_renewal.run_now`, {at_once} chunks at once in one process, from opening the run to the \
last chunk; the verification afterwards is not counted. PostgreSQL and the contender share two cores.
{loop}: one transaction for each instance with Tortoise's models, in a loop over the due instances, as \
commonly written, for the first {sampled:,} instances. At this rate all instances would take \
{all_seconds:,.0f} s.
{tortoise}: the same for {at_once} accounts at once, as the product does {at_once} chunks: \
{at_once_rate:,.0f} instances/s; the product does {at_once_times:.0f} times that.
{postgresql}: the exact rows that the product writes, staged in the server and written by INSERT ... SELECT \
and UPDATE ... FROM, in the same chunks on {at_once} connections: no rules, no plan, and no row sent over a \
connection.
A figure counts only if `renewals verify` finds nothing, and balances, vouchers, expiries, lines and \
attempts equal those of the product's staged run. A figure of the large night or the orders counts if each \
instance is charged once.
The worker's process in the large night: {memory}; {peak:.0f} MiB at the peak, when the run was opened.
By hand: renewInstances on the ASGI application in process, one call after the other; each answer has the \
order and every instance's new expiry."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The number of accounts in the rounds; the slow contender does only the first `sampled`."""

    accounts: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Instances a second by contender and round, the report of the large night, and seconds by way to renew."""

    scale: Scale
    rates: Mapping[str, Sequence[float]]
    large: Mapping[str, Any]
    seconds: Mapping[str, Sequence[float]]

    @property
    def due(self) -> int:
        return self.scale.accounts * night.DUE_PER_ACCOUNT

    def rate(self, name: str) -> float:
        return statistics.median(self.rates[name])


def section(outcome: Outcome) -> results.Section:
    return results.Section(
        title="Auto-renewal and large orders",
        figures=_figures(outcome),
        targets=_targets(outcome),
        notes=_notes(outcome),
    )


def _figures(outcome: Outcome) -> Sequence[results.Figure]:
    large, many = outcome.large, f"{outcome.large['instances']:,} due"
    memory = tuple(mib for _, mib in large["memory"])
    return [
        *(
            results.Figure(f"{outcome.due:,} due", name, "instances/s", tuple(values))
            for name, values in outcome.rates.items()
        ),
        results.Figure(many, PRODUCT, "instances/s", (large["instances"] / large["seconds"],)),
        results.Figure(f"{many}, in all", PRODUCT, "s", (large["seconds"],)),
        results.Figure(f"{many}, memory on the way", PRODUCT, "MiB", memory),
        *(
            results.Figure("10,000 renewed by hand", name, "s", tuple(values))
            for name, values in outcome.seconds.items()
        ),
    ]


def _targets(outcome: Outcome) -> Sequence[results.Target]:
    ours = outcome.rate(PRODUCT)
    large_rate = outcome.large["instances"] / outcome.large["seconds"]
    one_call, many_calls = (statistics.median(outcome.seconds[name]) for name in (ONE_CALL, MANY_CALLS))
    return [
        *(
            results.Target(f"{outcome.due:,} due, against {name}", ours, outcome.rate(name), at_least)
            for name, at_least in AT_LEAST.items()
        ),
        results.Target(
            f"microseconds an instance of {outcome.large['instances']:,}, against {outcome.due:,}",
            1e6 / large_rate,
            1e6 / ours,
            1 / COST_AT_MOST,
            less_is_better=True,
        ),
        results.Target(
            f"{ONE_CALL}, against {MANY_CALLS}", one_call, many_calls, AT_LEAST_ONE_CALL, less_is_better=True
        ),
    ]


def _notes(outcome: Outcome) -> Sequence[str]:
    text = NOTES.format(
        accounts=outcome.scale.accounts,
        each=night.DUE_PER_ACCOUNT,
        at_once=worker.CHUNKS_AT_ONCE,
        tortoise=TORTOISE,
        postgresql=POSTGRESQL,
        sampled=outcome.scale.sampled * night.DUE_PER_ACCOUNT,
        loop=LOOP,
        at_once_rate=outcome.rate(TORTOISE),
        at_once_times=outcome.rate(PRODUCT) / outcome.rate(TORTOISE),
        all_seconds=outcome.due / outcome.rate(LOOP),
        memory=", ".join(
            f"{mib:.0f} MiB after {seconds:.0f} s" for seconds, mib in outcome.large["memory"][::4]
        ),
        peak=outcome.large["peak_mib"],
    )
    return tuple(text.splitlines())
