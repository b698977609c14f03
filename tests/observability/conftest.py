"""Fixtures: the captured log lines, and the application on a real socket."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import orjson
import pytest
import uvicorn

from graphql_api import app
from graphql_api.middleware import request_log
from renewals.observability import log_config
from tests.support.fixtures import NOW, World


class Lines(logging.Handler):
    """A handler that collects log lines in the production format."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(log_config.Formatter("json"))
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [orjson.loads(text) for text in self.texts]

    def clear(self) -> None:
        """Drop all lines that were collected so far."""
        request_log.flush()
        self.texts.clear()

    def requests(self) -> list[dict[str, Any]]:
        """Return the entries of all finished requests."""
        request_log.flush()
        return [entry for entry in self.entries if entry["logger"] == "renewals.requests"]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Collect the lines that are logged during the test, at level INFO and above."""
    request_log.flush()
    root, kept = logging.getLogger(), Lines()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    yield kept
    root.removeHandler(kept)
    root.setLevel(level)


Serve = Callable[[], contextlib.AbstractAsyncContextManager[str]]


@pytest.fixture
def live(world: World) -> Serve:
    """Serve the application in this process, so that a test can patch it; yield the host and the port."""

    @contextlib.asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        served = app.create(clock=lambda: NOW)
        server = uvicorn.Server(uvicorn.Config(served, port=0, lifespan="off", log_config=None))
        running = asyncio.create_task(server.serve())
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        try:
            yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await running

    return serve
