"""Export of spans over OTLP: SQL statements without their arguments, exceptions without their messages."""

import contextlib
import threading
from collections.abc import Iterator, Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

FROM_VARIABLES = "otel"
"""The value of `settings.traces` with which the variables OTEL_EXPORTER_OTLP_* name the collector."""
TRACES_PATH = "/v1/traces"
STOP_SECONDS_MAX = 5.0
_CONFIDENTIAL_ATTRIBUTES = ("exception.message", "exception.stacktrace")
"""The message of an exception, which its stack trace repeats, may contain a customer's values; its type does not."""
_STATEMENTS_SCOPE = "opentelemetry.instrumentation.asyncpg"


class RedactingExporter(SpanExporter):
    """An exporter that removes exception messages, and drops the spans of statements outside a request or job."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans without exception messages; drop the spans of statements outside a request or job."""
        redacted = [_redact(span) for span in spans if not _is_orphan(span)]
        return self._exporter.export(redacted) if redacted else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export the buffered spans, and return whether the export succeeded in time."""
        return self._exporter.force_flush(timeout_millis)


@contextlib.contextmanager
def exporting(collector: str, service: str) -> Iterator[None]:
    """Export spans to a collector while the block runs, and the remaining spans at the end of the block."""
    resource = Resource.create({SERVICE_NAME: service})
    # OTEL_SERVICE_NAME overrides the service's own name.
    provider = TracerProvider(resource=resource.merge(OTELResourceDetector().detect()))
    exporter = RedactingExporter(_build_exporter(collector))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    instrumentor = AsyncPGInstrumentor(capture_parameters=False)  # type: ignore[no-untyped-call]
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()
        # The SDK retries an unavailable collector, which would delay the end of the process.
        timer = threading.Timer(STOP_SECONDS_MAX, exporter.shutdown)
        timer.start()
        provider.shutdown()
        timer.cancel()


def _build_exporter(collector: str) -> SpanExporter:
    if collector == FROM_VARIABLES:
        return OTLPSpanExporter()
    has_path = collector.endswith(TRACES_PATH)
    return OTLPSpanExporter(endpoint=collector if has_path else collector.rstrip("/") + TRACES_PATH)


def _is_orphan(span: ReadableSpan) -> bool:
    scope = span.instrumentation_scope
    return span.parent is None and scope is not None and scope.name == _STATEMENTS_SCOPE


def _redact(span: ReadableSpan) -> ReadableSpan:
    if not span.events and span.status.description is None:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[_redact_event(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=trace.Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _redact_event(event: Event) -> Event:
    attributes = {
        name: value
        for name, value in (event.attributes or {}).items()
        if name not in _CONFIDENTIAL_ATTRIBUTES
    }
    return Event(event.name, attributes, event.timestamp)
