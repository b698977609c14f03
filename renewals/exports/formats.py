"""Formats of exports: CSV for spreadsheets, JSON Lines for programs. Both are written column by column.

JSON Lines have the names, values and nesting of the GraphQL API: instants in UTC, amounts as strings, enum values. Only
columns that the API lacks, such as `refunded`, have names of their own. CSV has labels instead of names and enum
values. Its times are in the account's zone, which the labels of their columns name. They have no offset, because
spreadsheets recognize only such times.
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

from renewals.domain import money
from renewals.domain.messages import Message
from renewals.domain.model import Language
from renewals.exports.columns import ColumnType, ExportColumn
from renewals.i18n import catalogs, labels

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""The byte order mark, without which some spreadsheets read UTF-8 as a local encoding and garble Chinese."""

FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
"""The first characters of cells that spreadsheets evaluate as formulas; the full-width ones, only in some locales."""

_LABEL_WITH_UNIT = Message("{label} ({unit})")

_VALUES_KEPT = 1_000
"""The maximum size of a cache of formatted values; many instances have equal expiries, configurations and tags."""

Rows = Iterable[Iterable[object]]
Write = Callable[[Any], Any]


class Format(StrEnum):
    """The format of an export; the value is the file extension."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class ExportLocale:
    """The language, time zone and currency of an export."""

    language: Language
    zone: ZoneInfo
    currency: str


class CSV:
    """A writer of CSV as in RFC 4180, in UTF-8 with a byte order mark."""

    media_type = "text/csv; charset=utf-8; header=present"

    def __init__(self, columns: Sequence[ExportColumn], locale: ExportLocale) -> None:
        self._columns = columns
        self._locale = locale
        self._write = [_cell_writer(column, locale) for column in columns]

    def header(self) -> bytes:
        """Return the byte order mark and the line of labels."""
        return BYTE_ORDER_MARK + _lines([[self._label(column) for column in self._columns]])

    def rows(self, rows: Rows) -> bytes:
        """Return the rows as lines of CSV."""
        columns = zip(*rows, strict=True)
        cells = [list(map(write, values)) for write, values in zip(self._write, columns, strict=True)]
        return _lines(zip(*cells, strict=True))

    def _label(self, column: ExportColumn) -> str:
        label = column.label
        if column.kind is ColumnType.INSTANT:
            label = _LABEL_WITH_UNIT.fill(label=label, unit=self._locale.zone.key)
        elif column.kind is ColumnType.MONEY:
            label = _LABEL_WITH_UNIT.fill(label=label, unit=self._locale.currency)
        return catalogs.translate(label, self._locale.language)


class JSONL:
    """A JSON Lines writer: one JSON object per line."""

    media_type = "application/jsonl; charset=utf-8"

    def __init__(self, columns: Sequence[ExportColumn]) -> None:
        self._write = [_JSON.get(column.kind) for column in columns]
        self._tree = _tree({column.name: number for number, column in enumerate(columns)})

    def header(self) -> bytes:
        """Return no bytes: JSON Lines have no header."""
        return b""

    def rows(self, rows: Rows) -> bytes:
        """Return the rows as lines of JSON."""
        columns = [
            values if write is None else list(map(write, values))
            for write, values in zip(self._write, zip(*rows, strict=True), strict=True)
        ]
        fields = [_nested(branch, columns) for branch in self._tree.values()]
        names = tuple(self._tree)
        objects = [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]
        return b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in objects])


def writer(file_format: Format, columns: Sequence[ExportColumn], locale: ExportLocale) -> CSV | JSONL:
    """Return the writer of a format for these columns."""
    return CSV(columns, locale) if file_format is Format.CSV else JSONL(columns)


def escape_formula(text: str) -> str:
    """Return the text, with an apostrophe before it if a spreadsheet could evaluate it as a formula.

    Amounts and numbers are not escaped: this program formats them, and a negative number must stay a number.
    """
    return f"'{text}" if text[:1] in FORMULA_STARTS else text


def _lines(rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell_writer(column: ExportColumn, locale: ExportLocale) -> Write:
    """Return the function that formats a value of the column.

    In a column of texts, amounts or instants, None becomes an empty cell. Other columns must not contain None.
    """
    match column.kind:
        case ColumnType.TEXT:
            return _text
        case ColumnType.MONEY:
            return _amount
        case ColumnType.INSTANT:
            return functools.lru_cache(_VALUES_KEPT)(functools.partial(_local_time, locale.zone))
        case ColumnType.BOOLEAN:
            return {
                True: catalogs.translate(labels.YES, locale.language),
                False: catalogs.translate(labels.NO, locale.language),
            }.__getitem__
        case ColumnType.ENUM:
            assert column.words is not None
            return {
                value: catalogs.translate(label, locale.language) for value, label in column.words.items()
            }.__getitem__
        case ColumnType.CONFIGURATION:
            return _items
        case ColumnType.TAGS:
            return _tags
        case ColumnType.NUMBER:
            return str


def _text(text: str | None) -> str:
    return escape_formula(text) if text else ""


def _amount(cents: int | None) -> str:
    return "" if cents is None else money.format_cents(cents)


def _local_time(zone: ZoneInfo, instant: dt.datetime | None) -> str:
    return "" if instant is None else str(instant.astimezone(zone))[: len("2027-01-31 23:59:59")]


@functools.lru_cache(_VALUES_KEPT)
def _items(configuration: str) -> str:
    return escape_formula(
        "; ".join(f"{item['label']}: {item['value']}" for item in orjson.loads(configuration))
    )


def _tree(places: "Mapping[str, _Branch]") -> "dict[str, _Branch]":
    """Return the columns' positions as a tree, in which each part of a path such as `product.code` is a level."""
    tree: dict[str, _Branch] = {}
    for path, number in places.items():
        outer, _, inner = path.partition(".")
        if inner:
            branch = tree.setdefault(outer, {})
            assert isinstance(branch, dict)
            branch[inner] = number
        else:
            tree[outer] = number
    return {outer: _tree(branch) if isinstance(branch, dict) else branch for outer, branch in tree.items()}


_Branch = int | dict[str, "_Branch"]


@functools.lru_cache(_VALUES_KEPT)
def _tags(tags: str) -> str:
    return escape_formula("; ".join(f"{key}: {value}" for key, value in sorted(orjson.loads(tags).items())))


def _tag_objects(tags: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(orjson.loads(tags).items())]


def _nested(branch: _Branch, columns: Sequence[Sequence[object]]) -> Sequence[object]:
    """Return the values of a field, one for each row: the values of its column, or objects of its inner fields.

    If all inner fields of a row are None, the value is None instead of an object.
    """
    if isinstance(branch, int):
        return columns[branch]
    rows = zip(*(_nested(inner, columns) for inner in branch.values()), strict=True)
    names = tuple(branch)
    return [
        dict(zip(names, values, strict=True)) if any(value is not None for value in values) else None
        for values in rows
    ]


def _amount_or_null(cents: int | None) -> str | None:
    return None if cents is None else money.format_cents(cents)


_JSON: Mapping[ColumnType, Write] = {
    ColumnType.MONEY: _amount_or_null,
    ColumnType.CONFIGURATION: orjson.loads,
    ColumnType.TAGS: _tag_objects,
}
"""Conversions to the values of the GraphQL API; other types of columns need no conversion."""
