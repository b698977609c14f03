"""Connections of an HTTP client that read only so much for one answer.

A receiver may send any number of interim answers (1xx, RFC 9110 15.2) before the one that counts, and the HTTP client
reads them all. Each costs the process a moment, so that a flood of them keeps it from everything else. The signatures
are httpcore's, time-outs among them.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

ANSWER_BYTES_MAX = 32_768
"""Of all that is read for one request: interim answers, headers, and the beginning of the body."""
READ_BYTES_MAX = 16_384
TOO_LONG = f"more than {ANSWER_BYTES_MAX:,} bytes were sent before the answer"


class BoundedStream(httpcore2.AsyncNetworkStream):
    """A connection that reads at most ANSWER_BYTES_MAX, and one piece more, after each time it has written."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._bytes_read = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._bytes_read > ANSWER_BYTES_MAX:
            raise httpcore2.RemoteProtocolError(TOO_LONG)
        data = await self._stream.read(min(max_bytes, READ_BYTES_MAX), timeout)
        self._bytes_read += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._bytes_read = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        return BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class BoundedBackend(httpcore2.AsyncNetworkBackend):
    """httpcore's own way to connect, with bounded connections."""

    def __init__(self) -> None:
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return BoundedStream(stream)
