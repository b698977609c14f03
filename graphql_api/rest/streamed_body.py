"""A response of any length, sent as fast as its client reads, and either complete or visibly incomplete."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graphql_api.errors import ClientTooSlowError, HTTPError
from graphql_api.middleware.slow_clients import SEND_DEADLINE
from renewals.domain.messages import Message

_NO_ROW_IN_TIME = Message(
    "The export was canceled after {seconds} s, before its first row. Export fewer rows, or try again later."
)


class StreamedBody:
    """A response with the pieces of a generator, each generated after the client has accepted the previous piece.

    `on_failure` responds to an exception before the first piece; a later exception closes the connection.
    The generator is closed when the client disconnects, when the client accepts nothing for `stall_seconds_max`, or
    when the response takes longer than `seconds_max`.
    """

    def __init__(
        self,
        pieces: Callable[[], AsyncGenerator[bytes, None]],
        headers: Mapping[str, str],
        *,
        on_failure: Callable[[Exception], Response],
        seconds_max: float,
        stall_seconds_max: float,
    ) -> None:
        self._pieces = pieces
        self._headers = MutableHeaders(headers)
        self._on_failure = on_failure
        self._seconds_max = seconds_max
        self._stall_seconds_max = stall_seconds_max
        self._is_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces, or the response of `on_failure`."""
        scope[SEND_DEADLINE].seconds_max = self._stall_seconds_max
        # One task generates and sends all pieces, because the generator's transaction must end in the task it began in.
        writing = asyncio.create_task(self._write(send))
        disconnecting = asyncio.create_task(_wait_for_disconnect(receive))
        try:
            await asyncio.wait(
                {writing, disconnecting}, timeout=self._seconds_max, return_when=asyncio.FIRST_COMPLETED
            )
            is_disconnected, is_written = disconnecting.done(), writing.done()
        finally:
            for task in (writing, disconnecting):
                task.cancel()
            await asyncio.gather(writing, disconnecting, return_exceptions=True)
        error: BaseException | None = None
        if is_written:
            error = writing.exception()
        elif not is_disconnected and self._is_started:
            error = ClientTooSlowError(f"The response was not complete within {self._seconds_max} seconds.")
        elif not is_disconnected:  # the client has had nothing to read yet
            error = HTTPError(503, "TIMEOUT", _NO_ROW_IN_TIME.fill(seconds=format(self._seconds_max, "g")))
        if isinstance(error, Exception) and not self._is_started:
            await self._on_failure(error)(scope, receive, send)
        elif error is not None:
            raise error  # uvicorn closes the connection without the last chunk

    async def _write(self, send: Send) -> None:
        async with contextlib.aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                if not self._is_started:
                    self._is_started = True
                    await self._send(
                        send, {"type": "http.response.start", "status": 200, "headers": self._headers.raw}
                    )
                if piece:
                    await self._send(send, {"type": "http.response.body", "body": piece, "more_body": True})
        await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, message: dict[str, object]) -> None:
        try:
            await send(message)
        except TimeoutError as error:
            raise ClientTooSlowError(
                f"The client read nothing for {self._stall_seconds_max} seconds."
            ) from error


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
