"""The messages of a web socket: types and commas are checked on reading, and the size is limited on writing."""

from collections.abc import AsyncGenerator, Mapping

import orjson
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected

from graphql_api.graphql import http_request
from graphql_api.limits import answer_size

REASON_BYTES_MAX = 123
"""The maximum size of the reason in a close frame (RFC 6455 5.5)."""


class Adapter(ASGIWebSocketAdapter):
    """An adapter that checks the types of the messages that it reads, and writes text frames."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        """Yield the messages until the client disconnects. Raises NonTextMessageReceived or NonJsonMessageReceived."""
        try:
            while self.ws.application_state != WebSocketState.DISCONNECTED:
                yield _message(await self.ws.receive_text())
        except KeyError as problem:
            raise NonTextMessageReceived from problem
        except WebSocketDisconnect:
            pass

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send a message, or an error in place of a result that is too large."""
        try:
            await self.ws.send_text(answer_size.encode(message, self.view.answer_bytes_max).decode())  # type: ignore[attr-defined]
        except WebSocketDisconnect as problem:
            raise WebSocketDisconnected from problem

    async def close(self, code: int, reason: str) -> None:
        """Close the connection; the reason is truncated to REASON_BYTES_MAX bytes."""
        encoded = reason.encode(errors="replace")[:REASON_BYTES_MAX]
        await super().close(code, encoded.decode(errors="ignore"))


def _message(text: str) -> dict[str, object]:
    """Return the message in a text; an empty message if the text is not an object or a checked member has a wrong type.

    Raises NonJsonMessageReceived if the text is not JSON or has too many values.
    """
    if text.count(",") > http_request.VALUES_MAX:
        raise NonJsonMessageReceived
    try:
        message = orjson.loads(text)
    except ValueError as problem:
        raise NonJsonMessageReceived from problem
    if not isinstance(message, dict):
        return {}  # Strawberry handles a message without a type as invalid
    if message.get("type") == "complete":
        return message if isinstance(message.get("id"), str) else {}
    if message.get("type") != "subscribe":
        return message
    payload = message.get("payload")
    is_valid = (
        isinstance(message.get("id"), str)
        and isinstance(payload, dict)
        and isinstance(payload.get("query"), str | None)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
    return {**message, "characters": len(text)} if is_valid else {}
