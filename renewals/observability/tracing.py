"""Set-up of OpenTelemetry tracing.

Spans are made through OpenTelemetry's API; its tracer does nothing until `configure` installs a provider.
OpenTelemetry's API adds 12 ms to the start of a process and takes 7 µs for a span that is not exported, so jobs and
chunks use it directly. A request uses `request_span`, which takes 0.2 µs while tracing is off. Importing the SDK takes
180 ms and 6 MB, so only `configure` imports it, and only if the settings name a collector.
"""

import contextlib
from collections.abc import Iterator, Mapping

from opentelemetry import trace

from renewals import config

_NO_SPAN = contextlib.nullcontext(trace.INVALID_SPAN)
_tracer = trace.get_tracer("renewals")
_is_enabled = False


@contextlib.contextmanager
def configure(settings: config.Settings, service: str) -> Iterator[None]:
    """Export the spans of this process while the block runs, if `settings.traces` names a destination."""
    global _is_enabled  # noqa: PLW0603 - tracing is a state of the process
    if settings.traces is None:
        yield
        return
    from renewals.observability import span_export  # noqa: PLC0415 - see the module's docstring

    with span_export.exporting(settings.traces, service):
        _is_enabled = True
        try:
            yield
        finally:
            _is_enabled = False


def is_enabled() -> bool:
    """Return whether spans are exported."""
    return _is_enabled


def request_span(name: str, headers: Mapping[str, str]) -> contextlib.AbstractContextManager[trace.Span]:
    """Return a context manager of a server span. The header `traceparent`, if it is sent, names the parent of the span.

    While tracing is off, the context manager yields the invalid span, which records nothing.
    """
    if not _is_enabled:
        return _NO_SPAN
    from opentelemetry import propagate  # noqa: PLC0415 - it reads the entry points of all installed packages

    return _tracer.start_as_current_span(name, context=propagate.extract(headers), kind=trace.SpanKind.SERVER)


def current_ids() -> Mapping[str, str]:
    """Return `trace_id` and `span_id` of the current span, or an empty mapping if there is none or tracing is off."""
    if not _is_enabled:
        return {}
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }
