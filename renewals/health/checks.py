"""Health checks of a process: the database and Redis are checked in parallel, within 2 s, at most once a second.

The database is checked through a connection outside the pool, because a busy pool is not an outage. If the load
balancer removed a busy process, the other processes would become even busier.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import asyncpg
from redis.asyncio import Redis

from renewals import config
from renewals.auto_renewal import runs, schedule
from renewals.db import configuration_errors, migrate, server_version
from renewals.db.configuration import APP
from renewals.domain.clock import Clock

log = logging.getLogger(__name__)

SECONDS_MAX = 2.0
CACHE_SECONDS = 1.0
RUN_LATE_SECONDS = 300
"""The maximum lateness of a run.

A worker starts due runs every minute. If a run is later, no worker is running, or none can start runs.
"""
WRITE_CHECK_SECONDS = 10.0
"""The interval of the write check while it passes; a failed write check is repeated with every health check."""
UNREACHABLE = "cannot be reached"
NO_RESPONSE = f"no response within {SECONDS_MAX:.0f} s"
NOT_CHECKED = "not checked, because an earlier check failed or took too long"

WRITE_ROW = """INSERT INTO write_checks (id, checked_at) VALUES (1, now())
  ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at"""
FILL_TEMPORARY_FILE = "SELECT count(*) FROM generate_series(1, 20000)"
"""A statement that writes 0.5 MB, more than the minimum `work_mem`, to a temporary file.

On a full disk, a row can still be updated if its new version fits into an existing page, but no file can grow.
"""


class Status(StrEnum):
    """The status of a process.

    READY: all checks pass; DEGRADED: only optional checks fail; UNREADY: a required check fails.
    """

    READY = "ready"
    DEGRADED = "degraded"
    UNREADY = "unready"


class HealthCheck(NamedTuple):
    """The result of one check: the error, without names of hosts or roles, or None if the check passed."""

    error: str | None

    @property
    def is_ok(self) -> bool:
        """Whether the check passed."""
        return self.error is None


OK = HealthCheck(None)
NO_RUNS = HealthCheck("the table renewal_runs does not exist")


class HealthReport(NamedTuple):
    """The status of a process, and the results of all checks by name."""

    status: Status
    checks: Mapping[str, HealthCheck]


_INITIAL = HealthReport(Status.UNREADY, {})


class HealthChecker:
    """The checks of a process, which is unready if one of the `required` checks fails."""

    def __init__(self, settings: config.Settings, clock: Clock, *, required: Collection[str]) -> None:
        self._database_url = settings.database_url
        self._clock = clock
        self._required = required
        self._connection: Any = None
        self._redis = None
        if settings.redis_url is not None:
            self._redis = Redis.from_url(
                settings.redis_url, socket_timeout=SECONDS_MAX, socket_connect_timeout=SECONDS_MAX
            )
        self._lock = asyncio.Lock()
        self._checked_at = -CACHE_SECONDS
        self._wrote_at = -WRITE_CHECK_SECONDS
        self._report = _INITIAL

    async def report(self) -> HealthReport:
        """Return the status and the results of the checks, at most CACHE_SECONDS old."""
        async with self._lock:
            if time.monotonic() >= self._checked_at + CACHE_SECONDS:
                before, self._report = self._report, await self._check()
                if _failing(self._report).keys() != _failing(before).keys() or before is _INITIAL:
                    _log_change(self._report)
                self._checked_at = time.monotonic()
            return self._report

    async def close(self) -> None:
        """Close the connections of the checks."""
        self._disconnect()
        if self._redis is not None:
            await self._redis.aclose()

    async def _check(self) -> HealthReport:
        checks = {"database": HealthCheck(NO_RESPONSE), "migrations": HealthCheck(NOT_CHECKED)}
        checks |= {"writes": HealthCheck(NOT_CHECKED), "run": HealthCheck(NOT_CHECKED)}
        pending = [self._check_database(checks)]
        if self._redis is not None:
            pending.append(self._check_redis(self._redis, checks))
        await asyncio.gather(*pending)
        status = Status.READY
        if any(not check.is_ok for check in checks.values()):
            status = Status.DEGRADED
        if any(not checks[name].is_ok for name in self._required):
            status = Status.UNREADY
        return HealthReport(status, checks)

    async def _check_database(self, checks: dict[str, HealthCheck]) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(
                        self._database_url,
                        statement_cache_size=0,  # a pooler may not support prepared statements
                        server_settings={
                            "application_name": f"{APP}-health",
                            # This ends a write that waits for a lock or a replica, so that no session remains.
                            "statement_timeout": f"{SECONDS_MAX:.0f}s",
                        },
                    )
                server_version.check_server_version(self._connection)
                await self._connection.execute("SELECT 1")
                checks["database"] = OK
                checks["migrations"] = await self._check_migrations()
                checks["run"] = await self._check_run()
                if checks["run"] == NO_RUNS and checks["migrations"].is_ok:
                    checks["migrations"] = NO_RUNS
                checks["writes"] = await self._check_writes()
        except TimeoutError:
            self._disconnect()
        except asyncpg.UndefinedTableError:
            checks["migrations"] = HealthCheck("the database has no tables")
        except Exception as error:  # noqa: BLE001 - any error is a failed check
            checks["database"] = HealthCheck(configuration_errors.summarize(error) or UNREACHABLE)
            self._disconnect()

    async def _check_migrations(self) -> HealthCheck:
        rows = await self._connection.fetch("SELECT name FROM tortoise_migrations WHERE app = $1", APP)
        missing = sorted(migrate.known_migrations() - {row["name"] for row in rows})
        return HealthCheck(f"not applied: {', '.join(missing)}") if missing else OK

    async def _check_writes(self) -> HealthCheck:
        """Return the result of the write check, which fails for a standby, a read-only database and a full disk."""
        if time.monotonic() < self._wrote_at + WRITE_CHECK_SECONDS:
            return OK
        self._wrote_at = -WRITE_CHECK_SECONDS
        try:
            async with self._connection.transaction():
                # The time-out is set again, because a pooler does not pass on the settings of the connection.
                await self._connection.execute(
                    f"SET LOCAL statement_timeout = '{SECONDS_MAX:.0f}s'; SET LOCAL work_mem = '64kB'"
                )
                await self._connection.execute(WRITE_ROW)
                await self._connection.execute(FILL_TEMPORARY_FILE)
        except asyncpg.ReadOnlySQLTransactionError:
            return HealthCheck("the database is read-only")
        except asyncpg.InsufficientResourcesError:
            return HealthCheck("the database has no free disk space, or lacks another resource")
        except asyncpg.UndefinedTableError:
            return HealthCheck("the table write_checks does not exist")
        except asyncpg.PostgresError:
            return HealthCheck("the database rejects a write")
        self._wrote_at = time.monotonic()
        return OK

    async def _check_run(self) -> HealthCheck:
        try:
            last = await self._connection.fetchval(runs.LAST_SCHEDULED)
        except asyncpg.UndefinedTableError:
            return NO_RUNS
        late = schedule.lateness(last, self._clock()).total_seconds()
        if late <= RUN_LATE_SECONDS:
            return OK
        return HealthCheck(f"the hourly run is {late:.0f} s late")

    async def _check_redis(self, redis: Redis, checks: dict[str, HealthCheck]) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await redis.ping()
            checks["redis"] = OK
        except TimeoutError:
            checks["redis"] = HealthCheck(NO_RESPONSE)
        except Exception as error:  # noqa: BLE001 - any error is a failed check
            checks["redis"] = HealthCheck(configuration_errors.summarize(error) or UNREACHABLE)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _failing(report: HealthReport) -> dict[str, str | None]:
    return {name: check.error for name, check in report.checks.items() if not check.is_ok}


def _log_change(report: HealthReport) -> None:
    failing = _failing(report)
    level = logging.WARNING if failing else logging.INFO
    log.log(level, "this process is %s", report.status, extra={"failing": failing} if failing else None)
