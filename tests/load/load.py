"""Open-loop load on kept connections, from a client that never repeats a request.

A request without a complete response is lost. So is a request on a connection that the server closes at the same time,
because a client must not repeat a POST automatically. STEADY connections share the load; RESTING ones are mostly idle.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import httptools
import orjson

STEADY, RESTING = 32, 16
"""The numbers of connections that share the load, and of connections that rest between their own requests."""
ANSWER_SECONDS_MAX = 30
Request = Callable[[int], bytes]
"""A function that returns the body of the n-th request."""


@dataclass
class Outcome:
    """The results of the requests."""

    answered: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    """The number of failures of each kind: other responses than 200 without errors, and lost connections."""
    latencies: list[float] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    """The number of connections that the server closed."""

    @property
    def sent(self) -> int:
        return self.answered + self.wrong.total()

    def __str__(self) -> str:
        ordered = sorted(self.latencies) or [0.0]
        p50, p99 = (ordered[int(share * (len(ordered) - 1))] * 1e3 for share in (0.5, 0.99))
        return (
            f"{self.sent} requests on {self.connections} connections, {self.wrong.total()} failed {dict(self.wrong)}; "
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {ordered[-1] * 1e3:.0f} ms"
        )


class KeptConnection(asyncio.Protocol):
    """A kept connection with one request at a time."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.is_kept = False

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the response. Raises OSError or TimeoutError if none comes."""
        self.parser = httptools.HttpResponseParser(self)
        self.body = b""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await self.answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.is_kept = True

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        assert self.answer is not None
        self.is_kept = self.parser.should_keep_alive()
        if not self.answer.done():
            self.answer.set_result((self.parser.get_status_code(), self.body))

    def connection_lost(self, error: Exception | None) -> None:
        self.is_kept = False
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or ConnectionResetError("closed with a request on it"))


class Load:
    """Load by requests at random intervals, which do not depend on the responses to earlier requests."""

    def __init__(
        self, port: Callable[[], int], key: str, bodies: Sequence[Request], *, rest_seconds_max: float
    ) -> None:
        self._port = port
        self._head = (
            "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {key}\r\nContent-Length: "
        )
        self._bodies = bodies
        self._rest_seconds_max = rest_seconds_max
        self._idle: asyncio.Queue[KeptConnection] = asyncio.Queue()
        self._numbers = itertools.count()
        self._is_over = False
        self._lines: list[KeptConnection] = []
        self.outcome = Outcome()

    def end(self) -> None:
        self._is_over = True

    async def run(self, rate: float) -> Outcome:
        """Send `rate` requests per second until `end` is called; return once each has a response or is lost."""
        resting = [asyncio.create_task(self._rest()) for _ in range(RESTING)]
        for _ in range(STEADY):
            self._idle.put_nowait(await self._connect())
        due, tasks = time.perf_counter(), []
        while not self._is_over:
            due += random.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(self._ask_on_any(due)))
        await asyncio.gather(*tasks, *resting)
        for connection in self._lines:
            self.outcome.ended += not connection.is_kept
            connection.transport.close()  # otherwise the server would wait for another request
        return self.outcome

    async def _connect(self) -> KeptConnection:
        self.outcome.connections += 1
        _, connection = await asyncio.get_running_loop().create_connection(
            KeptConnection, "127.0.0.1", self._port()
        )
        self._lines.append(connection)
        return connection

    async def _ask_on_any(self, due: float) -> None:
        """Send a request on the connection that has been idle longest. A wait for a connection counts as latency."""
        connection: KeptConnection | None = await self._idle.get()
        if connection is not None and not connection.is_kept:
            connection = await self._connected()
        if connection is not None and not await self._ask(connection, due):
            connection = await self._connected()
        self._idle.put_nowait(connection or KeptConnection())

    async def _rest(self) -> None:
        connection: KeptConnection | None = None
        while not self._is_over:
            if connection is None or not connection.is_kept:
                connection = await self._connected()
            if connection is not None:
                await self._ask(connection, time.perf_counter())
            await asyncio.sleep(random.uniform(0, self._rest_seconds_max))

    async def _connected(self) -> KeptConnection | None:
        try:
            return await self._connect()
        except OSError as refused:
            self.outcome.wrong[f"connect: {type(refused).__name__}"] += 1
            return None

    async def _ask(self, connection: KeptConnection, due: float) -> bool:
        """Send one request and record its result; return whether the connection stays open."""
        number = next(self._numbers)
        body = self._bodies[number % len(self._bodies)](number)
        try:
            status, response = await connection.ask(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        except (OSError, TimeoutError) as lost:
            self.outcome.wrong[type(lost).__name__] += 1
            return False
        self.outcome.latencies.append(time.perf_counter() - due)
        errors = orjson.loads(response).get("errors", []) if response.startswith(b"{") else [{}]
        codes = {error.get("extensions", {}).get("code", "without a code") for error in errors}
        if status == 200 and not codes:
            self.outcome.answered += 1
        else:
            self.outcome.wrong[" ".join((str(status), *sorted(codes)))] += 1
        if not connection.is_kept:
            connection.transport.close()
        return connection.is_kept


def operation(document: str, **variables: object) -> bytes:
    """Return the body of a request for a GraphQL operation."""
    return orjson.dumps({"query": document, "variables": variables})
