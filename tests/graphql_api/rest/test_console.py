"""The console's page, its files, and its configuration for sign-in."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from graphql_api import app
from graphql_api.middleware import response_headers
from graphql_api.rest import console
from renewals import config

BASE = "http://127.0.0.1:8000"
SCRIPT = b"export {};" * 1_000
ISSUER = "https://login.example.com/realms/cloud"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a build that has a page and a compressed script."""
    (tmp_path / "assets").mkdir()
    nonce = f'nonce="{console.NONCE_PLACE}"'
    (tmp_path / "index.html").write_text(
        f'<script src="/console/assets/a-1.js" {nonce}></script><style {nonce}>'
    )
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "persisted-documents.json").write_text("{}")
    (tmp_path / "assets/a-1.js").write_bytes(SCRIPT)
    (tmp_path / "assets/a-1.js.br").write_bytes(b"as brotli")
    (tmp_path / "assets/a-1.js.gz").write_bytes(b"as gzip")
    (tmp_path / "assets/b-2.css").write_bytes(b"body{}")
    return tmp_path


def create_client(folder: Path, **settings: object) -> httpx2.AsyncClient:
    values = config.get_settings().model_copy(update={"console": True, **settings})
    routes = Starlette(routes=console.Console(values, folder).routes())
    wrapped = response_headers.ResponseHeadersMiddleware(routes, lambda: False)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=wrapped), base_url=BASE)


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    async with create_client(folder) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/console/", "/console/orders", "/console/orders/o-1"])
async def test_every_path_of_the_console_returns_an_uncached_html_page(
    client: httpx2.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in answer.headers


async def test_the_content_security_policy_allows_no_inline_script_and_styles_only_with_a_nonce(
    client: httpx2.AsyncClient,
) -> None:
    nonces = set()
    for _ in range(2):
        answer = await client.get("/console/")
        policy = dict(
            part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";")
        )
        [nonce] = re.findall(r"'nonce-([\w-]{22})'", policy["style-src"])
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["style-src"] == f"'self' 'nonce-{nonce}'"
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.text.count(f'nonce="{nonce}"') == 2
        assert console.NONCE_PLACE not in answer.text
        nonces.add(nonce)
    assert len(nonces) == 2


@pytest.mark.parametrize(
    ("accepted", "encoding", "content"),
    [
        ("gzip, deflate, br", "br", b"as brotli"),
        ("gzip;q=1.0", "gzip", b"as gzip"),
        ("identity", None, SCRIPT),
        ("br;q=0, gzip;q=0", None, SCRIPT),
        ("br; q=0.0, gzip ;q=0.000", None, SCRIPT),
    ],
)
async def test_a_file_is_immutable_and_is_sent_in_a_compressed_form_that_the_client_accepts(
    client: httpx2.AsyncClient, accepted: str, encoding: str | None, content: bytes
) -> None:
    async with client.stream(
        "GET", "/console/assets/a-1.js", headers={"Accept-Encoding": accepted}
    ) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
    assert (answer.status_code, sent) == (200, content)
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_style_sheet_without_a_compressed_file_is_served(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/console/assets/b-2.css")
    assert (answer.content, answer.headers["content-type"]) == (b"body{}", "text/css; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "/console/assets/c-3.js",
        "/console/assets/../index.html",
        "/console/assets/%2e%2e/persisted-documents.json",
        "/console/persisted-documents.json",
        "/console/nothing.js",
        "/console/assets/",
    ],
)
async def test_a_file_that_the_page_does_not_load_is_not_found(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_the_configuration_without_an_issuer_or_a_key_is_empty_and_uncached(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/console/config.json")
    assert answer.json() == {"issuer": None, "clientId": None, "key": None}
    assert answer.headers["cache-control"] == "no-store"


async def test_the_issuer_is_configured_and_allowed_by_the_policy_only_with_a_client_id(folder: Path) -> None:
    async with create_client(folder, jwt_issuer=ISSUER, jwt_client_id="console") as client:
        assert (await client.get("/console/config.json")).json() == {
            "issuer": ISSUER,
            "clientId": "console",
            "key": None,
        }
        policy = (await client.get("/console/")).headers["content-security-policy"]
        assert "connect-src 'self' https://login.example.com;" in policy
    async with create_client(folder, jwt_issuer=ISSUER) as client:
        assert (await client.get("/console/config.json")).json()["issuer"] is None
        assert "login.example.com" not in (await client.get("/console/")).headers["content-security-policy"]


async def test_only_a_page_of_the_same_origin_can_read_the_key_of_the_demo_account(folder: Path) -> None:
    async with create_client(folder, graphiql_key="rk_demo", cors_origins=("*",)) as client:
        for allowed in ({}, {"Sec-Fetch-Site": "same-origin"}):
            answer = await client.get("/console/config.json", headers=allowed)
            assert answer.json()["key"] == "rk_demo"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        for refused in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = await client.get("/console/config.json", headers=refused)
            assert answer.json()["key"] is None
            assert "rk_" not in answer.text
        assert "rk_" not in (await client.get("/console/")).text


async def test_before_the_build_the_page_contains_the_build_command_and_reloads(tmp_path: Path) -> None:
    async with create_client(tmp_path / "<nowhere>") as client:
        answer = await client.get("/console/")
        assert answer.status_code == 503
        assert answer.headers["refresh"] == "3"
        assert console.BUILD_COMMAND in answer.text
        assert "&lt;nowhere&gt;" in answer.text
        assert "<script" not in answer.text
        assert (await client.get("/console/config.json")).status_code == 200
        assert (await client.get("/console/assets/a-1.js")).status_code == 404
        assert (await client.get("/console/favicon.svg")).status_code == 404


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"console": True, "graphiql": True}, "/console/"),
        ({"console": True}, "/console/"),
        ({"graphiql": True}, "/graphql"),
        ({}, None),
    ],
)
async def test_the_root_redirects_to_the_console_or_else_to_graphiql(
    settings: dict[str, object], place: str | None
) -> None:
    application = app.create(config.get_settings().model_copy(update=settings))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application), base_url=BASE) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers.get("location")) == (
            (307, place) if place else (404, None)
        )
        assert ((await client.get("/console/config.json")).status_code == 200) == ("console" in settings)


async def test_a_server_that_does_not_serve_customers_has_no_console() -> None:
    application = app.create(
        config.get_settings().model_copy(update={"console": True}), serves_customers=False
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application), base_url=BASE) as client:
        assert (await client.get("/console/")).status_code == 404
