"""Classification of errors of PostgreSQL and of the connection to it: outages and unique violations."""

import asyncio

import asyncpg
from tortoise.exceptions import BaseORMException, DBConnectionError, TransactionManagementError

from renewals.db import server_version, sessions

_OUTAGES = (
    OSError,
    asyncio.TimeoutError,
    DBConnectionError,
    TransactionManagementError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server closed the connection while a statement was sent
    asyncpg.InvalidCachedStatementError,  # a migration changed the table; the next attempt succeeds
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # the database accepts no connections, or a lock is not available
    asyncpg.InvalidTransactionStateError,
    asyncpg.InvalidAuthorizationSpecificationError,  # the role or the password may be corrected meanwhile
    asyncpg.InvalidCatalogNameError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    server_version.UnsupportedServerError,
    sessions.LimitMissingError,
)

_CLOSED_TRANSPORT = "the handler is closed"
"""The last words of uvloop's RuntimeError for a write to a closed transport."""


def original_error(error: Exception) -> Exception:
    """Return the PostgreSQL error that Tortoise's query API replaced with `error`, or `error` if it replaced none."""
    cause = error.__cause__
    is_replaced = isinstance(error, BaseORMException) and isinstance(cause, asyncpg.PostgresError)
    return cause if is_replaced and isinstance(cause, Exception) else error


def is_unique_violation(error: Exception) -> bool:
    """Return whether PostgreSQL refused a row because another row has the same unique key."""
    return isinstance(original_error(error), asyncpg.UniqueViolationError)


def is_unavailable(error: Exception) -> bool:
    """Return whether an error is an outage or another condition that can end, after which the same work may succeed."""
    error = original_error(error)
    return isinstance(error, _OUTAGES) or (
        isinstance(error, RuntimeError) and str(error).endswith(_CLOSED_TRANSPORT)
    )
