"""A file of rows: how it is encoded, and what is on each line."""

import codecs
import csv
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

UTF_8, UTF_8_BOM, GB18030 = "utf-8", "utf-8-sig", "gb18030"
LINE_CHARACTERS_MAX = 1 << 20
_BLOCK_BYTES = 1 << 20
_FORMATS = {".csv": "CSV", ".jsonl": "JSONL"}


class FileRefused(Exception):
    """The file as a whole cannot be taken in; nothing was written."""


class Source(NamedTuple):
    """A file that was looked through: its encoding holds to its end."""

    path: Path
    is_csv: bool
    encoding: str
    line_count: int


class Record(NamedTuple):
    """What is on a line: the cells, or the object; or why it is neither."""

    line: int
    content: Any
    problem: str | None = None


class _Undecodable(Exception):
    def __init__(self, line: int, byte: int) -> None:
        super().__init__(f"line {line}, byte {byte}")


def look_through(path: Path, encoding: str | None = None) -> Source:
    """Finds the encoding: the one that is given, else by the byte order mark, else UTF-8, else GB18030.

    Raises FileRefused with the line and the byte (from 1) where none of them goes on.
    """
    if path.suffix.lower() not in _FORMATS:
        raise FileRefused(f"{path.name}: must be a .csv or a .jsonl file")
    with path.open("rb") as file:
        has_mark = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    tried = [encoding] if encoding else [UTF_8_BOM] if has_mark else [UTF_8, GB18030]
    where = []
    for each in tried:
        try:
            lines = _count_lines(path, each)
        except _Undecodable as problem:
            where.append(f"{each} at {problem}")
        else:
            return Source(path, _FORMATS[path.suffix.lower()] == "CSV", each, lines)
    raise FileRefused(f"{path.name}: is not {', nor '.join(where)}")


def _count_lines(path: Path, encoding: str) -> int:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, position, length, last = 0, 0, 0, ""
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK_BYTES)
            position += len(block)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as problem:
                before = problem.object[: problem.start]
                line = lines + 1 + before.decode(encoding, "ignore").count("\n")
                raise _Undecodable(line, position - len(problem.object) + problem.start + 1) from None
            first, _, _ = text.partition("\n")
            if length + len(first) > LINE_CHARACTERS_MAX:
                raise FileRefused(
                    f"{path.name}: line {lines + 1} has more than {LINE_CHARACTERS_MAX} characters"
                )
            length = len(text) - text.rfind("\n") - 1 if "\n" in text else length + len(first)
            lines += text.count("\n")
            last = text[-1:] or last
            if not block:
                return lines + (last not in ("", "\n"))


def records(source: Source) -> Iterator[Record]:
    """What the file has on each line that is not empty; of a CSV file the head first."""
    with source.path.open(encoding=source.encoding, newline="") as file:
        yield from _rows(file) if source.is_csv else _objects(file)


def _rows(file: TextIO) -> Iterator[Record]:
    reader = csv.reader(file, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield Record(line, None, f"is no CSV: {problem}")
        else:
            if cells:
                yield Record(line, cells)


def _objects(file: TextIO) -> Iterator[Record]:
    for line, text in enumerate(iter(functools.partial(file.readline), ""), 1):
        if not text.strip():
            continue
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError as problem:
            yield Record(line, None, f"is no JSON: {problem}")
        else:
            is_object = isinstance(found, dict)
            yield Record(line, found if is_object else None, None if is_object else "must be a JSON object")
