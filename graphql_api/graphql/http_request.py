"""Parsing of GraphQL requests by GET and POST (specification: GraphQL over HTTP), within limits of time and size."""

import asyncio
import functools
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from strawberry.http.parse_content_type import parse_content_type

from graphql_api.errors import HTTPError
from graphql_api.responses import JSON
from renewals.domain.messages import Message

VALUES_MAX = 30_000
"""The maximum number of commas in the JSON that a customer sends: three for each of 10,000 instances.

Commas separate values, so this limits the number of values. Parsing a body with this number of values takes 10 ms.
"""
BODY_SECONDS_MAX = 20.0
"""The maximum time for a client to send a body, at any path."""
CLIENT_CLOSED_REQUEST = 499
"""The status that nginx logs for a request whose client has disconnected. It is logged, not sent."""
_LENGTH_DIGITS_MAX = 15


class GraphQLRequest(NamedTuple):
    """The members of a request. `query` is None if the request has no document, for example only a hash or an id."""

    query: str | None
    variables: dict[str, object]
    operation_name: str | None
    extensions: dict[str, object]
    document_id: str | None


def headers_of(request: Request) -> Mapping[bytes, bytes]:
    """Return the headers by lower-case name. A lookup in Starlette's own headers would scan all of them each time."""
    return dict(request.scope["headers"])


def check_request(method: str, headers: Mapping[bytes, bytes]) -> None:
    """Check that a request is a GET, or a POST of JSON. Raises HTTPError."""
    if method == "GET":
        return
    if method != "POST":
        raise HTTPError(
            405, "BAD_REQUEST", Message("Send GraphQL requests by POST or GET."), {"Allow": "GET, POST"}
        )
    if not _is_json(headers.get(b"content-type", b"")):
        raise HTTPError(415, "BAD_REQUEST", Message("The Content-Type must be application/json in UTF-8."))


def parse(request: Request, body: bytes | None, *, values_max: int | None) -> GraphQLRequest:
    """Return the request in `body`; if that is None, the request in the query string. Raises HTTPError."""
    if body is None:
        return _from_parameters(request.query_params)
    if values_max is not None:
        check_values(body, values_max)
    return build_request(_parse_object(body, Message("The body")))


def check_values(body: bytes, values_max: int = VALUES_MAX) -> None:
    """Check that a body has at most `values_max` commas, which separate its values. Raises HTTPError."""
    if body.count(b",") > values_max:
        raise HTTPError(
            413,
            "BODY_TOO_LARGE",
            Message(
                "The body must have at most {count:,} commas. Send fewer values in a request.",
                count=values_max,
            ),
        )


def body_length(headers: Mapping[bytes, bytes]) -> int | None:
    """Return the value of Content-Length, or None without this header; `sys.maxsize` if it has more than 15 digits."""
    length = headers.get(b"content-length")
    if length is None:
        return None
    return int(length) if len(length) <= _LENGTH_DIGITS_MAX else sys.maxsize


async def read_body(request: Request, headers: Mapping[bytes, bytes], bytes_max: int) -> bytes:
    """Return the body of a request, uncompressed and of at most `bytes_max` bytes. Raises HTTPError for any other.

    A client that disconnects or sends too slowly also causes an HTTPError, not an internal error.
    """
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise HTTPError(
            400,
            "BAD_REQUEST",
            Message("The body must not be compressed. Send it without the header Content-Encoding."),
        )
    if (body_length(headers) or 0) > bytes_max:
        raise _too_large(bytes_max)
    deadline = asyncio.timeout(BODY_SECONDS_MAX)
    try:
        async with deadline:
            return await _receive_body(request, bytes_max)
    except TimeoutError:
        if not deadline.expired():
            raise
        message = Message(
            "The body did not arrive within {seconds} s.", seconds=format(BODY_SECONDS_MAX, "g")
        )
        raise HTTPError(408, "TIMEOUT", message, {"Connection": "close"}) from None


async def _receive_body(request: Request, bytes_max: int) -> bytes:
    received = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise HTTPError(
                CLIENT_CLOSED_REQUEST,
                "DISCONNECTED",
                Message("The client disconnected before it had sent the body."),
            )
        chunk: bytes = message.get("body", b"")
        if len(received) + len(chunk) > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body", False):
            return bytes(received + chunk) if received else chunk
        received += chunk


def timeout_message(seconds: float) -> Message:
    """Return the message for a request that exceeded its time limit."""
    return Message(
        "The request was canceled after {seconds} s. Request less data, or retry a mutation with "
        "the same idempotencyKey: it is executed only once.",
        seconds=format(seconds, "g"),
    )


@functools.lru_cache(maxsize=500)
def _is_json(content_type: bytes) -> bool:
    media_type, parameters = parse_content_type(content_type.decode("latin-1").lower())
    return media_type == JSON and parameters.get("charset", "utf-8").strip("'\"") in ("utf-8", "utf8")


def _too_large(bytes_max: int) -> HTTPError:
    message = Message("The body must have at most {count:,} bytes. Send smaller requests.", count=bytes_max)
    return HTTPError(413, "BODY_TOO_LARGE", message)


def _from_parameters(parameters: Mapping[str, str]) -> GraphQLRequest:
    members: dict[str, Any] = {name: text for name, text in parameters.items() if text}
    for name in members.keys() & {"variables", "extensions"}:
        members[name] = _parse_object(members[name], Message("The parameter {name}", name=name))
    return build_request(members)


def _parse_object(text: str | bytes, name: Message) -> dict[str, object]:
    try:
        value = orjson.loads(text)
    except ValueError:
        raise HTTPError(400, "BAD_REQUEST", Message("{name} must be JSON in UTF-8.", name=name)) from None
    if isinstance(value, list):
        message = Message("{name} must be one JSON object. Batches are not supported.", name=name)
        raise HTTPError(400, "BAD_REQUEST", message)
    if not isinstance(value, dict):
        raise HTTPError(400, "BAD_REQUEST", Message("{name} must be a JSON object.", name=name))
    return value


_TEXT, _OBJECT = (str, Message("text")), (dict, Message("an object"))


def build_request(members: Mapping[str, object]) -> GraphQLRequest:
    """Return the request in a JSON object. Raises HTTPError for a member of a wrong type."""

    def get(name: str, kind: tuple[type, Message]) -> Any:
        value = members.get(name)
        if value is not None and not isinstance(value, kind[0]):
            message = Message("The member {name} must be {kind}.", name=name, kind=kind[1])
            raise HTTPError(400, "BAD_REQUEST", message)
        return value

    return GraphQLRequest(
        query=get("query", _TEXT),
        variables=get("variables", _OBJECT) or {},
        operation_name=get("operationName", _TEXT),
        extensions=get("extensions", _OBJECT) or {},
        document_id=get("documentId", _TEXT),
    )
