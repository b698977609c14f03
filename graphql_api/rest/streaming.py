"""An answer of any length: sent as fast as its client takes it, and either whole or visibly cut."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graphql_api.errors import ClientTooSlowError
from graphql_api.middleware.slow_clients import SEND_DEADLINE


class StreamedBody:
    """Sends what a generator makes, piece by piece; the next piece is made when the client has taken the last.

    An exception before the first piece is answered by `on_failure`, a later one cuts the connection.
    A client that leaves ends the generator at once, and so does one that takes nothing for `stall_seconds_max`
    or not all in `seconds_max`.
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
        scope[SEND_DEADLINE].seconds_max = self._stall_seconds_max
        # One task makes and sends all: the generator's transaction must end where it began.
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait(
                {writing, leaving}, timeout=self._seconds_max, return_when=asyncio.FIRST_COMPLETED
            )
            has_left, is_written = leaving.done(), writing.done()
        finally:
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)
        error: BaseException | None = None
        if is_written:
            error = writing.exception()
        elif not has_left:
            error = ClientTooSlowError(f"The client did not take all in {self._seconds_max} seconds.")
        if isinstance(error, Exception) and not self._is_started:
            await self._on_failure(error)(scope, receive, send)
        elif error is not None:
            raise error  # the server closes the connection without the last chunk

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
                f"The client took nothing for {self._stall_seconds_max} seconds."
            ) from error


async def _left(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
