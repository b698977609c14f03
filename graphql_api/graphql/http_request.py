"""Parsing of GraphQL requests over HTTP (GraphQL over HTTP, GET and POST), within limits of time and size."""

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

VALUES_MAX = 30_000
"""The number of values in a customer's JSON: three for each of 10,000 instances. Parsing them takes 10 ms."""
BODY_SECONDS_MAX = 20.0
"""The time for a client to send a body, at any path."""
CLIENT_CLOSED_REQUEST = 499
"""The status that nginx logs for a request whose client has disconnected. It is logged, not sent."""
_LENGTH_DIGITS_MAX = 15


class GraphQLRequest(NamedTuple):
    """The members of a request. `query` is None if the client sends a document's hash or id instead."""

    query: str | None
    variables: dict[str, object]
    operation_name: str | None
    extensions: dict[str, object]
    document_id: str | None


def headers_of(request: Request) -> Mapping[bytes, bytes]:
    """Return the headers by name in lower case, because each look-up in Starlette's headers scans all of them."""
    return dict(request.scope["headers"])


def check_request(method: str, headers: Mapping[bytes, bytes]) -> None:
    """Check that a request is a GET, or a POST of JSON. Raises HTTPError."""
    if method == "GET":
        return
    if method != "POST":
        raise HTTPError(405, "BAD_REQUEST", "Send GraphQL requests by POST or GET.", {"Allow": "GET, POST"})
    if not _is_json(headers.get(b"content-type", b"")):
        raise HTTPError(415, "BAD_REQUEST", "The Content-Type must be application/json in UTF-8.")


def parse(request: Request, body: bytes | None, *, values_max: int | None) -> GraphQLRequest:
    """Return the request in a body, or without a body the one in the query string. Raises HTTPError."""
    if body is None:
        return _from_parameters(request.query_params)
    if values_max is not None:
        check_values(body, values_max)
    return build_request(_parse_object(body, "The body"))


def check_values(body: bytes, values_max: int = VALUES_MAX) -> None:
    """Check the number of values in a body before it is parsed. Raises HTTPError."""
    if body.count(b",") > values_max:
        raise HTTPError(
            413,
            "BODY_TOO_LARGE",
            f"The body must have at most {values_max:,} values, counted by commas. Send smaller requests.",
        )


def body_length(headers: Mapping[bytes, bytes]) -> int | None:
    """Return the value of Content-Length, or None without it."""
    length = headers.get(b"content-length")
    if length is None:
        return None
    return int(length) if len(length) <= _LENGTH_DIGITS_MAX else sys.maxsize


async def read_body(request: Request, headers: Mapping[bytes, bytes], bytes_max: int) -> bytes:
    """Return the body of a request, and never hold more than `bytes_max` of it. Raises HTTPError.

    A client that disconnects, or sends too slowly, is an HTTPError too: neither is an internal error.
    """
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise HTTPError(400, "BAD_REQUEST", "The body must not be compressed.")
    if (body_length(headers) or 0) > bytes_max:
        raise _too_large(bytes_max)
    deadline = asyncio.timeout(BODY_SECONDS_MAX)
    try:
        async with deadline:
            return await _receive_body(request, bytes_max)
    except TimeoutError:
        if not deadline.expired():
            raise
        message = f"The body did not arrive within {BODY_SECONDS_MAX:g} s."
        raise HTTPError(408, "TIMEOUT", message, {"Connection": "close"}) from None


async def _receive_body(request: Request, bytes_max: int) -> bytes:
    received = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise HTTPError(
                CLIENT_CLOSED_REQUEST, "DISCONNECTED", "The client disconnected before it had sent the body."
            )
        chunk: bytes = message.get("body", b"")
        if len(received) + len(chunk) > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body", False):
            return bytes(received + chunk) if received else chunk
        received += chunk


def timeout_message(seconds: float) -> str:
    """Return the message of a request that exceeded its time limit."""
    return (
        f"The request was cancelled after {seconds:g} s. Retry mutations with the same idempotencyKey: "
        "each is executed once."
    )


@functools.lru_cache(maxsize=500)
def _is_json(content_type: bytes) -> bool:
    media_type, parameters = parse_content_type(content_type.decode("latin-1").lower())
    return media_type == JSON and parameters.get("charset", "utf-8").strip("'\"") in ("utf-8", "utf8")


def _too_large(bytes_max: int) -> HTTPError:
    return HTTPError(
        413, "BODY_TOO_LARGE", f"The body must have at most {bytes_max:,} bytes. Send smaller requests."
    )


def _from_parameters(parameters: Mapping[str, str]) -> GraphQLRequest:
    members: dict[str, Any] = {name: text for name, text in parameters.items() if text}
    for name in members.keys() & {"variables", "extensions"}:
        members[name] = _parse_object(members[name], f"The parameter {name}")
    return build_request(members)


def _parse_object(text: str | bytes, name: str) -> dict[str, object]:
    try:
        value = orjson.loads(text)
    except ValueError:
        raise HTTPError(400, "BAD_REQUEST", f"{name} must be JSON in UTF-8.") from None
    if isinstance(value, list):
        raise HTTPError(400, "BAD_REQUEST", f"{name} must be one JSON object. Batches are not supported.")
    if not isinstance(value, dict):
        raise HTTPError(400, "BAD_REQUEST", f"{name} must be a JSON object.")
    return value


_TEXT, _OBJECT = (str, "text"), (dict, "an object")


def build_request(members: Mapping[str, object]) -> GraphQLRequest:
    """Return the request in a JSON object. Raises HTTPError for a member of a wrong type."""

    def get(name: str, kind: tuple[type, str]) -> Any:
        value = members.get(name)
        if value is not None and not isinstance(value, kind[0]):
            raise HTTPError(400, "BAD_REQUEST", f"The member {name} must be {kind[1]}.")
        return value

    return GraphQLRequest(
        query=get("query", _TEXT),
        variables=get("variables", _OBJECT) or {},
        operation_name=get("operationName", _TEXT),
        extensions=get("extensions", _OBJECT) or {},
        document_id=get("documentId", _TEXT),
    )
