"""Relay paging by keyset: a page is bounded by the sort key of a row, so its cost does not grow with depth."""

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from renewals.db import connection as database
from renewals.db import sql as db_sql
from renewals.domain import errors, limits

Key = Sequence[object]


class SortColumn(NamedTuple):
    """One column of a sort key: its name in a row, its SQL and that of a placeholder, how JSON is read."""

    name: str
    sql: str
    placeholder: str
    read: Callable[[object], object]


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A total order of a list: columns that are unique together, all in the same direction."""

    tag: str
    columns: tuple[SortColumn, ...]
    descending: bool = False

    @property
    def order_by(self) -> str:
        """The order as SQL."""
        return self.sql(descending=self.descending)

    def sql(self, *, descending: bool) -> str:
        """The columns as SQL, in this direction."""
        return ", ".join(f"{column.sql} {'DESC' if descending else 'ASC'}" for column in self.columns)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """As a client asks: `first` after a cursor or an offset, or `last` before a cursor."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order asked for, and whether there are more on either side."""

    rows: Sequence[database.Row]
    ordering: SortOrder
    has_next_page: bool
    has_previous_page: bool
    total_count: int | None
    """How many rows there are on all pages, if that was asked for and the page has a row that says it."""

    def cursor(self, row: database.Row) -> str:
        """The cursor of one of the rows."""
        return encode_cursor(self.ordering, row)


async def fetch_page(
    connection: database.Connection,
    *,
    select: str,
    source: str,
    conditions: db_sql.WhereClause,
    ordering: SortOrder,
    request: PageRequest,
    counted: bool = False,
    joins: str = "",
) -> Page:
    """Reads one page under the conditions, for a request that `check` let pass; `counted`: and its total count.

    `select` and `source` are what stands before and after FROM; `joins` adds columns and leaves all rows.
    """
    size = _size(request)
    backward = request.last is not None
    descending = ordering.descending != backward
    total = f", (SELECT count(*) FROM {source} WHERE {conditions.where}) AS total_count" if counted else ""
    _bound(conditions, ordering, request.after, "after", "<" if ordering.descending else ">")
    _bound(conditions, ordering, request.before, "before", ">" if ordering.descending else "<")
    order_by = ordering.sql(descending=descending)
    limit, offset = conditions.bind(size + 1), conditions.bind(request.offset or 0)
    sql = f"""SELECT {select}{total} FROM {source} {joins} WHERE {conditions.where}
              ORDER BY {order_by} LIMIT {limit} OFFSET {offset}"""
    found = await database.fetch(connection, sql, *conditions.values)
    more, rows = len(found) > size, found[:size]
    if backward:
        rows = rows[::-1]
    return Page(
        rows=rows,
        ordering=ordering,
        has_next_page=request.before is not None if backward else more,
        has_previous_page=more if backward else request.after is not None or bool(request.offset),
        total_count=found[0]["total_count"] if counted and found else None,
    )


def check_page_request(request: PageRequest, ordering: SortOrder) -> None:
    """Raises InvalidInputError for arguments out of bounds (rule 26), at odds with each other, or of another order."""
    rows_max = limits.PAGE_ROWS_MAX
    for name, size in (("first", request.first), ("last", request.last)):
        if size is not None and not 0 <= size <= rows_max:
            raise errors.InvalidInputError(name, f"must be 0 to {rows_max}")
    if request.first is not None and request.last is not None:
        raise errors.InvalidInputError("last", "goes with before, not with first")
    if request.offset is not None:
        if request.after is not None or request.before is not None or request.last is not None:
            raise errors.InvalidInputError("offset", "goes with first alone, not with a cursor or last")
        if request.offset < 0:
            raise errors.InvalidInputError("offset", "must not be negative")
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            decode_cursor(ordering, cursor, name)


def encode_cursor(ordering: SortOrder, row: Mapping[str, object]) -> str:
    """A row's cursor: opaque to clients, the order's tag and the row's key as JSON inside."""
    text = orjson.dumps([ordering.tag, *(row[column.name] for column in ordering.columns)], default=str)
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode_cursor(ordering: SortOrder, cursor: str, argument: str) -> Key:
    """The key inside a cursor; raises InvalidInputError for what `encode` did not make for this order."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        tag, *key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if tag == ordering.tag:
            return [column.read(value) for column, value in zip(ordering.columns, key, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError):
        pass
    raise errors.InvalidInputError(argument, "is not a cursor of this list in this order")


def timestamp_column(name: str, sql: str) -> SortColumn:
    """Return a column of instants in which every row has one, so that a plain index can find its order."""
    return SortColumn(name, sql, "{}::timestamptz", _read_instant)


def nullable_timestamp_column(name: str, sql: str) -> SortColumn:
    """Return a column of instants in which NULL sorts last, as an index on the same expression has it."""
    return SortColumn(
        name, f"coalesce({sql}, 'infinity')", "coalesce({}::timestamptz, 'infinity')", _read_nullable_instant
    )


def text_column(name: str, sql: str) -> SortColumn:
    """A column of text."""
    return SortColumn(name, sql, "{}::text", _read_text)


def integer_column(name: str, sql: str) -> SortColumn:
    """A column of 64-bit integers."""
    return SortColumn(name, sql, "{}::bigint", _read_number)


def identifier_column(name: str, sql: str) -> SortColumn:
    """A column of UUIDs."""
    return SortColumn(name, sql, "{}::uuid", lambda value: uuid.UUID(_read_text(value)))


def _size(request: PageRequest) -> int:
    size = request.first if request.last is None else request.last
    return limits.PAGE_ROWS_DEFAULT if size is None else size


def _bound(
    conditions: db_sql.WhereClause, ordering: SortOrder, cursor: str | None, argument: str, operator: str
) -> None:
    if cursor is not None:
        columns = ", ".join(column.sql for column in ordering.columns)
        placeholders = ", ".join(column.placeholder for column in ordering.columns)
        key = decode_cursor(ordering, cursor, argument)
        conditions.add(f"({columns}) {operator} ({placeholders})", *key)


def _read_nullable_instant(value: object) -> dt.datetime | None:
    return None if value is None else _read_instant(value)


def _read_instant(value: object) -> dt.datetime:
    found = dt.datetime.fromisoformat(_read_text(value))
    if found.tzinfo is None:
        raise ValueError("an instant has an offset")
    return found.astimezone(dt.UTC)


def _read_text(value: object) -> str:
    if not isinstance(value, str) or not db_sql.is_storable(value):
        raise TypeError("not a text")
    return value


def _read_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise TypeError("not a number")
    return value
