"""Errors that end a request with a response of their own."""

from collections.abc import Mapping

SHOWN_CHARACTERS_MAX = 200
"""So much an answer repeats of what was sent."""


class HTTPError(Exception):
    """A request that is not executed: its status, its code, and a word to its sender."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(truncate(message))
        self.status = status
        self.code = code
        self.headers = headers


def truncate(text: str) -> str:
    """The beginning of a text in which there may be anything that was sent."""
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}..."


class ClientTooSlowError(Exception):
    """The client was too slow; the connection ends without the end of the answer."""
