"""The boundaries of statements, each of them or some at random."""

import itertools
import random
import signal
from collections.abc import Awaitable, Callable

from tests.chaos import plans

Strike = Callable[[plans.Fuse], Awaitable[bool]]
"""Has a process meet its fuse; False if it was through with its work before it came to that statement."""


async def at_each(strike: Strike, signal_number: signal.Signals = signal.SIGKILL) -> None:
    """Strikes before, in and after every statement, until there is none left."""
    for moment in plans.Moment:
        for statement in itertools.count(1):
            if not await strike(plans.Fuse(statement, moment, signal_number)):
                break


async def at_some(strike: Strike, is_enough: Callable[[], bool], *, out_of: int) -> None:
    """Strikes at any of about so many statements, until it is enough."""
    while not is_enough():
        await strike(plans.Fuse(random.randint(1, out_of), random.choice(list(plans.Moment))))
