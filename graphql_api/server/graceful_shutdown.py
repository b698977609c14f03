"""How a process leaves: it takes nobody in, and says goodbye to each client with its last answer.

A client keeps its connection, and may send the next request at any moment. One that is sent while the server closes
is lost, and no client may repeat a POST by itself. So the connections stay open for a while, and every answer says
`Connection: close`, after which the client sends no more on it.
"""

import asyncio
import logging
import signal
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphql_api import responses

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05

_begun = threading.Event()


def is_draining() -> bool:
    """Whether this process was told to stop, and answers only those whom it has taken in."""
    return _begun.is_set()


class ConnectionCloseMiddleware:
    """The application, whose answers end their connections once the process is to stop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        is_answered = False

        async def send_last(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            if message["type"] == "http.response.start" and _begun.is_set():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        try:
            await self._app(scope, receive, send_last)
        except asyncio.CancelledError:
            if is_answered or not _begun.is_set():
                raise
            log.warning("a request took longer than this process may take to stop")
            await responses.unavailable()(scope, receive, send_last)


class GracefulServer(uvicorn.Server):
    """Uvicorn's, which by itself closes at once every connection that is idle at the moment."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends what is under way within the time that it has; Ctrl-C waits for nobody who is idle."""
        deadline = time.monotonic() + self._drain_seconds
        _begun.set()
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        if signal.SIGINT not in self._captured_signals:
            await self._part(deadline - self._drain_seconds / 2)
        # A whole number by its type; any is taken, and none would be forever.
        self.config.timeout_graceful_shutdown = max(0, deadline - time.monotonic())  # type: ignore[assignment]
        await super().shutdown(sockets)

    async def _part(self, until: float) -> None:
        """Waits for the clients to ask once more; half of the time, for the other half is for the answers."""
        connections = self.server_state.connections
        for connection in list(connections):
            if isinstance(connection, self.config.ws_protocol_class or ()):
                connection.shutdown()  # a socket may be told at any time
        await asyncio.sleep(POLL_SECONDS)  # until those just taken in are among the connections
        while connections and time.monotonic() < until and not self.force_exit:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(POLL_SECONDS)
