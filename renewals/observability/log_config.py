"""Logging configuration of all processes: one line of JSON per entry, or text for a terminal.

All entries pass through the standard library's loggers, so that the entries of libraries have the same format.
"""

import contextlib
import datetime as dt
import logging
import logging.config
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

from renewals import config
from renewals.observability import debounce, tracing

QUIET = ("tortoise", "asyncio", "opentelemetry", "urllib3", "requests", "websockets")
"""The libraries whose entries below WARNING are dropped."""

SERVER = "uvicorn.error"
"""A logger whose DEBUG entries contain headers, including API keys, and messages of web sockets."""

context: ContextVar[Mapping[str, object]] = ContextVar("log_context", default={})  # noqa: B039 - never mutated
"""Fields that every entry of the current context has, such as `request_id`."""


class Formatter(structlog.stdlib.ProcessorFormatter):
    """structlog's formatter, which also accepts a dictionary of all fields as the message."""

    def __init__(self, log_format: str) -> None:
        rendering: tuple[Processor, ...] = (
            (structlog.processors.format_exc_info, _clean, _write_json)
            if log_format == "json"
            else (
                _clean,
                structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_indent),
            )
        )
        foreign = (
            _add_time,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            _drop_copies,
        )
        self._in_context: tuple[Processor, ...] = (_add_context, *rendering)
        super().__init__(
            processors=(structlog.stdlib.ProcessorFormatter.remove_processors_meta, *self._in_context),
            foreign_pre_chain=foreign,
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON, or as text for a terminal."""
        if not isinstance(record.msg, dict):
            return super().format(record)
        entry: Any = record.msg | {
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": _time(record),
        }
        for processor in self._in_context:
            entry = processor(None, "", entry)
        return str(entry)


class WebSocketFilter(logging.Filter):
    """A filter that drops uvicorn's web socket entries below WARNING, because they contain the URL's parameters."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a record below WARNING that uvicorn wrote about a web socket."""
        return record.levelno >= logging.WARNING or "protocols" not in Path(record.pathname).parts


class BufferedHandler(logging.Handler):
    """A handler that collects the lines of one turn of the event loop and writes them together to standard error.

    Each write wakes the reader of the log. That takes longer than formatting a line: 5 % of a request for a small page.
    A warning is written immediately, after all lines before it. `logging.handlers.MemoryHandler` is unsuitable: it
    formats entries when it flushes, without their context, and writes each line separately.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._flushing = debounce.Debouncer(self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        """Add the record to the lines of this turn of the event loop."""
        try:
            self._lines.append(f"{self.format(record)}\n")
            if record.levelno > logging.INFO or not self._flushing.schedule():
                self.flush()
        except Exception:  # noqa: BLE001 - a request does not fail because of its log
            self.handleError(record)

    def flush(self) -> None:
        """Write the collected lines; `logging.shutdown` calls this at the end of the process."""
        with self.lock or contextlib.nullcontext():
            lines, self._lines = self._lines, []
            if lines:
                sys.stderr.write("".join(lines))


def configuration(settings: config.Settings) -> dict[str, object]:
    """Build the argument of `logging.config.dictConfig`: plain data, which can be sent to other processes."""
    log_format = settings.log_format or ("text" if sys.stderr.isatty() else "json")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "ours": {"()": "renewals.observability.log_config.Formatter", "log_format": log_format}
        },
        "handlers": {
            "stderr": {"()": "renewals.observability.log_config.BufferedHandler", "formatter": "ours"}
        },
        "filters": {"connections": {"()": "renewals.observability.log_config.WebSocketFilter"}},
        "root": {"level": settings.log_level, "handlers": ["stderr"]},
        "loggers": {
            **{name: {"level": "WARNING"} for name in QUIET if settings.log_level in ("DEBUG", "INFO")},
            SERVER: {
                "level": "INFO" if settings.log_level == "DEBUG" else settings.log_level,
                "filters": ["connections"],
            },
        },
    }


def configure(settings: config.Settings) -> None:
    """Configure the logging of this process according to the settings."""
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False  # no entry uses them
    logging.config.dictConfig(configuration(settings))
    logging.captureWarnings(capture=True)


def escape_control_characters(text: str) -> str:
    """Return a text with unprintable characters escaped, so that it stays one line and cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _time(record: logging.LogRecord) -> str:
    return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat().replace("+00:00", "Z")


def _add_time(_logger: object, _name: str, entry: EventDict) -> EventDict:
    entry["timestamp"] = _time(entry["_record"])
    return entry


def _drop_copies(_logger: object, _name: str, entry: EventDict) -> EventDict:
    entry.pop("color_message", None)  # uvicorn's colored copy of the message
    return entry


def _add_context(_logger: object, _name: str, entry: EventDict) -> EventDict:
    for name, value in context.get().items():
        entry.setdefault(name, value)
    for name, value in tracing.current_ids().items():
        entry.setdefault(name, value)
    return entry


def _clean(_logger: object, _name: str, entry: EventDict) -> EventDict:
    for name, value in entry.items():
        if type(value) is str:
            if not value.isprintable():
                entry[name] = (
                    escape_control_characters(value)
                    if name != "exception"
                    else "\n".join(map(escape_control_characters, value.split("\n")))
                )
        elif name != "exc_info" and not isinstance(value, int | float | None):
            entry[name] = _clean_value(value)
    return entry


def _clean_value(value: object) -> object:
    if isinstance(value, Mapping):
        return {escape_control_characters(str(name)): _clean_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean_value(item) for item in value]
    return value if isinstance(value, int | float | None) else escape_control_characters(str(value))


def _write_json(_logger: object, _name: str, entry: MutableMapping[str, object]) -> str:
    return orjson.dumps(entry).decode()


def _indent(
    output: TextIO, exc_info: tuple[type[BaseException], BaseException, TracebackType | None]
) -> None:
    """Write a traceback for a terminal, indented so that no line looks like a log entry."""
    for part in traceback.format_exception(*exc_info):
        output.writelines(
            f"\n  | {escape_control_characters(line)}" for line in part.rstrip("\n").split("\n")
        )
