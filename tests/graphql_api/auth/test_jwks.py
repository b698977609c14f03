"""The cache of an issuer's keys: fetches, rotation, an unavailable issuer, and the limit on fetches."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from graphql_api.auth import jwks
from tests.support.fixtures import NOW
from tests.support.graphql_client import URL, Client
from tests.support.issuer import (
    KEYS,
    METADATA,
    Clock,
    Issuer,
    hang,
    new_ec,
    new_rsa,
    public,
    respond_unavailable,
)

ALGORITHMS = frozenset({"RS256", "ES256"})


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient() as session:
        yield session


async def is_accepted(api: Client, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return (await api.http.post(URL, json={"query": "{ __typename }"}, headers=headers)).status_code == 200


async def test_concurrent_requests_fetch_the_keys_once(api: Client, issuer: Issuer) -> None:
    tokens = [issuer.token(NOW, key_id) for key_id in ("rsa", "ec") * 20]
    assert all(await asyncio.gather(*[is_accepted(api, token) for token in tokens]))
    assert issuer.asked == [METADATA, KEYS]


async def test_tokens_with_unknown_key_ids_cause_at_most_one_fetch_per_pause(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    assert await is_accepted(api, issuer.token(NOW))
    for number in range(100):
        assert not await is_accepted(api, issuer.sign(issuer.claims(NOW), kid=f"nobody {number}"))
    assert issuer.fetched_count == 1
    seconds.seconds += jwks.FETCH_PAUSE_SECONDS
    unknown_tokens = [issuer.sign(issuer.claims(NOW), kid=f"somebody {number}") for number in range(100)]
    assert not any(await asyncio.gather(*[is_accepted(api, token) for token in unknown_tokens]))
    assert issuer.fetched_count == 2
    assert await is_accepted(api, issuer.token(NOW))


async def test_a_new_key_is_fetched_when_a_token_has_its_id(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    assert await is_accepted(api, issuer.token(NOW))
    issuer.add("new", new_ec())
    seconds.seconds += jwks.FETCH_PAUSE_SECONDS
    assert await is_accepted(api, issuer.token(NOW, "new"))
    assert await is_accepted(api, issuer.token(NOW, "rsa"))


async def test_a_withdrawn_key_is_not_accepted_once_the_cache_is_stale(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    token = issuer.token(NOW)
    assert await is_accepted(api, token)
    issuer.members = [member for member in issuer.members if member["kid"] != "rsa"]
    seconds.seconds += jwks.KEYS_SECONDS
    assert await is_accepted(api, issuer.token(NOW, "ec"))
    assert not await is_accepted(api, token), "a token verified before is refused too"


async def test_a_key_that_was_replaced_under_its_id_is_not_accepted(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    old = issuer.token(NOW)
    assert await is_accepted(api, old)
    issuer.members = []
    issuer.add("rsa", new_rsa())
    seconds.seconds += jwks.KEYS_SECONDS
    assert await is_accepted(api, issuer.token(NOW))
    assert not await is_accepted(api, old)


async def test_a_token_is_refused_after_the_issuer_has_withdrawn_all_keys(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    assert await is_accepted(api, issuer.token(NOW))
    issuer.members = []
    seconds.seconds += jwks.KEYS_SECONDS
    assert not await is_accepted(api, issuer.token(NOW))


async def test_stale_keys_are_used_for_a_limited_time_while_the_issuer_is_unavailable(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    assert await is_accepted(api, issuer.token(NOW))
    issuer.answer = respond_unavailable
    for _ in range(10):
        seconds.seconds += jwks.STALE_KEYS_SECONDS_MAX / 10 - 1
        assert await is_accepted(api, issuer.token(NOW))
    seconds.seconds += 10
    assert not await is_accepted(api, issuer.token(NOW, memo=1)), "the issuer may have withdrawn the keys"
    issuer.answer = None
    seconds.seconds += jwks.FETCH_PAUSE_SECONDS
    assert await is_accepted(api, issuer.token(NOW))


async def test_an_issuer_that_was_never_available_is_tried_again_after_a_pause(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    issuer.answer = respond_unavailable
    for _ in range(5):
        assert not await is_accepted(api, issuer.token(NOW))
    assert issuer.asked == [METADATA]
    issuer.answer = None
    assert not await is_accepted(api, issuer.token(NOW))
    seconds.seconds += jwks.FETCH_PAUSE_SECONDS
    assert await is_accepted(api, issuer.token(NOW))


async def test_a_hanging_issuer_delays_only_the_first_request_with_a_cached_key(
    api: Client, issuer: Issuer, seconds: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS_MAX", 0.5)
    assert await is_accepted(api, issuer.token(NOW))
    issuer.answer = hang
    loop = asyncio.get_running_loop()
    seconds.seconds += jwks.KEYS_SECONDS
    started = loop.time()
    assert await is_accepted(api, issuer.token(NOW, memo=1)), "the first request waits for the timeout"
    assert 0.4 < loop.time() - started < 3
    seconds.seconds += jwks.FETCH_PAUSE_SECONDS
    started = loop.time()
    assert await is_accepted(api, issuer.token(NOW, memo=2))
    assert loop.time() - started < 0.4, "later requests do not wait"


def respond_with(body: bytes, status: int = 200) -> Any:
    async def answer(request: Request) -> Response | None:
        return Response(body, status) if request.url.path == KEYS else None

    return answer


async def redirect(request: Request) -> Response | None:
    return RedirectResponse("/elsewhere") if request.url.path == KEYS else None


INVALID_RESPONSES = {
    "not JSON": respond_with(b"<html>"),
    "not an object": respond_with(b"[]"),
    "no keys": respond_with(b"{}"),
    "keys that are not a list": respond_with(b'{"keys": {}}'),
    "an error": respond_with(b'{"keys": []}', 500),
    "a redirect": redirect,
    "too many bytes": respond_with(b'{"keys": [' + b" " * jwks.FETCH_BYTES_MAX + b"]}"),
}


@pytest.mark.parametrize("answer", INVALID_RESPONSES.values(), ids=INVALID_RESPONSES)
async def test_a_response_without_a_key_set_does_not_change_the_keys(
    api: Client, issuer: Issuer, seconds: Clock, answer: Any
) -> None:
    assert await is_accepted(api, issuer.token(NOW))
    issuer.answer = answer
    seconds.seconds += jwks.KEYS_SECONDS
    assert await is_accepted(api, issuer.token(NOW, memo=1))
    assert issuer.fetched_count == 2
    assert "/elsewhere" not in issuer.asked


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example.com"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "/keys"},
        {"jwks_uri": ["x"]},
        {"jwks_uri": "http://[::1"},
    ],
)
async def test_keys_are_not_fetched_if_the_metadata_of_the_issuer_is_invalid(
    api: Client, issuer: Issuer, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    assert not await is_accepted(api, issuer.token(NOW))
    assert issuer.asked == [METADATA]


@pytest.mark.parametrize(("is_allowed", "asked"), [(True, [METADATA, KEYS]), (False, [METADATA])])
async def test_keys_are_fetched_without_tls_only_if_the_setting_allows_it(
    issuer: Issuer, client: httpx2.AsyncClient, is_allowed: bool, asked: list[str]
) -> None:
    settings = issuer.settings().model_copy(update={"jwt_http": is_allowed})
    assert (await jwks.JwksCache(settings, client).find("rsa") is not None) is is_allowed
    assert issuer.asked == asked


async def test_keys_are_fetched_without_metadata_if_their_url_is_in_the_settings(
    issuer: Issuer, client: httpx2.AsyncClient
) -> None:
    keys = jwks.JwksCache(issuer.settings(jwt_jwks_url=f"{issuer.url}{KEYS}"), client)
    assert await keys.find("rsa") is not None
    assert issuer.asked == [KEYS]


async def test_closing_the_cache_ends_a_running_fetch(issuer: Issuer, client: httpx2.AsyncClient) -> None:
    issuer.answer = hang
    keys = jwks.JwksCache(issuer.settings(), client)
    finding = asyncio.create_task(keys.find("rsa"))
    await asyncio.sleep(0.2)
    await keys.close()
    assert await asyncio.wait_for(finding, 1) is None


OTHER_KEY = new_rsa()
"""Not the issuer's key: a cache that used it would refuse the issuer's tokens."""

UNUSABLE: dict[str, Any] = {
    "not an object": 5,
    "an empty object": {},
    "without an id": public("x", OTHER_KEY) | {"kid": None},
    "an id that is not text": public("x", OTHER_KEY) | {"kid": 5},
    "a secret": {"kid": "x", "kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
    "a secret with the type RSA": {"kid": "x", "kty": "RSA", "k": "c2VjcmV0"},
    "a type that is a list": public("x", OTHER_KEY) | {"kty": ["RSA"]},
    "for another algorithm": public("x", OTHER_KEY, alg="RS512"),
    "for HS256": public("x", OTHER_KEY, alg="HS256"),
    "for encryption": public("x", OTHER_KEY, use="enc"),
    "only for signing": public("x", OTHER_KEY, key_ops=["sign"]),
    "operations that are not a list": public("x", OTHER_KEY, key_ops="verify"),
    "another curve": public("x", new_ec(ec.SECP384R1())),
    "the name of another curve": public("x", new_ec(ec.SECP384R1())) | {"crv": "P-256"},
    "not on the curve": public("x", new_ec()) | {"x": "AAAA", "y": "AAAA"},
    "broken numbers": public("x", OTHER_KEY) | {"n": "!"},
    "a number that is not text": public("x", OTHER_KEY) | {"n": 5},
}


@pytest.mark.parametrize("member", UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_that_cannot_verify_signatures_is_skipped(member: object) -> None:
    assert jwks.parse_key(member, ALGORITHMS) is None


@pytest.mark.parametrize(
    ("member", "algorithm"),
    [
        (public("x", OTHER_KEY), "RS256"),
        (public("x", OTHER_KEY, alg="RS256", use="sig", key_ops=["verify"], x5c=["..."]), "RS256"),
        (public("x", new_ec()), "ES256"),
    ],
)
def test_the_type_of_a_key_determines_its_algorithm(member: dict[str, Any], algorithm: str) -> None:
    key = jwks.parse_key(member, ALGORITHMS)
    assert key is not None
    assert key.algorithm_name == algorithm
    assert jwks.parse_key(member, ALGORITHMS - {algorithm}) is None


async def test_a_token_signed_with_a_short_rsa_key_is_refused(api: Client, issuer: Issuer) -> None:
    issuer.add("short", new_rsa(1024))
    with pytest.warns(match="below the minimum"):
        token = issuer.token(NOW, "short")
    assert not await is_accepted(api, token)


async def test_the_usable_keys_of_a_set_with_unusable_keys_are_accepted(api: Client, issuer: Issuer) -> None:
    issuer.members = [*UNUSABLE.values(), *issuer.members, public("rsa", new_rsa())]
    assert await is_accepted(api, issuer.token(NOW)), "the first key of an id is used"
