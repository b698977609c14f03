"""A GraphQL request as HTTP brings it: read within bounds, or refused with a status and a code."""

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
"""Values in the JSON of a customer: three times as many as a selection has instances. Reading them takes 10 ms."""
BODY_SECONDS_MAX = 20.0
"""A body that takes longer to come is not waited for, at any address."""
CLIENT_CLOSED_REQUEST = 499
"""What nginx writes into its log for a request whose client left; nobody is there to read it."""
_LENGTH_DIGITS_MAX = 15


class GraphQLRequest(NamedTuple):
    """What a client sent; `query` is None where it sends the hash or the id of a document instead."""

    query: str | None
    variables: dict[str, Any]
    operation_name: str | None
    extensions: dict[str, Any]
    document_id: str | None


def headers_of(request: Request) -> Mapping[bytes, bytes]:
    """Return the headers by their names in lower case; each look-up in Starlette's goes through all of them."""
    return dict(request.scope["headers"])


def check_request(method: str, headers: Mapping[bytes, bytes]) -> None:
    """Check that a request is a GET, or a POST of JSON; raises HTTPError."""
    if method == "GET":
        return
    if method != "POST":
        raise HTTPError(405, "BAD_REQUEST", "GraphQL is asked by POST or GET.", {"Allow": "GET, POST"})
    if not _is_json(headers.get(b"content-type", b"")):
        raise HTTPError(415, "BAD_REQUEST", "The body must be application/json in UTF-8.")


def parse(request: Request, body: bytes | None, *, values_max: int | None) -> GraphQLRequest:
    """Return what is asked by the body, or without one by the address; raises HTTPError."""
    if body is None:
        return _from_parameters(request.query_params)
    if values_max is not None:
        check_values(body, values_max)
    return build_request(_object(body, "The body"))


def check_values(body: bytes, values_max: int = VALUES_MAX) -> None:
    """Check, before a body is read as JSON, that it has not more values than may be; raises HTTPError."""
    if body.count(b",") > values_max:
        raise HTTPError(
            413, "BODY_TOO_LARGE", f"A body has at most {values_max:,} values, counted by their commas."
        )


def body_length(headers: Mapping[bytes, bytes]) -> int | None:
    """Return how many bytes the body has as its sender states it, None if that is not stated."""
    stated = headers.get(b"content-length")
    if stated is None:
        return None
    return int(stated) if len(stated) <= _LENGTH_DIGITS_MAX else sys.maxsize


async def read_body(request: Request, headers: Mapping[bytes, bytes], bytes_max: int) -> bytes:
    """Return the body of any request, never longer in memory than it may be; raises HTTPError.

    A client that leaves, or whose body takes too long, is refused like any other: neither is a mistake of ours.
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
        message = f"The body was not there within {BODY_SECONDS_MAX:g} s."
        raise HTTPError(408, "TIMEOUT", message, {"Connection": "close"}) from None


async def _receive_body(request: Request, bytes_max: int) -> bytes:
    begun = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise HTTPError(
                CLIENT_CLOSED_REQUEST, "DISCONNECTED", "The client left before its body was there."
            )
        chunk: bytes = message.get("body", b"")
        if len(begun) + len(chunk) > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body", False):
            return bytes(begun + chunk) if begun else chunk
        begun += chunk


def timeout_message(seconds: float) -> str:
    """What to say of a request that was given up."""
    return f"It was not done in {seconds:g} s. A change may be repeated with the same key, and is done once."


@functools.lru_cache(maxsize=500)
def _is_json(content_type: bytes) -> bool:
    media_type, parameters = parse_content_type(content_type.decode("latin-1").lower())
    return media_type == JSON and parameters.get("charset", "utf-8").strip("'\"") in ("utf-8", "utf8")


def _too_large(bytes_max: int) -> HTTPError:
    return HTTPError(413, "BODY_TOO_LARGE", f"A body has at most {bytes_max:,} bytes.")


def _from_parameters(parameters: Mapping[str, str]) -> GraphQLRequest:
    members: dict[str, Any] = {name: text for name, text in parameters.items() if text}
    for name in members.keys() & {"variables", "extensions"}:
        members[name] = _object(members[name], f"The parameter {name}")
    return build_request(members)


def _object(text: str | bytes, name: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except ValueError:
        raise HTTPError(400, "BAD_REQUEST", f"{name} must be JSON in UTF-8.") from None
    if isinstance(found, list):
        raise HTTPError(400, "BAD_REQUEST", f"{name} must be one object: batches are not served.")
    if not isinstance(found, dict):
        raise HTTPError(400, "BAD_REQUEST", f"{name} must be a JSON object.")
    return found


_TEXT, _OBJECT = (str, "text"), (dict, "an object")


def build_request(members: Mapping[str, Any]) -> GraphQLRequest:
    """What is asked by the members of a request's object; raises HTTPError."""

    def take(name: str, kind: tuple[type, str]) -> Any:
        value = members.get(name)
        if value is not None and not isinstance(value, kind[0]):
            raise HTTPError(400, "BAD_REQUEST", f"The member {name} must be {kind[1]}.")
        return value

    return GraphQLRequest(
        query=take("query", _TEXT),
        variables=take("variables", _OBJECT) or {},
        operation_name=take("operationName", _TEXT),
        extensions=take("extensions", _OBJECT) or {},
        document_id=take("documentId", _TEXT),
    )
