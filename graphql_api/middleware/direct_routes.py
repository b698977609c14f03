"""Routing to the GraphQL endpoints without Starlette's router, and compression for clients that accept it."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware

COMPRESSED_BYTES_MIN = 1_000


class DirectRoutes:
    """An application in which requests for some paths go directly to the endpoint of the path.

    The router adds 54 function calls to the 1,600 of a ten-row page (3 %). On these paths, a request without
    `Accept-Encoding` also skips the compression. No cache stores a GraphQL response, so `Vary` is not needed.
    Web sockets go through the router.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app = _compressed(app)
        self._endpoints = endpoints
        self._compressed = {path: _compressed(endpoint) for path, endpoint in endpoints.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the endpoint of the path, or the router."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        if path not in self._endpoints:
            app = self._app
        elif b"accept-encoding" in dict(scope["headers"]):
            app = self._compressed[path]
        else:
            app = self._endpoints[path]
        await app(scope, receive, send)


def _compressed(app: ASGIApp) -> ASGIApp:
    return CompressMiddleware(app, minimum_size=COMPRESSED_BYTES_MIN)
