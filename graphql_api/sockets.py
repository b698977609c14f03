"""GraphQL over a web socket (graphql-transport-ws): who asks, what is understood, and how long a reader may sleep."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import Message, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import (
    NonJsonMessageReceived,
    NonTextMessageReceived,
    WebSocketDisconnected,
)

from graphql_api import authentication
from schema.context import Context

INIT_TIME_MAX = dt.timedelta(seconds=10)
"""A client that has not said who it is by then is sent away."""
OPERATIONS_MAX = 10
"""Under way on one connection."""
SEND_SECONDS_MAX = 30
"""A reader that takes nothing for so long is cut: what it has missed it can ask for again."""


def impatient(send: Send) -> Send:
    """The same, but for a reader that sleeps: then it raises TimeoutError."""

    async def send_in_time(message: Message) -> None:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await send(message)

    return send_in_time


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
        account_id = await authentication.identify(header, self.clock())
        if account_id is None:
            raise ConnectionRejectionError
        self.account_id = account_id


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
