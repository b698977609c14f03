"""Files to import: their encoding, and the raw values of each line."""

import codecs
import csv
import functools
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

from renewals.domain.messages import Message

UTF_8, UTF_8_BOM, GB18030 = "utf-8", "utf-8-sig", "gb18030"
LINE_CHARACTERS_MAX = 1 << 20
_BLOCK_BYTES = 1 << 20
_FORMATS = {".csv": "CSV", ".jsonl": "JSONL"}
_SAMPLE = 'id,"name"\r\n1,one\r\n'
_END_IN_QUOTES = "unexpected end of data"
"""The csv module's message for a file that ends inside quotes."""
_NO_OBJECT = Message("must be a JSON object")


class InvalidFileError(Exception):
    """An error that prevents the import of a whole file; nothing was written. `str()` is the message in English."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class Source(NamedTuple):
    """A file whose encoding was checked from its beginning to its end."""

    path: Path
    is_csv: bool
    encoding: str
    line_count: int


class Record(NamedTuple):
    """The content of a line: a JSON object or the cells of a CSV row, or None if the line has a problem."""

    line: int
    content: Any
    problem: Message | None = None


class _UndecodableError(Exception):
    def __init__(self, line: int, column: int, byte: int) -> None:
        super().__init__(line, column, byte)
        self.line, self.column, self.byte = line, column, byte

    def place(self, encoding: str) -> Message:
        """Return a message that names the place of the first character that cannot be decoded."""
        return Message(
            "{encoding} at line {line}, column {column} (byte {byte})",
            encoding=encoding,
            line=self.line,
            column=self.column,
            byte=self.byte,
        )


def find_encoding(name: str) -> str:
    """Return Python's name of an encoding.

    Raises LookupError if the encoding is unknown, or cannot encode and decode a sample of CSV text.
    """
    try:
        decoder = codecs.getincrementaldecoder(name)()
        data = _SAMPLE.encode(name)
        text = "".join(decoder.decode(data[at : at + 1]) for at in range(len(data)))
    except UnicodeError:
        text = ""
    if text != _SAMPLE:
        raise LookupError(name)
    return codecs.lookup(name).name


def inspect_file(path: Path, encoding: str | None = None) -> Source:
    """Check a file, and return it with its format, its encoding and its number of lines.

    If `encoding` is None, UTF-8 is tried first, and then GB18030 unless the file is mostly valid UTF-8 or begins with
    the byte order mark of UTF-8. Raises InvalidFileError for an unknown suffix, a line that is too long, an unclosed
    quote, and undecodable text. The message about a character has its line, column and byte, counted from 1.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InvalidFileError(Message("{file}: the name must end in .csv or .jsonl", file=path.name))
    with path.open("rb") as file:
        has_mark = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    if has_mark and encoding in (None, UTF_8):
        encoding = UTF_8_BOM
    problems: list[Message] = []
    for candidate in [encoding] if encoding else [UTF_8, GB18030]:
        try:
            line_count = _count_lines(path, candidate)
        except _UndecodableError as error:
            problems.append(error.place(candidate))
            if encoding is None and candidate == UTF_8 and _is_mostly_utf_8(path):
                message = Message(
                    "{file}: mostly UTF-8, but cannot be decoded as {place}. Correct the character or set --encoding.",
                    file=path.name,
                    place=problems[0],
                )
                raise InvalidFileError(message) from None
        else:
            source = Source(path, _FORMATS[path.suffix.lower()] == "CSV", candidate, line_count)
            if source.is_csv:
                deque(read_records(source), maxlen=0)  # raises for an unclosed quote
            return source
    nor = Message("{first}, nor as {second}")
    places = functools.reduce(lambda first, second: nor.fill(first=first, second=second), problems)
    message = Message("{file}: cannot be decoded as {places}. Set --encoding to the file's encoding.")
    raise InvalidFileError(message.fill(file=path.name, places=places))


def _is_mostly_utf_8(path: Path) -> bool:
    """Return whether at least half of the non-ASCII characters are valid UTF-8, which is rare in GB18030 text."""
    decoder = codecs.getincrementaldecoder(UTF_8)("replace")
    valid_count = invalid_count = 0
    with path.open("rb") as file:
        is_end = False
        while not is_end:
            block = file.read(_BLOCK_BYTES)
            is_end = not block
            text = decoder.decode(block, final=is_end)
            replaced_count = text.count("\N{REPLACEMENT CHARACTER}")
            invalid_count += replaced_count
            valid_count += len(text) - len(text.encode("ascii", "ignore")) - replaced_count
    return valid_count >= invalid_count


def _count_lines(path: Path, encoding: str) -> int:
    """Return the number of lines. Raises _UndecodableError, or InvalidFileError for other bad text or a long line."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, position, length, last = 0, 0, 0, ""
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK_BYTES)
            position += len(block)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "ignore")
                _, newline, rest = before.rpartition("\n")
                column = len(rest) + 1 + (0 if newline else length)
                byte = position - len(error.object) + error.start + 1
                raise _UndecodableError(lines + before.count("\n") + 1, column, byte) from None
            except UnicodeError as error:
                message = Message(
                    "{file}: cannot be decoded as {encoding}: {error}",
                    file=path.name,
                    encoding=encoding,
                    error=str(error),
                )
                raise InvalidFileError(message) from None
            first, _, _ = text.partition("\n")
            if length + len(first) > LINE_CHARACTERS_MAX:
                message = Message(
                    "{file}: line {line} has more than {count:,} characters",
                    file=path.name,
                    line=lines + 1,
                    count=LINE_CHARACTERS_MAX,
                )
                raise InvalidFileError(message)
            length = len(text) - text.rfind("\n") - 1 if "\n" in text else length + len(first)
            lines += text.count("\n")
            last = text[-1:] or last
            if not block:
                return lines + (last not in ("", "\n"))


def read_records(source: Source) -> Iterator[Record]:
    """Yield the content of each line that is not empty; the first such line of a CSV file is the header.

    Raises InvalidFileError for an unclosed quote.
    """
    with source.path.open(encoding=source.encoding, newline="") as file:
        yield from _read_csv(source, file) if source.is_csv else _read_json_lines(file)


def _read_csv(source: Source, file: TextIO) -> Iterator[Record]:
    """Yield the cells of each row. Raises InvalidFileError for an unclosed quote, which would hide later lines."""
    row_lines: list[str] = []

    def lines() -> Iterator[str]:
        for text in file:
            row_lines.append(text)
            yield text

    reader = csv.reader(lines(), strict=True)
    while True:
        line = reader.line_num + 1
        row_lines.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if len(row_lines) > 1 or str(error) == _END_IN_QUOTES:
                opened_on = line + _last_opening_quote(row_lines)
                message = Message(
                    "{file}: the quote that line {opened_on} opens is not closed, so lines {line} to {last} "
                    "are not valid CSV: {error}",
                    file=source.path.name,
                    opened_on=opened_on,
                    line=line,
                    last=reader.line_num,
                    error=str(error),
                )
                raise InvalidFileError(message) from None
            yield Record(line, None, Message("is not valid CSV: {error}", error=str(error)))
        else:
            if cells:
                yield Record(line, cells)


def _last_opening_quote(texts: Sequence[str]) -> int:
    """Return the index of the line with the last opening quote of an invalid row."""
    opened_on, state = 0, "start"
    for number, text in enumerate(texts):
        for letter in text:
            is_end = letter in ",\r\n"
            if state == "quoted":
                state = "closed" if letter == '"' else state
            elif state == "start" and letter == '"':
                opened_on, state = number, "quoted"
            elif state == "closed" and letter == '"':  # a doubled quote is one quote
                state = "quoted"
            elif state == "closed" and not is_end:
                return opened_on
            else:
                state = "start" if is_end else "plain"
    return opened_on


def _read_json_lines(file: TextIO) -> Iterator[Record]:
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield Record(line, None, Message("is not valid JSON: {error}", error=str(error)))
        else:
            is_object = isinstance(value, dict)
            yield Record(line, value if is_object else None, None if is_object else _NO_OBJECT)
