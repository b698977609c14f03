"""A least-recently-used cache in an ordered dictionary.

Threads may share a cache: at worst, a value is computed twice.
"""

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def find(cache: OrderedDict[Key, Value], key: Key) -> Value | None:
    """Return the value of a key and mark the key as the most recently used, or return None if it is absent."""
    value = cache.pop(key, None)
    if value is not None:
        cache[key] = value
    return value


def keep(cache: OrderedDict[Key, Value], key: Key, value: Value, *, size_max: int) -> None:
    """Store a value, and drop the least recently used value if the cache then has more than `size_max` values."""
    cache[key] = value
    if len(cache) > size_max:
        cache.popitem(last=False)
