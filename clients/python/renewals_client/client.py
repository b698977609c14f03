"""The client: the generated operations, with authentication, retries and error codes."""

import asyncio
import random
import uuid
from collections.abc import Mapping
from typing import Any, Self, TypeGuard, cast

import httpx

from renewals_client.generated import client as generated
from renewals_client.generated.async_base_client import HttpClient, Response

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
DELAY_SECONDS = 0.2
DELAY_SECONDS_MAX = 30.0
RETRY_AFTER_SECONDS_MAX = 120.0
PERMANENT_ERRORS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
"""The errors of an address or a header that cannot be sent. Another attempt would fail in the same way."""


class RequestError(Exception):
    """The error of a request whose response has a GraphQL error or is not GraphQL.

    `code` is a code of docs/errors.md, such as UNAUTHENTICATED, or empty if the response is not GraphQL. `data` is the
    part of the response that did not fail: a payment may have been made even if a field of its order failed.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        request_id: str | None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code or status}: {message}")
        self.code = code
        self.status = status
        self.request_id = request_id
        self.data = data


class RenewalsClient(generated.Client):
    """A client of one account, for any number of concurrent requests.

    `attempts` is the maximum number of times that a request is sent if no response arrives or the server is
    unavailable. Each attempt sends the same body with the same idempotency key, so that a payment is charged once.
    `transport` is a transport of httpx, for example with a proxy or with your own certificates.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        language: str = "en",
        attempts: int = 4,
        timeout_seconds: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {attempts}")
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
        accepted = {"Accept": "application/graphql-response+json, application/json"}
        client = httpx.AsyncClient(headers=headers | accepted, timeout=timeout_seconds, transport=transport)
        ws_url = url.replace("http", "ws", 1)
        super().__init__(url, http_client=cast(HttpClient, client), ws_url=ws_url, ws_headers=headers)
        self.attempts = attempts

    async def __aenter__(self) -> Self:
        return self

    async def execute(
        self,
        query: str,
        operation_name: str | None = None,
        variables: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Response:
        """Send a request and return its response; retry if no response arrives or its status is in RETRIED_STATUSES.

        Raises httpx.TransportError if the last attempt gets no response.
        """
        attempt = 1
        while True:
            delay = _jittered(min(DELAY_SECONDS * 2**attempt, DELAY_SECONDS_MAX))
            try:
                response = await super().execute(query, operation_name, variables, **kwargs)
            except PERMANENT_ERRORS:
                raise
            except httpx.TransportError:
                if attempt >= self.attempts:
                    raise
            else:
                retry_after = _retry_after(response)
                is_final = response.status_code not in RETRIED_STATUSES or attempt >= self.attempts
                if is_final or retry_after > RETRY_AFTER_SECONDS_MAX:
                    return response
                delay += retry_after
            await asyncio.sleep(delay)
            attempt += 1

    def get_data(self, response: Response) -> dict[str, Any]:
        """Return the data of a response. Raises RequestError if the response has an error or is not GraphQL."""
        assert isinstance(response, httpx.Response)
        status, request_id = response.status_code, response.headers.get("X-Request-Id")
        try:
            body = response.json()
        except ValueError:
            body = None
        data = body.get("data") if _is_mapping(body) else None
        if _is_mapping(body) and body.get("errors"):
            error = body["errors"][0]
            code = (error.get("extensions") or {}).get("code", "")
            raise RequestError(error["message"], code=code, status=status, request_id=request_id, data=data)
        if not isinstance(data, dict):
            reason = f"the response is not GraphQL: {response.reason_phrase}"
            raise RequestError(reason, code="", status=status, request_id=request_id)
        return data


def new_key() -> str:
    """Return a new idempotency key. Store it before the first attempt, and send it again after a crash."""
    return str(uuid.uuid4())


def _is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _jittered(seconds: float) -> float:
    """Return 50 % to 100 % of a delay, so that clients do not all retry at the same time."""
    return seconds * random.uniform(0.5, 1)  # noqa: S311 - not a secret


def _retry_after(response: Response) -> float:
    assert isinstance(response, httpx.Response)
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0
