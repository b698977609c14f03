"""Connections of an HTTP client that limit the bytes read for one response.

A receiver can send any number of interim responses (1xx, RFC 9110 15.2) before the final one, and the HTTP client
parses all of them. A flood of interim responses would block the event loop. The methods have the parameters that
httpcore requires.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

RESPONSE_BYTES_MAX = 32_768
"""The number of bytes of interim responses, headers and body after which no more bytes are read."""
READ_BYTES_MAX = 16_384
TOO_LONG = f"the endpoint sent more than {RESPONSE_BYTES_MAX:,} bytes before the end of its response headers"


class BoundedStream(httpcore2.AsyncNetworkStream):
    """A connection that reads at most RESPONSE_BYTES_MAX + READ_BYTES_MAX bytes after each write."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._bytes_read = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Read at most `max_bytes`. Raises RemoteProtocolError above the limit."""
        if self._bytes_read > RESPONSE_BYTES_MAX:
            raise httpcore2.RemoteProtocolError(TOO_LONG)
        data = await self._stream.read(min(max_bytes, READ_BYTES_MAX), timeout)
        self._bytes_read += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write the buffer and reset the count of bytes read."""
        self._bytes_read = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        """Return the connection over TLS, with the same limit."""
        return BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """Return the extra information `info` of the wrapped connection."""
        return self._stream.get_extra_info(info)


class BoundedBackend(httpcore2.AsyncNetworkBackend):
    """The network backend of httpcore with bounded connections."""

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
        """Open a bounded connection."""
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return BoundedStream(stream)
