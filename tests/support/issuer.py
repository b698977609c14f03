"""A token issuer for tests: a server on a real socket, with real keys. A test can make it fail."""

import asyncio
import contextlib
import datetime as dt
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from renewals import config
from tests.support.webhook_receiver import listening_with

AUDIENCE = "renewals"
METADATA, KEYS = "/.well-known/openid-configuration", "/keys"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@functools.cache
def shared_rsa() -> rsa.RSAPrivateKey:
    """Return a key that all tests of this process share, because generating a key takes 50 ms."""
    return new_rsa()


def new_ec(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def public(key_id: str, key: Key, **more: Any) -> dict[str, Any]:
    """Return a public key as a member of a JWKS."""
    if isinstance(key, rsa.RSAPrivateKey):
        member = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        member = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return member | {"kid": key_id} | more


@dataclass
class Issuer:
    """An issuer that serves `members` as its keys, unless `answer` returns a response. `asked` has all paths."""

    port: int = 0
    keys: dict[str, Key] = field(default_factory=dict)
    members: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: Callable[[Request], Awaitable[Response | None]] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def fetched_count(self) -> int:
        return self.asked.count(KEYS)

    def add(self, key_id: str, key: Key, **more: Any) -> None:
        """Add a key and publish it."""
        self.keys[key_id] = key
        self.members.append(public(key_id, key, **more))

    def token(
        self, now: dt.datetime, key_id: str = "rsa", /, *, without: tuple[str, ...] = (), **claims: Any
    ) -> str:
        """Return a valid token of a renewer of account `a`; `claims` replace claims, and `without` removes them."""
        all_claims = self.claims(now) | claims
        return self.sign({name: value for name, value in all_claims.items() if name not in without}, key_id)

    def claims(self, now: dt.datetime) -> dict[str, Any]:
        return {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 3600,
            "account": "a",
            "role": "RENEWER",
        }

    def sign(self, claims: dict[str, Any], key_id: str = "rsa", **header: Any) -> str:
        key = self.keys[key_id]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(claims, key, algorithm, headers={"kid": key_id} | header)

    def settings(self, **more: Any) -> config.Settings:
        """Return the settings that trust this issuer."""
        known: dict[str, Any] = {"jwt_http": True, "jwt_issuer": self.url, "jwt_audience": AUDIENCE}
        return config.Settings(**(known | more))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(request.url.path)
        response = await self.answer(request) if self.answer else None
        if response is None and request.url.path == METADATA:
            known = {"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"}
            response = json(known | self.metadata)
        elif response is None:
            response = json({"keys": self.members})
        await response(scope, receive, send)


def json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


async def respond_unavailable(_: Request) -> Response:
    return json({}, 503)


async def hang(_: Request) -> Response:
    await asyncio.sleep(60)
    return json({})


class Clock:
    """A clock in seconds that only a test advances."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Issuer]:
    """Run an issuer with a key of each type: `rsa` and `ec`."""
    issuer = Issuer()
    issuer.add("rsa", shared_rsa())
    issuer.add("ec", new_ec())
    async with listening_with(issuer) as issuer.port:
        yield issuer
