"""The messages between the API's process and the pool's processes: each has its length in 4 bytes, then a pickle."""

import struct
from collections.abc import Awaitable, Callable
from typing import NamedTuple

HEADER = struct.Struct("!I")


class Job(NamedTuple):
    """A function, which is pickled as its module and name, and its arguments."""

    work: Callable[..., Awaitable[object]]
    arguments: tuple[object, ...]
