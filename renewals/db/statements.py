"""Several statements in one round trip to PostgreSQL.

A renewal waits for PostgreSQL longer than it computes, so it sends most of its reads as one statement and its writes as
another. Each module still provides the SQL for its own tables.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from renewals.db import connection as database
from renewals.db.connection import Connection, Row

Value = TypeVar("Value")
Rows = Sequence[Any]
"""Rows whose columns are read by position: records of asyncpg, or tuples."""
_PLACEHOLDER = re.compile(r"\$(\d+)")
_FIRST_ARRAY = re.compile(r"unnest\((\$\d+::[a-z]+\[\])")


@dataclass(frozen=True, slots=True)
class Query(Generic[Value]):
    """A SELECT with its values; `build` converts the rows to the result, and reads their columns by position.

    The rows of a query that is not large must contain no arrays except text[], because asyncpg cannot decode most other
    arrays inside a row.
    """

    sql: str
    values: Sequence[object]
    build: Callable[[Rows], Value]
    is_large: bool = False
    """Whether the query can return hundreds or thousands of rows.

    `fetch_together` runs such a query on its own, because an array of its rows takes longer than another round trip.
    """

    async def fetch(self, connection: Connection) -> Value:
        """Run the query as its own statement and return its result."""
        return self.build(await database.fetch(connection, self.sql, *self.values))


async def fetch_together(connection: Connection, *queries: Query[Any]) -> list[Any]:
    """Run independent queries and return their results in order; queries that are not large run as one statement."""
    small = [query for query in queries if not query.is_large]
    sql = _join_queries(*[(query.sql, len(query.values)) for query in small])
    [row] = await database.fetch(connection, sql, *[value for query in small for value in query.values])
    arrays = iter(row)
    return [
        await query.fetch(connection) if query.is_large else query.build(next(arrays)) for query in queries
    ]


@functools.lru_cache(1_000)
def _join_queries(*queries: tuple[str, int]) -> str:
    offsets = _offsets([count for _, count in queries])
    arrays = [
        f"array(SELECT q FROM ({_shift(sql, offset)}) AS q)"
        for (sql, _), offset in zip(queries, offsets, strict=True)
    ]
    return f"SELECT {', '.join(arrays)}"


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to write: INSERT and UPDATE statements by name, and their values.

    A statement may select, by name, the rows that an earlier statement of this or of an earlier change returns.
    """

    statements: Mapping[str, str]
    values: Sequence[object]


async def execute_together(connection: Connection, *changes: Change) -> Sequence[Row]:
    """Write changes in one statement, and return the rows that the last change returns.

    All changes read the rows as they were before the statement, so no two changes may write the same row.
    """
    sql = _join_changes(*[(tuple(change.statements.items()), len(change.values)) for change in changes])
    return await database.fetch(connection, sql, *[value for change in changes for value in change.values])


@functools.lru_cache(100)
def _join_changes(*changes: tuple[tuple[tuple[str, str], ...], int]) -> str:
    offsets = _offsets([count for _, count in changes])
    parts = [
        (name, _shift(sql, offset))
        for (statements, _), offset in zip(changes, offsets, strict=True)
        for name, sql in statements
    ]
    *earlier, (_, last) = parts
    names = ", ".join(f"{name} AS ({sql})" for name, sql in earlier)
    return _hide_lengths(f"WITH {names} {last}" if names else last)


def _offsets(counts: Sequence[int]) -> list[int]:
    return [sum(counts[:number]) for number in range(len(counts))]


def _shift(sql: str, offset: int) -> str:
    """Return a statement with the number of each placeholder increased by `offset`."""
    return _PLACEHOLDER.sub(lambda match: f"${int(match[1]) + offset}", sql)


def _hide_lengths(sql: str) -> str:
    """Return the statement with the first array of each unnest() in a subselect, which hides the array's length.

    PostgreSQL estimates the rows of unnest() from the lengths of its arrays. For one instance, a plan for the given
    values therefore seems cheaper than a generic plan, so PostgreSQL plans every execution. Planning takes longer than
    the execution.
    """
    return _FIRST_ARRAY.sub(r"unnest((SELECT \1)", sql)
