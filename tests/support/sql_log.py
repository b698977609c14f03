"""The statements that reach PostgreSQL through the domain's pool, so that a test can count them.

with statements.counted() as seen:
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
    """A statement, and the values of its placeholders."""

    sql: str
    values: tuple[Any, ...]


@contextlib.contextmanager
def counted() -> Iterator[list[str]]:
    """Keep the SQL of the statements that are run in the block, in their order, by whichever task.

    BEGIN and COMMIT are not kept, nor the first statement in the block that reads the size of an account: it belongs to
    the first request of an account, not to what that request asks for. A second one is kept.
    """
    seen: list[str] = []
    sized: set[Statement] = set()

    def keep(statement: Statement) -> None:
        if (
            statement.sql in (account_sizes.COUNT_ACCOUNT, account_sizes.COUNT_LARGEST)
            and statement not in sized
        ):
            sized.add(statement)
        else:
            seen.append(statement.sql)

    with _noted(keep):
        yield seen


@contextlib.contextmanager
def noted() -> Iterator[list[Statement]]:
    """Keep every statement of the block with its values."""
    seen: list[Statement] = []
    with _noted(seen.append):
        yield seen


@contextlib.contextmanager
def _noted(note: Callable[[Statement], None]) -> Iterator[None]:
    connection = pool.Connection
    fetch, execute = connection.fetch, connection.execute

    async def note_fetch(self: Any, sql: str, *values: Any, **options: Any) -> Any:
        note(Statement(sql, values))
        return await fetch(self, sql, *values, **options)

    async def note_execute(self: Any, sql: str, *values: Any, **options: Any) -> Any:
        if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            note(Statement(sql, values))
        return await execute(self, sql, *values, **options)

    with mock.patch.multiple(connection, fetch=note_fetch, execute=note_execute):
        yield
