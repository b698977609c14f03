"""Tokens (JWT) of the issuer in the settings: whose they are, if signature, audience and times are as they must be."""

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
TOKENS_KEPT_MAX = 10_000
TOKEN_SECONDS_MAX = 60.0
"""So long a token that was verified is taken again without a look at its signature and its account."""
SUBJECT_LENGTH_MAX = 255
ROLES = (model.Role.VIEWER, model.Role.RENEWER, model.Role.OPERATOR)


class InvalidTokenError(Exception):
    """A token opens nothing; says why, for our own log alone."""


class _Verified(NamedTuple):
    principal: api_keys.Principal
    ends_at: float
    generation: int
    kept_until: float


class Verifier:
    """Knows whose a token is; keeps those verified last for a short time."""

    def __init__(
        self, settings: config.Settings, keys: jwks.JwksCache, seconds: jwks.Seconds = time.monotonic
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._seconds = seconds
        self._kept: OrderedDict[bytes, _Verified] = OrderedDict()

    async def find(self, token: str, now: dt.datetime) -> api_keys.Principal | None:
        """Who sends this token; None for one that is not the issuer's, not for us, not now, or of nobody."""
        if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            return None
        digest = hashlib.sha256(token.encode()).digest()
        verified = lru_cache.find(self._kept, digest)
        if verified is None or not self._is_fresh(verified):
            try:
                verified = await self._verify(token, now)
            except InvalidTokenError as refused:
                log.debug("a token is refused: %s", refused)
                return None
            lru_cache.keep(self._kept, digest, verified, most=TOKENS_KEPT_MAX)
        return verified.principal if now.timestamp() < verified.ends_at else None

    def _is_fresh(self, verified: _Verified) -> bool:
        return verified.generation == self._keys.generation and self._seconds() < verified.kept_until

    async def _verify(self, token: str, now: dt.datetime) -> _Verified:
        claims = await self._read(token)
        generation = self._keys.generation  # of the key that has just verified it
        ends_at = check_times(claims, now, self._settings.jwt_leeway_seconds)
        principal = self._principal(claims)
        if principal.account_id is not None and not await accounts_queries.has_account(
            database.pool(), principal.account_id
        ):
            raise InvalidTokenError("its account is not there")
        return _Verified(principal, ends_at, generation, self._seconds() + TOKEN_SECONDS_MAX)

    async def _read(self, token: str) -> dict[str, Any]:
        """The claims of a token that a key of the issuer signed, for our audience."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise InvalidTokenError("it names no key of the issuer")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer,
                options={
                    "require": ["iss", "aud", "exp"],
                    "enforce_minimum_key_length": True,
                    # By the clock of the request instead: see check_times.
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
            raise InvalidTokenError("its subject cannot be written down")
        if role is not model.Role.OPERATOR:
            if not _is_text(account_id, 1):
                raise InvalidTokenError("it names no account")
        elif account_id is not None or not subject:
            raise InvalidTokenError("an operator has a subject and no account")
        return api_keys.Principal(None, role, account_id, subject, self._settings.jwt_issuer)


def check_times(claims: Mapping[str, Any], now: dt.datetime, leeway_seconds: int) -> float:
    """When a token ends, leeway included; raises InvalidTokenError if that is past, or its time has not come."""
    at = now.timestamp()
    times = {name: _seconds_of(claims[name]) for name in ("exp", "nbf", "iat") if name in claims}
    ends_at = times["exp"] + leeway_seconds
    if ends_at <= at:
        raise InvalidTokenError("it has expired")
    if max(times.get("nbf", at), times.get("iat", at)) > at + leeway_seconds:
        raise InvalidTokenError("its time has not come")
    return ends_at


def _seconds_of(claim: object) -> float:
    with contextlib.suppress(OverflowError):
        if type(claim) in (int, float) and math.isfinite(seconds := float(claim)):  # type: ignore[arg-type]
            return seconds
    raise InvalidTokenError("one of its times is no instant")


def _role(claim: object) -> model.Role:
    """The one role of ours that a claim names, alone or among others in a list."""
    named = claim if isinstance(claim, list) else [claim]
    found = [role for role in ROLES if role.value in named]
    if len(found) != 1:
        raise InvalidTokenError("it names no role, or several")
    return found[0]


def _is_text(value: object, length_min: int) -> bool:
    return (
        isinstance(value, str)
        and length_min <= len(value) <= SUBJECT_LENGTH_MAX
        and sql.is_storable(value)
        and (not value or value.isprintable())
    )


_verifiers: list[Verifier] = []
"""That of this process, where the settings name an issuer."""


@contextlib.asynccontextmanager
async def opened(settings: config.Settings, seconds: jwks.Seconds = time.monotonic) -> AsyncIterator[None]:
    """Takes tokens of the settings' issuer, if they name one, for as long as the block runs."""
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
    """Who sends this token; None where no issuer is opened."""
    return await _verifiers[-1].find(token, now) if _verifiers else None
