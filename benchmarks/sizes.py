"""The sizes of a run: the full size, whose results are published, and a quick size to check that everything works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """The data set and the durations of the measurements, shared by every section."""

    name: str
    instances: int
    accounts: int
    large_account_instances: int
    rounds: int
    seconds: float
    """The duration of a closed loop, which measures one contender with one page size."""
    warm_up_seconds: float
    pool_seconds: float
    """The duration of one measurement of a peer with one pool size."""
    connections: int
    open_loop_seconds: float
    open_loop_rounds: int


FULL = Size(
    name="full",
    instances=1_000_000,
    accounts=10_000,
    large_account_instances=50_000,
    rounds=5,
    seconds=4,
    warm_up_seconds=1,
    pool_seconds=2,
    connections=16,
    open_loop_seconds=20,
    open_loop_rounds=3,
)
QUICK = Size(
    name="quick",
    instances=100_000,
    accounts=1_000,
    large_account_instances=50_000,
    rounds=1,
    seconds=1,
    warm_up_seconds=0.3,
    pool_seconds=0.5,
    connections=16,
    open_loop_seconds=5,
    open_loop_rounds=1,
)
