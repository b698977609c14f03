"""Tokens of an issuer: the principals of valid tokens, and the refusal of invalid ones."""

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from graphql_api.auth import jwt_tokens
from renewals import config
from renewals.db import connection as database
from tests.support import sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import URL, Client
from tests.support.issuer import Clock, Issuer, new_rsa, public
from tests.support.operator_client import OPERATOR_URL

ACCOUNT = "{ account { id } }"


async def status(
    api: Client, token: str | None, url: str = URL, query: str = "{ __typename }"
) -> tuple[int, bytes]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = await api.http.post(url, json={"query": query}, headers=headers)
    return answer.status_code, answer.content


@pytest.mark.parametrize("key_id", ["rsa", "ec"])
async def test_a_token_reads_the_account_in_its_claim(
    world: World, api: Client, issuer: Issuer, key_id: str
) -> None:
    await world.account("b")
    for account_id in ("a", "b", "a"):
        api.key = issuer.token(NOW, key_id, account=account_id)
        assert await api(ACCOUNT) == {"account": {"id": account_id}}


async def test_the_role_of_a_token_determines_its_rights(api: Client, issuer: Issuer) -> None:
    reset = "mutation { resetCalendarToken { token } }"
    api.key = issuer.token(NOW, role="VIEWER")
    assert await api(ACCOUNT)
    [error] = await api.errors(reset)
    assert error["extensions"] == {"code": "FORBIDDEN"}
    api.key = issuer.token(NOW, role="RENEWER")
    assert await api(reset)


async def test_the_name_of_a_viewer_is_the_subject_of_its_token(api: Client, issuer: Issuer) -> None:
    api.key = issuer.token(NOW, role="VIEWER", sub="li@example.com")
    viewer = (await api("{ viewer { role name canWrite } }"))["viewer"]
    assert viewer == {"role": "VIEWER", "name": "li@example.com", "canWrite": False}


async def test_the_name_of_an_operator_in_the_audit_log_is_the_subject_of_its_token(
    world: World, api: Client, issuer: Issuer
) -> None:
    token = issuer.token(NOW, role="OPERATOR", sub="alice@example.com", without=("account",))
    assert (await status(api, token))[0] == 401, "an operator has no account"
    api.key, api.url = token, OPERATOR_URL
    top_up = (
        """mutation { topUp(input: {accountId: "a", amount: "5.00", idempotencyKey: "k"}) { __typename } }"""
    )
    assert await api(top_up) == {"topUp": {"__typename": "TopUpSuccess"}}
    log = "{ auditLog { nodes { operatorKeyId operatorName operatorIssuer } } }"
    entry = {"operatorKeyId": None, "operatorName": "alice@example.com", "operatorIssuer": issuer.url}
    assert await api(log) == {"auditLog": {"nodes": [entry]}}


@pytest.mark.parametrize("path", ["/export/instances.csv", "/calendar.ics"])
async def test_a_token_in_the_header_gives_access_to_exports_and_the_calendar(
    api: Client, issuer: Issuer, path: str
) -> None:
    url = URL.replace("/graphql", path)
    for role, expected in (("RENEWER", 200), ("VIEWER", 200), ("CALENDAR", 401)):
        headers = {"Authorization": f"Bearer {issuer.token(NOW, role=role)}"}
        assert (await api.http.get(url, headers=headers)).status_code == expected
    in_url = await api.http.get(url, params={"token": issuer.token(NOW)})
    assert in_url.status_code == 401, "URLs are stored in many places"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", "renewals"]},
        {"role": ["offline_access", "RENEWER"]},
        {"exp": NOW.timestamp() - 29},
        {"nbf": NOW.timestamp() + 30},
        {"exp": 1e300},
    ],
)
async def test_a_barely_valid_token_is_accepted(api: Client, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert (await status(api, issuer.token(NOW, **claims)))[0] == 200


def encode(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def build_unsigned(issuer: Issuer, algorithm: object, key_id: str = "rsa", signature: str = "") -> str:
    header = {"alg": algorithm, "typ": "JWT", "kid": key_id}
    return f"{encode(header)}.{encode(issuer.claims(NOW))}.{signature}"


def sign_with_hmac(issuer: Issuer, secret: bytes, key_id: str) -> str:
    """Return a token signed by HS256 with the public key, an attack on servers that trust the token's algorithm."""
    text = build_unsigned(issuer, "HS256", key_id).rstrip(".")
    digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def encode_public_key(issuer: Issuer, key_id: str) -> bytes:
    return (
        issuer.keys[key_id]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def tamper(issuer: Issuer) -> str:
    header, _, signature = issuer.token(NOW).split(".")
    return f"{header}.{encode(issuer.claims(NOW) | {'account': 'b'})}.{signature}"


def sign_with_foreign_key(issuer: Issuer, **header: Any) -> str:
    """Return a token that is signed with an attacker's key, and has the URL of that key in its header."""
    foreign_key = new_rsa()
    key_header = {"jwk": public("rsa", foreign_key)} | header
    return jwt.encode(issuer.claims(NOW), foreign_key, "RS256", headers={"kid": "rsa"} | key_header)


FORGED: dict[str, Callable[[Issuer], str]] = {
    "no signature, alg none": lambda i: build_unsigned(i, "none"),
    "no signature, alg None": lambda i: build_unsigned(i, "None"),
    "no signature, alg RS256": lambda i: build_unsigned(i, "RS256"),
    "no signature, alg null": lambda i: build_unsigned(i, None),
    "no signature, alg a list": lambda i: build_unsigned(i, ["none"]),
    "alg none with a valid signature": lambda i: build_unsigned(i, "none", "rsa", i.token(NOW).split(".")[2]),
    "HS256 with the public key as PEM": lambda i: sign_with_hmac(i, encode_public_key(i, "rsa"), "rsa"),
    "HS256 with the public key of the other type": lambda i: sign_with_hmac(i, encode_public_key(i, "ec"), "ec"),
    "HS256 with the public key as JSON": lambda i: sign_with_hmac(i, orjson.dumps(i.members[0]), "rsa"),
    "HS256 with an empty secret": lambda i: sign_with_hmac(i, b"", "rsa"),
    "RS256 under the kid of the EC key": lambda i: jwt.encode(i.claims(NOW), i.keys["rsa"], "RS256", {"kid": "ec"}),
    "ES256 under the kid of the RSA key": lambda i: jwt.encode(i.claims(NOW), i.keys["ec"], "ES256", {"kid": "rsa"}),
    "an unknown kid": lambda i: jwt.encode(i.claims(NOW), i.keys["rsa"], "RS256", {"kid": "nobody"}),
    "no kid": lambda i: jwt.encode(i.claims(NOW), i.keys["rsa"], "RS256"),
    "a kid that is a path": lambda i: jwt.encode(i.claims(NOW), new_rsa(), "RS256", {"kid": "../../dev/null"}),
    "RS512 by the right key": lambda i: jwt.encode(i.claims(NOW), i.keys["rsa"], "RS512", {"kid": "rsa"}),
    "PS256 by the right key": lambda i: jwt.encode(i.claims(NOW), i.keys["rsa"], "PS256", {"kid": "rsa"}),
    "another key under the right kid": lambda i: jwt.encode(i.claims(NOW), new_rsa(), "RS256", {"kid": "rsa"}),
    "a key in the header": sign_with_foreign_key,
    "the address of a key in the header": lambda i: sign_with_foreign_key(i, jku="http://127.0.0.1:9/keys"),
    "the address of a certificate": lambda i: sign_with_foreign_key(i, x5u="http://127.0.0.1:9/x"),
    "a payload changed after signing": tamper,
    "half a signature": lambda i: i.token(NOW)[:-100],
    "a critical header": lambda i: i.sign(i.claims(NOW), crit=["exp"], exp=1),
    "a payload that is not encoded": lambda i: i.sign(i.claims(NOW), b64=False, crit=["b64"]),
}  # fmt: skip

CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": NOW.timestamp() - 30},
    "expired long ago": {"exp": 0},
    "no exp": {"without": ("exp",)},
    "exp null": {"exp": None},
    "exp as text": {"exp": str(NOW.timestamp() + 60)},
    "exp true": {"exp": True},
    "exp not a number": {"exp": float("nan")},
    "exp infinite": {"exp": float("inf")},
    "exp beyond floats": {"exp": 10**400},
    "not yet valid": {"nbf": NOW.timestamp() + 31},
    "nbf as text": {"nbf": "0"},
    "issued in the future": {"iat": NOW.timestamp() + 31},
    "another issuer": {"iss": "https://elsewhere.example.com"},
    "almost the issuer": {"iss": "http://127.0.0.1"},
    "no iss": {"without": ("iss",)},
    "another audience": {"aud": "another"},
    "other audiences": {"aud": ["another", "renewal"]},
    "an audience that is an object": {"aud": {"renewals": 1}},
    "no aud": {"without": ("aud",)},
    "an unknown account": {"account": "nobody"},
    "no account": {"without": ("account",)},
    "an account that is not text": {"account": 5},
    "an account that is a list": {"account": ["a"]},
    "an empty account": {"account": ""},
    "an account with a NUL": {"account": "a\0"},
    "an account with a lone surrogate": {"account": "\ud800"},
    "an account of 5,000 characters": {"account": "a" * 5_000},
    "no role": {"without": ("role",)},
    "an unknown role": {"role": "ADMIN"},
    "a role in lower case": {"role": "renewer"},
    "the role of a calendar": {"role": "CALENDAR"},
    "two roles": {"role": ["VIEWER", "RENEWER"]},
    "a role that is an object": {"role": {"RENEWER": True}},
    "a subject with a NUL": {"sub": "a\0"},
    "a subject with a line break": {"sub": "a\nb"},
    "an operator with an account": {"role": "OPERATOR"},
    "an operator without a subject": {"role": "OPERATOR", "without": ("account", "sub")},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_a_forged_token_is_refused(
    world: World, api: Client, issuer: Issuer, forge: Callable[[Issuer], str]
) -> None:
    await world.account("b")
    unauthenticated = await status(api, "rk_00000000_nobody")
    token = forge(issuer)
    with sql_log.counted() as statements:
        for url in (URL, OPERATOR_URL):
            assert await status(api, token, url) == unauthenticated
    assert statements == [], "no query for a token of another issuer"
    assert (await status(api, issuer.token(NOW)))[0] == 200, "a valid token is still accepted"


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
async def test_a_token_with_missing_or_invalid_claims_is_refused(
    api: Client, issuer: Issuer, claims: dict[str, Any]
) -> None:
    unauthenticated = await status(api, "rk_00000000_nobody")
    token = issuer.token(NOW, **claims)
    for url in (URL, OPERATOR_URL):
        for _ in range(2):
            assert await status(api, token, url) == unauthenticated


@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text("abcXYZ019-_=. \x00é", max_size=40), min_size=3, max_size=3), st.integers(0, 2))
async def test_text_that_is_not_a_token_is_refused(
    issuer: Issuer, api: Client, parts: list[str], valid_index: int
) -> None:
    valid_parts = issuer.token(NOW).split(".")
    parts[valid_index] = valid_parts[valid_index]
    assert await jwt_tokens.find(".".join(parts), NOW) is None


async def test_an_oversized_token_is_refused(api: Client, issuer: Issuer) -> None:
    assert (await status(api, issuer.token(NOW, memo="x" * 6_000)))[0] == 401
    assert (await status(api, issuer.token(NOW, memo="x" * 1_000)))[0] == 200


async def test_every_token_is_refused_if_no_issuer_is_configured(
    world: World, graphql: Client, issuer: Issuer
) -> None:
    await world.account("a")
    assert (await status(graphql, issuer.token(NOW)))[0] == 401
    assert issuer.asked == []


async def test_a_token_is_accepted_once_its_account_exists(world: World, api: Client, issuer: Issuer) -> None:
    token = issuer.token(NOW, account="late")
    assert (await status(api, token))[0] == 401
    await world.account("late")
    assert (await status(api, token))[0] == 200


async def test_a_verified_token_is_cached_for_a_short_time(
    api: Client, issuer: Issuer, seconds: Clock
) -> None:
    token = issuer.token(NOW)
    with sql_log.counted() as statements:
        for _ in range(3):
            assert (await status(api, token))[0] == 200
    assert len(statements) == 1, "the statement that reads the account"
    seconds.seconds += jwt_tokens.TOKEN_SECONDS_MAX
    with sql_log.counted() as statements:
        await status(api, token)
    assert len(statements) == 1


async def test_a_cached_token_still_expires(api: Client, issuer: Issuer) -> None:
    token = issuer.token(NOW, exp=NOW.timestamp() + 10)
    assert (await status(api, token))[0] == 200
    api.at(NOW + dt.timedelta(seconds=39))
    assert (await status(api, token))[0] == 200
    api.at(NOW + dt.timedelta(seconds=40))
    assert (await status(api, token))[0] == 401


async def test_the_number_of_cached_tokens_is_limited(
    api: Client, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwt_tokens, "TOKENS_CACHED_MAX", 3)
    tokens = [issuer.token(NOW, memo=number) for number in range(5)]
    for token in tokens:
        assert (await status(api, token))[0] == 200
    with sql_log.counted() as statements:
        for token in reversed(tokens):
            assert (await status(api, token))[0] == 200
    assert len(statements) == 2


async def test_the_settings_determine_the_names_of_claims_and_the_algorithms(
    world: World, issuer: Issuer, graphql: Client
) -> None:
    await world.account("a")
    settings = issuer.settings(
        jwt_account_claim="https://example.com/account", jwt_role_claim="groups", jwt_algorithms=["ES256"]
    )
    async with jwt_tokens.opened(settings):
        claims: dict[str, Any] = {"https://example.com/account": "a", "groups": ["staff", "VIEWER"]}
        assert (await status(graphql, issuer.token(NOW, "ec", without=("account", "role"), **claims)))[
            0
        ] == 200
        assert (await status(graphql, issuer.token(NOW, "ec")))[0] == 401
        assert (await status(graphql, issuer.token(NOW, "rsa", **claims)))[0] == 401


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("RENEWALS_JWT_AUDIENCE", {"ISSUER": "https://issuer.example.com"}),
        ("RENEWALS_JWT_ISSUER", {"ISSUER": "http://issuer.example.com", "AUDIENCE": "x"}),
        ("RENEWALS_JWT_ISSUER", {"ISSUER": "issuer.example.com", "AUDIENCE": "x"}),
    ],
)
def test_an_issuer_without_an_audience_or_without_https_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, variables: dict[str, str]
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(f"RENEWALS_JWT_{variable}", value)
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - pydantic's ValidationError is one
        config.Settings()
    assert config.format_errors(refused.value).startswith(f"{name}")


async def test_a_cached_token_uses_the_current_test_clock_without_a_statement_for_real_accounts(
    world: World, api: Client, issuer: Issuer
) -> None:
    await world.account("t", test_clock=NOW)
    token, real = issuer.token(NOW, account="t"), issuer.token(NOW, account="a")
    account = "{ account { testClock } instances(filter: {manageable: null}) { nodes { status } } }"
    await world.instance("i-t", account="t", expires="2027-01-20")
    for at, expected in ((NOW, "RUNNING"), (NOW + dt.timedelta(days=11), "EXPIRED")):
        await database.execute(database.pool(), "UPDATE accounts SET test_clock = $1 WHERE id = 't'", at)
        api.key = token
        answer = await api(account)
        assert answer["instances"]["nodes"] == [{"status": expected}]
    api.key = real
    await api(ACCOUNT)
    with sql_log.counted() as statements:
        await api(ACCOUNT)
    assert len(statements) == 1, "only the account itself is read"
