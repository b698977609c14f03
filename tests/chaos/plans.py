"""What is to befall a process; plain data, since it travels to the process that it befalls."""

import signal
from enum import StrEnum
from typing import NamedTuple


class Moment(StrEnum):
    """Where in a statement: before it is sent, sent but not answered, answered."""

    BEFORE = "before"
    SENT = "sent"
    AFTER = "after"


class Fuse(NamedTuple):
    """The process sends itself a signal at its n-th statement, counted from its start."""

    statement: int
    moment: Moment
    signal_number: int = signal.SIGKILL


class Plan(NamedTuple):
    """What a process is started with; without any of it, it is the product as it is."""

    fuse: Fuse | None = None
    clock_file: str | None = None
    """A file with the seconds by which this process's clock is wrong; read whenever it looks at the clock."""
    sweeps_each_second: bool = False
    """Sweep each second instead of each minute, so that a thousand faults do not take a day."""
    chunk_seconds_max: int | None = None
    """In the place of `workers.main.CHUNK_SECONDS_MAX`, so that a zombie is one sooner."""
    idle_seconds_max: int | None = None
    """In the place of both limits of `renewals.db.connection`, so that a zombie's locks go sooner."""


AS_IT_IS = Plan()
IMPATIENT = Plan(sweeps_each_second=True)
