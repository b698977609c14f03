"""The command `renewals` for the shell of a test: each call is forked from a process that has imported the product.

A page has up to 27 commands, and without the fork each would spend a second on imports. The processes, their arguments,
variables, streams, signals and exit codes are real.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.chaos import processes

PROGRAM = Path(__file__).with_name("forked_command.py")
POLL_SECONDS = 0.01


@contextlib.contextmanager
def installed() -> Iterator[Mapping[str, str]]:
    """Yield the variables of a shell that forks `renewals` and finds the programs of this Python environment."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = f"{folder}/socket"
        listener.bind(address)
        listener.listen()
        script = Path(folder) / "renewals"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {PROGRAM} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        thread = threading.Thread(target=_accept, args=[listener])
        thread.start()
        path = os.pathsep.join((folder, str(Path(sys.executable).parent), os.environ["PATH"]))
        try:
            yield {"PATH": path, "TEST_FORKED_CLI": address}
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket) -> None:
    threads: list[threading.Thread] = []
    with contextlib.suppress(OSError):  # the listener was shut down
        while True:
            connection, _ = listener.accept()
            threads.append(threading.Thread(target=_serve, args=[connection]))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _serve(connection: socket.socket) -> None:
    """Fork one command; kill it if the program in the shell has ended."""
    with connection:
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
        with connection.makefile() as lines:
            request = json.loads(lines.readline())
        process = processes.fork_with(
            request["command"],
            request["environment"],
            dict(enumerate(descriptors)),
            folder=Path(request["folder"]),
        )
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(f"{process.pid}\n".encode())
        connection.setblocking(False)
        while (code := process.exit_code) is None:
            with contextlib.suppress(BlockingIOError):
                if not connection.recv(1):
                    process.signal(signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(f"{code}\n".encode())
