"""Around the whole application: keeps a record of each request, and tells the log, the metrics and the span of it once.

What goes wrong on the way out, where nothing else answers it, is answered here, without a word of what it was.
"""

import contextlib
import random
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphql_api import errors, responses
from graphql_api.middleware import request_log
from renewals.observability import internal_errors, metrics, request_record, spans

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds: they are nobody's requests."""
REQUEST_ID = b"x-request-id"
CUT = "CUT"
"""The code of an answer that its client was too slow for."""
SOCKET = "socket"
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_CONTEXT = frozenset({b"traceparent", b"tracestate", b"baggage"})


class RequestLoggingMiddleware:
    """An application whose requests are recorded, its streams and web sockets when they end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        record = request_record.RequestRecord(_request_id(scope))
        sent = _ResponseObserver(record, send)
        under_way = metrics.IN_PROGRESS
        if scope["type"] == "websocket":
            record.kind, under_way = SOCKET, metrics.SOCKETS
        with spans.request("request", _trace_context(scope)) as span, request_log.RequestLog(record, span):
            under_way.inc()
            try:
                await self._app(scope, receive, sent.send)
            except Exception as problem:
                if scope["type"] == "websocket":
                    reason = f"{internal_errors.CODE} {internal_errors.report_internal_error(problem)['id']}"
                    with contextlib.suppress(Exception):  # it may be closed already
                        await sent.send({"type": "websocket.close", "code": 1011, "reason": reason})
                elif not sent.is_begun:
                    await responses.internal_error(problem)(scope, receive, sent.send)
                else:
                    _note_cut(problem)
                    raise  # the server cuts the connection, so that nobody takes the answer for whole
            finally:
                under_way.dec()


class _ResponseObserver:
    """What is sent, of which the record has the status, and the client the request's id."""

    def __init__(self, record: request_record.RequestRecord, send: Send) -> None:
        self._record = record
        self._send = send
        self.is_begun = False

    async def send(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start":
                self.is_begun = True
                self._record.status = message["status"]
                self._name(message)
            case "websocket.accept":
                self._name(message)
            case "websocket.http.response.start":
                self._record.status = message["status"]
                self._name(message)
            case "websocket.close":
                self._record.status = message.get("code", 1000)
        await self._send(message)

    def _name(self, message: Message) -> None:
        named = (REQUEST_ID, self._record.request_id.encode())
        message["headers"] = [*message.get("headers", ()), named]


def _note_cut(problem: Exception) -> None:
    if isinstance(problem, errors.ClientTooSlowError | TimeoutError):
        request_record.note_code(CUT)
    else:
        internal_errors.report_internal_error(problem)


def _request_id(scope: Scope) -> str:
    """The id that the client gave, if it is a sane one, or a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _SANE.fullmatch(value):
            return str(value, "ascii")
    return f"{random.getrandbits(64):016x}"


def _trace_context(scope: Scope) -> dict[str, str]:
    if not spans.are_on():
        return {}
    return {
        str(name, "latin-1"): str(value, "latin-1") for name, value in scope["headers"] if name in _CONTEXT
    }
