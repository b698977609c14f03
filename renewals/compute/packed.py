"""Pickled sequences that pass between processes."""

import pickle
from collections.abc import Sequence
from typing import TypeVar, overload

Value = TypeVar("Value")


class Packed(Sequence[Value]):
    """A long sequence, pickled in blocks of 100 items; only the blocks with the requested items are unpickled."""

    ITEMS_TOGETHER = 100

    def __init__(self, items: Sequence[Value]) -> None:
        self._count = len(items)
        self._blocks = [
            pickle.dumps(items[start : start + self.ITEMS_TOGETHER], pickle.HIGHEST_PROTOCOL)
            for start in range(0, len(items), self.ITEMS_TOGETHER)
        ]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | Sequence[Value]:
        if isinstance(index, int):
            position = range(self._count)[index]
            return self._load(position // self.ITEMS_TOGETHER)[position % self.ITEMS_TOGETHER]
        start, stop, step = index.indices(self._count)
        if step != 1:
            return [self[position] for position in range(start, stop, step)]
        first, last = start // self.ITEMS_TOGETHER, -(-stop // self.ITEMS_TOGETHER)
        items = [item for block in range(first, last) for item in self._load(block)]
        skipped = start - first * self.ITEMS_TOGETHER
        return items[skipped : skipped + max(0, stop - start)]

    def _load(self, block: int) -> Sequence[Value]:
        items: Sequence[Value] = pickle.loads(self._blocks[block])  # noqa: S301 - pickled by our own process
        return items
