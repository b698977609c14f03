"""What every answer says to browsers: what they may not do with it, and which pages may read it."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CORS_SECONDS = 600
"""So long a browser remembers what it was told of an origin."""
ASKED_HEADERS = (
    "Authorization",
    "Content-Type",
    "X-Request-ID",
    "traceparent",
    "tracestate",
    # What the usual clients and tracers send by themselves; nobody here reads it.
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
TOLD_HEADERS = ("Content-Disposition", "Retry-After", "X-Request-ID")

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""Unless an answer says otherwise itself."""
_HEADERS_OVER_TLS = (*_HEADERS, (b"strict-transport-security", b"max-age=31536000"))
"""The same, and that it is to be TLS for a year."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)
"""GraphiQL's page: its script stands in it, and its files come from here."""


class SecurityHeadersMiddleware:
    """The application with the headers above on each of its answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = _HEADERS_OVER_TLS if scope.get("scheme") in ("https", "wss") else _HEADERS

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = dict(message["headers"])
                more = [header for header in ours if header[0] not in said]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, send_secured if scope["type"] == "http" else send)


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application for pages of these origins, too. No cookie is ever read, so none is let through."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=ASKED_HEADERS,
        expose_headers=TOLD_HEADERS,
        max_age=CORS_SECONDS,
    )
