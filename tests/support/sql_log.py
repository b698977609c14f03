"""The statements that reach PostgreSQL through the domain's pool, so that a test can count them.

with sql_log.counted() as seen:
    await graphql("{ products { code } }")
assert len(seen) == 2  # the API key's account, and the products
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest import mock

from renewals.db import pool
from renewals.instances import account_sizes


class Statement(NamedTuple):
    """A statement and its parameter values."""

    sql: str
    values: tuple[Any, ...]


@contextlib.contextmanager
def counted() -> Iterator[list[str]]:
    """Record the SQL of the statements that all tasks run in the block, in order.

    BEGIN, COMMIT, ROLLBACK and the check of a connection are left out. So is the first statement that reads the size
    of an account, because it belongs to the account's first request and not to the requested fields. A repetition of it
    is recorded.
    """
    statements: list[str] = []
    sized: set[Statement] = set()

    def keep(statement: Statement) -> None:
        if (
            statement.sql in (account_sizes.COUNT_ACCOUNT, account_sizes.COUNT_LARGEST)
            and statement not in sized
        ):
            sized.add(statement)
        else:
            statements.append(statement.sql)

    with _noted(keep):
        yield statements


@contextlib.contextmanager
def noted() -> Iterator[list[Statement]]:
    """Record each statement of the block with its values, except BEGIN, COMMIT, ROLLBACK and a connection's check."""
    statements: list[Statement] = []
    with _noted(statements.append):
        yield statements


@contextlib.contextmanager
def _noted(note: Callable[[Statement], None]) -> Iterator[None]:
    connection = pool.PooledConnection
    fetch, execute = connection.fetch, connection.execute

    async def note_fetch(self: Any, sql: str, *values: Any, **options: Any) -> Any:
        note(Statement(sql, values))
        return await fetch(self, sql, *values, **options)

    async def note_execute(self: Any, sql: str, *values: Any, **options: Any) -> Any:
        if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SELECT 1 / (pg_backend_pid()")):
            note(Statement(sql, values))
        return await execute(self, sql, *values, **options)

    with mock.patch.multiple(connection, fetch=note_fetch, execute=note_execute):
        yield
