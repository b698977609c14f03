"""Relay pagination by keyset: a cursor contains a sort key, so a page at any cursor costs as little as the first."""

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from renewals.db import connection as database
from renewals.db import sql as db_sql
from renewals.domain import errors, limits, validation
from renewals.domain.messages import Message

Key = Sequence[object]


class SortColumn(NamedTuple):
    """A column of a sort key: its name in a row, its SQL, its placeholder, and the parser of its value in a cursor."""

    name: str
    sql: str
    placeholder: str
    parse: Callable[[object], object]


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A total order of a list: columns that are unique together, all in one direction."""

    tag: str
    columns: tuple[SortColumn, ...]
    descending: bool = False

    @property
    def order_by(self) -> str:
        """The expressions of the ORDER BY clause."""
        return self.sql(descending=self.descending)

    def sql(self, *, descending: bool) -> str:
        """Return the expressions of the ORDER BY clause, in a direction that may differ from that of the list."""
        return ", ".join(f"{column.sql} {'DESC' if descending else 'ASC'}" for column in self.columns)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The arguments of a list, some of which exclude each other (see `check_page_request`)."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page in order, and whether there are more rows on either side.

    If a page is read forward, rows before the cursor `after` or the `offset` are assumed to exist. If it is read
    backward, rows after the cursor `before` are assumed to exist.
    """

    rows: Sequence[database.Row]
    ordering: SortOrder
    has_next_page: bool
    has_previous_page: bool
    total_count: int | None
    """The number of rows on all pages; None if it was not requested, or if there is no row at the page's position."""

    def cursor(self, row: database.Row) -> str:
        """Return the cursor of a row."""
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
    row_id: str | None = None,
) -> Page:
    """Fetch a page of the rows that meet the conditions, for a request that `check_page_request` accepts.

    `select` and `source` are the SQL before and after FROM. `joins` must neither drop nor repeat a row. `counted` adds
    the total count. If `row_id` is given, it names a unique column. A subselect then reads only the ids and the sort
    keys of the page's rows. If `counted` is True and the request has no cursor, it also counts all rows that meet the
    conditions. Of all other rows, PostgreSQL therefore reads only an index, if the index contains the id, the sort keys
    and the conditions' columns.
    """
    size = _size(request)
    backward = request.last is not None
    descending = ordering.descending != backward
    total = ""
    if counted and row_id is not None and request.after is None and request.before is None:
        total = ", count(*) OVER () AS total_count"
    elif counted:
        total = f", (SELECT count(*) FROM {source} WHERE {conditions.where}) AS total_count"
    _add_bound(conditions, ordering, request.after, "after", "<" if ordering.descending else ">")
    _add_bound(conditions, ordering, request.before, "before", ">" if ordering.descending else "<")
    limit, offset = conditions.bind(size + 1), conditions.bind(request.offset or 0)
    order_by = ordering.sql(descending=descending)
    page = f"FROM {source} WHERE {conditions.where} ORDER BY {order_by} LIMIT {limit} OFFSET {offset}"
    if joins or row_id is not None:
        sort_keys = [column.sql for column in ordering.columns]
        columns = f"{select}, total_count" if counted else select
        subselect = db_sql.select_page(source, f"{total} {page}", sort_keys, row_id)
        order_by = db_sql.order_by_sort_keys(len(sort_keys), descending=descending)
        sql = f"SELECT {columns} FROM {subselect} {joins} ORDER BY {order_by}"
    else:
        sql = f"SELECT {select}{total} {page}"
    fetched = await database.fetch(connection, sql, *conditions.values)
    has_more, rows = len(fetched) > size, fetched[:size]
    if backward:
        rows = rows[::-1]
    return Page(
        rows=rows,
        ordering=ordering,
        has_next_page=request.before is not None if backward else has_more,
        has_previous_page=has_more if backward else request.after is not None or bool(request.offset),
        total_count=fetched[0]["total_count"] if counted and fetched else None,
    )


async def count_rows(connection: database.Connection, source: str, conditions: db_sql.WhereClause) -> int:
    """Return the number of rows that meet the conditions; `source` is the SQL after FROM."""
    sql = f"SELECT count(*) FROM {source} WHERE {conditions.where}"
    return int((await database.fetch(connection, sql, *conditions.values))[0][0])


def check_page_request(request: PageRequest, ordering: SortOrder) -> None:
    """Check the bounds (rule 26), the combination and the cursors of a list's arguments. Raises InvalidInputError."""
    rows_max = limits.PAGE_ROWS_MAX
    for name, size in (("first", request.first), ("last", request.last)):
        if size is not None and not 0 <= size <= rows_max:
            raise errors.InvalidInputError(name, validation.between(size, 0, rows_max))
    if request.first is not None and request.last is not None:
        raise errors.InvalidInputError(
            "last",
            Message("cannot be combined with `first`; use `last` with `before`, or `first` with `after`"),
        )
    if request.offset is not None:
        if request.after is not None or request.before is not None or request.last is not None:
            raise errors.InvalidInputError(
                "offset",
                Message("cannot be combined with `after`, `before` or `last`; use `offset` with `first`"),
            )
        if request.offset < 0:
            raise errors.InvalidInputError("offset", validation.at_least_zero(request.offset))
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            decode_cursor(ordering, cursor, name)


def encode_cursor(ordering: SortOrder, row: database.Row) -> str:
    """Encode a cursor, opaque to clients, from the tag of the sort order and the row's sort key."""
    text = orjson.dumps([ordering.tag, *(row[column.name] for column in ordering.columns)], default=str)
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode_cursor(ordering: SortOrder, cursor: str, argument: str) -> Key:
    """Decode the sort key from a cursor. Raises InvalidInputError if the cursor is malformed or of another order."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        tag, *key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if tag == ordering.tag:
            return [column.parse(value) for column, value in zip(ordering.columns, key, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError):
        pass
    raise errors.InvalidInputError(
        argument,
        Message(
            "is not a cursor of this list in this sort order; use a cursor from a page of the same list and order"
        ),
    )


def timestamp_column(name: str, sql: str) -> SortColumn:
    """Return a sort column of instants that are never NULL; a plain index on the column can serve it."""
    return SortColumn(name, sql, "{}::timestamptz", _parse_instant)


def nullable_timestamp_column(name: str, sql: str) -> SortColumn:
    """Return a sort column of instants in which NULL is the latest; its index must be on the `coalesce` expression."""
    return SortColumn(
        name, f"coalesce({sql}, 'infinity')", "coalesce({}::timestamptz, 'infinity')", _parse_nullable_instant
    )


def text_column(name: str, sql: str) -> SortColumn:
    """Return a sort column of texts."""
    return SortColumn(name, sql, "{}::text", _parse_text)


def integer_column(name: str, sql: str) -> SortColumn:
    """Return a sort column of 64-bit integers that are not negative."""
    return SortColumn(name, sql, "{}::bigint", _parse_integer)


def identifier_column(name: str, sql: str) -> SortColumn:
    """Return a sort column of UUIDs."""
    return SortColumn(name, sql, "{}::uuid", lambda value: uuid.UUID(_parse_text(value)))


def _size(request: PageRequest) -> int:
    size = request.first if request.last is None else request.last
    return limits.PAGE_ROWS_DEFAULT if size is None else size


def _add_bound(
    conditions: db_sql.WhereClause, ordering: SortOrder, cursor: str | None, argument: str, operator: str
) -> None:
    if cursor is not None:
        columns = ", ".join(column.sql for column in ordering.columns)
        placeholders = ", ".join(column.placeholder for column in ordering.columns)
        key = decode_cursor(ordering, cursor, argument)
        conditions.add(f"({columns}) {operator} ({placeholders})", *key)


def _parse_nullable_instant(value: object) -> dt.datetime | None:
    return None if value is None else _parse_instant(value)


def _parse_instant(value: object) -> dt.datetime:
    instant = dt.datetime.fromisoformat(_parse_text(value))
    if instant.tzinfo is None:
        raise ValueError("the instant has no offset")
    return instant.astimezone(dt.UTC)


def _parse_text(value: object) -> str:
    if not isinstance(value, str) or not db_sql.is_storable(value):
        raise TypeError("not a string")
    return value


def _parse_integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise TypeError("not a number")
    return value
