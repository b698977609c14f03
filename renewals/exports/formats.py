"""Rows as text: CSV for people and their spreadsheets, JSON Lines for programs. Pure, and by columns.

JSON Lines have the names and values that GraphQL has: instants in UTC, amounts as strings, enum values, and what
is nested there is nested here. CSV has labels, words, and times in the account's zone without an offset, which is
how spreadsheets know them as times; the header says which zone.
"""

import csv
import datetime as dt
import functools
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from renewals import i18n
from renewals.domain import money
from renewals.exports import tables
from renewals.exports.tables import ColumnType, ExportColumn
from renewals.i18n import Language

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Without it spreadsheets take UTF-8 for a local encoding, and Chinese is garbled."""

FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
"""A spreadsheet may run a cell that begins with one of these, in East Asian settings with the wide ones, too."""

Rows = Iterable[Sequence[Any]]
Write = Callable[[Any], Any]


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class ExportLocale:
    """Who reads it: in which language, in which zone, and what amounts are in."""

    language: Language
    zone: ZoneInfo
    currency: str


class CSV:
    """Tables as RFC 4180 has them, in UTF-8 with a byte order mark and CRLF."""

    media_type = "text/csv; charset=utf-8; header=present"

    def __init__(self, columns: Sequence[ExportColumn], reader: ExportLocale) -> None:
        self._columns = columns
        self._reader = reader
        self._write = [_cell(column, reader) for column in columns]

    def header(self) -> bytes:
        """What comes before the first row."""
        return BYTE_ORDER_MARK + _lines([[self._label(column) for column in self._columns]])

    def rows(self, rows: Rows) -> bytes:
        columns = zip(*rows, strict=True)
        cells = [list(map(write, values)) for write, values in zip(self._write, columns, strict=True)]
        return _lines(zip(*cells, strict=True))

    def _label(self, column: ExportColumn) -> str:
        label = column.label.in_language(self._reader.language)
        if column.kind is ColumnType.INSTANT:
            return f"{label} ({self._reader.zone.key})"
        return f"{label} ({self._reader.currency})" if column.kind is ColumnType.MONEY else label


class JSONL:
    """One JSON object a line."""

    media_type = "application/jsonl; charset=utf-8"

    def __init__(self, columns: Sequence[ExportColumn]) -> None:
        self._write = [_JSON.get(column.kind) for column in columns]
        self._places: dict[str, dict[str, int]] = {}
        for number, column in enumerate(columns):
            outer, _, inner = column.name.partition(".")
            self._places.setdefault(outer, {})[inner] = number

    def header(self) -> bytes:
        """What comes before the first row: nothing."""
        return b""

    def rows(self, rows: Rows) -> bytes:
        columns = [
            values if write is None else list(map(write, values))
            for write, values in zip(self._write, zip(*rows, strict=True), strict=True)
        ]
        fields = [_nested(inner, columns) for inner in self._places.values()]
        names = tuple(self._places)
        objects = [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]
        return b"".join([orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in objects])


def writer(file_format: Format, columns: Sequence[ExportColumn], reader: ExportLocale) -> CSV | JSONL:
    """What writes these columns."""
    return CSV(columns, reader) if file_format is Format.CSV else JSONL(columns)


def escape_formula(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet could take it for a formula.

    Only what others wrote is defused: amounts and numbers are ours, so a negative one stays a number.
    """
    return f"'{text}" if text[:1] in FORMULA_STARTS else text


def _lines(rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(column: ExportColumn, reader: ExportLocale) -> Write:
    """How a value of the column is written in a cell; None leaves it empty."""
    match column.kind:
        case ColumnType.TEXT:
            return _text
        case ColumnType.MONEY:
            return _amount
        case ColumnType.INSTANT:
            return functools.partial(_local_time, reader.zone)
        case ColumnType.BOOLEAN:
            return {
                True: i18n.YES.in_language(reader.language),
                False: i18n.NO.in_language(reader.language),
            }.__getitem__
        case ColumnType.ENUM:
            assert column.words is not None
            return {
                value: each.in_language(reader.language) for value, each in column.words.items()
            }.__getitem__
        case ColumnType.CONFIGURATION:
            return _items
        case ColumnType.NUMBER:
            return str


def _text(text: str | None) -> str:
    return escape_formula(text) if text else ""


def _amount(cents: int | None) -> str:
    return "" if cents is None else money.format_cents(cents)


def _local_time(zone: ZoneInfo, instant: dt.datetime | None) -> str:
    return "" if instant is None else str(instant.astimezone(zone))[: len("2027-01-31 23:59:59")]


@functools.lru_cache(1_000)  # those of a product are much alike
def _items(configuration: str) -> str:
    return escape_formula(
        "; ".join(f"{item['label']}: {item['value']}" for item in orjson.loads(configuration))
    )


def _nested(inner: Mapping[str, int], columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """The values of one field: those of its column, or objects of those below it; null where there is nothing."""
    if inner.keys() == {""}:
        return columns[inner[""]]
    below = zip(*(columns[number] for number in inner.values()), strict=True)
    names = tuple(inner)
    return [
        dict(zip(names, values, strict=True)) if any(each is not None for each in values) else None
        for values in below
    ]


def _amount_or_null(cents: int | None) -> str | None:
    return None if cents is None else money.format_cents(cents)


_JSON: Mapping[tables.ColumnType, Write] = {
    ColumnType.MONEY: _amount_or_null,
    ColumnType.CONFIGURATION: orjson.loads,
}
"""How GraphQL has a value; what is not here stays as it is."""
