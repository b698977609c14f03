"""Faults at the boundaries of statements: at each boundary, or at random ones."""

import itertools
import random
import signal
from collections.abc import Awaitable, Callable

from tests.chaos import plans

Strike = Callable[[plans.Fuse], Awaitable[bool]]
"""A function that starts a process with a fuse. It returns False if the process finished before that statement."""


async def at_each(strike: Strike, signal_number: signal.Signals = signal.SIGKILL) -> None:
    """Strike before, during and after every statement, until no statement is left."""
    for moment in plans.Moment:
        for statement in itertools.count(1):
            if not await strike(plans.Fuse(statement, moment, signal_number)):
                break


async def at_some(strike: Strike, is_enough: Callable[[], bool], *, out_of: int) -> None:
    """Strike at random statements, from the first to number `out_of`, until `is_enough` is true."""
    while not is_enough():
        await strike(plans.Fuse(random.randint(1, out_of), random.choice(list(plans.Moment))))
