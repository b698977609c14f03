"""Migration of the database, by one process at a time and without long waits for table locks.

A migration that waits for a table's lock makes later statements on the table wait behind it. A migration therefore
waits for at most LOCK_SECONDS_MAX for each lock and is then tried again. One transaction applies a migration and
records it; on an empty database, one transaction applies all migrations.
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
from renewals.db.configuration import APP, CONNECT_SECONDS_MAX, build_configuration

log = logging.getLogger(__name__)

LOCK_SECONDS_MAX = 2
"""The maximum time that a migration waits for the lock of a table, and makes other sessions wait behind it."""
PAUSE_SECONDS = 3.0
"""The pause between two attempts, during which the waiting sessions continue."""
ATTEMPTS_MAX = 20
SHOWN_MAX = 3
_BEFORE_FIRST_RELEASE = frozenset({"0001_tables", "0001_initial"})
"""Former names of the first migration, which is renamed at each change until the first release."""


class TablesInUseError(Exception):
    """Other transactions held the lock of a table during all attempts."""


class UnknownMigrationsError(Exception):
    """The database has migrations of a later version, or of a version before the first release."""

    def __init__(self, names: Sequence[str]) -> None:
        if not _BEFORE_FIRST_RELEASE.isdisjoint(names):
            message = (
                "The database was created by a version before the first release, and cannot be migrated: "
                "create a new database and run `renewals migrate` on it. `renewals up` creates one after "
                "`rm -r .renewals`, or after you delete the folder of `--data-dir`."
            )
        else:
            message = (
                f"The database has migrations that this version does not have ({', '.join(names)}): "
                "run the version that applied them, or a newer one."
            )
        super().__init__(message)


async def migrate(url: str) -> list[str]:
    """Apply the missing migrations and return their names.

    Raises UnknownMigrationsError before any migration is applied. After a TablesInUseError, the earlier migrations stay
    applied.
    """
    applied: list[str] = []
    # A session's lock needs a direct connection. By default, a pooler refuses `lock_timeout`, so an attempt to migrate
    # through a pooler fails here.
    unlimited = {"lock_timeout": "0", "statement_timeout": "0"}
    lock_connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX, server_settings=unlimited)
    try:
        server_version.check_server_version(lock_connection)
        if not await try_lock_session(lock_connection, AdvisoryLock.MIGRATIONS):
            log.warning("another process is migrating the database; waiting for it")
            await lock_session(lock_connection, AdvisoryLock.MIGRATIONS)
        async with database.connect(url, pool_size=2, lock=LOCK_SECONDS_MAX):
            for attempt in range(1, ATTEMPTS_MAX + 1):
                try:
                    await _apply_missing(url, applied)
                    break
                except asyncpg.LockNotAvailableError:
                    holders = await _describe_holders(lock_connection)
                    if attempt == ATTEMPTS_MAX:
                        raise TablesInUseError(
                            f"A table was in use during all {ATTEMPTS_MAX} attempts. Oldest open transactions: "
                            f"{holders}. Wait for them or end them with pg_terminate_backend, and migrate again."
                        ) from None
                    log.warning(
                        "a table is in use; oldest open transactions: %s; trying again in %.0f s",
                        holders,
                        PAUSE_SECONDS,
                    )
                    await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await lock_connection.close()
    return applied


async def compare(url: str) -> tuple[list[str], list[str]]:
    """Return the migrations that the database lacks, and the applied migrations that this version does not have.

    Raises asyncpg.UndefinedTableError if the database was never migrated.
    """
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX, statement_cache_size=0)
    try:
        rows = await connection.fetch("SELECT name FROM tortoise_migrations WHERE app = $1", APP)
    finally:
        await connection.close()
    applied = {row["name"] for row in rows}
    return sorted(known_migrations() - applied), sorted(applied - known_migrations())


@functools.cache
def known_migrations() -> frozenset[str]:
    """Return the names of the migrations of this version."""
    return frozenset(module.name for module in pkgutil.iter_modules(migrations.__path__))


async def _apply_missing(url: str, applied: list[str]) -> None:
    """Apply the missing migrations, and append the name of each to `applied` after its commit.

    Tortoise would record a migration only after the commit. If the process were killed before the record, the next
    attempt would apply the migration again and fail.
    """
    apps = build_configuration(url)["apps"]
    executor = MigrationExecutor(database.pool(), apps)
    # This creates the table tortoise_migrations, which must exist before a transaction begins.
    await executor.migrate([])
    missing = [MigrationTarget(APP, step.migration.name) for step in await executor.plan()]
    names = {key.name for key in executor.loader.applied_migrations if key.app_label == APP}
    if unknown := sorted(names - known_migrations()):
        raise UnknownMigrationsError(unknown)
    # No session waits for the tables of an empty database, so one transaction can create them all. It takes a third of
    # the time of many transactions.
    is_new = not executor.loader.applied_migrations
    for targets in [missing] if is_new else [[target] for target in missing]:
        async with database.transaction() as connection:
            # Without a direction, Tortoise would revert migrations whose records it cannot read.
            await MigrationExecutor(connection, apps).migrate(targets, direction="forward")
        applied += [target.name for target in targets]


async def _describe_holders(connection: asyncpg.Connection) -> str:
    """Describe the sessions with the oldest open transactions, at most SHOWN_MAX of them, as a text for a message."""
    rows = await connection.fetch(
        """SELECT pid, application_name AS name, date_trunc('second', now() - xact_start)::text AS age, state
           FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
             AND backend_type = 'client backend'
           ORDER BY xact_start LIMIT $1""",
        SHOWN_MAX,
    )
    sessions = [
        f"process {row['pid']} ({row['name'] or 'unnamed'}, {row['state']}, for {row['age']})" for row in rows
    ]
    return ", ".join(sessions) or "none now"
