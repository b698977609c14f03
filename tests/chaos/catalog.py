"""The list of faults: the kind and the function of each, and its numbers of tries in the table and in a sample."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple

from tests.chaos import acknowledgements, api_kills, outages, stage, worker_kills, wrong_clocks, zombies
from tests.chaos.tally import Tally

Play = Callable[[stage.Stage, int], Awaitable[Tally]]


class Kind(StrEnum):
    """The kinds of faults that the table counts."""

    KILL = "kills of processes"
    POSTGRES = "stops and kills of PostgreSQL"
    FLUSH = "flushes of the queue"
    QUEUE = "stops and kills of Valkey"
    ACKNOWLEDGEMENT = "lost acknowledgements"
    COMMIT = "lost COMMITs"
    ZOMBIE = "zombies"
    OTHER = "wrong clocks and double starts"


AT_LEAST = {
    Kind.KILL: 500,
    Kind.POSTGRES: 20,
    Kind.FLUSH: 20,
    Kind.ACKNOWLEDGEMENT: 1_000,
    Kind.ZOMBIE: 50,
}
"""The minimum number of tries of a kind. With fewer tries, the table proves nothing."""


class Fault(NamedTuple):
    """A fault. `durable` is True if it strikes a server; the server then keeps its data on a disk with fsync on."""

    kind: Kind
    play: Play
    repetitions: int
    sample: int
    durable: bool = False
    play_sample: Play | None = None


ALL = {
    "worker-statements": Fault(
        Kind.KILL,
        worker_kills.at_each_statement,
        repetitions=1,
        sample=6,
        play_sample=worker_kills.at_some_statements,
    ),
    "worker-instants": Fault(Kind.KILL, worker_kills.at_any_instant, repetitions=240, sample=8),
    "worker-plain": Fault(Kind.KILL, worker_kills.as_started_by_a_user, repetitions=20, sample=1),
    "worker-again": Fault(Kind.KILL, worker_kills.time_after_time, repetitions=32, sample=8),
    "worker-of-two": Fault(Kind.KILL, worker_kills.one_of_two, repetitions=4, sample=0),
    "api-statements": Fault(
        Kind.KILL,
        api_kills.at_each_statement,
        repetitions=1,
        sample=6,
        play_sample=api_kills.at_some_statements,
    ),
    "api-instants": Fault(Kind.KILL, api_kills.at_any_instant, repetitions=40, sample=3),
    "api-acknowledgements": Fault(
        Kind.ACKNOWLEDGEMENT, acknowledgements.of_mutations, repetitions=700, sample=16
    ),
    "chunk-acknowledgements": Fault(
        Kind.ACKNOWLEDGEMENT, acknowledgements.of_chunks, repetitions=350, sample=20
    ),
    "api-commits": Fault(Kind.COMMIT, acknowledgements.of_mutations_on_the_way, repetitions=150, sample=8),
    "chunk-commits": Fault(Kind.COMMIT, acknowledgements.of_chunks_on_the_way, repetitions=150, sample=20),
    "postgres": Fault(Kind.POSTGRES, outages.of_postgres, repetitions=30, sample=3, durable=True),
    "valkey": Fault(Kind.QUEUE, outages.of_valkey, repetitions=21, sample=2, durable=True),
    "flush": Fault(Kind.FLUSH, outages.of_the_queue, repetitions=24, sample=2),
    "flush-product": Fault(Kind.FLUSH, outages.of_the_queue_of_the_product, repetitions=2, sample=0),
    "zombies": Fault(Kind.ZOMBIE, zombies.wake_beside_their_successor, repetitions=30, sample=1),
    "zombies-late": Fault(Kind.ZOMBIE, zombies.wake_when_all_is_done, repetitions=30, sample=1),
    "api-zombies": Fault(Kind.ZOMBIE, api_kills.stopped, repetitions=20, sample=1),
    "two-at-once": Fault(Kind.OTHER, worker_kills.two_at_once, repetitions=30, sample=2),
    "clock-back": Fault(Kind.OTHER, wrong_clocks.set_back, repetitions=10, sample=1),
    "three-days": Fault(Kind.OTHER, wrong_clocks.no_worker_for_days, repetitions=10, sample=1),
}


def play(name: str, times: float) -> Tally:
    """Run one fault on its own servers. Call this in a separate process, because it disables logging."""
    logging.disable(logging.CRITICAL)  # this process's pool logs errors about a server that the fault kills
    fault = ALL[name]

    async def on_stage(servers: stage.Servers) -> Tally:
        async with stage.opened(servers) as opened:
            return await fault.play(opened, math.ceil(fault.repetitions * times))

    with stage.started(durable=fault.durable) as servers:
        started_at = time.monotonic()
        tally = asyncio.run(on_stage(servers))
    tally.took_seconds = time.monotonic() - started_at
    return tally
