"""The supported versions of PostgreSQL, and the features that depend on the version.

asyncpg receives the version when it connects, so these functions send no statement.
"""

import asyncpg

MAJOR_MIN = 14
TRANSACTION_TIMEOUT_MAJOR_MIN = 17
"""The first version with `transaction_timeout`; an older server refuses a connection that sets it."""


class UnsupportedServerError(Exception):
    """The server is older than MAJOR_MIN."""

    def __init__(self, major: int) -> None:
        super().__init__(
            f"The database server is PostgreSQL {major}, but {MAJOR_MIN} or later is required: upgrade the server, "
            "or name another server in DATABASE_URL (for a replica, in RENEWALS_DATABASE_REPLICA_URL)."
        )


def check_server_version(connection: asyncpg.Connection) -> None:
    """Raise UnsupportedServerError for a connection to a server older than MAJOR_MIN."""
    major = connection.get_server_version().major
    if major < MAJOR_MIN:
        raise UnsupportedServerError(major)


def has_transaction_timeout(connection: asyncpg.Connection) -> bool:
    """Return whether the server can limit the duration of a transaction."""
    return bool(connection.get_server_version().major >= TRANSACTION_TIMEOUT_MAJOR_MIN)
