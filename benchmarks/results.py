"""The results of measurements: figures, targets and notes, combined into sections of one report."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity measured for one contender, one value a round."""

    what: str
    contender: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


@dataclass(frozen=True, slots=True)
class Target:
    """How many times faster than a peer the project is, and must be."""

    what: str
    ours: float
    peer: float
    at_least: float
    less_is_better: bool = False

    @property
    def ratio(self) -> float:
        better, worse = (self.peer, self.ours) if self.less_is_better else (self.ours, self.peer)
        return better / worse

    @property
    def is_reached(self) -> bool:
        return self.ratio >= self.at_least


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report; notes explain how to read the figures.

    A table has the figures of one unit, with a column for each `what`; or, if `units_together`, the figures of one
    `what`, with a column for each unit, so that the processor time stands beside the requests a second.
    """

    title: str
    figures: Sequence[Figure]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    units_together: bool = False


def median(figures: Sequence[Figure], what: str, contender: str, unit: str | None = None) -> float | None:
    """Return the median of a contender's figure, or None if it was not measured; without a unit, the first figure."""
    return next(
        (f.median for f in figures if (f.what, f.contender) == (what, contender) and unit in (None, f.unit)),
        None,
    )
