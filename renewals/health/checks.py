"""Whether a process can do its work: what it needs is looked at, all at once, within two seconds and once a second.

The database is asked by a connection of its own: a pool that is busy is not a database that is away, and a process
that is taken out of the balance for it would only make the others busier.
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
from renewals.db import connection as database
from renewals.domain.clock import Clock

log = logging.getLogger(__name__)

SECONDS_MAX = 2.0
CACHE_SECONDS = 1.0
RUN_LATE_SECONDS = 300
"""A worker looks every minute, so that after five nobody looks."""
WRITE_CHECK_SECONDS = 10.0
"""A database that takes writes is asked to take one so often; one that refuses them, every time."""
UNREACHABLE = "cannot be reached"
UNANSWERED = f"no answer within {SECONDS_MAX:.0f} s"
UNASKED = "the database must be asked, and did not answer"


NOTE_WRITE = """INSERT INTO write_checks (id, checked_at) VALUES (1, now())
  ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at"""
FILL_TEMPORARY_FILE = "SELECT count(*) FROM generate_series(1, 20000)"
"""Half a megabyte that does not fit into the least memory. A full disk still lets one row be changed in its place, but
no file grow: neither this one nor a table."""


class Status(StrEnum):
    """READY: all is well; DEGRADED: something is away that most work does not need; UNREADY: send nobody here."""

    READY = "ready"
    DEGRADED = "degraded"
    UNREADY = "unready"


class HealthCheck(NamedTuple):
    """One thing that was looked at: why it is not well, in words that give nothing away, or None."""

    error: str | None

    @property
    def is_ok(self) -> bool:
        return self.error is None


OK = HealthCheck(None)


class HealthReport(NamedTuple):
    """All that was looked at, by name."""

    status: Status
    checks: Mapping[str, HealthCheck]


NOT_LOOKED = HealthReport(Status.UNREADY, {})


class HealthChecker:
    """Looks at what a process needs; only what is among `needed` makes it unready."""

    def __init__(self, settings: config.Settings, clock: Clock, *, needed: Collection[str]) -> None:
        self._database_url = settings.database_url
        self._clock = clock
        self._needed = needed
        self._connection: Any = None
        self._redis = None
        if settings.redis_url is not None:
            self._redis = Redis.from_url(
                settings.redis_url, socket_timeout=SECONDS_MAX, socket_connect_timeout=SECONDS_MAX
            )
        self._looking = asyncio.Lock()
        self._looked_at = -CACHE_SECONDS
        self._wrote_at = -WRITE_CHECK_SECONDS
        self._report = NOT_LOOKED

    async def report(self) -> HealthReport:
        """What was found, not more than a second ago."""
        async with self._looking:
            if time.monotonic() >= self._looked_at + CACHE_SECONDS:
                before, self._report = self._report, await self._check()
                if _failing(self._report).keys() != _failing(before).keys() or before is NOT_LOOKED:
                    _tell(self._report)
                self._looked_at = time.monotonic()
            return self._report

    async def close(self) -> None:
        self._disconnect()
        if self._redis is not None:
            await self._redis.aclose()

    async def _check(self) -> HealthReport:
        checks = {"database": HealthCheck(UNANSWERED), "migrations": HealthCheck(UNASKED)}
        checks |= {"writes": HealthCheck(UNASKED), "run": HealthCheck(UNASKED)}
        looks = [self._check_database(checks)]
        if self._redis is not None:
            looks.append(self._check_redis(self._redis, checks))
        await asyncio.gather(*looks)
        status = Status.READY
        if any(not check.is_ok for check in checks.values()):
            status = Status.DEGRADED
        if any(not checks[name].is_ok for name in self._needed):
            status = Status.UNREADY
        return HealthReport(status, checks)

    async def _check_database(self, checks: dict[str, HealthCheck]) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(
                        self._database_url,
                        server_settings={
                            "application_name": f"{database.APP}-health",
                            # A write that waits, for a lock or a replica, is ended and leaves no session behind.
                            "statement_timeout": f"{SECONDS_MAX:.0f}s",
                        },
                    )
                server_version.check_server_version(self._connection)
                await self._connection.execute("SELECT 1")
                checks["database"] = OK
                checks["migrations"] = await self._check_migrations()
                checks["run"] = await self._check_run()
                checks["writes"] = await self._check_writes()
        except TimeoutError:
            self._disconnect()
        except asyncpg.UndefinedTableError:
            checks["migrations"] = HealthCheck("the database has no tables")
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is not well
            checks["database"] = HealthCheck(configuration_errors.summarize(problem) or UNREACHABLE)
            self._disconnect()

    async def _check_migrations(self) -> HealthCheck:
        rows = await self._connection.fetch(
            "SELECT name FROM tortoise_migrations WHERE app = $1", database.APP
        )
        missing = sorted(migrate.known_migrations() - {row["name"] for row in rows})
        return HealthCheck(f"not applied: {', '.join(missing)}") if missing else OK

    async def _check_writes(self) -> HealthCheck:
        """Check that the database takes writes: it may be a standby, be set to read only, or have no room left."""
        if time.monotonic() < self._wrote_at + WRITE_CHECK_SECONDS:
            return OK
        self._wrote_at = -WRITE_CHECK_SECONDS
        try:
            async with self._connection.transaction():
                await self._connection.execute(NOTE_WRITE)
                await self._connection.execute("SET LOCAL work_mem = '64kB'")
                await self._connection.execute(FILL_TEMPORARY_FILE)
        except asyncpg.ReadOnlySQLTransactionError:
            return HealthCheck("the database is read-only")
        except asyncpg.InsufficientResourcesError:
            return HealthCheck("the database has no room left")
        except asyncpg.UndefinedTableError:
            return HealthCheck("the table to try it with is not there")
        except asyncpg.PostgresError:
            return HealthCheck("the database refuses a write")
        self._wrote_at = time.monotonic()
        return OK

    async def _check_run(self) -> HealthCheck:
        last = await self._connection.fetchval(runs.LAST_SCHEDULED)
        late = schedule.lateness(last, self._clock()).total_seconds()
        if late <= RUN_LATE_SECONDS:
            return OK
        return HealthCheck(f"the renewals of the hour should have begun {late:.0f} s ago")

    async def _check_redis(self, redis: Redis, checks: dict[str, HealthCheck]) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await redis.ping()
            checks["redis"] = OK
        except TimeoutError:
            checks["redis"] = HealthCheck(UNANSWERED)
        except Exception as problem:  # noqa: BLE001 - as above
            checks["redis"] = HealthCheck(configuration_errors.summarize(problem) or UNREACHABLE)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _failing(report: HealthReport) -> dict[str, str | None]:
    return {name: check.error for name, check in report.checks.items() if not check.is_ok}


def _tell(report: HealthReport) -> None:
    """Has the log know of a change."""
    ailing = _failing(report)
    level = logging.WARNING if ailing else logging.INFO
    log.log(level, "this process is %s", report.status, extra={"ailing": ailing} if ailing else None)
