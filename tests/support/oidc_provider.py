"""An OpenID provider for tests. It signs in each browser immediately, by a code with PKCE."""

import base64
import contextlib
import hashlib
import secrets
import urllib.parse
from collections.abc import AsyncIterator

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from renewals.domain import clock as clocks
from tests.support.issuer import Issuer, json, shared_rsa
from tests.support.webhook_receiver import listening_with

CLIENT_ID = "console"


class Provider:
    """The endpoints of an issuer for one public client (RFC 6749, RFC 7636)."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.redirect_uri = ""
        self.account_id = "a"
        self.denies = False
        """Whether the user declines to sign in."""
        self.forgets_codes = False
        """Whether a code expires before it can be exchanged."""
        self._challenges: dict[str, str] = {}

    async def respond(self, request: Request) -> Response | None:
        if request.url.path == "/authorize":
            return self._authorize(request)
        if request.url.path == "/token":
            return await self._exchange(request)
        return None

    def _authorize(self, request: Request) -> Response:
        query = request.query_params
        expected = {
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        if any(query.get(name) != value for name, value in expected.items()):
            return json({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe()
        if not self.forgets_codes:
            self._challenges[code] = query["code_challenge"]
        answer = {"error": "access_denied"} if self.denies else {"code": code}
        answer["state"] = query["state"]
        return RedirectResponse(f"{self.redirect_uri}?{urllib.parse.urlencode(answer)}")

    async def _exchange(self, request: Request) -> Response:
        form = dict(urllib.parse.parse_qsl((await request.body()).decode()))
        challenge = self._challenges.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            return json({"error": "invalid_grant"}, 400)
        now = clocks.utc_now()
        tokens = {
            "access_token": self.issuer.token(now, account=self.account_id),
            "id_token": self.issuer.token(now, aud=CLIENT_ID, without=("account", "role")),
        }
        return json(tokens | {"token_type": "Bearer", "expires_in": 3600})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Provider]:
    """Run a provider that pages of all origins may call."""
    issuer = Issuer()
    issuer.add("rsa", shared_rsa())
    provider = Provider(issuer)
    issuer.answer = provider.respond
    async with listening_with(CORSMiddleware(issuer, allow_origins=["*"])) as issuer.port:
        issuer.metadata = {
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
        }
        yield provider
