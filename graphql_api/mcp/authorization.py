"""Refusal of callers over HTTP without a key, before a tool is called."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MESSAGE = (
    "Send the header Authorization: Bearer KEY with an API key of the account, or a token of its sign-in."
)


class AuthorizationMiddleware:
    """Refuses requests without the header Authorization. The API checks what it contains."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it with 401."""
        if scope["type"] != "http" or "authorization" in Headers(scope=scope):
            await self._app(scope, receive, send)
            return
        response = JSONResponse(
            {"error": MESSAGE}, status_code=401, headers={"WWW-Authenticate": 'Bearer realm="renewals"'}
        )
        await response(scope, receive, send)
