"""PostgreSQL: connections, transactions, models, migrations, pagination and SQL helpers.

The most used names can be imported from here: `from renewals import db`, then `db.fetch(connection, sql, ...)`.
"""

from renewals.db.connection import (
    Connection,
    Row,
    connect,
    execute,
    fetch,
    is_unavailable,
    new_id,
    read_snapshot,
    retry_on_conflict,
    transaction,
)

__all__ = [
    "Connection",
    "Row",
    "connect",
    "execute",
    "fetch",
    "is_unavailable",
    "new_id",
    "read_snapshot",
    "retry_on_conflict",
    "transaction",
]
