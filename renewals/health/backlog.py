"""The backlog for the metrics: pending work of runs and webhooks, read from the database and cached."""

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Mapping

from renewals.auto_renewal import due, runs, schedule
from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.domain.clock import Clock
from renewals.observability import metrics

CACHE_SECONDS = 15.0
SECONDS_MAX = 2.0

Values = Mapping[metrics.Key, float]
ExtraMetrics = Callable[[], Awaitable[Values]]

_SQL = f"""
  SELECT ({runs.LAST_SCHEDULED}) AS last_scheduled,
    (SELECT min(started_at) FROM renewal_runs WHERE ended_at IS NULL) AS unfinished_since,
    (SELECT count(*) FROM renewal_runs r JOIN renewal_chunks c ON c.run_id = r.id
     WHERE r.ended_at IS NULL AND c.done_at IS NULL) AS pending_chunks,
    (SELECT parked_count FROM renewal_runs WHERE ended_at IS NOT NULL AND trigger <> 'TEST_CLOCK'
     ORDER BY id DESC LIMIT 1) AS parked_accounts,
    (SELECT cardinality(broken_rules) FROM renewal_runs
     WHERE broken_rules IS NOT NULL ORDER BY id DESC LIMIT 1) AS broken_rules,
    (SELECT coalesce(sum(last_sequence - sequence), 0)::bigint FROM webhook_cursors
     WHERE sequence < last_sequence) AS events_behind,
    (SELECT count(*) FROM webhook_deliveries WHERE parked_at IS NULL) AS waiting,
    (SELECT count(*) FROM webhook_deliveries WHERE parked_at IS NOT NULL) AS parked,
    (SELECT count(*) FROM webhook_endpoints WHERE disabled_reason IS NOT NULL) AS disabled"""


class BacklogMetrics:
    """The backlog, at most CACHE_SECONDS old; there are no values if the database was unavailable at the last read."""

    def __init__(self, clock: Clock, extra_metrics: ExtraMetrics | None = None) -> None:
        self._clock = clock
        self._extra_metrics = extra_metrics
        self._lock = asyncio.Lock()
        self._read_at = -CACHE_SECONDS
        self._values: Values = {}

    async def values(self) -> Values:
        """Return the values by metric and label."""
        async with self._lock:
            if time.monotonic() >= self._read_at + CACHE_SECONDS:
                self._values = await self._read()
                self._read_at = time.monotonic()
            return self._values

    async def _read(self) -> Values:
        values: dict[metrics.Key, float] = {}
        try:
            async with asyncio.timeout(SECONDS_MAX):
                values |= await read_backlog(self._clock())
                if self._extra_metrics is not None:
                    values |= await self._extra_metrics()
        except Exception as error:
            if not db_errors.is_unavailable(error):
                raise
        return values


async def read_backlog(now: dt.datetime) -> Values:
    """Return the pending work of runs and webhooks at an instant, by metric and label."""
    connection = database.pool()
    [row] = await database.fetch(connection, _SQL)
    counts = await due.count_due(connection, now)
    since = row["unfinished_since"]
    return {
        (metrics.RUN_LATENESS, ""): schedule.lateness(row["last_scheduled"], now).total_seconds(),
        (metrics.RUN_UNFINISHED, ""): max(0.0, (now - since).total_seconds()) if since else 0.0,
        (metrics.DUE, ""): sum(counts.values()),
        (metrics.PENDING_CHUNKS, ""): row["pending_chunks"],
        (metrics.PARKED_ACCOUNTS, ""): row["parked_accounts"] or 0,
        (metrics.BROKEN_RULES, ""): row["broken_rules"] or 0,
        (metrics.EVENTS_BEHIND, ""): row["events_behind"],
        (metrics.DELIVERIES, "waiting"): row["waiting"],
        (metrics.DELIVERIES, "parked"): row["parked"],
        (metrics.ENDPOINTS_DISABLED, ""): row["disabled"],
    }
