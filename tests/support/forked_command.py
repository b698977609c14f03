"""The program `renewals` of a test's shell: it makes the test's process fork the command, and waits for its end.

`forked_cli` sets the address of the test's process in TEST_FORKED_CLI. To start in 20 ms, this program imports only the
modules that it needs.
"""

import json
import os
import signal
import socket
import sys

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["TEST_FORKED_CLI"])
        request = {"command": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109
        socket.send_fds(connection, [b"."], [0, 1, 2])
        connection.sendall(json.dumps(request).encode() + b"\n")
        responses = connection.makefile()
        pid = int(responses.readline())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: os.kill(pid, number))
        code = int(responses.readline())
    sys.exit(code if code >= 0 else 128 - code)
