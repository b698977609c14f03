"""Refusal of requests over HTTP that no tool can serve."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

NO_KEY = "Send the header Authorization: Bearer KEY. KEY is an API key of the account or an access token."
NO_STREAM = "Send POST requests: the server has no sessions, so it has no stream of messages to read."


class RequestChecksMiddleware:
    """A middleware that refuses requests without the header Authorization, and methods other than POST.

    The API checks the value of the header. The library would keep the stream of a GET open until the client
    disconnects, and would never send anything on it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it with 401 or 405."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif "authorization" not in Headers(scope=scope):
            await _refuse(401, NO_KEY, "WWW-Authenticate", 'Bearer realm="renewals"')(scope, receive, send)
        elif scope["method"] != "POST":
            await _refuse(405, NO_STREAM, "Allow", "POST")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _refuse(status: int, message: str, header: str, value: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status, headers={header: value})
