"""How a process of ours looks for cycles among its objects: rarely, since a renewal makes many objects and no cycle."""

import gc

THRESHOLDS = (100_000, 20, 20)
"""Python's own 700 have it look hundreds of times, in a chunk or a large call, at rows that stay until they are
written: an eighth of a worker's processor time, and two fifths of that of a call for 10,000 instances."""


def tune_gc() -> None:
    """Looks at new objects by the hundred thousand, and never again at what the process has imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
