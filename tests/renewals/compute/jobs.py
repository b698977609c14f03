"""Jobs for the tests of the process pool. They have their own module, because each process of the pool imports it."""

import os
import time

from renewals.db import connection as database
from renewals.domain import errors
from renewals.domain.messages import Message


async def get_pid() -> int:
    """Return the id of the process that runs the job."""
    return os.getpid()


async def block(seconds: float) -> float:
    """Block the process, as a long computation does."""
    time.sleep(seconds)  # noqa: ASYNC251 - a long computation blocks, too
    return seconds


async def refuse(field: str) -> None:
    """Raise an error of the domain."""
    raise errors.InvalidInputError(field, Message("is refused"))


async def lose_database() -> None:
    """End the process's own connection."""
    await database.fetch(database.pool(), "SELECT pg_terminate_backend(pg_backend_pid())")


class UnpicklableError(Exception):
    """An error that pickle cannot restore."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


async def raise_unpicklable() -> None:
    """Raise an error that cannot be sent to another process."""
    raise UnpicklableError(1, 2)
