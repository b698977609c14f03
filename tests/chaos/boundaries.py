"""Faults at the boundaries of statements: at each of them, or at some chosen at random."""

import itertools
import random
import signal
from collections.abc import Awaitable, Callable

from tests.chaos import plans

Strike = Callable[[plans.Fuse], Awaitable[bool]]
"""Starts a process with the fuse; returns False if it finished before it reached that statement."""


async def at_each(strike: Strike, signal_number: signal.Signals = signal.SIGKILL) -> None:
    """Strike before, during and after every statement, until no statement is left."""
    for moment in plans.Moment:
        for statement in itertools.count(1):
            if not await strike(plans.Fuse(statement, moment, signal_number)):
                break


async def at_some(strike: Strike, is_enough: Callable[[], bool], *, out_of: int) -> None:
    """Strike at random ones of about `statements` statements, until the tally is full."""
    while not is_enough():
        await strike(plans.Fuse(random.randint(1, out_of), random.choice(list(plans.Moment))))
