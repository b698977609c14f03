"""PgBouncer in transaction mode, with the configuration of docs/scaling.md."""

import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import pytest

from graphql_api.devserver import child_server

PREPARES_SINCE = (1, 21)
"""The first version that supports prepared statements in transaction mode."""
PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
CONNECTIONS_MAX = 4
_INI = re.compile(r"^```ini\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@functools.cache
def program() -> str:
    """Return the path of PgBouncer; skip the test if it is not installed."""
    path = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        pytest.skip("no pgbouncer here: apt-get install pgbouncer")
    return path


@functools.cache
def has_prepared_statements() -> bool:
    """Return whether the installed version supports prepared statements."""
    output = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = re.findall(r"\d+", output)[:2]
    return (int(major), int(minor)) >= PREPARES_SINCE


class PgBouncer(child_server.ChildServer):
    """A PgBouncer with the page's settings, which opens fewer connections to PostgreSQL than it accepts."""

    name = "pgbouncer"
    preferred_port = 64320
    stop_signal = signal.SIGINT

    def __init__(self, server_url: str, role: str, **settings: str) -> None:
        """Pool the connections of `role` to a server that requires no password from it.

        `settings` are added to those of the page.
        """
        super().__init__(durable=False)
        self._server = urllib.parse.urlsplit(server_url)
        self._role = role
        self._settings = settings

    @property
    def role(self) -> str:
        """The role that the clients use."""
        return self._role

    @property
    def url(self) -> str:
        """The URL of the server's database through PgBouncer, for the role."""
        return f"postgres://{self._role}@127.0.0.1:{self.port}{self._server.path}"

    def _prepare(self) -> None:
        (self.folder / "users.txt").write_text(f'"{self._role}" ""\n', encoding="utf-8")

    def _command(self, port: int) -> Sequence[str]:
        name = self._server.path[1:]
        changes = {
            name: f"host={self._server.hostname} port={self._server.port} dbname={name}",
            "listen_addr": "127.0.0.1",
            "listen_port": str(port),
            "auth_type": "trust",
            "auth_file": "users.txt",
            "default_pool_size": str(CONNECTIONS_MAX),
        }
        page = _INI.search(PAGE.read_text(encoding="utf-8"))
        assert page is not None
        lines = []
        for line in page[1].splitlines():
            key = line.partition(" = ")[0]
            key = name if key == "renewals" else key
            if key != "max_prepared_statements" or has_prepared_statements():
                lines.append(f"{key} = {changes[key]}" if key in changes else line)
        lines += ["unix_socket_dir =", *(f"{key} = {value}" for key, value in self._settings.items())]
        path = self.folder / "pgbouncer.ini"
        path.write_text("\n".join(lines), encoding="utf-8")
        return [program(), str(path)]

    def _is_ready(self, port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True
