"""A file of rows: how it is encoded, and what is on each line."""

import codecs
import csv
import functools
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

UTF_8, UTF_8_BOM, GB18030 = "utf-8", "utf-8-sig", "gb18030"
LINE_CHARACTERS_MAX = 1 << 20
_BLOCK_BYTES = 1 << 20
_FORMATS = {".csv": "CSV", ".jsonl": "JSONL"}
_SAMPLE = 'id,"name"\r\n1,one\r\n'
_END_IN_QUOTES = "unexpected end of data"
"""What the csv module says of a file that ends within quotes."""


class InvalidFileError(Exception):
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
    def __init__(self, line: int, column: int, byte: int) -> None:
        super().__init__(f"line {line}, column {column} (byte {byte})")


def find_encoding(name: str) -> str:
    """Python's name of an encoding; raises LookupError for what is none, or is no way to write a text."""
    try:
        decoder = codecs.getincrementaldecoder(name)()
        text = "".join(map(decoder.decode, _bytes_of(_SAMPLE.encode(name))))
    except UnicodeError:
        text = ""
    if text != _SAMPLE:
        raise LookupError(name)
    return codecs.lookup(name).name


def _bytes_of(text: bytes) -> Iterator[bytes]:
    return (text[at : at + 1] for at in range(len(text)))


def inspect_file(path: Path, encoding: str | None = None) -> Source:
    """Finds the encoding: the one that is given, else by the byte order mark, else UTF-8, else GB18030.

    Raises InvalidFileError with the line, the column and the byte (from 1) where none of them goes on,
    and with the line on which a quote was opened that is not closed.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InvalidFileError(f"{path.name}: must be a .csv or a .jsonl file")
    with path.open("rb") as file:
        has_mark = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    if has_mark and encoding in (None, UTF_8):
        encoding = UTF_8_BOM
    where = []
    for each in [encoding] if encoding else [UTF_8, GB18030]:
        try:
            lines = _count_lines(path, each)
        except _Undecodable as problem:
            where.append(f"{each} at {problem}")
            if encoding is None and each == UTF_8 and _is_rather_utf_8(path):
                raise InvalidFileError(
                    f"{path.name}: is not {where[0]}, but elsewhere it is; mend that, or name its --encoding"
                ) from None
        else:
            source = Source(path, _FORMATS[path.suffix.lower()] == "CSV", each, lines)
            if source.is_csv:
                deque(records(source), maxlen=0)
            return source
    raise InvalidFileError(f"{path.name}: is not {', nor '.join(where)}")


def _is_rather_utf_8(path: Path) -> bool:
    """Whether of what is beyond ASCII at least as much is UTF-8 as is not; a text in GB18030 has hardly any."""
    decoder = codecs.getincrementaldecoder(UTF_8)("replace")
    good_count = bad_count = 0
    with path.open("rb") as file:
        is_read = False
        while not is_read:
            block = file.read(_BLOCK_BYTES)
            is_read = not block
            text = decoder.decode(block, final=is_read)
            bad = text.count("\N{REPLACEMENT CHARACTER}")
            bad_count += bad
            good_count += len(text) - len(text.encode("ascii", "ignore")) - bad
    return good_count >= bad_count


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
                before = problem.object[: problem.start].decode(encoding, "ignore")
                _, newline, rest = before.rpartition("\n")
                column = len(rest) + 1 + (0 if newline else length)
                byte = position - len(problem.object) + problem.start + 1
                raise _Undecodable(lines + before.count("\n") + 1, column, byte) from None
            except UnicodeError as problem:
                raise InvalidFileError(f"{path.name}: is not {encoding}: {problem}") from None
            first, _, _ = text.partition("\n")
            if length + len(first) > LINE_CHARACTERS_MAX:
                raise InvalidFileError(
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
        yield from _rows(source, file) if source.is_csv else _objects(file)


def _rows(source: Source, file: TextIO) -> Iterator[Record]:
    """The rows; raises InvalidFileError for a quote that is not closed on its line, and swallowed lines or the rest."""
    taken: list[str] = []

    def take() -> Iterator[str]:
        for text in file:
            taken.append(text)
            yield text

    reader = csv.reader(take(), strict=True)
    while True:
        line = reader.line_num + 1
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            if len(taken) > 1 or str(problem) == _END_IN_QUOTES:
                opened_on = line + _last_opening(taken)
                raise InvalidFileError(
                    f"{source.path.name}: line {opened_on} opens a quote that is not closed: "
                    f"lines {line} to {reader.line_num} are no CSV: {problem}"
                ) from None
            yield Record(line, None, f"is no CSV: {problem}")
        else:
            if cells:
                yield Record(line, cells)


def _last_opening(texts: Sequence[str]) -> int:
    """The number, from 0, of the line on which a row that goes wrong has its last opening quote."""
    opened_on, state = 0, "start"
    for number, text in enumerate(texts):
        for letter in text:
            is_end = letter in ",\r\n"
            if state == "quoted":
                state = "closed" if letter == '"' else state
            elif state == "start" and letter == '"':
                opened_on, state = number, "quoted"
            elif state == "closed" and letter == '"':  # two are a quote within quotes
                state = "quoted"
            elif state == "closed" and not is_end:
                return opened_on
            else:
                state = "start" if is_end else "plain"
    return opened_on


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
