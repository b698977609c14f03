"""Brings the schema up to date: one migrator at a time, and none that holds up everybody else.

A migration that waits for a table's lock has all who come after it wait, too, behind whoever holds the table. So it
waits for a moment only, gives its place up, and tries again. Each migration is one transaction, with the note that it
was applied, and on an empty database all of them are: it is done and known to be, or neither.
"""

import asyncio
import functools
import logging
import pkgutil
from collections.abc import Sequence

import asyncpg
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from renewals.db import connection as database
from renewals.db import migrations, server_version
from renewals.db.advisory_locks import AdvisoryLock, lock_session, try_lock_session

log = logging.getLogger(__name__)

LOCK_SECONDS_MAX = 2
"""So long everybody may have to wait behind a migration."""
PAUSE_SECONDS = 3.0
"""In which those who waited are served."""
TRIES_MAX = 20
SHOWN_MAX = 3
_BEFORE_FIRST_RELEASE = "0001_tables"
"""The first of the migrations that the initial one replaced."""


class TablesInUseError(Exception):
    """Transactions that do not end keep a migration from its tables."""


class UnknownMigrationsError(Exception):
    """The database has migrations of another version: a later one, or one from before the first release."""

    def __init__(self, names: Sequence[str]) -> None:
        if _BEFORE_FIRST_RELEASE in names:
            message = (
                "The database was created by a version before the first release, and cannot be migrated: "
                "create a new database and run `renewals migrate` on it. `renewals up` creates one after "
                "`rm -r .renewals`."
            )
        else:
            message = (
                "The database is newer than this version, which does not know its migrations "
                f"({', '.join(names)}): run the version that made them, or a newer one."
            )
        super().__init__(message)


async def migrate(url: str) -> list[str]:
    """Apply the missing migrations and return their names.

    Raises TablesInUseError, after which the applied ones stay, and UnknownMigrationsError before anything is applied.
    """
    applied: list[str] = []
    alone = await asyncpg.connect(url, timeout=database.CONNECT_SECONDS_MAX)
    try:
        server_version.check_server_version(alone)
        if not await try_lock_session(alone, AdvisoryLock.MIGRATIONS):
            log.warning("somebody else migrates; waits until that is done")
            await lock_session(alone, AdvisoryLock.MIGRATIONS)
        async with database.connect(url, pool_size=2, lock=LOCK_SECONDS_MAX):
            for tried in range(1, TRIES_MAX + 1):
                try:
                    await _apply_missing(url, applied)
                    break
                except asyncpg.LockNotAvailableError:
                    held_by = await _holders(alone)
                    if tried == TRIES_MAX:
                        raise TablesInUseError(
                            f"A table is in use, and was not free in {TRIES_MAX} tries: {held_by}. "
                            "Wait for it or end it (pg_terminate_backend), then migrate again."
                        ) from None
                    log.warning("a table is in use, tries again in %.0f s: %s", PAUSE_SECONDS, held_by)
                    await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await alone.close()
    return applied


async def compare(url: str) -> tuple[list[str], list[str]]:
    """Return the migrations that the database lacks, and those applied that this version does not know."""
    connection = await asyncpg.connect(url, timeout=database.CONNECT_SECONDS_MAX)
    try:
        rows = await connection.fetch("SELECT name FROM tortoise_migrations WHERE app = $1", database.APP)
    finally:
        await connection.close()
    applied = {row["name"] for row in rows}
    return sorted(known_migrations() - applied), sorted(applied - known_migrations())


@functools.cache
def known_migrations() -> frozenset[str]:
    """Return the names of the migrations that this code comes with."""
    return frozenset(each.name for each in pkgutil.iter_modules(migrations.__path__))


async def _apply_missing(url: str, applied: list[str]) -> None:
    """Applies one migration after the other, and adds its name to those applied once it is committed.

    Tortoise by itself notes it after the commit: killed between the two, it would apply it again, and fail for ever.
    """
    apps = database.configuration(url)["apps"]
    executor = MigrationExecutor(database.pool(), apps)
    await executor.migrate([])  # makes the table of the notes, which must be there when a transaction begins
    missing = [MigrationTarget(database.APP, step.migration.name) for step in await executor.plan()]
    names = {key.name for key in executor.loader.applied_migrations if key.app_label == database.APP}
    if unknown := sorted(names - known_migrations()):
        raise UnknownMigrationsError(unknown)
    # Where there is nothing yet, nobody waits for a table: all at once takes a third of the time.
    is_new = not executor.loader.applied_migrations
    for targets in [missing] if is_new else [[target] for target in missing]:
        async with database.transaction() as connection:
            # Only forward: what was applied is never taken back, whatever a note that cannot be read may say.
            await MigrationExecutor(connection, apps).migrate(targets, direction="forward")
        applied += [target.name for target in targets]


async def _holders(connection: asyncpg.Connection) -> str:
    """The transactions that have been open for longest."""
    rows = await connection.fetch(
        """SELECT pid, application_name AS name, date_trunc('second', now() - xact_start)::text AS age, state
           FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
             AND backend_type = 'client backend'
           ORDER BY xact_start LIMIT $1""",
        SHOWN_MAX,
    )
    shown = [
        f"process {row['pid']} ({row['name'] or 'nameless'}, {row['state']}, for {row['age']})"
        for row in rows
    ]
    return ", ".join(shown) or "nobody now"
