"""Batches of rows: a row is refused if an earlier valid row has the same key, and groups (bundles) are kept whole.

Memory use does not depend on the size of the file: temporary SQLite databases hold the keys read so far. Memory holds
only the batch that is being read, the batch that is being written, and the rows of incomplete groups.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from renewals.domain.messages import Message
from renewals.imports.row_types import ImportFormat
from renewals.imports.rows import CellProblem, ParsedRow

BATCH_LINES = 2_000
"""The number of rows after which a batch ends; a batch can have more rows, because groups are added as a whole."""
GROUP_LINES_MAX = 10_000
"""The maximum number of lines from the first to the last row of a group, both included."""
_PAGE_CACHE_KIBIBYTES = 16_384


_OTHER_ACCOUNT = Message("must be the same on all lines of a bundle")


class Batch(NamedTuple):
    """The rows for one transaction, the rows that are already refused, and the number of the last line read."""

    lines: Sequence[ParsedRow]
    refused: Sequence[ParsedRow]
    line: int


class SeenKeys:
    """The line on which each key appeared first."""

    def __init__(self) -> None:
        # SQLite deletes the file of an unnamed database when the database is closed.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            f"""PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_PAGE_CACHE_KIBIBYTES};
                CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID; BEGIN"""
        )

    def first_line(self, key: str, line: int) -> int:
        """Return the line on which the key appeared first, which is `line` if the key is new."""
        cursor = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line))
        if cursor.rowcount:
            return line
        row = self._database.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Delete the keys."""
        self._database.close()


def batches(lines: Iterable[ParsedRow | None], import_format: ImportFormat) -> Iterator[Batch | None]:
    """Yield the rows in batches. Yield each None of `lines` unchanged.

    All rows of a group are in one batch, except the rows that are refused because of GROUP_LINES_MAX.
    """
    keys, groups = SeenKeys(), SeenKeys()
    try:
        yield from _collect(lines, import_format, keys, groups)
    finally:
        keys.close()
        groups.close()


def _collect(
    lines: Iterable[ParsedRow | None], import_format: ImportFormat, keys: SeenKeys, groups: SeenKeys
) -> Iterator[Batch | None]:
    valid: list[ParsedRow] = []
    refused: list[ParsedRow] = []
    open_groups: dict[str, list[ParsedRow]] = {}
    number = 0

    def close_groups(before: float) -> None:
        """Check each open group whose first line is before line `before`, and move its rows into the batch."""
        while open_groups:
            group, members = next(iter(open_groups.items()))
            if members[0].number >= before:
                return
            del open_groups[group]
            checked = _check_group(members)
            (valid if checked[0].row is not None else refused).extend(checked)

    for line in lines:
        if line is None:
            yield None
            continue
        number = line.number
        close_groups(number - GROUP_LINES_MAX + 1)
        row = _refuse_repeated_key(line, import_format, keys)
        if row.group is None:
            (refused if row.row is None else valid).append(row)
        elif row.group in open_groups:
            open_groups[row.group].append(row)
        elif (first := groups.first_line(row.group, number)) == number:
            open_groups[row.group] = [row]
        else:
            assert import_format.group_column is not None
            reason = Message(
                "began on line {first}; all lines of a bundle must be within {count:,} lines",
                first=first,
                count=GROUP_LINES_MAX,
            )
            refused.append(_refuse(row, import_format.group_column, reason))
        if len(valid) + len(refused) >= BATCH_LINES:
            yield Batch(valid, refused, number)
            valid, refused = [], []
    close_groups(float("inf"))
    if valid or refused:
        yield Batch(valid, refused, number)


def _refuse_repeated_key(line: ParsedRow, import_format: ImportFormat, keys: SeenKeys) -> ParsedRow:
    """Return the row; it is refused if an earlier valid row has the same key."""
    if line.row is None or (first := keys.first_line(line.key, line.number)) == line.number:
        return line
    return _refuse(
        line,
        import_format.key_column,
        Message("is also on line {first}; only that line can be imported", first=first),
    )


def _refuse(line: ParsedRow, column: str, reason: Message) -> ParsedRow:
    return line._replace(row=None, problems=[*line.problems, line.problem(column, reason)])


def _check_group(members: Sequence[ParsedRow]) -> list[ParsedRow]:
    """Return the rows of a bundle; all rows are refused if one row is refused or if they contradict each other."""
    accounts = {str(line.raw.get("accountId")) for line in members}
    names = {line.number: str(line.raw["bundleName"]) for line in members if line.raw.get("bundleName")}
    checked = list(members)
    if len(accounts) > 1:
        checked = [_refuse(line, "accountId", _OTHER_ACCOUNT) for line in checked]
    if len(set(names.values())) > 1:
        first = min(names)
        reason = Message("differs from the name on line {first}, which is in the same bundle", first=first)
        checked = [
            _refuse(line, "bundleName", reason)
            if names.get(line.number, names[first]) != names[first]
            else line
            for line in checked
        ]
    refused = next((line for line in checked if line.row is None), None)
    if refused is None:
        return checked
    reason = Message(
        "line {line} is in the same bundle and is refused; a bundle is registered as a whole",
        line=refused.number,
    )
    return [line if line.row is None else _refuse(line, "bundleId", reason) for line in checked]


def problems_of(lines: Iterable[ParsedRow]) -> list[CellProblem]:
    """Return the problems of refused rows, sorted by line."""
    return sorted((problem for line in lines for problem in line.problems), key=lambda problem: problem.line)
