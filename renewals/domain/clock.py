"""The system clock, for the entry points; the rules receive the current time as an argument."""

import datetime as dt
from collections.abc import Callable

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Return the current UTC instant."""
    return dt.datetime.now(dt.UTC)
