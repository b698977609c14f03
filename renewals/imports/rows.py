"""Lines of a file as rows of the domain: each cell is read, and all that is wrong with a line is told at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from renewals.imports import files
from renewals.imports.columns import ImportColumn
from renewals.imports.formats import ImportFormat, InvalidRowError

CONFIGURATION = "configuration"
_DOTTED = f"{CONFIGURATION}."
_MISSING = "is missing"


class CellProblem(NamedTuple):
    """What is wrong on a line: the column, what it has there, and the reason."""

    line: int
    column: str
    value: str
    reason: str


class ParsedRow(NamedTuple):
    """A line that was read: its row, or None where there are mistakes."""

    number: int
    row: Any
    key: str
    group: str | None
    raw: Mapping[str, Any]
    """What the file has, by column."""
    problems: Sequence[CellProblem] = ()

    def problem(self, column: str, reason: str) -> CellProblem:
        """A mistake of this line."""
        return CellProblem(self.number, column, _shown(self.raw.get(column)), reason)


def lines(source: files.Source, kind: ImportFormat) -> Iterator[ParsedRow]:
    """The lines of a file; raises InvalidFileError for a head that names what is not known, not once, or not all."""
    records = files.records(source)
    names: Sequence[str] = ()
    if source.is_csv:
        names = _head(source, next(records, None), kind)
    known = {column.name: column for column in kind.columns}
    for record in records:
        if record.problem is not None:
            yield ParsedRow(
                record.line, None, "", None, {}, [CellProblem(record.line, "", "", record.problem)]
            )
        elif source.is_csv:
            yield _from_cells(record, names, known, kind)
        else:
            yield _from_object(record, known, kind)


def _head(source: files.Source, record: files.Record | None, kind: ImportFormat) -> Sequence[str]:
    if record is None or record.problem is not None:
        raise files.InvalidFileError(
            f"{source.path.name}: has no head"
            if record is None
            else f"{source.path.name}: line 1 {record.problem}"
        )
    names: Sequence[str] = record.content
    known = {column.name for column in kind.columns}
    dotted = [name for name in names if kind.has_configuration_columns and name.startswith(_DOTTED)]
    problems = [f"there is no column {name!r}" for name in names if name not in known and name not in dotted]
    problems += [
        f"{name!r} is there more than once" for name in dict.fromkeys(names) if names.count(name) > 1
    ]
    if dotted and CONFIGURATION in names:
        problems.append(f"{CONFIGURATION!r} and {dotted[0]!r} cannot both be there")
    problems += [
        f"{column.name!r} is missing"
        for column in kind.columns
        if column.is_required and column.name not in names
    ]
    if problems:
        columns = ", ".join(column.name for column in kind.columns)
        raise files.InvalidFileError(
            f"{source.path.name}: line {record.line}: {'; '.join(problems)}. The columns are {columns}."
        )
    return names


def _from_cells(
    record: files.Record, names: Sequence[str], known: Mapping[str, ImportColumn], kind: ImportFormat
) -> ParsedRow:
    cells: Sequence[str] = record.content
    said = dict(zip(names, cells, strict=False))
    if len(cells) != len(names):
        reason = f"has {len(cells)} cells, and the head has {len(names)}"
        return ParsedRow(record.line, None, "", None, said, [CellProblem(record.line, "", "", reason)])
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    items: list[tuple[str, str]] = []
    for name, cell in said.items():
        column = known.get(name)
        if column is None:
            if cell:
                items.append((name.removeprefix(_DOTTED), cell))
        elif cell:
            try:
                values[name] = column.from_text(cell)
            except ValueError as problem:
                wrong.append((name, str(problem)))
        else:
            values[name] = None
            if column.is_required:
                wrong.append((name, _MISSING))
    if items:
        values[CONFIGURATION] = items
    return _line(record.line, said, values, wrong, kind)


def _from_object(record: files.Record, known: Mapping[str, ImportColumn], kind: ImportFormat) -> ParsedRow:
    said: Mapping[str, Any] = record.content
    values: dict[str, Any] = {}
    wrong = [
        (column.name, _MISSING)
        for column in kind.columns
        if column.is_required and said.get(column.name) is None
    ]
    for name, given in said.items():
        column = known.get(name)
        if column is None:
            wrong.append((name, "is no column"))
        elif given is None:
            values[name] = None
        else:
            try:
                values[name] = column.from_json(given)
            except ValueError as problem:
                wrong.append((name, str(problem)))
    return _line(record.line, said, values, wrong, kind)


def _line(
    number: int,
    said: Mapping[str, Any],
    values: Mapping[str, Any],
    wrong: Sequence[tuple[str, str]],
    kind: ImportFormat,
) -> ParsedRow:
    group = values.get(kind.group) if kind.group else None
    row = None
    if not wrong:
        try:
            row = kind.to_row(values)
        except InvalidRowError as problem:
            wrong = [(problem.column, problem.reason)]
    key = "" if wrong else " ".join(str(values[name]) for name in kind.key)
    mistakes = [CellProblem(number, column, _shown(said.get(column)), reason) for column, reason in wrong]
    return ParsedRow(number, row, key, group, said, mistakes)


def _shown(value: object) -> str:
    return "" if value is None else str(value)
