"""Cut off clients that stop reading."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


SEND_DEADLINE = "renewals.send_deadline"
"""The key of a request's `SendDeadline` in its ASGI scope."""
SEND_SECONDS_MAX = 30
"""A reader that takes nothing for so long is cut: what it has missed it can ask for again. An export has its own."""


@dataclass
class SendDeadline:
    """The time within which a client must take a message; `SlowClientMiddleware` keeps it, and an answer may set it."""

    seconds_max: float


class SlowClientMiddleware:
    """The application, for readers that do not sleep: one that takes nothing for so long is cut."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        flow = getattr(getattr(send, "__self__", None), "flow", None)
        deadline = scope[SEND_DEADLINE] = SendDeadline(SEND_SECONDS_MAX)

        async def send_in_time(message: Message) -> None:
            if flow is not None and not flow.write_paused:  # then nothing waits for the reader
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
    """Cuts the connection at once: closing it would wait for a reader that sleeps. Uvicorn alone is known here."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        log.warning("a reader that took nothing for %s s is cut", seconds_max)
        transport.abort()
