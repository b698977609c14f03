"""The HTTP response for the result of a query or a mutation, and the JSON of a result of a subscription."""

import orjson
from starlette.responses import Response
from strawberry.http import process_result
from strawberry.http.streaming import SSETransport
from strawberry.types.execution import ExecutionResult

from graphql_api import responses
from graphql_api.limits import answer_size
from schema.limits import document_limits
from schema.shared import errors

NOT_STORED = {"Cache-Control": "no-store"}
"""A header that forbids caches to store an event stream. Strawberry's own headers allow it."""


class ResultWriter:
    """A writer of results, each of at most `bytes_max` bytes, as JSON or as an event stream."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max

    def write(
        self, result: ExecutionResult, media_type: str | None, admitted: document_limits.Admitted
    ) -> Response:
        """Return the response that contains a result.

        It is JSON of the media type `media_type` or, if that is None, an event stream.

        A result without data that has an error with the code UNAVAILABLE is always JSON, with status 503. An error
        replaces any other result that is too large.
        """
        body: dict[str, object] = {
            **process_result(result),
            "extensions": {**(result.extensions or {}), "cost": admitted.cost},
        }
        if _is_unavailable(result):
            return self._write_unavailable(body, media_type)
        if media_type is None:
            stream = SSETransport()
            text = stream.encode_next(body, self.encode_event) + stream.encode_complete()  # type: ignore[arg-type]
            return answer_size.PiecewiseResponse(text, headers={**stream.headers, **NOT_STORED})
        status = 200
        was_executed = result.data is not None or any(error.path for error in result.errors or ())
        if media_type == responses.RESPONSE and not was_executed:
            status = 400
            del body["data"]
        encoded = self.encode_json(body)
        if len(encoded) > self._bytes_max:
            error = answer_size.too_large(self._bytes_max)
            return responses.error_response(400, error["message"], error["extensions"])
        return answer_size.PiecewiseResponse(encoded, status, media_type=media_type)

    def encode_json(self, data: object) -> bytes:
        """Return data as JSON."""
        return orjson.dumps(data)

    def encode_event(self, data: object) -> str:
        """Return one result of an event stream as JSON, or an error in its place if it is too large."""
        return answer_size.encode(data, self._bytes_max).decode()

    def _write_unavailable(self, body: dict[str, object], media_type: str | None) -> Response:
        # A client that accepts only an event stream also gets status 503, with the errors in JSON.
        if media_type == responses.RESPONSE:
            del body["data"]
        return Response(
            self.encode_json(body), 503, responses.RETRY_HEADERS, media_type=media_type or responses.JSON
        )


def _is_unavailable(result: ExecutionResult) -> bool:
    """Return whether the result has no data, and one of its errors has the code UNAVAILABLE."""
    if not result.errors or any(value is not None for value in (result.data or {}).values()):
        return False
    return any((error.extensions or {}).get("code") == errors.UNAVAILABLE for error in result.errors)
