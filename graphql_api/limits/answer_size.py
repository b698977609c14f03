"""Limits on the size of one response, and on the total size of a key's unread responses."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
from graphql import OperationType
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graphql_api import errors
from renewals.domain.messages import Message
from renewals.i18n import catalogs
from renewals.observability import request_record

PIECE_BYTES = 256 * 1024
"""The size of the pieces in which a larger body is sent, so that a stalled client is detected."""
UNREAD_ANSWERS_MAX = 2
"""The limit on a key's unread bytes, as a number of responses of the maximum size. It bounds the use of memory."""
RETRY_SECONDS = 10
CODE = "COST_TOO_HIGH"
_TOO_LARGE = Message("The response is larger than {count:,} bytes. Request fewer fields or smaller pages.")
_EXECUTED = Message(
    "The mutation was executed. {problem} To get the result, repeat the mutation, with the same "
    "idempotencyKey if it has one."
)


def too_large(bytes_max: int) -> dict[str, Any]:
    """Return the error that replaces a response that is too large. The message says if a mutation was executed."""
    problem = _TOO_LARGE.fill(count=bytes_max)
    record = request_record.current.get()
    is_done = record is not None and record.kind == OperationType.MUTATION.value
    message = catalogs.translate_for_request(_EXECUTED.fill(problem=problem) if is_done else problem)
    return {"message": message, "extensions": {"code": CODE, "maximum": bytes_max}}


def encode(body: object, bytes_max: int) -> bytes:
    """Return one result of a stream as JSON, or an error in its place if it is too large."""
    encoded = orjson.dumps(body)
    if len(encoded) <= bytes_max:
        return encoded
    request_record.note_code(CODE)
    replacement = {"data": None, "errors": [too_large(bytes_max)]}
    if isinstance(body, dict) and "payload" in body:
        return orjson.dumps({**body, "payload": replacement})
    return orjson.dumps(replacement)


class PiecewiseResponse(Response):
    """A response that sends a large body in pieces."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, in pieces if its body is large."""
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
    """The bytes of large responses that are being sent, at most `bytes_max` per key."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes: Counter[str] = Counter()

    @contextlib.contextmanager
    def sending(self, caller: str, size: int) -> Iterator[None]:
        """Count a large response as unread while the block runs.

        Raises HTTPError if this response and the caller's unread responses together exceed the limit.
        """
        if self._bytes[caller] and self._bytes[caller] + size > self._bytes_max:
            raise errors.HTTPError(
                429,
                "TOO_MANY_AT_ONCE",
                Message(
                    "This key has {count:,} unread bytes of earlier responses; with this response, the number would "
                    "exceed {maximum:,}. Read the earlier responses first.",
                    count=self._bytes[caller],
                    maximum=self._bytes_max,
                ),
                {"Retry-After": str(RETRY_SECONDS)},
            )
        self._bytes[caller] += size
        try:
            yield
        finally:
            self._bytes[caller] -= size
            if not self._bytes[caller]:
                del self._bytes[caller]
