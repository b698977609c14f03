"""How large an answer may be, and how much of a key's answers may wait to be read."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graphql_api import errors
from renewals.observability import request_record

PIECE_BYTES = 256 * 1024
"""A larger body is sent in pieces, each when the one before is on its way, so that a reader that sleeps is seen."""
UNREAD_ANSWERS_MAX = 2
"""Of the largest size, for each key: a reader that does not read takes no more memory."""
RETRY_SECONDS = 10
CODE = "COST_TOO_HIGH"


def too_large(bytes_max: int, *, is_done: bool) -> dict[str, Any]:
    """Return the error in place of an answer that is too large; `is_done`: what it changed stays changed."""
    message = (
        f"The answer has more than {bytes_max:,} bytes: ask for fewer fields, or smaller slices of lists."
    )
    if is_done:
        message = f"The change was made. {message} A change with an idempotencyKey may be repeated for that."
    return {"message": message, "extensions": {"code": CODE, "maximum": bytes_max}}


def encode(body: Any, bytes_max: int) -> bytes:
    """Return what is sent for a result of a stream: itself, or the error in its place."""
    encoded = orjson.dumps(body)
    if len(encoded) <= bytes_max:
        return encoded
    request_record.note_code(CODE)
    instead = {"data": None, "errors": [too_large(bytes_max, is_done=False)]}
    if isinstance(body, dict) and "payload" in body:
        return orjson.dumps({**body, "payload": instead})
    return orjson.dumps(instead)


class PiecewiseResponse(Response):
    """A response whose body, if it is large, is sent in pieces."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self.body) <= PIECE_BYTES:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for start in range(0, len(body), PIECE_BYTES):
            piece = bytes(body[start : start + PIECE_BYTES])
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class UnreadAnswers:
    """The bytes of large answers that are being sent, of each key no more than `bytes_max`."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes: Counter[str] = Counter()

    @contextlib.contextmanager
    def sending(self, caller: str, size: int) -> Iterator[None]:
        """Count a large answer as long as the block runs; raise errors.HTTPError if too many are unread."""
        if self._bytes[caller] and self._bytes[caller] + size > self._bytes_max:
            raise errors.HTTPError(
                429,
                "TOO_MANY_AT_ONCE",
                f"This key has answers of {self._bytes[caller]:,} bytes that are not read yet.",
                {"Retry-After": str(RETRY_SECONDS)},
            )
        self._bytes[caller] += size
        try:
            yield
        finally:
            self._bytes[caller] -= size
            if not self._bytes[caller]:
                del self._bytes[caller]
