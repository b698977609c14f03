"""The API over real HTTP, in a separate process or in this process."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx2
import uvicorn

from graphql_api import app
from graphql_api.auth import jwt_tokens
from graphql_api.server import serve
from renewals import config
from renewals.domain import clock as clocks
from tests.chaos import processes
from tests.support.waiting import free_port

START_SECONDS_MAX = 30


class LiveServer(NamedTuple):
    """A server process and its address."""

    process: processes.Process
    address: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def url(self) -> str:
        return f"http://{self.address}/graphql"


@contextlib.asynccontextmanager
async def served(database_url: str, **variables: str) -> AsyncIterator[LiveServer]:
    """Run a process that serves the database on a free port; yield it when it is healthy, and stop it at the end."""
    async with served_at(free_port(), database_url, **variables) as server:
        yield server


@contextlib.asynccontextmanager
async def served_at(port: int, database_url: str, /, **variables: str) -> AsyncIterator[LiveServer]:
    """Do the same on a given port, such as that of a killed server."""
    process = processes.fork(
        ["serve", "--port", str(port)],
        {"DATABASE_URL": database_url, "RENEWALS_LOG_LEVEL": "WARNING"} | variables,
    )
    try:
        async with asyncio.timeout(START_SECONDS_MAX), httpx2.AsyncClient() as client:
            while True:
                assert process.is_alive, "the server ended before it was ready"
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                        break
                await asyncio.sleep(0.01)
        yield LiveServer(process, f"127.0.0.1:{port}")
    finally:
        process.signal(signal.SIGTERM)
        await process.ended()


@contextlib.asynccontextmanager
async def served_here(settings: config.Settings, clock: clocks.Clock = clocks.utc_now) -> AsyncIterator[str]:
    """Serve in this process, for settings and clocks that the environment cannot set; yield the address."""
    configuration = serve._configuration(settings, "create")
    configuration.app = app.create(settings, clock=clock)
    configuration.factory, configuration.log_config = False, None
    configuration.port, configuration.lifespan = 0, "off"
    server = uvicorn.Server(configuration)
    async with jwt_tokens.opened(settings):
        running = asyncio.create_task(server.serve())
        async with asyncio.timeout(START_SECONDS_MAX):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = server.force_exit = True
        await running
