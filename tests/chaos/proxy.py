"""A proxy in front of PostgreSQL that loses COMMITs, or the acknowledgements of COMMITs.

It parses only a part of PostgreSQL's protocol. A message has a type, a length and a body, except that the first message
has no type. The tags of the server's responses show whether a transaction wrote rows.
"""

import asyncio
import contextlib
import struct
import urllib.parse
from collections.abc import AsyncIterator
from enum import StrEnum

_SSL_REQUEST = 80877103


class Loss(StrEnum):
    """The lost half of a COMMIT. The client cannot distinguish the two losses."""

    REQUEST = "the COMMIT"
    ANSWER = "the acknowledgement of the COMMIT"


class Proxy:
    """A proxy that forwards all messages except those that it must lose. To lose one, it cuts the connection."""

    def __init__(self, url: str) -> None:
        self._server_url = urllib.parse.urlsplit(url)
        self.losing: Loss | None = None
        self.to_lose = 0
        """The number of COMMITs of writing transactions that are still to be lost."""
        self.lost = 0
        self._lines: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address of the proxy, for DATABASE_URL."""
        port = self._listener.sockets[0].getsockname()[1]
        user, _, _ = self._server_url.netloc.partition("@")
        return self._server_url._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()

    def lose(self, loss: Loss, count: int) -> None:
        """Lose the next `count` COMMITs of transactions that wrote rows, or their acknowledgements."""
        self.losing, self.to_lose = loss, count

    async def __aenter__(self) -> "Proxy":
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for connection in list(self._lines):
            connection.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the proxy was closed
        finally:
            self._lines.discard(task)
            writer.transport.abort()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await asyncio.open_connection(
                self._server_url.hostname, self._server_url.port
            )
        except OSError:
            return
        connection = _ProxyConnection(self)
        directions = [
            asyncio.create_task(connection.requests(client, to_server, server, to_client)),
            asyncio.create_task(connection.answers(server, to_client)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            to_server.transport.abort()

    def takes(self, loss: Loss) -> bool:
        """Return whether to lose this COMMIT or its acknowledgement; if so, count it."""
        if self.losing is not loss or self.to_lose == 0:
            return False
        self.to_lose -= 1
        self.lost += 1
        return True


class _ProxyConnection:
    """One connection through the proxy. Cutting it ends both directions."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.has_written = False
        self.is_committing = False
        self.is_open = asyncio.Event()

    async def requests(
        self,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                opening = await _read(client, 0)
                to_server.write(opening)
                if struct.unpack("!i", opening[4:8])[0] != _SSL_REQUEST:
                    break
                to_client.write(await server.readexactly(1))
            self.is_open.set()
            async for message in _messages(client):
                if message.startswith(b"Q") and message[5:11].upper() == b"COMMIT" and self.has_written:
                    if self.proxy.takes(Loss.REQUEST):
                        return
                    self.is_committing = True
                to_server.write(message)
                await to_server.drain()

    async def answers(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        await self.is_open.wait()
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            async for message in _messages(server):
                if message[:1] == b"C":
                    tag = message[5:-1].split(b" ")
                    if tag[0] == b"COMMIT" and self.is_committing and self.proxy.takes(Loss.ANSWER):
                        return
                    self._note(tag)
                to_client.write(message)
                await to_client.drain()

    def _note(self, tag: list[bytes]) -> None:
        if tag[0] in (b"INSERT", b"UPDATE", b"DELETE") and tag[-1] != b"0":
            self.has_written = True
        elif tag[0] in (b"COMMIT", b"ROLLBACK"):
            self.has_written = self.is_committing = False


async def _messages(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        yield await _read(stream, 1)


async def _read(stream: asyncio.StreamReader, type_length: int) -> bytes:
    """Read one message with its head: the type, if it has one, and the length, which includes its own four bytes."""
    head = await stream.readexactly(type_length + 4)
    return head + await stream.readexactly(struct.unpack("!i", head[type_length:])[0] - 4)
