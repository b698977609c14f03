"""Spans of what is done, where the setting says where to send them; else nothing of OpenTelemetry is imported."""

import contextlib
import functools
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from renewals import config

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")
Span = Any
Attributes = Mapping[str, str | int | float | bool]

_tracing: Any = None
"""`renewals.observability.tracing`, once it is wanted."""
_NOTHING: contextlib.nullcontext[Span] = contextlib.nullcontext()


@contextlib.contextmanager
def running(settings: config.Settings, service: str) -> Iterator[None]:
    """Sends the spans of this process for as long as the block runs, if the settings say where to."""
    global _tracing  # noqa: PLW0603 - whether there is tracing is a fact of the process
    if settings.traces is None:
        yield
        return
    from renewals.observability import tracing  # noqa: PLC0415 - OpenTelemetry is imported only where it is wanted

    with tracing.configure(settings.traces, service):
        _tracing = tracing
        try:
            yield
        finally:
            _tracing = None


def are_on() -> bool:
    """Whether there is anything to be told to a span."""
    return _tracing is not None


def span(name: str, attributes: Attributes | None = None) -> contextlib.AbstractContextManager[Span]:
    """A span as long as the block runs, or None."""
    return _NOTHING if _tracing is None else _tracing.span(name, attributes)


def request(name: str, headers: Mapping[str, str]) -> contextlib.AbstractContextManager[Span]:
    """The span of a request, below that of whoever sent `traceparent`; or None."""
    return _NOTHING if _tracing is None else _tracing.request(name, headers)


def traced(
    name: str,
) -> Callable[
    [Callable[Arguments, Coroutine[Any, Any, Value]]], Callable[Arguments, Coroutine[Any, Any, Value]]
]:
    """Has a span for each call of a function."""

    def wrap(
        work: Callable[Arguments, Coroutine[Any, Any, Value]],
    ) -> Callable[Arguments, Coroutine[Any, Any, Value]]:
        @functools.wraps(work)
        async def work_in_span(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
            with span(name):
                return await work(*args, **kwargs)

        return work_in_span

    return wrap


def mark_failed(span: Span) -> None:
    """Says of a span that it ended with an error of ours."""
    if _tracing is not None:
        _tracing.mark_failed(span)


def ids() -> Mapping[str, str]:
    """The ids of the trace and the span in hand, for the log."""
    return {} if _tracing is None else _tracing.ids()
