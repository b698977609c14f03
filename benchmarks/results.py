"""The results of measurements: figures, targets and notes, combined into sections of one report."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity that was measured for one contender, with one value for each round or each execution."""

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
    """A comparison of the project with a peer: both values, and how many times better the project must be."""

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

    A table has the figures of one unit, with a column for each `what`. If `units_together` is true, a table has
    the figures of one `what` instead, with a column for each unit. This shows the processor time beside the rate.
    """

    title: str
    figures: Sequence[Figure]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    units_together: bool = False


def median(figures: Sequence[Figure], what: str, contender: str, unit: str | None = None) -> float | None:
    """Return the median of a contender's figure, or None if the figure was not measured.

    If `unit` is None, use the contender's first figure for `what`.
    """
    return next(
        (f.median for f in figures if (f.what, f.contender) == (what, contender) and unit in (None, f.unit)),
        None,
    )
