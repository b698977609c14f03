"""Messages for errors of PostgreSQL and Redis that the configuration causes.

Unlike an outage, such an error lasts until the configuration is corrected. No message contains a password.
"""

import re
from collections.abc import Iterator

import asyncpg
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError

from renewals.db import server_version, sessions

SIGN_IN_REFUSED = "refuses the role, the password or the connection"
NO_DATABASE = "has no database of that name"
NO_EXTENSION = "lacks an extension"
POOLER_REFUSED = "a pooler refuses the connection, or does not keep its settings or its prepared statements"
NO_PERMISSION = "denies the role a permission"
REDIS_REFUSED = "refuses the user, the password or a command"

_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        SIGN_IN_REFUSED,
        "PostgreSQL refuses the login: {}. Check the role and password in DATABASE_URL, and the server's pg_hba.conf.",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        NO_DATABASE,
        "PostgreSQL refuses the login: {}. Create the database, or correct DATABASE_URL.",
    ),
    (
        (asyncpg.UndefinedFileError, asyncpg.FeatureNotSupportedError),  # before PostgreSQL 15, and since
        NO_EXTENSION,
        "PostgreSQL lacks a contrib extension: {}. Install the package postgresql-contrib for its version.",
    ),
    (
        asyncpg.InsufficientPrivilegeError,
        NO_PERMISSION,
        "PostgreSQL denies a permission to the role in DATABASE_URL: {}. Grant this permission.",
    ),
    (
        asyncpg.ProtocolViolationError,
        POOLER_REFUSED,
        "A pooler refuses the connection: {}. Name PostgreSQL itself in DATABASE_URL, or see docs/scaling.md.",
    ),
    (
        (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError),
        POOLER_REFUSED,
        "A pooler loses prepared statements: {}. Restart the process, which detects such a pooler only when it starts.",
    ),
    (
        (AuthenticationError, AuthorizationError, NoPermissionError),
        REDIS_REFUSED,
        "Redis refuses the login or a command: {}. Check the user and the password in REDIS_URL, and the user's ACL.",
    ),
)

_POOLER_WAITS = re.compile(
    "query_wait_timeout|client_login_timeout|server login has been failing(?!.*cached error: (?!connect failed))"
)
"""PgBouncer's errors for an unavailable server, which have the SQLSTATE of its refusals.

If PgBouncer cached the refusal of a login, the configuration is wrong.
"""


def explain(error: BaseException) -> str | None:
    """Return the message for an error that the configuration causes, or None for any other error."""
    for cause in _causes(error):
        if isinstance(cause, server_version.UnsupportedServerError | sessions.LimitMissingError):
            return str(cause)
        for kinds, _, message in _REASONS:
            if isinstance(cause, kinds) and not _has_other_cause(cause):
                return message.format(_first_line(cause))
    return None


def summarize(error: BaseException) -> str | None:
    """Return a short message for public probes, or None if the configuration did not cause the error.

    The message names no role, database or host.
    """
    for cause in _causes(error):
        if isinstance(cause, server_version.UnsupportedServerError):
            return str(cause)
        if isinstance(cause, sessions.LimitMissingError):
            return POOLER_REFUSED
        for kinds, summary, _ in _REASONS:
            if isinstance(cause, kinds) and not _has_other_cause(cause):
                return summary
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, because Tortoise wraps the errors of asyncpg."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _has_other_cause(error: BaseException) -> bool:
    """Return whether an error of a kind in `_REASONS` has another cause, which is known only from its details."""
    if isinstance(error, asyncpg.FeatureNotSupportedError):
        # The message may be translated.
        return getattr(error, "server_source_filename", None) != "extension.c"
    return isinstance(error, asyncpg.ProtocolViolationError) and bool(_POOLER_WAITS.match(str(error)))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
