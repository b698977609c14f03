"""What was computed of an account, kept in this process for as long as all that it was computed from is the same."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Mark = TypeVar("Mark")

INSTANCES_MAX = 100_000
"""Of all that is kept: an instance takes some hundred bytes of each."""


class ForecastCache(Generic[Mark]):
    """Values by key, each with the mark of what it was computed from; those used least recently go first."""

    def __init__(self, instances_max: int = INSTANCES_MAX) -> None:
        self._instances_max = instances_max
        self._kept: OrderedDict[Hashable, tuple[Mark, int, object]] = OrderedDict()
        self._instances = 0

    def find(self, key: Hashable, mark: Mark) -> object | None:
        """Return what is kept under a key, if its mark is still the same."""
        found = self._kept.get(key)
        if found is None or found[0] != mark:
            return None
        self._kept.move_to_end(key)
        return found[2]

    def keep(self, key: Hashable, mark: Mark, instances: int, value: object) -> None:
        """Keep a value that was computed from so many instances; too large a one is not kept."""
        self._forget(key)
        if instances + 1 > self._instances_max:
            return
        self._kept[key] = (mark, instances + 1, value)
        self._instances += instances + 1
        while self._instances > self._instances_max:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        if key in self._kept:
            self._instances -= self._kept.pop(key)[1]
