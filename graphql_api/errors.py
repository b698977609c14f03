"""Errors that end a request, either with an error response or by closing the connection."""

from collections.abc import Mapping

from renewals.domain import validation
from renewals.domain.messages import Message
from renewals.i18n import catalogs

SHOWN_CHARACTERS_MAX = 200
"""The maximum length of an HTTPError's message, which can repeat a part of the request. The rest is cut off."""


class HTTPError(Exception):
    """An error that ends a request. Its response has the status, the code and the message of the error."""

    def __init__(
        self, status: int, code: str, message: Message, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def translate(self) -> str:
        """Return the message in the language of the request, truncated."""
        return validation.truncate(catalogs.translate_for_request(self.message), SHOWN_CHARACTERS_MAX)


class ClientTooSlowError(Exception):
    """A response that exceeded a time limit, usually because its client read too slowly.

    If the response has begun, the connection is closed before the response is complete.
    """
