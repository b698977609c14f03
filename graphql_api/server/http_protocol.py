"""uvicorn's HTTP protocol with limits of time and size for heads, and of time for the rest of a body after a response.

uvicorn limits only the pause between a response and the next byte. So a connection that sends nothing, or only a byte
from time to time, would stay open indefinitely. `http_request.read_body` limits the time of a body that the application
reads.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS_MAX = 10.0
"""The maximum time from the first byte of a head to its end, and for the rest of a body after the response."""
HEAD_BYTES_MAX = 65_536
"""The maximum number of bytes of a head, not counting its first received part; uvicorn has no limit with httptools."""
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """A connection that is closed when its client does not finish a head, or a body after its response, in time.

    It is also closed when a head is too large. A connection on which nothing was sent yet counts as idle,
    because a load balancer may open it in advance.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_head_pending = False
        self._is_body_pending = False
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a new connection the keep-alive time for its first byte."""
        super().connection_made(transport)
        self._start_deadline(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data; limit the time and the size of an unfinished head."""
        was_head_pending = self._is_head_pending
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # an upgrade has passed the transport to the web socket protocol, which has its own limits
        if self._is_head_pending:
            if not was_head_pending:
                self._cancel_deadline()
            self._start_deadline(HEAD_SECONDS_MAX)
            self._head_bytes += len(data) if was_head_pending else 0
            if self._head_bytes > HEAD_BYTES_MAX:
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()
        elif self._is_idle():  # the data were empty lines, which cancel uvicorn's own deadline
            self._start_deadline(HEAD_SECONDS_MAX)

    def on_message_begin(self) -> None:
        """Begin to count the bytes of a head."""
        self._is_head_pending = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Cancel the deadline of the head; the application limits the body."""
        self._is_head_pending = False
        self._is_body_pending = True
        self._cancel_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Cancel the deadline of a complete request."""
        self._is_body_pending = False
        self._cancel_deadline()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Limit the time for the rest of a body that the application did not read."""
        if self._is_body_pending:
            self._start_deadline(HEAD_SECONDS_MAX)
        super().on_response_complete()

    def _is_idle(self) -> bool:
        # uvicorn types `cycle` as never None, but it is None before the first request.
        is_complete = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]
        return is_complete and not self._is_body_pending and self.timeout_keep_alive_task is None

    def _start_deadline(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(seconds, self._expire)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]
            self.transport.close()
        else:  # the response to an earlier request is in progress and must not be cut off
            self._start_deadline(HEAD_SECONDS_MAX)
