"""A fault's plan for a process. It is plain data, because it is sent to that process."""

import signal
from enum import StrEnum
from typing import NamedTuple


class Moment(StrEnum):
    """The moment of a fault: before a statement is sent, between sending and response, or after the response."""

    BEFORE = "before"
    SENT = "sent"
    AFTER = "after"


class Fuse(NamedTuple):
    """The signal that a process sends to itself at its n-th statement, counted from the start of the process."""

    statement: int
    moment: Moment
    signal_number: int = signal.SIGKILL


class Plan(NamedTuple):
    """The faults and changes of a process. With the default values, the process is the unchanged product."""

    fuse: Fuse | None = None
    clock_file: str | None = None
    """A file with the clock error of the process in seconds. It is read at every use of the clock."""
    sweeps_each_second: bool = False
    """Whether to sweep every second instead of every minute, so that 1,000 faults do not take a day."""
    chunk_seconds_max: int | None = None
    """The replacement for `workers.main.CHUNK_SECONDS_MAX`, so that a zombie times out sooner."""
    idle_seconds_max: int | None = None
    """The replacement for both time limits of `renewals.db.sessions`, so that a zombie's locks are released sooner."""


AS_IT_IS = Plan()
IMPATIENT = Plan(sweeps_each_second=True)
