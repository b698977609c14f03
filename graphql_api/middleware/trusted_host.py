"""Refusal of requests for another host. It prevents DNS rebinding if the page of GraphiQL or the console has a key.

A web page can make its own name resolve to 127.0.0.1 and then read this server's responses, because the browser sees
one origin. The `Host` header still contains the page's name, so this server can recognize and refuse such a request.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from graphql_api import responses
from renewals.domain.messages import Message

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_HOST_CHARACTERS_SHOWN_MAX = 100


class TrustedHostMiddleware:
    """A middleware that refuses requests unless `Host` is `host`, the connection's own address or a loopback name.

    The header must also contain the port, unless that is the default port of the scheme.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = {*LOOPBACK_NAMES, _bracketed(host)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse its Host with 421."""
        if scope["type"] not in ("http", "websocket") or self._is_trusted(scope):
            await self._app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")[:_HOST_CHARACTERS_SHOWN_MAX]
        response = responses.error(
            421,
            "BAD_REQUEST",
            Message(
                "The Host header is {host!r}, which is not an address of this server. Open {address}/",
                host=host,
                address=self._address(scope),
            ),
        )
        if scope["type"] == "http":
            await response(scope, receive, send)
        else:
            await WebSocket(scope, receive, send).send_denial_response(response)

    def _is_trusted(self, scope: Scope) -> bool:
        server, port = self._server(scope)
        hosts = Headers(scope=scope).getlist("host")
        trusted = {f"{name}:{port}" for name in (*self._names, server)}
        if port == _PORTS[scope["scheme"]]:
            trusted |= {*self._names, server}
        return len(hosts) == 1 and hosts[0].lower() in trusted

    def _address(self, scope: Scope) -> str:
        server, port = self._server(scope)
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        return f"{scheme}://{server}:{port}"

    def _server(self, scope: Scope) -> tuple[str, int]:
        """Return the host and the port of the server's end of the connection."""
        server, port = scope.get("server") or ("localhost", None)
        return _bracketed(server), port or _PORTS[scope["scheme"]]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()
