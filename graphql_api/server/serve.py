"""`renewals serve`: one process, or several that share its port, each of which is this module's program."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Sequence

import uvicorn

from graphql_api.server import bootstrap, graceful_shutdown, http_protocol, supervision
from renewals import config
from renewals.observability import log_config

SOCKET_MESSAGE_BYTES_MAX = 1_000_000
BACKLOG = 2048


class AddressError(Exception):
    """The API cannot listen at its address."""


def check_address(host: str, port: int) -> None:
    """Raise AddressError where the API cannot listen at an address, before anything else is started for it."""
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
    # A host may name an address of IPv6 on a machine without it, as long as one of its addresses works.
    refused = [problem for problem in problems if problem.errno in (errno.EADDRINUSE, errno.EACCES)]
    if refused or len(problems) == len(addresses):
        raise AddressError(_describe_address(host, port, (refused or problems)[0]))


def _describe_address(host: str, port: int, problem: OSError) -> str:
    reason = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else problem.strerror
    return (
        f"Cannot listen at {host}, port {port}: {reason}. "
        "Choose another address by --host and --port, or RENEWALS_HOST and RENEWALS_PORT."
    )


def run(settings: config.Settings, app: str) -> bool:
    """Serve an application until told to stop; return False where it could not begin. Raises AddressError."""
    check_address(settings.host, settings.port)
    if settings.workers == 1:
        server = graceful_shutdown.GracefulServer(_configuration(settings, app), settings.drain_seconds)
        server.run()
        return server.started
    listener = _configuration(settings, app).bind_socket()
    listener.listen(BACKLOG)  # from here on nobody is refused, and who comes before the first process waits

    def command(listener_number: int, line_number: int) -> Sequence[str]:
        words = (app, settings.drain_seconds, listener_number, line_number)
        return [sys.executable, "-m", __name__, *map(str, words)]

    return supervision.run(listener, command, count=settings.workers, drain_seconds=settings.drain_seconds)


class WorkerServer(graceful_shutdown.GracefulServer):
    """One of several: it says that it lives, and drains when there is nobody left to hear it."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float, line: socket.socket) -> None:
        super().__init__(config, drain_seconds)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._line.setblocking(False)
        asyncio.get_running_loop().add_reader(self._line, self._note_end)
        self._beating = asyncio.create_task(self._beat())

    def _note_end(self) -> None:
        """The supervisor sends nothing, so what comes is its end."""
        asyncio.get_running_loop().remove_reader(self._line)
        signal.raise_signal(signal.SIGTERM)

    async def _beat(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._line.send(b".")
                await asyncio.sleep(supervision.BEAT_SECONDS)


def _configuration(settings: config.Settings, app: str) -> uvicorn.Config:
    return uvicorn.Config(
        f"graphql_api.app:{app}",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_config=log_config.configuration(settings),  # which says how much of the server is heard, too
        access_log=False,  # each request has a line of our own
        http=http_protocol.BoundedHttpProtocol,
        timeout_keep_alive=settings.keep_alive_seconds,
        ws_max_size=SOCKET_MESSAGE_BYTES_MAX,
    )


def _serve_as_one(app: str, drain_seconds: str, listener_number: str, line_number: str) -> None:
    settings = bootstrap.configure(warns=False)  # the supervisor has warned
    listener, line = (socket.socket(fileno=int(number)) for number in (listener_number, line_number))
    WorkerServer(_configuration(settings, app), float(drain_seconds), line).run([listener])


if __name__ == "__main__":
    _serve_as_one(*sys.argv[1:])
