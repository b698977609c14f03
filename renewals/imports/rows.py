"""Rows of a file: each cell is validated, and all invalid cells of a row are reported together."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from renewals.domain.messages import InvalidValueError, Message
from renewals.imports import columns, file_reader
from renewals.imports.row_types import ImportFormat, InvalidRowError

CONFIGURATION = "configuration"
_PREFIX = f"{CONFIGURATION}."
_MISSING = Message("is missing")
_REASONS = {
    "missing": _MISSING,
    "extra_forbidden": Message("is not a column"),
    "string_type": Message("must be text"),
}
"""The messages by pydantic's type of error. Most other errors come from the column types, with their own messages."""


class CellProblem(NamedTuple):
    """A problem of a line: the column, its value in the file, and the reason."""

    line: int
    column: str
    value: object
    """A cell of a CSV file, a value of a JSON Lines file, or an empty text for a missing value."""
    reason: Message


class ParsedRow(NamedTuple):
    """A line of a file with its row, which is None if the line has problems."""

    number: int
    row: object
    key: str
    group: str | None
    raw: Mapping[str, object]
    """The values in the file by column."""
    problems: Sequence[CellProblem] = ()

    def problem(self, column: str, reason: Message) -> CellProblem:
        """Return a problem of this line with the value that the line has in `column`."""
        value = self.raw.get(column)
        return CellProblem(self.number, column, "" if value is None else value, reason)


def parse_rows(source: file_reader.Source, import_format: ImportFormat) -> Iterator[ParsedRow]:
    """Yield the rows of a file.

    Raises InvalidFileError if a CSV file has an unclosed quote, or a missing or invalid header, such as one that
    repeats a column or lacks a required column.
    """
    records = file_reader.read_records(source)
    names: Sequence[str] = ()
    if source.is_csv:
        names = _check_header(source, next(records, None), import_format)
    configuration_names = [name for name in names if name.startswith(_PREFIX)]
    for record in records:
        if record.problem is not None:
            yield _invalid(record.line, {}, record.problem)
        elif not source.is_csv:
            yield _validate(record.line, record.content, record.content, import_format, is_csv=False)
        elif len(record.content) != len(names):
            raw = dict(zip(names, record.content, strict=False))
            yield _invalid(
                record.line,
                raw,
                Message(
                    "must have as many cells as the header ({expected}), not {count}",
                    count=len(record.content),
                    expected=len(names),
                ),
            )
        else:
            raw = dict(zip(names, record.content, strict=True))
            yield _validate(
                record.line, raw, _cell_values(raw, configuration_names), import_format, is_csv=True
            )


def _check_header(
    source: file_reader.Source, record: file_reader.Record | None, import_format: ImportFormat
) -> Sequence[str]:
    """Return the names of the header's columns. Raises InvalidFileError if the header is missing or invalid."""
    if record is None:
        raise file_reader.InvalidFileError(Message("{file}: the header is missing", file=source.path.name))
    if record.problem is not None:
        raise file_reader.InvalidFileError(
            Message(
                "{file}: line {line} {problem}",
                file=source.path.name,
                line=record.line,
                problem=record.problem,
            )
        )
    names: Sequence[str] = record.content
    known = import_format.column_names
    dotted = [name for name in names if import_format.has_configuration_columns and name.startswith(_PREFIX)]
    problems = [
        Message("unknown column {name!r}", name=name)
        for name in names
        if name not in known and name not in dotted
    ]
    problems += [
        Message("column {name!r} is repeated", name=name)
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if dotted and CONFIGURATION in names:
        problems.append(
            Message("columns {one!r} and {other!r} cannot be combined", one=CONFIGURATION, other=dotted[0])
        )
    problems += [
        Message("required column {name!r} is missing", name=name)
        for name in import_format.required_columns
        if name not in names
    ]
    if problems:
        raise file_reader.InvalidFileError(
            Message(
                "{file}: line {line}: {problems}; available columns: {names}",
                file=source.path.name,
                line=record.line,
                problems=functools.reduce(_join, problems),
                names=tuple(known),
            )
        )
    return names


def _join(first: Message, second: Message) -> Message:
    return Message("{first}; {second}", first=first, second=second)


def _cell_values(raw: Mapping[str, str], configuration_names: Sequence[str]) -> dict[str, object]:
    """Return the cells by column, with None for an empty cell, and the `configuration.` columns as one value."""
    values: dict[str, object] = {name: cell or None for name, cell in raw.items()}
    items = [(name.removeprefix(_PREFIX), values.pop(name)) for name in configuration_names]
    if items := [(label, cell) for label, cell in items if cell]:
        values[CONFIGURATION] = tuple(items)
    return values


def _validate(
    number: int,
    raw: Mapping[str, object],
    values: Mapping[str, object],
    import_format: ImportFormat,
    *,
    is_csv: bool,
) -> ParsedRow:
    """Return a line with its row, or with its problems, at most one for each column."""
    group = raw.get(import_format.group_column) if import_format.group_column else None
    group = group if group and isinstance(group, str) else None
    key, record = "", None
    reasons: dict[str, Message] = {}
    try:
        row = import_format.row_type.model_validate(values, context={columns.IS_CSV: is_csv})
        key, record = row.key, row.to_record()
    except ValidationError as error:
        for details in error.errors(include_url=False):
            reasons.setdefault(str(details["loc"][0]), _reason(details))
    except InvalidRowError as error:
        reasons[error.column] = error.reason
    parsed = ParsedRow(number, record, key, group, raw)
    if not reasons:
        return parsed
    return parsed._replace(problems=[parsed.problem(column, reason) for column, reason in reasons.items()])


def _reason(details: ErrorDetails) -> Message:
    """Return the message of a validation error."""
    if len(details["loc"]) == 1 and details["input"] is None:
        return _MISSING
    error = details.get("ctx", {}).get("error")
    if isinstance(error, InvalidValueError):
        return error.reason
    return _REASONS.get(details["type"]) or Message("{reason}", reason=details["msg"])


def _invalid(number: int, raw: Mapping[str, object], reason: Message) -> ParsedRow:
    """Return the result for a line from which no row can be read."""
    return ParsedRow(number, None, "", None, raw, [CellProblem(number, "", "", reason)])
