"""Errors that end a request with a response of their own."""

from collections.abc import Mapping

SHOWN_CHARACTERS_MAX = 200
"""The number of characters of a request that an error message repeats."""


class HTTPError(Exception):
    """A request is not executed; the response has this status, code and message."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(truncate(message))
        self.status = status
        self.code = code
        self.headers = headers


def truncate(text: str) -> str:
    """Return the beginning of a text that may repeat a part of the request."""
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}..."


class ClientTooSlowError(Exception):
    """The client read too slowly; the connection is closed before the response is complete."""
