"""The language of a request, set before another middleware or an endpoint can refuse the request.

`i18n.accept_language` chooses it from the header.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from renewals.i18n import accept_language

_HEADER = b"accept-language"


class RequestLanguageMiddleware:
    """A middleware that sets the language of each request and web socket from its header Accept-Language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request in its language."""
        if scope["type"] != "lifespan":
            values = [value for name, value in scope["headers"] if name == _HEADER]
            accept_language.set_current(accept_language.find_preferred(b",".join(values).decode("latin-1")))
        await self._app(scope, receive, send)
