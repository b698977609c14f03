"""The API as a process of its own, over real HTTP."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx2

START_SECONDS_MAX = 30


class Served(NamedTuple):
    """A process that serves, and where."""

    process: asyncio.subprocess.Process
    address: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def url(self) -> str:
        return f"http://{self.address}/graphql"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def served(database_url: str, **variables: str) -> AsyncIterator[Served]:
    """A process that serves the database, once it is healthy; it is told to stop at the end."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "graphql_api", "serve", "--port", str(port)),
        env=os.environ | {"DATABASE_URL": database_url, "RENEWALS_LOG_LEVEL": "WARNING"} | variables,
    )
    try:
        async with asyncio.timeout(START_SECONDS_MAX), httpx2.AsyncClient() as client:
            while True:
                assert process.returncode is None, "the server ended before it was ready"
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                        break
                await asyncio.sleep(0.05)
        yield Served(process, f"127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
