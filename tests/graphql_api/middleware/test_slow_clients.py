"""Clients that send slowly or disconnect early, on real sockets, with time limits that are 10 % of the real ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvicorn
import websockets

from graphql_api import app
from graphql_api.graphql import http_request
from graphql_api.server import http_protocol, serve
from renewals import config as renewals_config
from tests.observability.conftest import Lines, lines
from tests.support.fixtures import NOW, World

__all__ = ["lines"]

HEAD_SECONDS, BODY_SECONDS, KEEP_ALIVE_SECONDS = 0.6, 0.6, 4
PATHS = ["/graphql", "/operator/graphql", "/export/instances.csv"]
QUERY = b'{"query": "{ account { id } }"}'


@pytest.fixture
async def port(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Serve the application in this process as `renewals serve` does."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS_MAX", HEAD_SECONDS)
    monkeypatch.setattr(http_request, "BODY_SECONDS_MAX", BODY_SECONDS)
    settings = renewals_config.Settings(operator_api=True, keep_alive_seconds=KEEP_ALIVE_SECONDS)
    config = serve._configuration(settings, "create")
    config.app, config.factory, config.log_config = app.create(settings, clock=lambda: NOW), False, None
    config.port, config.lifespan = 0, "off"
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = server.force_exit = True
    await running


@pytest.fixture
async def keys(world: World) -> dict[str, str]:
    await world.account("a")
    key = await world.key()
    return dict.fromkeys(PATHS, key) | {"/operator/graphql": await world.operator_key()}


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def head(path: str, key: str, length: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def seconds_until_closed(
    reader: asyncio.StreamReader, send_piece: Callable[[], Awaitable[None]] | None = None
) -> float:
    """Call `send_piece` repeatedly, and return the seconds until the server closes the connection."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    closed = asyncio.create_task(reader.read())
    async with asyncio.timeout(10):
        while not closed.done():
            if send_piece is not None:
                with contextlib.suppress(ConnectionError):
                    await send_piece()
            await asyncio.wait({closed}, timeout=HEAD_SECONDS / 10)
    with contextlib.suppress(ConnectionError):
        await closed
    return loop.time() - began


async def request_account(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> int:
    """Request the account's id, and return the status."""
    writer.write(head("/graphql", key, len(QUERY)) + QUERY)
    status = int((await reader.readuntil(b"\r\n")).split()[1])
    answer_head = await reader.readuntil(b"\r\n\r\n")
    length = int(answer_head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return status


@pytest.mark.parametrize("start", [b"G", b"GET /graphql HTTP/1.1\r\nHost: loc"])
async def test_a_connection_whose_head_is_not_sent_in_time_is_closed(port: int, start: bytes) -> None:
    async with connected(port) as (reader, writer):
        writer.write(start)
        assert HEAD_SECONDS * 0.9 < await seconds_until_closed(reader) < KEEP_ALIVE_SECONDS


@pytest.mark.parametrize("piece", [b"x: y\r\n", b"z"])
async def test_a_head_sent_in_small_pieces_has_the_same_time_limit(port: int, piece: bytes) -> None:
    async with connected(port) as (reader, writer):
        writer.write(b"GET /graphql HTTP/1.1\r\nHost: localhost\r\n")

        async def send_piece() -> None:
            writer.write(piece)
            await writer.drain()

        assert HEAD_SECONDS * 0.9 < await seconds_until_closed(reader, send_piece) < KEEP_ALIVE_SECONDS


@pytest.mark.parametrize("has_sent_request", [False, True])
async def test_empty_lines_do_not_keep_a_connection_open(
    port: int, keys: dict[str, str], has_sent_request: bool
) -> None:
    async with connected(port) as (reader, writer):
        if has_sent_request:
            assert await request_account(reader, writer, keys["/graphql"]) == 200

        async def send_piece() -> None:
            writer.write(b"\r\n")
            await writer.drain()

        assert await seconds_until_closed(reader, send_piece) < KEEP_ALIVE_SECONDS * 1.5


async def test_a_connection_without_data_is_closed_as_idle(port: int) -> None:
    async with connected(port) as (reader, _):
        assert KEEP_ALIVE_SECONDS * 0.9 < await seconds_until_closed(reader) < KEEP_ALIVE_SECONDS * 2


async def test_a_head_that_is_too_large_is_refused(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        await asyncio.sleep(HEAD_SECONDS / 6)  # the server does not count the first part
        # The server closes after the last byte: data that it had not read would cause a reset.
        writer.write(b"x: " + b"y" * (http_protocol.HEAD_BYTES_MAX - 2))
        assert await reader.read() == http_protocol._HEAD_TOO_LARGE


async def test_a_client_cannot_send_an_endless_head(port: int) -> None:
    async with connected(port) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):  # noqa: PT012 - any of the writes
            for number in range(100_000):
                writer.write(b"x-%d: %s\r\n" % (number, b"y" * 100))
                await writer.drain()


async def test_slow_requests_within_the_time_limits_succeed_on_one_connection(
    port: int, keys: dict[str, str]
) -> None:
    async with connected(port) as (reader, writer):
        for _ in range(3):
            sent = head("/graphql", keys["/graphql"], len(QUERY)) + QUERY
            writer.write(sent[:30])
            await asyncio.sleep(HEAD_SECONDS / 3)
            writer.write(sent[30:-5])
            await asyncio.sleep(BODY_SECONDS / 3)
            writer.write(sent[-5:])
            assert b" 200 " in await reader.readuntil(b"\r\n")
            answer_head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(answer_head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            await asyncio.sleep(HEAD_SECONDS * 1.5)  # idle, with no request pending
        assert await request_account(reader, writer, keys["/graphql"]) == 200


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_is_not_sent_in_time_is_refused_at_every_path(
    port: int, keys: dict[str, str], path: str, lines: Lines
) -> None:
    async with connected(port) as (reader, writer):
        writer.write(head(path, keys[path], 1_000) + b"{")
        answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert b'"code":"TIMEOUT"' in answer and b"connection: close" in answer.lower()
    assert not [entry for entry in lines.entries if "traceback" in str(entry).lower()]


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_that_disconnects_during_its_body_is_not_an_internal_error(
    port: int, keys: dict[str, str], path: str, lines: Lines
) -> None:
    lines.clear()
    async with connected(port) as (_, writer):
        writer.write(head(path, keys[path], 1_000) + b"{")
        await writer.drain()
        await asyncio.sleep(0.2)
    async with asyncio.timeout(5):
        while not (logged := lines.requests()):  # noqa: ASYNC110 - a log has no event for it
            await asyncio.sleep(0.01)
    assert (logged[0]["status"], logged[0]["codes"]) == (499, ["DISCONNECTED"])
    assert not [entry for entry in lines.entries if entry["level"] in ("error", "critical")], lines.texts
    assert "Traceback" not in "".join(lines.texts) and "INTERNAL" not in "".join(lines.texts)


async def test_a_connection_is_closed_if_a_refused_body_is_not_sent_in_time(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(head("/graphql", "nobody", 1_000_000))
        assert b" 401 " in await reader.readuntil(b"\r\n")

        async def send_piece() -> None:
            writer.write(b"x")
            await writer.drain()

        assert await seconds_until_closed(reader, send_piece) < KEEP_ALIVE_SECONDS


async def test_a_web_socket_is_not_closed_by_the_time_limits_of_heads_and_idle_connections(
    port: int, keys: dict[str, str]
) -> None:
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=[protocol]) as client:
        await client.send(
            f'{{"type": "connection_init", "payload": {{"Authorization": "Bearer {keys["/graphql"]}"}}}}'
        )
        assert await client.recv() == '{"type":"connection_ack"}'
        await asyncio.sleep(3 * HEAD_SECONDS)
        await client.send('{"type": "ping"}')
        assert await client.recv() == '{"type":"pong"}'
        await asyncio.sleep(KEEP_ALIVE_SECONDS)
        await client.send('{"type": "ping"}')
        assert await client.recv() == '{"type":"pong"}'
