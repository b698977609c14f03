"""The processor seconds (user and system) of processes, from /proc; 0 on a system without /proc.

The clock of /proc ticks a hundred times a second, so a measurement must last at least a second.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class _Stat(NamedTuple):
    """A process: its parent, its session, its own processor seconds, and those of its ended children."""

    pid: int
    parent: int
    session: int
    seconds: float
    ended_seconds: float


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """The processor seconds that a server's processes and PostgreSQL's processes have used so far."""

    server: float
    postgres: float

    def since(self, earlier: "CpuSeconds") -> "CpuSeconds":
        return CpuSeconds(self.server - earlier.server, self.postgres - earlier.postgres)


def of_process(pid: int) -> float:
    """Return the processor seconds of one process, or 0 if it has ended."""
    stat = _read(pid)
    return stat.seconds if stat else 0.0


def of_thread(pid: int) -> float:
    """Return the processor seconds of a process with one thread, in nanosecond resolution if schedstat exists."""
    schedule = PROC / str(pid) / "schedstat"
    if not schedule.exists():
        return of_process(pid)
    return int(schedule.read_text().split()[0]) / 1e9


def of_session(session: int) -> float:
    """Return the processor seconds of a session's processes, including children that have ended."""
    return sum(stat.seconds + stat.ended_seconds for stat in _all() if stat.session == session)


def of_family(parent: int) -> float:
    """Return the processor seconds of a process and its children, including children that have ended."""
    return sum(
        stat.seconds + (stat.ended_seconds if stat.pid == parent else 0)
        for stat in _all()
        if parent in (stat.pid, stat.parent)
    )


def of_descendants(root: int) -> float:
    """Return the processor seconds of a process and all its descendants, including descendants that have ended."""
    stats = list(_all())
    family, seconds = {root}, 0.0
    for _ in range(len(stats)):
        grown = family | {stat.pid for stat in stats if stat.parent in family}
        if grown == family:
            break
        family = grown
    for stat in stats:
        if stat.pid in family:
            seconds += stat.seconds + stat.ended_seconds
    return seconds


def has_session(session: int) -> bool:
    """Return whether a session has a process."""
    return any(stat.session == session for stat in _all())


def _all() -> Iterator[_Stat]:
    for folder in PROC.glob("[0-9]*"):
        if stat := _read(int(folder.name)):
            yield stat


def _read(pid: int) -> _Stat | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    own, ended = (int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14]))
    ticks = os.sysconf("SC_CLK_TCK")
    return _Stat(pid, int(fields[1]), int(fields[3]), own / ticks, ended / ticks)
