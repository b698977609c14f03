"""A real PostgreSQL and a real Valkey out of two wheels, as children of this process.

    with services.Postgres(folder) as postgres, services.Valkey(folder) as valkey:
        serve(postgres.url, valkey.url)

A second start finds its data. They listen on 127.0.0.1 only and ask for no password: whoever is on this
machine may read them, which is right for trying things out and for tests, and for nothing else.

    binaries.EmbeddedError
    ├── binaries.NotInstalledError  the wheels are not there
    ├── child_server.FolderInUseError    another server has the folder
    ├── child_server.ForeignFolderError  the data belongs to another user of this machine
    └── child_server.StartError          the server ended before it was ready
"""

import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from graphql_api.devserver import binaries, child_server

DATABASE = "renewals"


class Postgres(child_server.ChildServer):
    """A PostgreSQL with an empty database, reached as its owner `renewals`."""

    name = "postgres"
    preferred_port = 54320
    stop_signal = signal.SIGINT  # the fast shutdown: ends sessions, keeps all that was committed

    def __init__(
        self, folder: Path | None = None, *, durable: bool = True, programs: Path | None = None
    ) -> None:
        """`programs` is the folder of initdb and postgres, where they are not to be the wheel's."""
        super().__init__(folder, durable=durable)
        self._given_programs = programs

    @property
    def url(self) -> str:
        return f"postgres://{DATABASE}@127.0.0.1:{self.port}/{DATABASE}"

    def _prepare(self) -> None:
        self._programs = self._given_programs or binaries.postgres()
        if not self.data.exists():
            self._create()
        self._drop_stale_pid_file()

    def _create(self) -> None:
        # Made aside and renamed, so that a start killed half-way is as if it had not been.
        unfinished = self.folder / "data.unfinished"
        self._make(unfinished)
        hurry = [] if self.durable else ["--no-sync"]
        access = ["--username", DATABASE, "--auth", "trust", "--encoding", "UTF8", "--no-locale"]
        self._run([f"{self._programs}/initdb", "--pgdata", str(unfinished), *access, *hurry])
        single = [f"{self._programs}/postgres", "--single", "-D", str(unfinished), "postgres"]
        self._run(single, given=f"CREATE DATABASE {DATABASE}\n")
        unfinished.rename(self.data)

    def _drop_stale_pid_file(self) -> None:
        """Removes what a killed server left: its number may be another process's now, and stop the start.

        The lock has shown that no server started here is left; one started by hand is asked of the system.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().split("\n", 1)[0])
        if str(self.data) in _command_of(pid):
            raise child_server.FolderInUseError(
                f"{self.data} is in use by a PostgreSQL started by hand, process {pid}."
            )
        pid_file.unlink()

    def _command(self, port: int) -> Sequence[str]:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port)}
        if not self.durable:
            off = dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
            settings |= {**off, "max_connections": "200", "shared_buffers": "64MB"}
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [f"{self._programs}/postgres", "-D", str(self.data), *words]

    def _is_ready(self, port: int) -> bool:
        # The server's own word: on the port another process might answer that took it first.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) == 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


class Valkey(child_server.ChildServer):
    """A Valkey, which speaks Redis's protocol."""

    name = "valkey"
    preferred_port = 63790
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _prepare(self) -> None:
        self._program = binaries.valkey()
        if not self.data.exists():
            self._make(self.data)

    def _command(self, port: int) -> Sequence[str]:
        place = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(self.data)]
        keep = ["--appendonly", "yes"] if self.durable else ["--appendonly", "no", "--save", ""]
        return [str(self._program), *place, *keep]

    def _is_ready(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\nINFO server\r\n")
                said = connection.recv(8192)
        except OSError:
            return False
        return said.startswith(b"+PONG") and b"process_id:%d\r" % self.pid in said


def _command_of(pid: int) -> str:
    """Answers the words that a process was started with, or none where there is no such process."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    asked = ["/bin/ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout
