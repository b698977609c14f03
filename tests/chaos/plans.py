"""A fault's plan for a process; plain data, because it is sent to that process."""

import signal
from enum import StrEnum
from typing import NamedTuple


class Moment(StrEnum):
    """When in a statement: before it is sent, between sending and response, after the response."""

    BEFORE = "before"
    SENT = "sent"
    AFTER = "after"


class Fuse(NamedTuple):
    """The process sends itself a signal at its n-th statement, counted from its start."""

    statement: int
    moment: Moment
    signal_number: int = signal.SIGKILL


class Plan(NamedTuple):
    """The faults a process starts with; without any, it is the unchanged product."""

    fuse: Fuse | None = None
    clock_file: str | None = None
    """A file with the clock error of this process in seconds; read at every use of the clock."""
    sweeps_each_second: bool = False
    """Sweep every second instead of every minute, so that 1,000 faults do not take a day."""
    chunk_seconds_max: int | None = None
    """Replaces `workers.main.CHUNK_SECONDS_MAX`, so that a zombie times out sooner."""
    idle_seconds_max: int | None = None
    """Replaces both limits of `renewals.db.connection`, so that a zombie's locks are released sooner."""


AS_IT_IS = Plan()
IMPATIENT = Plan(sweeps_each_second=True)
