"""A cache of the public keys (JWKS, RFC 7517) of the token issuer, with a limit on how often they are fetched."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping

import httpx2
import jwt
import orjson

from renewals import config

log = logging.getLogger(__name__)

KEYS_SECONDS = 600.0
"""The time for which a fetched key is used without a new fetch."""
STALE_KEYS_SECONDS_MAX = 21_600.0
"""The maximum age at which fetched keys are still used while the issuer is unavailable."""
FETCH_PAUSE_SECONDS = 10.0
"""The minimum time between the starts of two fetches, so that tokens with random key ids cannot cause many fetches."""
FETCH_SECONDS_MAX = 5.0
"""The time limit of a fetch, including the request for the issuer's metadata if the settings have no `jwt_jwks_url`."""
FETCH_BYTES_MAX = 262_144
METADATA_PATH = "/.well-known/openid-configuration"
ALGORITHMS: Mapping[tuple[str, str], str] = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256"}
"""The algorithm by key type and curve. A token that names another algorithm is refused (RFC 8725 3.1)."""
_PUBLIC = ("kty", "kid", "crv", "n", "e", "x", "y")

Seconds = Callable[[], float]
"""A monotonic clock, in seconds."""


class JwksFetchError(Exception):
    """An unusable response to a request for the issuer's metadata or keys."""


class JwksCache:
    """A cache of one issuer's public keys by key id. `generation` is the number of times that the keys have changed."""

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
        self._fetched_at = self._attempted_at = -math.inf
        self._is_unavailable = False
        self._fetch_task: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key with this id; None if the fetched keys lack it or are too old.

        The keys are fetched again if a fetch is due. A key that the issuer has just added is not found during the pause
        between two fetches.
        """
        is_usable = key_id in self._keys and self._age < STALE_KEYS_SECONDS_MAX
        if not is_usable or self._age >= KEYS_SECONDS:
            task = self._fetch_if_due()
            # With a usable key, a request does not wait for an issuer that was unavailable at the last fetch.
            if task and not (is_usable and self._is_unavailable):
                await asyncio.wait({task})
        return self._keys.get(key_id) if self._age < STALE_KEYS_SECONDS_MAX else None

    async def close(self) -> None:
        """Cancel a running fetch."""
        if self._fetch_task:
            self._fetch_task.cancel()
            await asyncio.wait({self._fetch_task})

    @property
    def _age(self) -> float:
        return self._seconds() - self._fetched_at

    def _fetch_if_due(self) -> asyncio.Task[None] | None:
        """Return the running fetch or a new one; return None during the pause between two fetches.

        The pause ends FETCH_PAUSE_SECONDS after the last fetch began.
        """
        if self._fetch_task and not self._fetch_task.done():
            return self._fetch_task
        if self._seconds() - self._attempted_at < FETCH_PAUSE_SECONDS:
            return None
        self._attempted_at = self._seconds()
        self._fetch_task = asyncio.create_task(self._fetch())
        return self._fetch_task

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX):
                keys = self._parse_keys(await self._get(self._url or await self._discover()))
        except (JwksFetchError, httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as problem:
            self._is_unavailable = True
            log.warning("cannot fetch the keys of %s: %r", self._issuer, problem)
            return
        self._is_unavailable = False
        self._fetched_at = self._seconds()
        if _content(keys) != _content(self._keys):
            self.generation += 1
            self._keys = keys
            log.info(
                "read the keys of %s; number: %s; ids: %s", self._issuer, len(keys), ", ".join(sorted(keys))
            )

    async def _discover(self) -> str:
        """Return the URL of the keys from the issuer's metadata (OpenID Connect Discovery 4)."""
        metadata = await self._get(f"{self._issuer.rstrip('/')}{METADATA_PATH}")
        if metadata.get("issuer") != self._issuer:
            raise JwksFetchError("the metadata names another issuer")
        url = metadata.get("jwks_uri")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise JwksFetchError("the metadata has no jwks_uri that is an http or https URL")
        if url.startswith("http://") and not self._allows_http:
            raise JwksFetchError("the jwks_uri must use https")
        return url

    async def _get(self, url: str) -> dict[str, object]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        body = b""
        async with self._client.stream("GET", url, headers=headers) as response:
            if response.status_code != 200:
                raise JwksFetchError(f"the status is {response.status_code}")
            async for part in response.aiter_raw():
                body += part
                if len(body) > FETCH_BYTES_MAX:
                    raise JwksFetchError(f"the response is larger than {FETCH_BYTES_MAX} bytes")
        try:
            document = orjson.loads(body)
        except ValueError:
            raise JwksFetchError("the response is not JSON") from None
        if not isinstance(document, dict):
            raise JwksFetchError("the response is not a JSON object")
        return document

    def _parse_keys(self, document: Mapping[str, object]) -> dict[str, jwt.PyJWK]:
        """Return the usable keys of a key set by id; of several keys with the same id, the first.

        A key is usable if it has an id and can verify signatures with one of the algorithms in the settings. Raises
        JwksFetchError if the document is not a key set.
        """
        members = document.get("keys")
        if not isinstance(members, list):
            raise JwksFetchError("the response is not a key set")
        keys: dict[str, jwt.PyJWK] = {}
        for member in members:
            key = parse_key(member, self._algorithms)
            if key is not None and key.key_id is not None:
                keys.setdefault(key.key_id, key)
        return keys


def parse_key(member: object, algorithms: frozenset[str]) -> jwt.PyJWK | None:
    """Return a member of a key set as a key.

    Return None if the member has no id, or if it cannot verify signatures with any of `algorithms`.
    """
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


def _content(keys: Mapping[str, jwt.PyJWK]) -> dict[str, dict[str, object]]:
    return {key_id: key._jwk_data for key_id, key in keys.items()}
