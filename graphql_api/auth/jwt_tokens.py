"""Verification of tokens (JWT) from the issuer in the settings: signature, audience, times, role and account."""

import contextlib
import datetime as dt
import hashlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import httpx2
import jwt

from graphql_api.auth import jwks
from renewals import config
from renewals.accounts import api_keys
from renewals.accounts import queries as accounts_queries
from renewals.concurrency import lru_cache
from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import model

log = logging.getLogger(__name__)

TOKEN_CHARACTERS_MAX = 8_192
TOKENS_CACHED_MAX = 10_000
TOKEN_SECONDS_MAX = 60.0
"""The maximum time for which a verified token is accepted without another check of its signature and account."""
SUBJECT_LENGTH_MAX = 255
ROLES = (model.Role.VIEWER, model.Role.RENEWER, model.Role.OPERATOR)


class InvalidTokenError(Exception):
    """An invalid token. The message is only for the log."""


class _Verified(NamedTuple):
    principal: api_keys.Principal
    ends_at: float
    generation: int
    cached_until: float


class Verifier:
    """A verifier of tokens, with a cache of the tokens that were verified in the last TOKEN_SECONDS_MAX seconds."""

    def __init__(
        self, settings: config.Settings, keys: jwks.JwksCache, seconds: jwks.Seconds = time.monotonic
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._seconds = seconds
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()

    async def find(self, token: str, now: dt.datetime) -> api_keys.Principal | None:
        """Return the principal of a token, or None if the token is not valid now."""
        if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            return None
        digest = hashlib.sha256(token.encode()).digest()
        verified = lru_cache.find(self._cache, digest)
        if verified is None or not self._is_fresh(verified):
            try:
                verified = await self._verify(token, now)
            except InvalidTokenError as problem:
                log.debug("a token is not valid: %s", problem)
                return None
            lru_cache.keep(self._cache, digest, verified, size_max=TOKENS_CACHED_MAX)
        if now.timestamp() >= verified.ends_at:
            return None
        return await _at_present_clock(verified.principal)

    def _is_fresh(self, verified: _Verified) -> bool:
        return verified.generation == self._keys.generation and self._seconds() < verified.cached_until

    async def _verify(self, token: str, now: dt.datetime) -> _Verified:
        claims = await self._read_claims(token)
        generation = self._keys.generation  # read last, because reading the claims may fetch new keys
        ends_at = check_times(claims, now, self._settings.jwt_leeway_seconds)
        principal = self._principal(claims)
        if principal.account_id is not None:
            clocks = await accounts_queries.find_test_clocks(database.pool(), [principal.account_id])
            if principal.account_id not in clocks:
                raise InvalidTokenError("its account does not exist")
            principal = principal._replace(test_clock=clocks[principal.account_id])
        return _Verified(principal, ends_at, generation, self._seconds() + TOKEN_SECONDS_MAX)

    async def _read_claims(self, token: str) -> dict[str, object]:
        """Check the signature, the issuer and the audience of a token; return its claims. Raises InvalidTokenError."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise InvalidTokenError("its kid is missing, or names none of the issuer's known keys")
            claims: dict[str, object] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer,
                options={
                    "require": ["iss", "aud", "exp"],
                    "enforce_minimum_key_length": True,
                    # check_times checks exp, nbf and iat at the time of the request.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as problem:
            raise InvalidTokenError(str(problem)) from None
        return claims

    def _principal(self, claims: Mapping[str, Any]) -> api_keys.Principal:
        role = _role(claims.get(self._settings.jwt_role_claim))
        account_id, subject = claims.get(self._settings.jwt_account_claim), claims.get("sub", "")
        if not _is_text(subject, 0):
            raise InvalidTokenError("its subject is too long, or is not printable text")
        if role is not model.Role.OPERATOR:
            if not _is_text(account_id, 1):
                raise InvalidTokenError("its account id is missing, too long, or not printable text")
        elif account_id is not None or not subject:
            raise InvalidTokenError("an operator's token must have a subject and no account")
        return api_keys.Principal(None, role, account_id, subject, self._settings.jwt_issuer)


async def _at_present_clock(principal: api_keys.Principal) -> api_keys.Principal:
    """Return a principal with its account's present test clock, which may have moved since the token was cached.

    The database is queried only for a test account, because an account in real time never gets a test clock.
    """
    if principal.account_id is None or principal.test_clock is None:
        return principal
    clocks = await accounts_queries.find_test_clocks(database.pool(), [principal.account_id])
    return principal._replace(test_clock=clocks.get(principal.account_id, principal.test_clock))


def check_times(claims: Mapping[str, object], now: dt.datetime, leeway_seconds: int) -> float:
    """Return the expiry of a token plus the leeway, as a Unix time.

    Raises InvalidTokenError if the token has expired or is not valid yet, or if a time is not a finite number.
    """
    now_seconds = now.timestamp()
    times = {name: _seconds_of(claims[name]) for name in ("exp", "nbf", "iat") if name in claims}
    ends_at = times["exp"] + leeway_seconds
    if ends_at <= now_seconds:
        raise InvalidTokenError("it has expired")
    if max(times.get("nbf", now_seconds), times.get("iat", now_seconds)) > now_seconds + leeway_seconds:
        raise InvalidTokenError("it is not valid yet")
    return ends_at


def _seconds_of(claim: object) -> float:
    with contextlib.suppress(OverflowError):
        if type(claim) in (int, float) and math.isfinite(seconds := float(claim)):  # type: ignore[arg-type]
            return seconds
    raise InvalidTokenError("a time claim is not a number")


def _role(claim: object) -> model.Role:
    """Return the only role in a claim. Raises InvalidTokenError if the claim does not name exactly one role.

    The claim is a text or a list. Members of the list that are not in ROLES are ignored.
    """
    names = claim if isinstance(claim, list) else [claim]
    roles = [role for role in ROLES if role.value in names]
    if len(roles) != 1:
        raise InvalidTokenError("it must name exactly one role")
    return roles[0]


def _is_text(value: object, length_min: int) -> bool:
    return (
        isinstance(value, str)
        and length_min <= len(value) <= SUBJECT_LENGTH_MAX
        and sql.is_storable(value)
        and (not value or value.isprintable())
    )


_verifiers: list[Verifier] = []
"""The verifier of this process; empty if the settings name no issuer."""


@contextlib.asynccontextmanager
async def opened(settings: config.Settings, seconds: jwks.Seconds = time.monotonic) -> AsyncIterator[None]:
    """Accept tokens of the issuer in the settings, if there is one, while the block runs."""
    if settings.jwt_issuer is None:
        yield
        return
    async with httpx2.AsyncClient(timeout=jwks.FETCH_SECONDS_MAX, follow_redirects=False) as client:
        keys = jwks.JwksCache(settings, client, seconds)
        verifier = Verifier(settings, keys, seconds)
        _verifiers.append(verifier)
        try:
            yield
        finally:
            _verifiers.remove(verifier)
            await keys.close()


async def find(token: str, now: dt.datetime) -> api_keys.Principal | None:
    """Return the principal of a token, or None if the token is not valid or the settings name no issuer."""
    return await _verifiers[-1].find(token, now) if _verifiers else None
