"""A cache of computed forecasts, limited by the number of instances."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Inputs = TypeVar("Inputs")

INSTANCES_MAX = 100_000
"""The maximum total number of instances in all cached forecasts; an instance takes a few hundred bytes."""


class ForecastCache(Generic[Inputs]):
    """A least-recently-used cache that stores a value with its inputs and returns it only for equal inputs."""

    def __init__(self, instances_max: int = INSTANCES_MAX) -> None:
        self._instances_max = instances_max
        self._entries: OrderedDict[Hashable, tuple[Inputs, int, object]] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable, inputs: Inputs) -> object | None:
        """Return the value of a key, or None if it is missing or was computed from other inputs."""
        entry = self._entries.get(key)
        if entry is None or entry[0] != inputs:
            return None
        self._entries.move_to_end(key)
        return entry[2]

    def store(self, key: Hashable, inputs: Inputs, instance_count: int, value: object) -> None:
        """Store the value computed from `inputs`, unless `instance_count` is too large for the whole cache."""
        self._discard(key)
        size = instance_count + 1
        if size > self._instances_max:
            return
        self._entries[key] = (inputs, size, value)
        self._size += size
        while self._size > self._instances_max:
            self._discard(next(iter(self._entries)))

    def _discard(self, key: Hashable) -> None:
        if key in self._entries:
            self._size -= self._entries.pop(key)[1]
