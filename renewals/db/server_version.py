"""The versions of PostgreSQL that the service runs on, and what an older one lacks.

asyncpg reads the version from the server's greeting, so none of these functions sends a statement.
"""

import asyncpg

MAJOR_MIN = 14
TRANSACTION_TIMEOUT_MAJOR_MIN = 17
"""`transaction_timeout` came with PostgreSQL 17; an older server refuses a connection that names it."""


class UnsupportedServerError(Exception):
    """The server is older than the service can work with."""

    def __init__(self, major: int) -> None:
        super().__init__(
            f"The database is PostgreSQL {major}, and {MAJOR_MIN} or newer is needed: upgrade the server, "
            "or name another in DATABASE_URL."
        )


def check_server_version(connection: asyncpg.Connection) -> None:
    """Raise UnsupportedServerError for a connection to a server older than MAJOR_MIN."""
    major = connection.get_server_version().major
    if major < MAJOR_MIN:
        raise UnsupportedServerError(major)


def has_transaction_timeout(connection: asyncpg.Connection) -> bool:
    """Return whether the server can bound the length of a transaction."""
    return bool(connection.get_server_version().major >= TRANSACTION_TIMEOUT_MAJOR_MIN)
