"""A receiver of webhooks on a real socket. It stores the requests, and the test sets its responses."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.waiting import eventually


class Got(NamedTuple):
    """One request, and its arrival time on the loop's clock."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = orjson.loads(self.body)["data"]
        return data

    @property
    def key(self) -> tuple[str, int]:
        return self.data["accountId"], self.data["sequence"]

    @property
    def lane(self) -> tuple[str, str | None]:
        return self.data["accountId"], self.data["instanceId"]


Answer = Callable[[Got], Awaitable[Response]]


async def accept(_: Got) -> Response:
    return Response(status_code=204)


def always(status: int, **headers: str) -> Answer:
    """Return a function that always responds in the same way. Underscores in header names become hyphens."""

    async def answer(_: Got) -> Response:
        header_values = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response("a word", status_code=status, headers=header_values)

    return answer


@dataclass
class Receiver:
    """A webhook receiver. A test can replace `answer` at any time."""

    port: int
    answer: Answer = accept
    got: list[Got] = field(default_factory=list)
    open_count: int = 0
    most_open: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def keys(self) -> list[tuple[str, int]]:
        return [delivery.key for delivery in self.got]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        delivery = Got(dict(request.headers), await request.body(), asyncio.get_running_loop().time())
        self.got.append(delivery)
        self.open_count += 1
        self.most_open = max(self.most_open, self.open_count)
        try:
            response = await self.answer(delivery)
        finally:
            self.open_count -= 1
        await response(scope, receive, send)

    async def wait(self, count: int, seconds: float = 20) -> None:
        """Wait until this many different messages have arrived."""

        async def has_come() -> bool:
            return len({delivery.id for delivery in self.got}) >= count

        await eventually(has_come, seconds)

    def assert_in_order(self) -> None:
        """Check that the first deliveries of each instance, and of each account, are in the order of the events."""
        sequences_by_lane: dict[tuple[str, str | None], list[int]] = {}
        ids: set[str] = set()
        for delivery in self.got:
            if delivery.id not in ids:
                ids.add(delivery.id)
                sequences_by_lane.setdefault(delivery.lane, []).append(delivery.data["sequence"])
        assert all(sequences == sorted(sequences) for sequences in sequences_by_lane.values())


@contextlib.asynccontextmanager
async def listening(answer: Answer = accept, **options: Any) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver(0, answer)
    async with listening_with(receiver, **options) as receiver.port:
        yield receiver


@contextlib.asynccontextmanager
async def listening_with(app: ASGIApp, **options: Any) -> AsyncIterator[int]:
    """Run an application on a free port; yield the port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)
        config = uvicorn.Config(
            app, lifespan="off", log_level="critical", timeout_graceful_shutdown=1, **options
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve([sock]))
        try:

            async def has_started() -> bool:
                return server.started

            await eventually(has_started)
            yield int(sock.getsockname()[1])
        finally:
            server.should_exit = server.force_exit = True
            await task


@contextlib.asynccontextmanager
async def serving(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """Run a server that reads the head of a request and writes arbitrary bytes; yield its URL."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has disconnected, or the test has ended
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in tasks:
            if task:
                task.cancel()
        await asyncio.sleep(0.01)
