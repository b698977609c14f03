"""Graceful shutdown: stop accepting connections, then close each open one after its last response.

A client may send the next request on an open connection at any moment. A request that arrives while the server closes
the connection is lost, and clients must not repeat a POST automatically (RFC 9110 9.2.2). So connections stay open for
up to half of the drain time, and `middleware.response_headers` adds `Connection: close` to every response.
"""

import asyncio
import signal
import socket
import threading
import time

import uvicorn

POLL_SECONDS = 0.05

_draining = threading.Event()


def is_draining() -> bool:
    """Return whether this process is stopping, and serves only the connections that it has accepted."""
    return _draining.is_set()


class GracefulServer(uvicorn.Server):
    """A uvicorn server that drains its connections. uvicorn itself closes idle connections immediately."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain within `drain_seconds`. After Ctrl-C, close idle connections immediately."""
        deadline = time.monotonic() + self._drain_seconds
        _draining.set()
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        if signal.SIGINT not in self._captured_signals:
            await self._drain(deadline - self._drain_seconds / 2)
        # uvicorn types the timeout as an integer but accepts any number; None would wait without a limit.
        self.config.timeout_graceful_shutdown = max(0, deadline - time.monotonic())  # type: ignore[assignment]
        await super().shutdown(sockets)

    async def _drain(self, until: float) -> None:
        """Close the web sockets, then wait until the other connections are closed, each after one more response.

        The wait ends at the time `until`, or when a SIGINT arrives during the wait.
        """
        connections = self.server_state.connections
        for connection in list(connections):
            if isinstance(connection, self.config.ws_protocol_class or ()):
                connection.shutdown()  # the client of a web socket reconnects after the close frame
        await asyncio.sleep(POLL_SECONDS)  # until connections just accepted are in the list
        while connections and time.monotonic() < until and not self.force_exit:  # noqa: ASYNC110  # no event to await
            await asyncio.sleep(POLL_SECONDS)
