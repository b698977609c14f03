"""One record for each request, written to the log, the metrics and the span when the request ends.

An unexpected error before the start of the response becomes a 500 or a 503 here, without its details.
"""

import contextlib
import random
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphql_api import errors, responses
from graphql_api.middleware import request_log
from renewals.observability import internal_errors, metrics, request_record, tracing

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are not logged, because monitoring requests them every few seconds."""
REQUEST_ID = b"x-request-id"
CUT = "CUT"
"""The code of a response that was cut off because its client read too slowly, or because an export took too long."""
SOCKET = "socket"
_SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_TRACE_HEADERS = frozenset({b"traceparent", b"tracestate", b"baggage"})


class RequestLoggingMiddleware:
    """A middleware that records each request and web socket, except probes, and returns its id in `X-Request-ID`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and log it."""
        if scope["type"] == "lifespan" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        record = request_record.RequestRecord(_request_id(scope))
        observer = _ResponseObserver(record, send)
        in_progress = metrics.IN_PROGRESS
        if scope["type"] == "websocket":
            record.kind, in_progress = SOCKET, metrics.SOCKETS
        with (
            tracing.request_span("request", _trace_context(scope)) as span,
            request_log.RequestLog(record, span),
        ):
            in_progress.inc()
            try:
                await self._app(scope, receive, observer.send)
            except Exception as problem:
                if scope["type"] == "websocket":
                    reason = f"{internal_errors.CODE} {internal_errors.report_internal_error(problem)['id']}"
                    with contextlib.suppress(Exception):  # it may be closed already
                        await observer.send({"type": "websocket.close", "code": 1011, "reason": reason})
                elif not observer.is_started:
                    await responses.internal_error(problem)(scope, receive, observer.send)
                else:
                    _note_incomplete(problem)
                    raise  # uvicorn closes the connection, so the client sees that the response is incomplete
            finally:
                in_progress.dec()


class _ResponseObserver:
    """An observer that notes the status of a response in the record, and adds the header `X-Request-ID`."""

    def __init__(self, record: request_record.RequestRecord, send: Send) -> None:
        self._record = record
        self._send = send
        self.is_started = False

    async def send(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start":
                self.is_started = True
                self._record.status = message["status"]
                self._add_request_id(message)
            case "websocket.accept":
                self._add_request_id(message)
            case "websocket.http.response.start":
                self._record.status = message["status"]
                self._add_request_id(message)
            case "websocket.close":
                self._record.status = message.get("code", 1000)
        await self._send(message)

    def _add_request_id(self, message: Message) -> None:
        header = (REQUEST_ID, self._record.request_id.encode())
        message["headers"] = [*message.get("headers", ()), header]


def _note_incomplete(problem: Exception) -> None:
    if isinstance(problem, errors.ClientTooSlowError | TimeoutError):
        request_record.note_code(CUT)
    else:
        internal_errors.report_internal_error(problem)


def _request_id(scope: Scope) -> str:
    """Return the client's request id if it has 1 to 64 characters, all of them safe, or else a new id."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _SAFE_ID.fullmatch(value):
            return str(value, "ascii")
    return f"{random.getrandbits(64):016x}"


def _trace_context(scope: Scope) -> dict[str, str]:
    if not tracing.is_enabled():
        return {}
    return {
        str(name, "latin-1"): str(value, "latin-1")
        for name, value in scope["headers"]
        if name in _TRACE_HEADERS
    }
