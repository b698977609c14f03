"""PostgreSQL and Valkey from two wheels, as children of this process.

    with services.Postgres(folder) as postgres, services.Valkey(folder) as valkey:
        serve(postgres.url, valkey.url)

A later start with the same folder uses the same data. The servers listen only on 127.0.0.1 and require no password, so
every user of the machine can read and change the data. They are only for trials and tests.

    binaries.EmbeddedError
    ├── binaries.NotInstalledError       the wheels are not installed
    ├── child_server.FolderInUseError    another server uses the folder
    ├── child_server.ForeignFolderError  the data belongs to another user of this machine
    └── child_server.StartError          the server could not be started
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
    """A PostgreSQL server with one database, initially empty, whose owner is the user `renewals`."""

    name = "postgres"
    preferred_port = 54320
    stop_signal = signal.SIGINT  # fast shutdown: ends sessions and keeps what was committed

    def __init__(
        self, folder: Path | None = None, *, durable: bool = True, programs: Path | None = None
    ) -> None:
        """Use initdb and postgres from the folder `programs`, or from the wheel if `programs` is None."""
        super().__init__(folder, durable=durable)
        self._given_programs = programs

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"postgres://{DATABASE}@127.0.0.1:{self.port}/{DATABASE}"

    def _prepare(self) -> None:
        self._programs = self._given_programs or binaries.postgres()
        if not self.data.exists():
            self._create()
        self._drop_stale_pid_file()

    def _create(self) -> None:
        # The folder is made under another name, then renamed, so that an interrupted start leaves no incomplete data.
        unfinished = self.folder / "data.unfinished"
        self._make(unfinished)
        speed = [] if self.durable else ["--no-sync"]
        access = ["--username", DATABASE, "--auth", "trust", "--encoding", "UTF8", "--no-locale"]
        self._run([f"{self._programs}/initdb", "--pgdata", str(unfinished), *access, *speed])
        single = [f"{self._programs}/postgres", "--single", "-D", str(unfinished), "postgres"]
        self._run(single, standard_input=f"CREATE DATABASE {DATABASE}\n")
        unfinished.rename(self.data)

    def _drop_stale_pid_file(self) -> None:
        """Remove a killed server's pid file, which prevents a start if another process now has the id in the file.

        This process holds the lock of the folder, so no other server of this program uses the folder. A server that was
        started by hand has the data folder in its command line. Raises FolderInUseError if the pid file has the id of
        such a server.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().split("\n", 1)[0])
        if str(self.data) in _command_of(pid):
            raise child_server.FolderInUseError(
                f"{self.data} is in use by a PostgreSQL server that was started by hand (process {pid}). "
                "Stop that server."
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
        # A connection to the port proves nothing: another process may have taken the port first.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) == 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


class Valkey(child_server.ChildServer):
    """A Valkey server, which uses the protocol of Redis."""

    name = "valkey"
    preferred_port = 63790
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _prepare(self) -> None:
        self._program = binaries.valkey()
        if not self.data.exists():
            self._make(self.data)

    def _command(self, port: int) -> Sequence[str]:
        location = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(self.data)]
        persistence = ["--appendonly", "yes"] if self.durable else ["--appendonly", "no", "--save", ""]
        return [str(self._program), *location, *persistence]

    def _is_ready(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\nINFO server\r\n")
                response = connection.recv(8192)
        except OSError:
            return False
        return response.startswith(b"+PONG") and b"process_id:%d\r" % self.pid in response


def _command_of(pid: int) -> str:
    """Return the command of a process, or an empty text if there is no such process."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    command = ["/bin/ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
