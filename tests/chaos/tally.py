"""The results of each fault's tries, and the table of these results."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.work import Batch, Verdict, Work, until


@dataclass
class Tally:
    """The tries of one fault and their results."""

    fault: str
    seconds_max: float
    """The time after the fault within which all instances must be charged, and every run must have ended."""
    tried: int = 0
    lost: int = 0
    doubled: int = 0
    late: int = 0
    """The number of tries that missed the deadline."""
    longest_seconds: float = 0.0
    took_seconds: float = 0.0
    broken: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return self.tried > 0 and not (self.lost or self.doubled or self.late or self.broken)

    def note(self, verdict: Verdict) -> None:
        """Add the problems of a verdict."""
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.broken += [rule for rule in verdict.broken if rule not in self.broken]

    async def recovered(
        self,
        work: Work,
        batch: Batch,
        since: float,
        condition: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Wait until the whole batch is charged, and judge it. `since` is the end of the fault."""
        took = await until(condition or (lambda: work.is_done(batch)), self.seconds_max)
        if took is None:
            self.late += 1
            self.evidence += [f"--- late: {self.fault}", *await work.evidence()]
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - since)
        self.note(await work.judge(batch))


HEADINGS = ("fault", "tried", "lost", "doubled", "late", "broken rules", "longest recovery", "took")


def table(tallies: Sequence[Tally]) -> str:
    """Return the table, with a line for each fault and one for the sums."""
    rows = [HEADINGS, *map(_row, tallies)]
    total = Tally("all", 0)
    for tally in tallies:
        total.tried += tally.tried
        total.note(Verdict(tally.lost, tally.doubled, tuple(tally.broken)))
        total.late += tally.late
        total.longest_seconds = max(total.longest_seconds, tally.longest_seconds)
        total.took_seconds += tally.took_seconds
    rows.append(_row(total))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _row(tally: Tally) -> tuple[str, ...]:
    counts = (tally.tried, tally.lost, tally.doubled, tally.late, len(tally.broken))
    return (tally.fault, *map(str, counts), f"{tally.longest_seconds:.1f} s", f"{tally.took_seconds:.0f} s")
