"""Lines put together to batches: a second line of an id is refused, and what is done as a whole is kept whole.

Memory is bounded, however long the file is: a batch, the lines of the groups that are not complete yet, and a page
cache. What was seen before is in a database of its own, which is gone with the process.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from renewals.imports.formats import ImportFormat
from renewals.imports.rows import CellProblem, ParsedRow

BATCH_LINES = 2_000
"""So many lines are one transaction; a group that is complete comes on top as a whole."""
GROUP_LINES = 10_000
"""All lines of a group must be among so many, from its first one on."""
_PAGE_CACHE_KIBIBYTES = 16_384


class Batch(NamedTuple):
    """Lines to be decided in one transaction, and those that are refused already; `line` is the last one read."""

    lines: Sequence[ParsedRow]
    refused: Sequence[ParsedRow]
    line: int


class SeenKeys:
    """On which line something was first."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(
            "", isolation_level=None
        )  # a file of its own, gone when it is closed
        self._database.executescript(
            f"""PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_PAGE_CACHE_KIBIBYTES};
                CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID; BEGIN"""
        )

    def first_line(self, key: str, line: int) -> int:
        """The line where the key was first; that is this one, if it is new."""
        done = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line))
        if done.rowcount:
            return line
        found = self._database.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()
        return int(found[0])

    def close(self) -> None:
        self._database.close()


def batches(lines: Iterable[ParsedRow | None], kind: ImportFormat) -> Iterator[Batch | None]:
    """The lines in batches, groups where they are complete, each as a whole; a None is passed on as it comes."""
    keys, groups = SeenKeys(), SeenKeys()
    try:
        yield from _gather(lines, kind, keys, groups)
    finally:
        keys.close()
        groups.close()


def _gather(
    lines: Iterable[ParsedRow | None], kind: ImportFormat, keys: SeenKeys, groups: SeenKeys
) -> Iterator[Batch | None]:
    sound: list[ParsedRow] = []
    refused: list[ParsedRow] = []
    pending: dict[str, list[ParsedRow]] = {}
    number = 0

    def complete(before: float) -> None:
        """Takes up the groups that began before a line: they are in the order of their beginnings."""
        while pending:
            group, members = next(iter(pending.items()))
            if members[0].number >= before:
                return
            del pending[group]
            whole = _whole(members)
            (sound if whole[0].row is not None else refused).extend(whole)

    for each in lines:
        if each is None:
            yield None
            continue
        line, number = each, each.number
        complete(number - GROUP_LINES + 1)
        if line.row is not None and (first := keys.first_line(line.key, number)) != number:
            line = _refused(line, kind.key[-1], f"is on line {first} already, which counts")
        if line.group is None:
            (refused if line.row is None else sound).append(line)
        elif line.group in pending:
            pending[line.group].append(line)
        elif (first := groups.first_line(line.group, number)) == number:
            pending[line.group] = [line]
        else:
            assert kind.group is not None
            reason = f"is of line {first}; all its lines must be among the {GROUP_LINES} from there on"
            refused.append(_refused(line, kind.group, reason))
        if len(sound) + len(refused) >= BATCH_LINES:
            yield Batch(sound, refused, number)
            sound, refused = [], []
    complete(float("inf"))
    if sound or refused:
        yield Batch(sound, refused, number)


def _refused(line: ParsedRow, column: str, reason: str) -> ParsedRow:
    return line._replace(row=None, problems=[*line.problems, line.problem(column, reason)])


def _whole(members: Sequence[ParsedRow]) -> list[ParsedRow]:
    """The lines of a bundle, or all of them refused where one is, or where they do not go together."""
    accounts = {str(line.raw.get("accountId")) for line in members}
    named = {str(line.raw["bundleName"]): line for line in reversed(members) if line.raw.get("bundleName")}
    judged = list(members)
    if len(accounts) > 1:
        judged = [_refused(line, "accountId", "its bundle has another one, too") for line in judged]
    if len(named) > 1:
        first = min(line.number for line in named.values())
        reason = f"its bundle has another one on line {first}"
        judged = [
            _refused(line, "bundleName", reason)
            if line.number != first and line.raw.get("bundleName")
            else line
            for line in judged
        ]
    broken = next((line for line in judged if line.row is None), None)
    if broken is None:
        return judged
    reason = f"its bundle is registered as a whole, and line {broken.number} is refused"
    return [line if line.row is None else _refused(line, "bundleId", reason) for line in judged]


def problems_of(lines: Iterable[ParsedRow]) -> list[CellProblem]:
    """All mistakes of refused lines, in the order of the file."""
    return sorted((mistake for line in lines for mistake in line.problems), key=lambda each: each.line)
