"""The keys of the issuer whose tokens open the API: fetched when needed, kept, and never asked for in a storm."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import jwt
import orjson

from renewals import config

log = logging.getLogger(__name__)

KEYS_SECONDS = 600.0
"""So long keys are taken as they were fetched."""
KEYS_KEPT_SECONDS_MAX = 21_600.0
"""So long they are taken all the same while the issuer is away."""
FETCH_PAUSE_SECONDS = 10.0
"""From one fetching to the next, whatever made it: tokens that name keys at random, or an issuer that is away."""
FETCH_SECONDS_MAX = 5.0
"""All of it: the issuer's metadata, where the keys' address comes from there, and the keys."""
FETCH_BYTES_MAX = 262_144
METADATA_PATH = "/.well-known/openid-configuration"
ALGORITHMS: Mapping[tuple[str, str], str] = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256"}
"""A key's type and curve say how it signs, whatever a token says."""
_PUBLIC = ("kty", "kid", "crv", "n", "e", "x", "y")

Seconds = Callable[[], float]
"""A clock that only goes forward."""


class JwksFetchError(Exception):
    """The issuer did not answer with what was asked for; says why."""


class JwksCache:
    """The public keys of one issuer by their ids; `generation` counts how often they became others."""

    def __init__(
        self, settings: config.Settings, client: httpx2.AsyncClient, seconds: Seconds = time.monotonic
    ) -> None:
        assert settings.jwt_issuer is not None
        self.generation = 0
        self._issuer: str = settings.jwt_issuer
        self._url = settings.jwt_jwks_url
        self._algorithms = frozenset(settings.jwt_algorithms)
        self._allows_http = settings.jwt_http
        self._client = client
        self._seconds = seconds
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._asked_at = -math.inf
        self._is_away = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id, after a look at the issuer where that is due; None if it has no such key."""
        is_usable = key_id in self._keys and self._age < KEYS_KEPT_SECONDS_MAX
        if not is_usable or self._age >= KEYS_SECONDS:
            fetching = self._fetch_if_due()
            # Whoever has a key that can be used does not wait for an issuer that was away before.
            if fetching and not (is_usable and self._is_away):
                await asyncio.wait({fetching})
        return self._keys.get(key_id) if self._age < KEYS_KEPT_SECONDS_MAX else None

    async def close(self) -> None:
        """Stops what is under way."""
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    @property
    def _age(self) -> float:
        return self._seconds() - self._fetched_at

    def _fetch_if_due(self) -> asyncio.Task[None] | None:
        """The fetching that is under way, or a new one; None if the last was just now."""
        if self._fetching and not self._fetching.done():
            return self._fetching
        if self._seconds() - self._asked_at < FETCH_PAUSE_SECONDS:
            return None
        self._asked_at = self._seconds()
        self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX):
                found = self._read(await self._get(self._url or await self._discover()))
        except (JwksFetchError, httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as problem:
            self._is_away = True
            log.warning("the keys of %s cannot be fetched: %r", self._issuer, problem)
            return
        self._is_away = False
        self._fetched_at = self._seconds()
        if _content(found) != _content(self._keys):
            self.generation += 1
            self._keys = found
            log.info("%s has %s keys: %s", self._issuer, len(found), ", ".join(sorted(found)))

    async def _discover(self) -> str:
        """Where the issuer's metadata says that its keys are."""
        metadata = await self._get(f"{self._issuer.rstrip('/')}{METADATA_PATH}")
        if metadata.get("issuer") != self._issuer:
            raise JwksFetchError("the metadata is another issuer's")
        url = metadata.get("jwks_uri")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise JwksFetchError("the metadata has no jwks_uri")
        if url.startswith("http://") and not self._allows_http:
            raise JwksFetchError("the jwks_uri is without TLS")
        return url

    async def _get(self, url: str) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        body = b""
        async with self._client.stream("GET", url, headers=headers) as response:
            if response.status_code != 200:
                raise JwksFetchError(f"the status is {response.status_code}")
            async for part in response.aiter_raw():
                body += part
                if len(body) > FETCH_BYTES_MAX:
                    raise JwksFetchError(f"the answer has more than {FETCH_BYTES_MAX} bytes")
        try:
            found = orjson.loads(body)
        except ValueError:
            raise JwksFetchError("the answer is not JSON") from None
        if not isinstance(found, dict):
            raise JwksFetchError("the answer is no JSON object")
        return found

    def _read(self, answer: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
        """The keys of a set that sign as the settings allow, by id; the first of each id."""
        members = answer.get("keys")
        if not isinstance(members, list):
            raise JwksFetchError("the answer is no set of keys")
        keys: dict[str, jwt.PyJWK] = {}
        for member in members:
            key = read_key(member, self._algorithms)
            if key is not None and key.key_id is not None:
                keys.setdefault(key.key_id, key)
        return keys


def read_key(member: object, algorithms: frozenset[str]) -> jwt.PyJWK | None:
    """A member of a key set that is a public key with an id, for signatures of one of the algorithms; else None."""
    if not isinstance(member, dict) or not isinstance(member.get("kid"), str):
        return None
    operations = member.get("key_ops", ["verify"])
    algorithm = ALGORITHMS.get((str(member.get("kty")), str(member.get("crv", ""))))
    if (
        algorithm not in algorithms
        or member.get("alg") not in (None, algorithm)
        or member.get("use") not in (None, "sig")
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    try:
        return jwt.PyJWK({name: member[name] for name in _PUBLIC if name in member}, algorithm)
    except jwt.PyJWTError:
        return None


def _content(keys: Mapping[str, jwt.PyJWK]) -> dict[str, dict[str, Any]]:
    return {key_id: key._jwk_data for key_id, key in keys.items()}
