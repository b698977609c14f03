"""The record of a finished request, written to its span, to the metrics and to the log.

The span is written immediately. The metrics and the log lines of several requests are written together, which takes
half as long as writing those of each request separately.
"""

import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import NamedTuple, TypeVar

from opentelemetry import trace
from prometheus_client import Counter, Histogram
from strawberry.types import ExecutionResult

from renewals.observability import debounce, internal_errors, log_config, metrics, request_record, tracing

log = logging.getLogger("renewals.requests")
Result = TypeVar("Result")
_tracer = trace.get_tracer("renewals")

OK = "OK"
"""The code of a request without errors."""
WAIT_SECONDS = 0.05
"""The maximum time from the end of a request until its record is written. A killed process loses unwritten records."""


class RequestLog:
    """A context manager that makes a record current during its block, and logs the record at the end."""

    __slots__ = ("_began", "_context", "_now", "_record", "_span")

    def __init__(self, record: request_record.RequestRecord, span: trace.Span) -> None:
        self._record = record
        self._span = span

    def __enter__(self) -> None:
        self._now = request_record.current.set(self._record)
        self._context = log_config.context.set({"request_id": self._record.request_id})
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self._began
        _waiting.append(_Ended(self._record, seconds, time.time(), tracing.current_ids()))
        _log.schedule()
        if self._span.is_recording():
            _describe(self._record, self._span)
        log_config.context.reset(self._context)
        request_record.current.reset(self._now)


class _Ended(NamedTuple):
    """A finished request: its record, its duration, its end as a Unix time, and the ids of its span."""

    record: request_record.RequestRecord
    seconds: float
    at: float
    trace: Mapping[str, str]


_waiting: deque[_Ended] = deque()


def flush() -> None:
    """Write all finished requests to the metrics and the log."""
    for _ in range(len(_waiting)):
        try:
            _flush(_waiting.popleft())
        except Exception:  # for example, the disk is full; the response has already been sent
            log.exception("cannot log a request")


_log = debounce.Debouncer(flush, WAIT_SECONDS)

_counted: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
"""A cache of the metrics by operation, kind and code, because finding them by labels takes longer than counting."""


def _flush(ended: _Ended) -> None:
    record = ended.record
    code = record.codes[0] if record.codes else OK
    labels = (metrics.limit_cardinality(record.operation), record.kind, code)
    counted = _counted.get(labels)
    if counted is None:
        counted = _counted[labels] = (
            metrics.REQUESTS.labels(*labels),
            metrics.REQUEST_SECONDS.labels(*labels[:2]),
        )
    counted[0].inc()
    counted[1].observe(ended.seconds)
    if record.cost is not None:
        metrics.REQUEST_COST.labels(record.kind).observe(record.cost)
    if log.isEnabledFor(logging.INFO):
        # This replaces `log.info`, which spends most of its time on finding the calling line of code.
        line = logging.LogRecord(log.name, logging.INFO, "", 0, _line(ended), None, None)
        line.created = ended.at
        log.handle(line)


def _line(ended: _Ended) -> dict[str, object]:
    """Return the log line of a request, without the members that are not known."""
    record = ended.record
    line: dict[str, object] = {
        "event": "request",
        "request_id": record.request_id,
        "operation": record.operation,
        "kind": record.kind,
        "duration_ms": round(ended.seconds * 1_000, 3),
        **ended.trace,
    }
    if record.status is not None:
        line["status"] = record.status
    if record.role is not None:
        line |= {"account": record.account_id, "role": record.role}
    if record.key_id is not None:
        line["key"] = str(record.key_id)
    if record.cost is not None:
        line["cost"] = record.cost
    if record.codes:
        line["codes"] = record.codes
    if record.error_ids:
        line["error_ids"] = record.error_ids
    return line


def _describe(record: request_record.RequestRecord, span: trace.Span) -> None:
    span.update_name(f"{record.kind} {record.operation}")
    attributes = {
        "graphql.operation.name": record.operation,
        "graphql.operation.type": record.kind,
        "http.response.status_code": record.status,
        "renewals.request_id": record.request_id,
        "renewals.account": record.account_id,
        "renewals.role": record.role,
        "renewals.cost": record.cost,
        "renewals.codes": record.codes,
    }
    span.set_attributes({name: value for name, value in attributes.items() if value is not None})
    if internal_errors.CODE in record.codes:
        span.set_status(trace.StatusCode.ERROR)


async def with_cost(results: AsyncIterator[Result]) -> AsyncGenerator[Result, None]:
    """Yield the results of the current operation, with the operation's cost in the first of them."""
    record = request_record.current.get()
    cost = record.cost if record else None
    async for result in results:
        if cost is not None and isinstance(result, ExecutionResult):
            result.extensions = {**(result.extensions or {}), "cost": cost}
            cost = None
        yield result


@contextlib.contextmanager
def separate_record() -> Iterator[None]:
    """Give an operation of the current web socket its own record for the block and the tasks that begin in it."""
    socket = request_record.current.get()
    record = request_record.RequestRecord(socket.request_id if socket else secrets.token_hex(8))
    if socket:
        record.account_id, record.role, record.key_id = socket.account_id, socket.role, socket.key_id
    token = request_record.current.set(record)
    try:
        yield
    finally:
        request_record.current.reset(token)


@contextlib.contextmanager
def operation() -> Iterator[None]:
    """Log the current operation of a web socket at the end of the block."""
    record = request_record.current.get()
    assert record is not None, "call operation() only in separate_record()"
    with _tracer.start_as_current_span("operation") as span, RequestLog(record, span):
        yield
