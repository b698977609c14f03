"""uvicorn's HTTP protocol with bounds on what a client owes: the rest of a head, and of a body that was answered.

uvicorn bounds only the pause between an answer and the next byte, so that a connection on which nothing is sent, or a
byte now and then, stays open for ever. The time for a body that the application reads is bounded by
`http_request.read_body`.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS_MAX = 10.0
"""From the first byte of a request to the end of its headers; as long for the rest of a body after its answer."""
HEAD_BYTES_MAX = 65_536
"""Of a request line with its headers; uvicorn has no bound with httptools."""
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """A connection that is closed when its client does not send in time what it owes.

    One on which nothing was sent yet counts as idle, for a load balancer may open it before it is needed.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_head_owed = False
        self._is_body_owed = False
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_head_owed = self._is_head_owed
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # an upgrade has handed the transport to the protocol of web sockets, which has its own bounds
        if self._is_head_owed:
            if not was_head_owed:
                self._cancel_deadline()
            self._start_deadline(HEAD_SECONDS_MAX)
            self._head_bytes += len(data) if was_head_owed else 0
            if self._head_bytes > HEAD_BYTES_MAX:
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()
        elif self._is_idle():  # empty lines, which end uvicorn's own deadline
            self._start_deadline(HEAD_SECONDS_MAX)

    def on_message_begin(self) -> None:
        self._is_head_owed = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_head_owed = False
        self._is_body_owed = True
        self._cancel_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_body_owed = False
        self._cancel_deadline()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._is_body_owed:
            self._start_deadline(HEAD_SECONDS_MAX)
        super().on_response_complete()

    def _is_idle(self) -> bool:
        is_answered = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr] # before the first
        return is_answered and not self._is_body_owed and self.timeout_keep_alive_task is None

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
        else:  # an earlier request is still being answered, and is not cut for the next one
            self._start_deadline(HEAD_SECONDS_MAX)
