"""Disconnection of clients that stop reading."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


SEND_DEADLINE = "renewals.send_deadline"
"""The key of a request's `SendDeadline` in its ASGI scope."""
SEND_SECONDS_MAX = 30
"""The default time limit for a client to accept a message. Exports set their own limit."""


@dataclass
class SendDeadline:
    """The time limit for a client to accept a message. `SlowClientMiddleware` enforces it; a response can set it."""

    seconds_max: float


class SlowClientMiddleware:
    """A middleware that disconnects a client that does not accept a message within the limit of `SendDeadline`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and disconnect the client if the client stalls."""
        flow = getattr(getattr(send, "__self__", None), "flow", None)
        deadline = scope[SEND_DEADLINE] = SendDeadline(SEND_SECONDS_MAX)

        async def send_in_time(message: Message) -> None:
            # uvicorn waits for the client only while its write buffer is full.
            if flow is not None and not flow.write_paused:
                await send(message)
                return
            try:
                async with asyncio.timeout(deadline.seconds_max):
                    await send(message)
            except TimeoutError:
                _abort(send, deadline.seconds_max)
                raise

        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        with contextlib.suppress(TimeoutError):
            await self._app(scope, receive, send_in_time)


def _abort(send: Send, seconds_max: float) -> None:
    """Abort the connection, because closing it would wait for the client. Only uvicorn's `send` has a transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        log.warning("disconnected a client that read nothing for %s s", seconds_max)
        transport.abort()
