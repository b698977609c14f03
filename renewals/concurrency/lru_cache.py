"""What was used last is kept, so much of it and no more; safe among threads, where at worst it is made anew."""

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def find(kept: OrderedDict[Key, Value], key: Key) -> Value | None:
    """What is kept under a key, which is the latest from now on."""
    found = kept.pop(key, None)
    if found is not None:
        kept[key] = found
    return found


def keep(kept: OrderedDict[Key, Value], key: Key, value: Value, *, most: int) -> None:
    """Keeps a value as the latest, and forgets the one that was used least recently."""
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
