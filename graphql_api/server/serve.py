"""`renewals serve`: one process, or several workers that share a port. A worker runs this module as its program."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn

from graphql_api.server import bootstrap, graceful_shutdown, http_protocol, supervision
from renewals import config
from renewals.observability import log_config

WEBSOCKET_MESSAGE_BYTES_MAX = 1_000_000
BACKLOG = 2048
"""The maximum number of connections that the kernel queues until a worker accepts them."""


class AddressError(Exception):
    """The API cannot listen at its address."""


def check_address(host: str, port: int) -> None:
    """Raise AddressError if the API cannot listen at an address. Call this before anything else is started."""
    problems: list[OSError] = []
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as problem:
        raise AddressError(_describe_address(host, port, problem)) from problem
    for family, kind, protocol, _, address in addresses:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
        except OSError as problem:
            problems.append(problem)
    # A host name may have an IPv6 address on a machine without IPv6, so one address that works is enough.
    unavailable = [problem for problem in problems if problem.errno in (errno.EADDRINUSE, errno.EACCES)]
    if unavailable or len(problems) == len(addresses):
        raise AddressError(_describe_address(host, port, (unavailable or problems)[0]))


def _describe_address(host: str, port: int, problem: OSError) -> str:
    reason = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else problem.strerror
    return (
        f"Cannot listen at {host}, port {port}: {reason}. "
        "Choose another address with --host and --port, or with RENEWALS_HOST and RENEWALS_PORT."
    )


def run(settings: config.Settings, app: str) -> bool:
    """Serve an application until SIGTERM or SIGINT; return False if it could not start. Raises AddressError."""
    check_address(settings.host, settings.port)
    if settings.workers == 1:
        server = graceful_shutdown.GracefulServer(_configuration(settings, app), settings.drain_seconds)
        server.run()
        return server.started
    listener = _configuration(settings, app).bind_socket()
    listener.listen(BACKLOG)  # connections wait in the queue until the first worker serves

    def build_command(listener_number: int, heartbeat_number: int) -> Sequence[str]:
        arguments = (app, settings.drain_seconds, listener_number, heartbeat_number)
        return [sys.executable, "-m", __name__, *map(str, arguments)]

    return supervision.run(
        listener, build_command, count=settings.workers, drain_seconds=settings.drain_seconds
    )


class WorkerServer(graceful_shutdown.GracefulServer):
    """The server of one worker: it sends heartbeats to the supervisor, and drains when the supervisor ends.

    `listeners` is the same list that is passed to `run` or `serve`.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        drain_seconds: float,
        listeners: list[socket.socket],
        heartbeat: socket.socket,
    ) -> None:
        super().__init__(config, drain_seconds)
        self._listeners = listeners
        self._heartbeat = heartbeat

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note the signal; close the port immediately if the worker does not serve yet.

        The port would otherwise stay open until the worker has started, and new connections would get no response.
        """
        super().handle_exit(sig, frame)
        if not hasattr(self, "servers"):  # uvicorn sets `servers` when the application has started
            while self._listeners:
                self._listeners.pop().close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, then start to send heartbeats."""
        await super().startup(sockets)
        self._heartbeat.setblocking(False)
        asyncio.get_running_loop().add_reader(self._heartbeat, self._stop_without_supervisor)
        self._heartbeats = asyncio.create_task(self._send_heartbeats())

    def _stop_without_supervisor(self) -> None:
        # The supervisor sends nothing, so the socket becomes readable only when the supervisor has ended.
        asyncio.get_running_loop().remove_reader(self._heartbeat)
        signal.raise_signal(signal.SIGTERM)

    async def _send_heartbeats(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._heartbeat.send(b".")
                await asyncio.sleep(supervision.HEARTBEAT_SECONDS)


def _configuration(settings: config.Settings, app: str) -> uvicorn.Config:
    return uvicorn.Config(
        f"graphql_api.app:{app}",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_config=log_config.configuration(settings),  # includes the level of uvicorn's own loggers
        access_log=False,  # RequestLoggingMiddleware logs each request
        http=http_protocol.BoundedHttpProtocol,
        timeout_keep_alive=settings.keep_alive_seconds,
        ws_max_size=WEBSOCKET_MESSAGE_BYTES_MAX,
    )


def _serve_as_worker(app: str, drain_seconds: str, listener_number: str, heartbeat_number: str) -> None:
    settings = bootstrap.configure(warns=False)  # the supervisor has warned already
    listener, heartbeat = (
        socket.socket(fileno=int(number)) for number in (listener_number, heartbeat_number)
    )
    listeners = [listener]
    WorkerServer(_configuration(settings, app), float(drain_seconds), listeners, heartbeat).run(listeners)


if __name__ == "__main__":
    _serve_as_worker(*sys.argv[1:])
