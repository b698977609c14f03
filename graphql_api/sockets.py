"""GraphQL over a web socket (graphql-transport-ws): who asks, what is understood, and how long a reader may sleep."""

import asyncio
import contextlib
import datetime as dt
import functools
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import (
    NonJsonMessageReceived,
    NonTextMessageReceived,
    WebSocketDisconnected,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

from graphql_api import authentication
from renewals import database
from schema.context import Context

log = logging.getLogger(__name__)

INIT_TIME_MAX = dt.timedelta(seconds=10)
"""A client that has not said who it is by then is sent away."""
OPERATIONS_MAX = 10
"""Under way on one connection."""
SEND_SECONDS_MAX = 30
"""A reader that takes nothing for so long is cut: what it has missed it can ask for again."""


class Impatient:
    """The application, for readers that do not sleep: one that takes nothing for so long is cut."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(SEND_SECONDS_MAX):
                    await send(message)
            except TimeoutError:
                _abort(send)
                raise

        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        with contextlib.suppress(TimeoutError):
            await self._app(scope, receive, send_in_time)


def _abort(send: Send) -> None:
    """Cuts the connection at once: closing it would wait for a reader that sleeps. Uvicorn alone is known here."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        log.warning("a reader that took nothing for %s s is cut", SEND_SECONDS_MAX)
        transport.abort()


@dataclass(kw_only=True)
class SocketContext(Context):
    """One connection. Its account is known once the client has said who it is, by a header or in `connection_init`."""

    account_id: str = ""
    socket: WebSocket
    connection_params: Mapping[str, object] = field(default_factory=dict)

    async def identify(self) -> None:
        """Finds the account of the connection, or refuses it."""
        said = {name.lower(): value for name, value in self.connection_params.items()}
        header = self.socket.headers.get("authorization") or str(said.get("authorization", ""))
        customer = await authentication.identify_customer(header, self.clock())
        if customer is None or customer.account_id is None:
            raise ConnectionRejectionError
        self.account_id = customer.account_id
        self.may_change = authentication.may_change(customer)
        self.is_admitted = functools.partial(authentication.holds, header, self.account_id, self.clock)


class Handler(BaseGraphQLTransportWSHandler[Any, None]):
    """Strawberry's, which looks at the key before each operation, and says so where it cannot look."""

    async def handle_message(self, message: Any) -> None:
        try:
            is_operation = message.get("type") == "subscribe" and self.connection_acknowledged
            if is_operation and not await self.context.is_admitted():
                await self.websocket.close(4403, "Forbidden")
            else:
                await super().handle_message(message)
        except Exception as problem:
            if not database.is_outage(problem):
                raise
            log.warning("a connection cannot be served: %s", problem)
            await self.websocket.close(1013, "Try again later")

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):  # a reader that was cut has left nothing to tell
            await super().handle_task_exception(error)


class Adapter(ASGIWebSocketAdapter):
    """Takes what is a message of the protocol for one, and writes text."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        try:
            while self.ws.application_state != WebSocketState.DISCONNECTED:
                yield _message(await self.ws.receive_text())
        except KeyError as problem:
            raise NonTextMessageReceived from problem
        except WebSocketDisconnect:
            pass

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except WebSocketDisconnect as gone:
            raise WebSocketDisconnected from gone


def _message(text: str) -> dict[str, Any]:
    """A message whose members are of the types that the protocol has for them."""
    try:
        message = orjson.loads(text)
    except ValueError as problem:
        raise NonJsonMessageReceived from problem
    if not isinstance(message, dict):
        return {}  # which has no type, and is answered as any other that is not understood
    if message.get("type") != "subscribe":
        return message
    payload = message.get("payload")
    is_whole = (
        isinstance(message.get("id"), str)
        and isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
    return message if is_whole else {}
