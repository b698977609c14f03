"""OpenTelemetry as `spans` uses it: statements without their arguments, problems without their words."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

Attributes = Mapping[str, str | int | float | bool]

FROM_VARIABLES = "otel"
PATH = "/v1/traces"
STOP_SECONDS_MAX = 5.0
_SECRETIVE = ("exception.message", "exception.stacktrace")
"""What an error says may have a customer's values in it; its type has not."""
_STATEMENTS = "opentelemetry.instrumentation.asyncpg"

_tracer: trace.Tracer = trace.NoOpTracer()


class RedactingExporter(SpanExporter):
    """Exports spans without the words of errors, and leaves out statements that nobody's request or job has made."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        kept = [_redacted(each) for each in spans if not _is_orphan(each)]
        return self._exporter.export(kept) if kept else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


@contextlib.contextmanager
def configure(where: str, service: str) -> Iterator[None]:
    """Sends spans for as long as the block runs, the last of them at its end."""
    global _tracer  # noqa: PLW0603 - as in `spans`
    named = Resource.create({SERVICE_NAME: service})
    # The variables' own name of the service goes before ours.
    provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()))
    scrubbing = RedactingExporter(_exporter(where))
    provider.add_span_processor(BatchSpanProcessor(scrubbing))
    _tracer = provider.get_tracer("renewals")
    instrumentor = AsyncPGInstrumentor(capture_parameters=False)  # type: ignore[no-untyped-call]
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()
        # A collector that is away is tried again and again, and holds up the end of the process.
        patience = threading.Timer(STOP_SECONDS_MAX, scrubbing.shutdown)
        patience.start()
        provider.shutdown()
        patience.cancel()
        _tracer = trace.NoOpTracer()


def span(name: str, attributes: Attributes | None) -> contextlib.AbstractContextManager[trace.Span]:
    return _tracer.start_as_current_span(name, attributes=attributes)


def request(name: str, headers: Mapping[str, str]) -> contextlib.AbstractContextManager[trace.Span]:
    return _tracer.start_as_current_span(name, context=propagate.extract(headers), kind=trace.SpanKind.SERVER)


def mark_failed(span: trace.Span) -> None:
    span.set_status(trace.StatusCode.ERROR)


def ids() -> Mapping[str, str]:
    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(found.trace_id), "span_id": trace.format_span_id(found.span_id)}


def _exporter(where: str) -> SpanExporter:
    if where == FROM_VARIABLES:
        return OTLPSpanExporter()
    return OTLPSpanExporter(endpoint=where if where.endswith(PATH) else where.rstrip("/") + PATH)


def _is_orphan(span: ReadableSpan) -> bool:
    scope = span.instrumentation_scope
    return span.parent is None and scope is not None and scope.name == _STATEMENTS


def _redacted(span: ReadableSpan) -> ReadableSpan:
    if not span.events and span.status.description is None:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[_redacted_event(each) for each in span.events],
        links=span.links,
        kind=span.kind,
        status=trace.Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _redacted_event(event: Event) -> Event:
    attributes = {name: value for name, value in (event.attributes or {}).items() if name not in _SECRETIVE}
    return Event(event.name, attributes, event.timestamp)
