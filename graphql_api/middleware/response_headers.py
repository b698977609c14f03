"""Headers added to responses: rules for browsers, CORS, and `Connection: close` while the process drains."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphql_api import responses

log = logging.getLogger(__name__)

CORS_SECONDS = 600
"""The time for which a browser caches the permission of an origin."""
ALLOWED_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "X-Request-ID",
    "traceparent",
    "tracestate",
    # Common clients and tracers send these headers automatically; of them, this server reads only `baggage`.
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "baggage",
    "graphql-client-name",
    "graphql-client-version",
    "graphql-preflight",
    "graphql-require-preflight",
    "sentry-trace",
    "x-apollo-operation-id",
    "x-apollo-operation-name",
    "x-requested-with",
)
EXPOSED_RESPONSE_HEADERS = ("Content-Disposition", "Retry-After", "X-Request-ID")

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""The default headers of a response. A header that the response already has is not added."""
_HEADERS_OVER_TLS = (*_HEADERS, (b"strict-transport-security", b"max-age=31536000"))
"""The same headers, and HSTS (RFC 6797) for a year."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)
"""The policy of GraphiQL's page: its script is inline, and this server serves its files."""


class ResponseHeadersMiddleware:
    """A middleware that adds security headers to each response, and `Connection: close` while the process drains."""

    def __init__(self, app: ASGIApp, is_draining: Callable[[], bool]) -> None:
        self._app = app
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        security_headers = _HEADERS_OVER_TLS if scope.get("scheme") == "https" else _HEADERS
        is_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_started
            is_started = True
            if message["type"] == "http.response.start":
                headers = message["headers"]
                names = dict(headers)
                message["headers"] = [
                    *headers,
                    *[header for header in security_headers if header[0] not in names],
                ]
                if self._is_draining():
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            # At the end of the drain time, uvicorn cancels the requests that are still running.
            if is_started or not self._is_draining():
                raise
            log.warning("a request was canceled because it did not end within the drain time")
            await responses.unavailable()(scope, receive, send_with_headers)


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Return the application wrapped in CORS for these origins, or unchanged if there are none.

    Cookies are not allowed, because this server reads none.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=ALLOWED_REQUEST_HEADERS,
        expose_headers=EXPOSED_RESPONSE_HEADERS,
        max_age=CORS_SECONDS,
    )
