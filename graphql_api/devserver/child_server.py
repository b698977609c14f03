"""A server as a child of this process, with its own folder, lock and port."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from graphql_api.devserver import binaries, reaper

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
POLL_SECONDS = 0.01
PORTS_TRIED_MAX = 5
LOG_CHARACTERS_SHOWN_MAX = 2_000


class FolderInUseError(binaries.EmbeddedError):
    """Another server uses the folder."""


class ForeignFolderError(binaries.EmbeddedError):
    """The data belongs to another user of this machine."""


class StartError(binaries.EmbeddedError):
    """The server could not be started."""


class ChildServer:
    """A context manager for one server process and its folder.

    With `durable=False`, which is for tests, the folder is temporary and is removed at the end.
    """

    name: ClassVar[str]
    preferred_port: int
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, folder: Path | None = None, *, durable: bool = True) -> None:
        assert (folder is not None) is durable, (
            "durable data requires a folder, and temporary data must not have one"
        )
        self.wanted_folder = folder
        self.durable = durable

    def __enter__(self) -> Self:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        if self.wanted_folder is None:
            self.folder = binaries.temporary_data_directory()
        else:
            self.folder = binaries.data_directory(self.wanted_folder / self.name)
        try:
            self._claim()
            self._prepare()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._stop(self._process)
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
        if not self.durable:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The URL for DATABASE_URL or REDIS_URL."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    @property
    def data(self) -> Path:
        """The folder of the data, which belongs to the service user, if there is one."""
        return self.folder / "data"

    def _prepare(self) -> None:
        """Make the data folder if it does not exist, and prepare the start."""
        raise NotImplementedError

    def _command(self, port: int) -> Sequence[str]:
        raise NotImplementedError

    def _is_ready(self, port: int) -> bool:
        raise NotImplementedError

    def _claim(self) -> None:
        """Lock the folder. The server inherits the lock and holds it until its last process has ended.

        Raises FolderInUseError or ForeignFolderError.
        """
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # If the owner was killed, its reaper is stopping the server. A running owner keeps the lock.
                owner = os.pread(lock, 20, 0).decode()
                if (owner and reaper.start_time(int(owner)) is not None) or time.monotonic() > deadline:
                    os.close(lock)
                    raise FolderInUseError(
                        f"{self.folder} is in use by another process (id {owner or 'unknown'}). "
                        "Stop that process, or choose another folder with `renewals up --data-dir FOLDER`."
                    ) from None
                time.sleep(POLL_SECONDS)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock
        user = binaries.service_user()
        user_id = user.pw_uid if user else os.geteuid()
        if self.data.exists() and self.data.stat().st_uid != user_id:
            raise ForeignFolderError(
                f"{self.data} belongs to another user. Start Renewals as that user, or delete the folder."
            )

    def _make(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        if user := binaries.service_user():
            os.chown(folder, user.pw_uid, user.pw_gid)

    def _run(self, command: Sequence[str], *, standard_input: str = "") -> None:
        assert self._lock is not None
        result = subprocess.run(
            command,
            input=standard_input,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=self.folder,
            env=binaries.environment(self.folder),
            start_new_session=True,
            pass_fds=[self._lock],
            **binaries.as_service_user(),
        )
        if result.returncode:
            raise StartError(f"{Path(command[0]).name} failed:\n{result.stdout[-LOG_CHARACTERS_SHOWN_MAX:]}")

    def _start(self) -> None:
        for attempt in range(PORTS_TRIED_MAX):
            port = self.preferred_port if self.durable and attempt == 0 else 0
            if (port := _free_port(port)) and self._starts_on(port):
                self.port = port
                return
        raise StartError(f"{self.name} found no free port in {PORTS_TRIED_MAX} attempts.")

    def _starts_on(self, port: int) -> bool:
        """Start the server; return False if another process took the port first. Raises StartError."""
        assert self._lock is not None
        log = self.folder / "log"
        if log.exists():
            log.replace(self.folder / "log.previous")
        with log.open("wb") as output:
            process = self._process = subprocess.Popen(
                self._command(port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=binaries.environment(self.folder),
                # Ctrl-C must not stop the servers before the API and the worker have stopped.
                start_new_session=True,
                pass_fds=[self._lock],
                **binaries.as_service_user(),
            )
        reaper.register(
            process.pid, self.stop_signal, last=True, remove=None if self.durable else self.folder
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while process.poll() is None and time.monotonic() < deadline:
            if self._is_ready(port):
                return True
            time.sleep(POLL_SECONDS)
        self._stop(process)
        output_text = log.read_text(errors="replace")
        if "Address already in use" in output_text:
            return False
        raise StartError(f"{self.name} did not start:\n{output_text[-LOG_CHARACTERS_SHOWN_MAX:]}")

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(self.stop_signal)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reaper.unregister(process.pid)
        self._process = None


def _free_port(wanted: int) -> int:
    """Return `wanted` if that port is free, any free port if `wanted` is 0, and 0 if the port is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
        port: int = probe.getsockname()[1]
        return port
