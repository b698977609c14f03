"""What is answered in place of data: an error with a code, in the shape and the type that GraphQL's clients expect."""

import functools
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from renewals.db import connection as database
from renewals.observability import internal_errors, request_record
from schema.shared import errors

log = logging.getLogger(__name__)

RETRY_HEADERS = {"Retry-After": "1"}
"""Of every 503 that another request may find gone."""


def error(status: int, code: str, message: str, more: Mapping[str, str] | None = None) -> Response:
    """An answer without data, in the shape of every GraphQL error."""
    return error_response(status, message, {"code": code}, more)


def error_response(
    status: int, message: str, extensions: Mapping[str, Any] | None, more: Mapping[str, str] | None = None
) -> Response:
    """The same, with all that the error says of itself."""
    request_record.note_code(str((extensions or {}).get("code")))
    return ErrorResponse({"message": message, "extensions": extensions}, status, more)


class ErrorResponse(Response):
    """The error of a request that was not executed, in the JSON that its client likes best; one kind has no data."""

    def __init__(self, problem: dict[str, Any], status: int, more: Mapping[str, str] | None) -> None:
        self._errors = [problem]
        super().__init__(orjson.dumps({"data": None, "errors": self._errors}), status, more, JSON)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = Headers(scope=scope).get("accept", "")
        if parse_accept(accept).media_type == RESPONSE:
            self.body = orjson.dumps({"errors": self._errors})
            self.headers["Content-Type"] = RESPONSE
            self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def unauthenticated(message: str) -> Response:
    """The answer to whoever sends no key that opens what is asked for."""
    return error(401, "UNAUTHENTICATED", message, {"WWW-Authenticate": "Bearer"})


def unavailable() -> Response:
    """The answer while a server of ours is away, or this process is about to be."""
    return error(503, errors.UNAVAILABLE, errors.UNAVAILABLE_MESSAGE, RETRY_HEADERS)


def internal_error(problem: Exception) -> Response:
    """The answer to what went wrong on our side: an id that stands beside the traceback in the log."""
    if database.is_unavailable(problem):
        log.warning("a request cannot be served: %s", str(problem) or type(problem).__name__)
        return unavailable()
    return error_response(500, internal_errors.MESSAGE, internal_errors.report_internal_error(problem))


JSON = "application/json"
RESPONSE = "application/graphql-response+json"
STREAM = "text/event-stream"
_WILDCARDS = ("application/*", "*/*")


class AcceptedTypes(NamedTuple):
    """What a client takes: the media type of an answer in JSON, if any, and whether it takes a stream of events."""

    media_type: str | None
    takes_stream: bool


@functools.lru_cache(maxsize=500)
def parse_accept(accept: str) -> AcceptedTypes:
    """What an Accept header takes; without one, JSON."""
    qualities: dict[str, float] = {}
    for part in accept.lower().split(","):
        media_type, _, parameters = part.partition(";")
        qualities.setdefault(media_type.strip(), _quality(parameters))
    takes_stream = qualities.get(STREAM, 0) > 0
    if not accept.strip():
        return AcceptedTypes(JSON, takes_stream)
    json, response = (
        next((qualities[each] for each in (media_type, *_WILDCARDS) if each in qualities), 0)
        for media_type in (JSON, RESPONSE)
    )
    if response > 0 and (json <= 0 or (RESPONSE in qualities and response >= json)):
        return AcceptedTypes(RESPONSE, takes_stream)
    return AcceptedTypes(JSON if json > 0 else None, takes_stream)


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0
            return max(0, quality)  # not a number is not more than nothing
    return 1
