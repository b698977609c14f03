"""How every process of ours writes its log: one line an entry, JSON for a machine or text for a terminal.

All goes through the standard library's loggers, so that libraries are heard in the same way.
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
from renewals.observability import debounce, spans

QUIET = ("tortoise", "asyncio", "opentelemetry", "urllib3", "requests", "websockets")
"""Libraries of which only warnings are worth a line."""

SERVER = "uvicorn.error"
"""Of which DEBUG has headers, keys among them, and what is sent over web sockets."""

context: ContextVar[Mapping[str, object]] = ContextVar("log_context", default={})  # noqa: B039 - never changed
"""What every line that is written meanwhile has, as the id of a request."""


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Structlog's, which takes an entry that is a dictionary for the whole of the line."""

    def __init__(self, log_format: str) -> None:
        shown: tuple[Processor, ...] = (
            (structlog.processors.format_exc_info, _clean, _write_json)
            if log_format == "json"
            else (
                _clean,
                structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_indent),
            )
        )
        before = (
            _add_time,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            _drop_copies,
        )
        self._in_context: tuple[Processor, ...] = (_add_context, *shown)
        super().__init__(
            processors=(structlog.stdlib.ProcessorFormatter.remove_processors_meta, *self._in_context),
            foreign_pre_chain=before,
        )

    def format(self, record: logging.LogRecord) -> str:
        if not isinstance(record.msg, dict):
            return super().format(record)
        entry: Any = record.msg | {
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": _time(record),
        }
        for process in self._in_context:
            entry = process(None, "", entry)
        return str(entry)


class WebSocketFilter(logging.Filter):
    """Drops what the server says of each web socket but warnings: the address is in it, with whatever was put there."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or "protocols" not in Path(record.pathname).parts


class BufferedHandler(logging.Handler):
    """Writes to what is the standard error at the moment.

    The lines of one turn of the loop are written together, since each time wakes whoever reads them, which takes longer
    than making a line. A warning is written at once, with all that came before it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[str] = []
        self._flushing = debounce.Debouncer(self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._waiting.append(f"{self.format(record)}\n")
            if record.levelno > logging.INFO or not self._flushing.schedule():
                self.flush()
        except Exception:  # noqa: BLE001 - a line that cannot be written costs nobody an answer
            self.handleError(record)

    def flush(self) -> None:
        """Writes what waits; at the end of the process, too."""
        with self.lock or contextlib.nullcontext():
            waiting, self._waiting = self._waiting, []
            if waiting:
                sys.stderr.write("".join(waiting))


def configuration(settings: config.Settings) -> dict[str, Any]:
    """What `logging.config` is told; plain data, which may go to other processes."""
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
            "matplotlib": {"level": "ERROR"},  # it warns where it builds its font cache, which is no fault
            SERVER: {
                "level": "INFO" if settings.log_level == "DEBUG" else settings.log_level,
                "filters": ["connections"],
            },
        },
    }


def configure(settings: config.Settings) -> None:
    """Has all that is logged from now on written as the settings say."""
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False  # no line has them
    logging.config.dictConfig(configuration(settings))
    logging.captureWarnings(capture=True)


def escape_control_characters(text: str) -> str:
    """A text in one line that a terminal takes for nothing else: what cannot be seen is written as its number."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text
    )


def _time(record: logging.LogRecord) -> str:
    return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat().replace("+00:00", "Z")


def _add_time(_logger: object, _name: str, entry: EventDict) -> EventDict:
    entry["timestamp"] = _time(entry["_record"])
    return entry


def _drop_copies(_logger: object, _name: str, entry: EventDict) -> EventDict:
    entry.pop("color_message", None)  # uvicorn's own, of what is said already
    return entry


def _add_context(_logger: object, _name: str, entry: EventDict) -> EventDict:
    for name, value in context.get().items():
        entry.setdefault(name, value)
    for name, value in spans.ids().items():
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
        return {escape_control_characters(str(name)): _clean_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean_value(each) for each in value]
    return value if isinstance(value, int | float | None) else escape_control_characters(str(value))


def _write_json(_logger: object, _name: str, entry: MutableMapping[str, Any]) -> str:
    return orjson.dumps(entry).decode()


def _indent(
    output: TextIO, exc_info: tuple[type[BaseException], BaseException, TracebackType | None]
) -> None:
    """A traceback for the terminal: none of its lines begins as a line of the log does."""
    for part in traceback.format_exception(*exc_info):
        output.writelines(
            f"\n  | {escape_control_characters(line)}" for line in part.rstrip("\n").split("\n")
        )
