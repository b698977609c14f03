"""Snapshots of a read replica for long reads; each contains everything that the primary had committed before the read.

A read fetches the position up to which the primary has flushed its log, and waits until the replica has replayed the
log up to that position. If the wait exceeds WAIT_SECONDS_MAX, or the replica is unavailable, the primary serves this
read and, for PAUSE_SECONDS, all later reads of this process.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from tortoise.connection import get_connection
from tortoise.exceptions import ConfigurationError

from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.db.configuration import DEFAULT_CONNECTION, REPLICA_CONNECTION
from renewals.observability import metrics

log = logging.getLogger(__name__)

WAIT_SECONDS_MAX = 1.0
POLL_SECONDS = 0.005
PAUSE_SECONDS = 5.0

_FLUSHED = "SELECT pg_current_wal_flush_lsn()::text"
_HAS_REPLAYED = "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
_paused_until = 0.0


@contextlib.asynccontextmanager
async def read_snapshot(*, seconds_max: int | None = None) -> AsyncIterator[database.Connection]:
    """Run the block in a snapshot of the replica, or of the primary if no replica is available and up to date."""
    name = DEFAULT_CONNECTION
    if (replica := _find_replica()) is not None:
        source = await _choose_source(replica)
        metrics.REPLICA_READS.labels(source).inc()
        name = REPLICA_CONNECTION if source == "replica" else DEFAULT_CONNECTION
    async with database.read_snapshot(seconds_max=seconds_max, name=name) as connection:
        yield connection


def _find_replica() -> database.Connection | None:
    try:
        return get_connection(REPLICA_CONNECTION)
    except ConfigurationError:
        return None


async def _choose_source(replica: database.Connection) -> str:
    """Return "replica", or "primary" while the replica is unavailable or behind."""
    global _paused_until  # noqa: PLW0603 - the pause belongs to the process
    if time.monotonic() < _paused_until:
        return "primary"
    [flushed] = await database.fetch(database.pool(), _FLUSHED)
    problem = "does not respond"
    try:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not (await database.fetch(replica, _HAS_REPLAYED, flushed[0]))[0][0]:
                problem = f"is more than {WAIT_SECONDS_MAX:.0f} s behind, or is not a replica"
                await asyncio.sleep(POLL_SECONDS)
            return "replica"
    except Exception as error:
        if not db_errors.is_unavailable(error):
            raise
        if not isinstance(error, TimeoutError):
            problem = f"is unavailable ({error})"
    log.warning("the replica %s: the primary serves its reads for %.0f s", problem, PAUSE_SECONDS)
    _paused_until = time.monotonic() + PAUSE_SECONDS
    return "primary"
