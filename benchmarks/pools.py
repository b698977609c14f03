"""The search for the best pool size of each peer, with which the peer is then measured."""

import functools
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uvloop

from benchmarks import contenders, results, sizes, stage

SIZES = (4, 8, contenders.POOL_SIZE)
PAGES = (10, 100)
UNIT = "requests/s"


@dataclass(frozen=True, slots=True)
class Pools:
    """The pool size of each contender, the measured rates, and a sentence for each contender that cannot be started."""

    size_by_name: Mapping[str, int]
    figures: Sequence[results.Figure]
    missing: Sequence[str]


@functools.cache
def best(environment: stage.Stage, size: sizes.Size) -> Pools:
    """Return the project's default pool size, and the pool size at which each peer has its highest rate."""
    names, missing = contenders.available(environment.folder)
    figures: list[results.Figure] = []
    size_by_name = {contenders.OURS: contenders.POOL_SIZE}
    for name in names[1:]:
        rates = {pool_size: _measure(environment, size, name, pool_size) for pool_size in SIZES}
        size_by_name[name] = max(rates, key=rates.__getitem__)
        figures += [
            results.Figure("by the size of the pool", name, f"{UNIT}, {pool_size}", (rate,))
            for pool_size, rate in rates.items()
        ]
        print(f"pool of {size_by_name[name]:>2} for {name}", file=sys.stderr)
    return Pools(size_by_name, figures, missing)


def _measure(environment: stage.Stage, size: sizes.Size, name: str, pool_size: int) -> float:
    """Return the geometric mean of the contender's rates (pages per second) for the page sizes in PAGES."""
    contender = contenders.find(environment.folder, name)
    with contenders.start(environment, size, contender, pool_size) as running:
        rates = []
        for page in PAGES:
            uvloop.run(contenders.load(running, page, size, size.warm_up_seconds))
            rates.append(
                uvloop.run(contenders.load(running, page, size, size.pool_seconds)).requests_per_second
            )
    return statistics.geometric_mean(rates)
