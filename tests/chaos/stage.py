"""The servers of the faults: a PostgreSQL and a Valkey that can be killed, and the product's processes."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import redis

from graphql_api.devserver import child_server, reaper, services
from renewals.db import connection as database
from renewals.db import migrate
from tests.chaos import plans, processes

START_SECONDS_MAX = 20


class KillableServer(child_server.ChildServer):
    """A server that can be killed, and restarted on the same port with the same data."""

    def strike(self, signal_number: signal.Signals) -> None:
        """End the server with a signal."""
        assert self._process is not None
        self._process.send_signal(signal_number)
        self._process.wait(START_SECONDS_MAX)
        reaper.unregister(self._process.pid)
        self._process = None

    def start_again(self) -> None:
        """Restart the server on the same port. Retry while children of a killed PostgreSQL prevent the start."""
        self.preferred_port = self.port
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self._prepare()
                self._start()
                return
            except child_server.StartError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


class Postgres(KillableServer, services.Postgres):
    """PostgreSQL with fsync on, as in `renewals up`."""

    preferred_port = 0


class Valkey(KillableServer, services.Valkey):
    """Valkey with its append-only file, as in `renewals up`."""

    preferred_port = 0


class Servers(NamedTuple):
    """Both servers, the folder for logs and files, and a migrated template database."""

    folder: Path
    postgres: Postgres
    valkey: Valkey
    template: str


class Stage:
    """The two servers, a database for this stage, and the processes started on them."""

    def __init__(self, servers: Servers, database_url: str) -> None:
        self.folder, self.postgres, self.valkey, _ = servers
        self.database_url = database_url
        self._processes: list[processes.Process] = []

    def environment(self, database_url: str | None = None, **settings: object) -> dict[str, str]:
        """Return the environment of a process. `database_url` is the URL of a proxy, if there is one."""
        variables = {f"RENEWALS_{name.upper()}": str(value) for name, value in settings.items()}
        urls = {"DATABASE_URL": database_url or self.database_url, "REDIS_URL": self.valkey.url}
        return {**urls, "RENEWALS_DATABASE_POOL_SIZE": "4", "RENEWALS_LOG_LEVEL": "INFO", **variables}

    def worker(
        self, plan: plans.Plan = plans.AS_IT_IS, *, database_url: str | None = None, **settings: object
    ) -> processes.Process:
        """Start a worker with a plan."""
        return self._kept(
            processes.fork(
                ["worker"], self.environment(database_url, **settings), self.folder / "worker.log", plan
            )
        )

    def plain_worker(self, **settings: object) -> processes.Process:
        """Start `python -m graphql_api worker`."""
        return self._kept(
            processes.start(["worker"], self.environment(None, **settings), self.folder / "worker.log")
        )

    async def api(
        self, plan: plans.Plan = plans.AS_IT_IS, *, database_url: str | None = None
    ) -> tuple[processes.Process, str]:
        """Start an API with a plan. Return its process and its URL once it listens, or once its plan has killed it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = ["serve", "--port", str(port)]
        process = self._kept(
            processes.fork(command, self.environment(database_url), self.folder / "api.log", plan)
        )
        async with asyncio.timeout(START_SECONDS_MAX):
            while process.is_alive:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(processes.POLL_SECONDS)
        return process, f"http://127.0.0.1:{port}/graphql"

    @contextlib.asynccontextmanager
    async def supervised(
        self,
        count: int = 1,
        plan: plans.Plan = plans.IMPATIENT,
        *,
        database_url: str | None = None,
        **settings: object,
    ) -> AsyncIterator[None]:
        """Run `count` workers during the block, and restart each that ends, as a supervisor does. Then kill all."""

        async def supervise() -> None:
            while True:
                process = self.worker(plan, database_url=database_url, **settings)
                try:
                    await process.ended()
                finally:
                    await process.kill()

        tasks = [asyncio.create_task(supervise()) for _ in range(count)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def clear(self) -> None:
        """Kill every remaining process, including stopped ones."""
        for process in self._processes:
            await process.kill()
        self._processes.clear()

    def _kept(self, process: processes.Process) -> processes.Process:
        self._processes = [running for running in self._processes if running.is_alive]
        self._processes.append(process)
        return process


@contextlib.contextmanager
def started(*, durable: bool) -> Iterator[Servers]:
    """Run the servers during the block, on a disk with fsync on if `durable`, else with temporary data."""
    _forget_settings()
    folder = Path(tempfile.mkdtemp(prefix="renewals-faults-"))
    folder.chmod(0o755)  # the user of the servers must be able to enter it
    try:
        place = folder if durable else None
        with Postgres(place, durable=durable) as postgres, Valkey(place, durable=durable) as valkey:
            asyncio.run(migrate.migrate(postgres.url))
            yield Servers(folder, postgres, valkey, services.DATABASE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def opened(servers: Servers) -> AsyncIterator[Stage]:
    """Create a database, empty the queue, and open this process's pool on the database."""
    name = f"faults_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(servers.postgres.url.removesuffix(servers.template) + "postgres")
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{servers.template}"')
    await connection.close()
    with redis.Redis.from_url(servers.valkey.url) as client:
        client.flushall()
    stage = Stage(servers, servers.postgres.url.removesuffix(servers.template) + name)
    async with database.connect(stage.database_url):
        try:
            yield stage
        finally:
            await stage.clear()


def _forget_settings() -> None:
    """Remove settings from the environment, because the processes receive theirs explicitly."""
    for name in list(os.environ):
        if name.startswith("RENEWALS_") or name in ("DATABASE_URL", "REDIS_URL"):
            del os.environ[name]
