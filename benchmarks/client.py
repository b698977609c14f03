"""An HTTP/1.1 client with little overhead: it keeps connections open and, by default, only counts a body's bytes.

The client runs on this process's event loop; `stage` keeps the process off the server's core.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
import orjson

ANSWER_SECONDS_MAX = 60


class UnexpectedAnswerError(Exception):
    """A response is missing or late, or has an unexpected status, length or content."""


@dataclass(slots=True)
class Load:
    """The result of a loop of requests: the latency of each request and the total duration."""

    seconds: float
    latencies: list[float]

    @property
    def requests_per_second(self) -> float:
        return len(self.latencies) / self.seconds


@dataclass(slots=True)
class Answer:
    """One response. `body` is empty unless the connection was opened with `keep`."""

    status: int
    length: int
    body: bytes


class Connection(asyncio.Protocol):
    """A persistent connection that sends one request at a time and calls `on_answer` with each response."""

    def __init__(self, on_answer: Callable[["Connection", Answer], None], *, keep: bool = False) -> None:
        self.on_answer = on_answer
        self.keep = keep
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.length = 0
        self.parts: list[bytes] = []
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def close(self) -> None:
        self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def on_body(self, body: bytes) -> None:
        self.length += len(body)
        if self.keep:
            self.parts.append(body)

    def on_message_complete(self) -> None:
        status: int = self.parser.get_status_code()
        self.on_answer(self, Answer(status, self.length, b"".join(self.parts)))


async def connect(
    port: int, on_answer: Callable[[Connection, Answer], None], *, keep: bool = False
) -> Connection:
    """Open a connection to a server on this machine."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(lambda: Connection(on_answer, keep=keep), "127.0.0.1", port)
    return protocol


def graphql_request(
    path: str, key: str, document: str, variables: Mapping[str, Any], *, host: str = "127.0.0.1"
) -> bytes:
    """Return a GraphQL operation as the bytes of a POST request."""
    body = orjson.dumps({"query": document, "variables": variables})
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(port: int, request: bytes) -> Answer:
    """Send one request on a new connection, and return the response with its body.

    Raises UnexpectedAnswerError if the connection is closed first, or after ANSWER_SECONDS_MAX without a response.
    """
    response: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    connection = await connect(port, lambda _, answer: response.set_result(answer), keep=True)
    try:
        connection.send(request)
        finished, _ = await asyncio.wait(
            (response, connection.lost), timeout=ANSWER_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        if response not in finished:
            raise UnexpectedAnswerError("the connection was closed, or silent for too long")
        return response.result()
    finally:
        connection.close()


@dataclass
class ClosedLoop:
    """A fixed number of connections, each of which sends its next request after the previous response."""

    port: int
    request: bytes
    connections: int
    seconds: float
    latencies: list[float] = field(default_factory=list)
    lengths: set[tuple[int, int]] = field(default_factory=set)

    async def run(self) -> Load:
        """Run for `seconds`. Raises UnexpectedAnswerError unless all responses are 200 and equally long."""
        connections = [await connect(self.port, self._answered) for _ in range(self.connections)]
        started = time.perf_counter()
        self.until = started + self.seconds
        for connection in connections:
            connection.send(self.request)
        await asyncio.wait(
            [connection.lost for connection in connections], timeout=self.seconds + ANSWER_SECONDS_MAX
        )
        elapsed = time.perf_counter() - started
        if len(self.lengths) != 1 or next(iter(self.lengths))[0] != 200:
            raise UnexpectedAnswerError(f"statuses and lengths were {sorted(self.lengths)[:5]}")
        return Load(elapsed, self.latencies)

    def _answered(self, connection: Connection, answer: Answer) -> None:
        now = time.perf_counter()
        self.latencies.append(now - connection.sent_at)
        self.lengths.add((answer.status, answer.length))
        if now < self.until:
            connection.send(self.request)
        else:
            connection.close()
