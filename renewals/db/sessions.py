"""The settings of a session, and the check that PostgreSQL applies its limits.

A pooler, such as PgBouncer, does not pass on the settings that a client requests when it connects. A statement without
a limit could hold its locks indefinitely, so a session without the limits is refused. Behind a pooler, ALTER ROLE can
set the limits.
"""

import secrets
from typing import Any, NamedTuple

import asyncpg

from renewals.db import server_version

IDLE_SECONDS_MAX = 60
"""The time after which PostgreSQL ends a session that is idle in a transaction, to free the transaction's locks."""
TRANSACTION_SECONDS_MAX = 300
"""The time after which PostgreSQL 17 and newer end a transaction of the API or the worker, to free its locks.

A transaction can set another limit (`connection.read_snapshot`).
"""
_UNLIMITED = """SELECT name FROM unnest($1::text[], $2::text[]) AS bound (name, longest)
  WHERE current_setting(name)::interval NOT BETWEEN interval '1 ms' AND longest::interval ORDER BY name LIMIT 1"""


class LimitMissingError(Exception):
    """PostgreSQL does not apply a limit of the session, or applies a longer one."""

    def __init__(self, role: str, name: str, bound: str) -> None:
        super().__init__(
            f"PostgreSQL does not apply {name} = {bound}, because a pooler does not pass it on: run "
            f"ALTER ROLE {role} SET {name} = '{bound}' and let the pooler reconnect (docs/scaling.md), "
            "or name PostgreSQL itself in DATABASE_URL (for a replica, in RENEWALS_DATABASE_REPLICA_URL)."
        )


def build_settings(**seconds_max: int) -> dict[str, str]:
    """Build the settings of a session; `statement` and `lock` are limits in seconds (0: no limit)."""
    limits = {"idle_in_transaction_session": IDLE_SECONDS_MAX} | seconds_max
    # PostgreSQL overestimates the cost of subqueries that rarely run, so it would compile even short statements.
    return {"jit": "off"} | {f"{name}_timeout": f"{seconds}s" for name, seconds in limits.items()}


async def connect(*args: object, **options: Any) -> asyncpg.Connection:
    """Connect as asyncpg does. Raises UnsupportedServerError for a server whose version is too old."""
    connection = await asyncpg.connect(*args, **options)
    try:
        server_version.check_server_version(connection)
    except server_version.UnsupportedServerError:
        connection.terminate()
        raise
    return connection


class ServerOptions(NamedTuple):
    """Connection options that depend on the version of PostgreSQL and on a pooler in front of it."""

    server_settings: dict[str, str]
    statement_cache_size: int


async def connect_first(
    *args: object,
    server_settings: dict[str, str],
    statement_cache_size: int,
    transaction_seconds_max: int = 0,
    **options: Any,
) -> tuple[asyncpg.Connection, ServerOptions]:
    """Connect and check the limits; return the connection, and the options of later connections.

    Raises UnsupportedServerError and LimitMissingError. The function connects a second time if other options are
    needed: `transaction_timeout`, which a server before version 17 would refuse, or no cache of prepared statements
    behind a pooler that loses them.
    """
    first = ServerOptions(server_settings, statement_cache_size)
    connection = await connect(*args, **options, **first._asdict())
    try:
        needed = await _find_options(connection, first, transaction_seconds_max)
        if needed != first:
            await connection.close()
            connection = await connect(*args, **options, **needed._asdict())
        await _check_limits(connection, needed.server_settings)
    except BaseException:
        connection.terminate()
        raise
    return connection, needed


async def _find_options(
    connection: asyncpg.Connection, options: ServerOptions, transaction_seconds_max: int
) -> ServerOptions:
    """Return the options that the server and a pooler in front of it need."""
    if transaction_seconds_max and server_version.has_transaction_timeout(connection):
        limit = {"transaction_timeout": f"{transaction_seconds_max}s"}
        options = options._replace(server_settings=options.server_settings | limit)
    if await _is_pooled(connection) and not await _keeps_statements(connection):
        options = options._replace(statement_cache_size=0)
    return options


async def _is_pooled(connection: asyncpg.Connection) -> bool:
    """Return whether a pooler is in front of PostgreSQL. A pooler sends its clients process ids of its own."""
    try:
        # asyncpg prepares no statement for `execute` without arguments, so no pooler can lose the statement.
        await connection.execute(f"SELECT 1 / (pg_backend_pid() = {connection.get_server_pid()})::int")
    except asyncpg.DivisionByZeroError:
        return True
    return False


async def _keeps_statements(connection: asyncpg.Connection) -> bool:
    """Return whether a pooler renames a client's prepared statements, and so keeps them for later transactions.

    If it does not rename them, a later transaction may run in a session that has no statement of this name, or another
    client's.
    """
    name = f"probe_{secrets.token_hex(8)}"  # unique, because a killed process leaves its statement in the session
    async with connection.transaction():
        statement = await connection.prepare(
            "SELECT NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = $1)", name=name
        )
        is_renamed: bool = await statement.fetchval(name)
        if not is_renamed:
            await connection.execute(f"DEALLOCATE {name}")
    return is_renamed


async def _check_limits(connection: asyncpg.Connection, settings: dict[str, str]) -> None:
    """Raise LimitMissingError if PostgreSQL does not apply a limit of the settings, or applies a longer one."""
    bounds = {name: value for name, value in settings.items() if name.endswith("_timeout") and value != "0s"}
    name = await connection.fetchval(_UNLIMITED, list(bounds), list(bounds.values()))
    if name is not None:
        role = await connection.fetchval("SELECT quote_ident(current_user)")
        raise LimitMissingError(role, name, settings[name])
