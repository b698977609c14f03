"""The common environment of the contenders: one PostgreSQL, one core for the measured server, one for the rest.

with stage.Stage(folder) as here:
    url = here.create_database("reads")
    with here.running(command, environment) as server:
        ask(server.port)
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import asyncpg

from benchmarks import cpu
from graphql_api.devserver import reaper, services
from renewals.db import migrate

START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 10.0
POLL_SECONDS = 0.05
POSTGRES_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
}
"""Settings of PostgreSQL. All others have their defaults, so commits are flushed to disk."""
SERVER_SETTINGS = {"RENEWALS_COST_PER_MINUTE_MAX": "1000000000000"}
"""A setting of all measured servers: a cost budget that is larger than the cost of any closed loop."""


class Postgres(services.Postgres):
    """The embedded PostgreSQL with usual settings for a server with one million rows."""

    def _command(self, port: int) -> Sequence[str]:
        words = [word for name, value in POSTGRES_SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return [*super()._command(port), *words]


@dataclass(frozen=True, slots=True)
class Running:
    """A server process that listens on its port of 127.0.0.1."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """Return the processor seconds of the server's processes so far."""
        return cpu.of_session(self.pid)


@dataclass(eq=False)
class Stage:
    """One PostgreSQL with its databases, and the processes that use it."""

    folder: Path
    server_core: int | None = field(init=False)
    other_core: int | None = field(init=False)

    def __post_init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        enough = len(cores) > 1
        self.server_core, self.other_core = (cores[0], cores[1]) if enough else (None, None)

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        self.postgres = self._stack.enter_context(Postgres(self.folder))
        for pid in (os.getpid(), self.postgres.pid, *_children(self.postgres.pid)):
            _pin(pid, self.other_core)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a migrated database or a copy of `template`, and return its URL.

        An existing database of this name is replaced.
        """
        url = self.url(name)
        asyncio.run(_create(self.postgres.url, name, template))
        if template is None:
            asyncio.run(migrate.migrate(url))
        return url

    @contextlib.contextmanager
    def on_both_cores(self) -> Iterator[None]:
        """Let this process, PostgreSQL and their new children use both cores during the block."""
        pids = (os.getpid(), self.postgres.pid) if self.server_core is not None else ()
        for pid in pids:
            os.sched_setaffinity(pid, {self.server_core or 0, self.other_core or 0})
        try:
            yield
        finally:
            for pid in pids:
                _pin(pid, self.other_core)

    def cpu_seconds(self, server: Running) -> cpu.CpuSeconds:
        """Return the processor seconds that a server and PostgreSQL have used so far."""
        return cpu.CpuSeconds(server.cpu_seconds(), cpu.of_family(self.postgres.pid))

    def url(self, name: str) -> str:
        return f"{self.postgres.url.rpartition('/')[0]}/{name}"

    @contextlib.contextmanager
    def running(
        self,
        command: Callable[[int], Sequence[str]],
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
        pinned: bool = True,
    ) -> Iterator[Running]:
        """Run a server during the block, which begins when the server listens. The server's output goes to a file.

        `command` returns the command for a port. If `pinned` is true, the server runs only on `server_core`.
        Raises RuntimeError if the server does not start.
        """
        port = free_port()
        log = self.folder / f"server-{port}.log"
        with log.open("wb") as output, _on(self.server_core if pinned else None):
            process = subprocess.Popen(
                command(port),
                env={**os.environ, **SERVER_SETTINGS, **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        reaper.register(process.pid)
        try:
            _await_port(process, port, log)
            yield Running(process.pid, port)
        finally:
            _stop(process)
            reaper.unregister(process.pid)


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2_000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _create(server_url: str, name: str, template: str | None) -> None:
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')
    finally:
        await connection.close()


def _children(pid: int) -> list[int]:
    children_file = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children_file.read_text().split()] if children_file.exists() else []


@contextlib.contextmanager
def _on(core: int | None) -> Iterator[None]:
    """Pin this process, and the processes that it starts during the block, to `core`; if it is None, pin nothing."""
    before = os.sched_getaffinity(0) if core is not None else set()
    _pin(0, core)
    yield
    if before:
        os.sched_setaffinity(0, before)


def _pin(pid: int, core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(pid, {core})
