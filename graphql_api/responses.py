"""Error responses in the shape of GraphQL, and the media types that a client accepts."""

import functools
import logging
from collections.abc import Mapping
from typing import NamedTuple

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graphql_api.errors import HTTPError
from renewals.db import errors as db_errors
from renewals.domain.messages import Message
from renewals.i18n import accept_language, catalogs
from renewals.observability import internal_errors, request_record
from schema.shared import errors

log = logging.getLogger(__name__)

RETRY_HEADERS = {"Retry-After": "1"}
"""Headers of a 503 response with the code UNAVAILABLE: the client may retry after a second."""


def error(status: int, code: str, message: Message, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with one error and no data."""
    return error_response(status, catalogs.translate_for_request(message), {"code": code}, headers)


def refusal(problem: HTTPError) -> Response:
    """Return the response with the status, the code, the message and the headers of an HTTPError."""
    return error_response(problem.status, problem.translate(), {"code": problem.code}, problem.headers)


def error_response(
    status: int,
    message: str,
    extensions: Mapping[str, object] | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response with one error, its extensions, and no data; note its code in the request's record."""
    request_record.note_code(str((extensions or {}).get("code")))
    return ErrorResponse({"message": message, "extensions": extensions}, status, headers)


class ErrorResponse(Response):
    """A response with one error and no data, in the media type of JSON that the client prefers.

    A body in `application/graphql-response+json` has no member `data`; one in `application/json` has `data: null`.
    """

    def __init__(self, error: dict[str, object], status: int, headers: Mapping[str, str] | None) -> None:
        self._errors = [error]
        super().__init__(orjson.dumps({"data": None, "errors": self._errors}), status, headers, JSON)
        self.headers["Content-Language"] = accept_language.current()
        self.headers["Vary"] = "Accept, Accept-Language"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the error in the media type that the client prefers."""
        accept = Headers(scope=scope).get("accept", "")
        if parse_accept(accept).media_type == RESPONSE:
            self.body = orjson.dumps({"errors": self._errors})
            self.headers["Content-Type"] = RESPONSE
            self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def unauthenticated(message: Message) -> Response:
    """Return 401 for a request without a valid key or token."""
    return error(401, "UNAUTHENTICATED", message, {"WWW-Authenticate": "Bearer"})


def unavailable() -> Response:
    """Return 503 for a request that fails because of a temporary condition.

    Examples are an outage of PostgreSQL and the stop of this process.
    """
    return error(503, errors.UNAVAILABLE, errors.UNAVAILABLE_MESSAGE, RETRY_HEADERS)


def internal_error(problem: Exception) -> Response:
    """Return 503 after an outage or another temporary condition, else 500 with the id of the traceback in the log."""
    if db_errors.is_unavailable(problem):
        log.warning(
            "a request cannot be served, because a server is unavailable: %s",
            str(problem) or type(problem).__name__,
        )
        return unavailable()
    return error_response(
        500,
        catalogs.translate_for_request(internal_errors.MESSAGE),
        internal_errors.report_internal_error(problem),
    )


JSON = "application/json"
RESPONSE = "application/graphql-response+json"
STREAM = "text/event-stream"
_WILDCARDS = ("application/*", "*/*")


class AcceptedTypes(NamedTuple):
    """The preferred media type of JSON, or None if the client accepts none, and whether it accepts an event stream."""

    media_type: str | None
    takes_stream: bool


@functools.lru_cache(maxsize=500)
def parse_accept(accept: str) -> AcceptedTypes:
    """Return the types that an Accept header allows (RFC 9110 12.5.1). An empty header allows JSON."""
    qualities = parse_qualities(accept)
    takes_stream = qualities.get(STREAM, 0) > 0
    if not accept.strip():
        return AcceptedTypes(JSON, takes_stream)
    json, response = (
        next((qualities[name] for name in (media_type, *_WILDCARDS) if name in qualities), 0)
        for media_type in (JSON, RESPONSE)
    )
    if response > 0 and (json <= 0 or (RESPONSE in qualities and response >= json)):
        return AcceptedTypes(RESPONSE, takes_stream)
    return AcceptedTypes(JSON if json > 0 else None, takes_stream)


def parse_qualities(header: str) -> dict[str, float]:
    """Return the quality of each value of a header such as Accept, by the value in lower case (RFC 9110 12.4.2)."""
    qualities: dict[str, float] = {}
    for part in header.lower().split(","):
        value, _, parameters = part.partition(";")
        qualities.setdefault(value.strip(), _quality(parameters))
    return qualities


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0
            return max(0, quality)  # max(0, nan) is 0
    return 1
