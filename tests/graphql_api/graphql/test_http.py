"""GraphQL over HTTP: every response is JSON, and none contains an internal detail."""

import contextlib
import functools
import logging
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest

from graphql_api import app
from graphql_api.graphql import graphiql
from renewals import config
from renewals.db import connection as database
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

JSON = {"Content-Type": "application/json"}
ACCOUNT_BODY = b'{"query": "{ account { id } }"}'
HEALTH = "http://testserver/healthz"
RENEW = """mutation { renewInstances(input: {
    selection: {ids: ["i-1"]}, months: 1, idempotencyKey: "key"}) { __typename } }"""


@pytest.fixture
async def key(world: World) -> str:
    """Return a key of account `a`, which has a balance and an instance."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    return await world.key("a")


@pytest.fixture
async def lenient_client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the application without an account. An exception becomes a 500, as with a server."""
    transport = httpx2.ASGITransport(app=app.create(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport) as client:
        yield client


def read_code(answer: httpx2.Response) -> str:
    """Return the code of the only error in a response without data."""
    assert answer.headers["content-type"] == "application/json"
    body = orjson.loads(answer.content)
    assert body["data"] is None
    [error] = body["errors"]
    assert error["message"]
    return str(error["extensions"]["code"])


BAD_BODIES = [
    *(b"null", b"1", b'"x"', b"[]", b"true", b"", b"{", b"not JSON", b"\xff\xfe", b"[" * 100_000),
    *(
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": ["{ a }"]}',
        b'{"query": {}}',
    ),
    *(
        b"[" + ACCOUNT_BODY + b"]",
        ACCOUNT_BODY.replace(b"}", b"", 1)[:-1],
        b"\xef\xbb\xbf" + ACCOUNT_BODY,
        b'{"query": "\xff"}',
    ),
    *(ACCOUNT_BODY[:-1] + b', "variables": %s}' % value for value in (b"1", b'"x"', b"[]", b"NaN")),
    *(ACCOUNT_BODY[:-1] + b', "operationName": %s}' % value for value in (b'"Other"', b"1")),
    *(ACCOUNT_BODY[:-1] + b', "extensions": %s}' % value for value in (b"1", b"[]")),
    ACCOUNT_BODY[:-1] + rb', "variables": {"id": "\ud800"}}',
    b'{"query": "fragment F on Query { account { id } }"}',
]


async def test_an_invalid_body_is_refused_with_a_code(world: World, key: str, graphql: Client) -> None:
    before = await world.snapshot()
    headers = {**JSON, "Authorization": f"Bearer {key}"}
    for body in BAD_BODIES:
        answer = await graphql.http.post(URL, content=body, headers=headers)
        assert (answer.status_code, read_code(answer)) == (400, "BAD_REQUEST"), body[:80]
    assert await world.snapshot() == before


async def test_another_content_type_is_refused(key: str, graphql: Client) -> None:
    for content_type, body in (
        ("application/x-www-form-urlencoded", b"query=%7Baccount%7Bid%7D%7D"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}\r\n',
        ),
        ("text/plain", ACCOUNT_BODY),
        ("", ACCOUNT_BODY),
    ):
        headers = {"Content-Type": content_type, "Authorization": f"Bearer {key}"}
        answer = await graphql.http.post(URL, content=body, headers=headers)
        assert 400 <= answer.status_code < 500
        assert read_code(answer) == "BAD_REQUEST"


async def test_get_executes_queries_and_refuses_mutations(world: World, key: str, graphql: Client) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = await graphql.http.get(URL, params={"query": "{ account { id } }"}, headers=headers)
    assert answer.json()["data"] == {"account": {"id": "a"}}
    before = await world.snapshot()
    for query in (RENEW, f"query Q {{ account {{ id }} }} {RENEW.replace('mutation', 'mutation M')}"):
        params = {"query": query} | ({"operationName": "M"} if "mutation M" in query else {})
        answer = await graphql.http.get(URL, params=params, headers=headers)
        assert 400 <= answer.status_code < 500
        assert read_code(answer) == "BAD_REQUEST"
    assert (await graphql.http.put(URL, content=ACCOUNT_BODY, headers={**JSON, **headers})).status_code == 405
    assert await world.snapshot() == before


async def test_the_named_operation_of_several_is_executed(world: World, key: str, graphql: Client) -> None:
    several = f"query Q {{ account {{ id }} }} {RENEW.replace('mutation', 'mutation M')}"
    headers = {**JSON, "Authorization": f"Bearer {key}"}
    before = await world.snapshot()
    for body in (
        {"query": several},
        {"query": several, "operationName": None},
        {"query": several, "operationName": "Other"},
    ):
        answer = await graphql.http.post(URL, json=body, headers=headers)
        assert read_code(answer) == "BAD_REQUEST"
    named = {"query": several, "operationName": "Q"}
    answer = await graphql.http.post(URL, json=named, headers=headers)
    assert answer.json()["data"] == {"account": {"id": "a"}}
    assert await world.snapshot() == before
    answer = await graphql.http.post(URL, json=named | {"operationName": "M"}, headers=headers)
    assert answer.json()["data"] == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}


@pytest.mark.parametrize(
    "query",
    ["{", "{ nothing }", "{ account }", "subscription { nothing }", "query ($x: Int) { account { id } }"],
)
async def test_a_document_that_does_not_match_the_schema_is_a_bad_request(
    key: str, graphql: Client, query: str
) -> None:
    graphql.key = key
    answer = await graphql.post(query)
    assert read_code(answer) == "BAD_REQUEST"


async def test_an_internal_error_has_an_id_and_no_detail(
    world: World, key: str, graphql: Client, caplog: pytest.LogCaptureFixture
) -> None:
    graphql.key = key
    await database.execute(database.pool(), "ALTER TABLE instances RENAME COLUMN name TO secret_name")
    with caplog.at_level(logging.ERROR):
        answer = await graphql.post("{ account { id } instances { nodes { id name } } }")
    [error] = answer.json()["errors"]
    assert error["extensions"].keys() == {"code", "id"}
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["path"] == ["instances"]
    assert error["message"] == "An internal error occurred."
    assert "name" not in answer.text
    assert error["extensions"]["id"] in caplog.text
    assert "i.name" in caplog.text


async def test_an_error_before_the_request_is_read_has_an_id_and_no_detail(
    key: str, lenient_client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {**JSON, "Authorization": f"Bearer {key}"}
    assert (await lenient_client.get(HEALTH)).text == "ok"
    await database.execute(database.pool(), "ALTER TABLE api_keys RENAME TO keys_of_old")
    with caplog.at_level(logging.ERROR):
        answer = await lenient_client.post(URL, content=ACCOUNT_BODY, headers=headers)
    assert (answer.status_code, read_code(answer)) == (500, "INTERNAL")
    assert "api_keys" not in answer.text
    assert answer.json()["errors"][0]["extensions"]["id"] in caplog.text
    assert key not in caplog.text


@contextlib.asynccontextmanager
async def block_connections(name: str) -> AsyncIterator[None]:
    """Close a database's connections and refuse new ones while the block runs."""
    server = await asyncpg.connect(os.environ["TEST_POSTGRES_URL"])
    try:
        await server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
        await server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    finally:
        await server.close()


async def test_without_a_database_requests_are_unavailable_and_the_health_check_succeeds(
    world: World, lenient_client: httpx2.AsyncClient
) -> None:
    answer = await lenient_client.get(HEALTH)
    assert (answer.status_code, answer.text) == (200, "ok")
    name = await world.value("SELECT current_database()")
    async with block_connections(name):
        assert (await lenient_client.get(HEALTH)).status_code == 200
        answer = await lenient_client.post(
            URL, content=ACCOUNT_BODY, headers={**JSON, "Authorization": "Bearer x"}
        )
        assert (answer.status_code, read_code(answer), answer.headers["retry-after"]) == (
            503,
            "UNAVAILABLE",
            "1",
        )
        assert name not in answer.text
    assert (await lenient_client.get(HEALTH)).status_code == 200


def build_settings(tmp_path: Path, **values: Any) -> config.Settings:
    return config.get_settings().model_copy(update={"data_dir": tmp_path, **values})


async def test_graphiql_is_served_only_with_the_setting(tmp_path: Path, world: World) -> None:
    for accept in ("text/html", "text/html,application/xhtml+xml,*/*;q=0.8"):
        served = app.create(build_settings(tmp_path, graphiql=False))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served)) as client:
            answer = await client.get(URL, headers={"Accept": accept})
        assert (answer.status_code, read_code(answer)) == (401, "UNAUTHENTICATED")
        served = app.create(build_settings(tmp_path, graphiql=True))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served)) as client:
            answer = await client.get(URL, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")


async def test_every_file_of_graphiql_is_served_with_any_data_folder(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "package/static/graphiql"
    page = functools.partial(graphiql.page, folder=folder)
    monkeypatch.setattr(graphiql, "FOLDER", folder)
    monkeypatch.setattr(graphiql, "page", page)
    for asset in graphiql.assets():
        place = folder / asset.place
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"content")
    served = app.create(build_settings(tmp_path / "data", graphiql=True))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served)) as client:
        answer = await client.get(URL, headers={"Accept": "text/html"})
        assert "https://" not in answer.text
        loaded = set(re.findall(r'"(/graphiql/[^"]+)"', answer.text))
        assert len(loaded) == len(graphiql.assets())
        for address in loaded:
            assert (await client.get(f"http://testserver{address}")).content == b"content"
        (folder.parent / "demo-key").write_text("secret")
        assert (await client.get("http://testserver/graphiql/%2e%2e/demo-key")).status_code == 404


async def test_the_root_redirects_to_graphiql_only_if_graphiql_is_served(
    tmp_path: Path, world: World
) -> None:
    for create, path in ((app.create, "/graphql"), (app.create_for_operators, "/operator/graphql")):
        with pytest.MonkeyPatch.context() as patch:
            settings = build_settings(tmp_path, graphiql=True)
            patch.setattr(config, "get_settings", lambda settings=settings: settings)
            served = create()
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served)) as client:
            answer = await client.get("http://testserver/")
        assert (answer.status_code, answer.headers["location"]) == (307, path)
    served = app.create(build_settings(tmp_path, graphiql=False))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served)) as client:
        assert (await client.get("http://testserver/")).status_code == 404


async def test_graphiql_is_served_only_to_browsers_and_without_the_key_of_the_request(
    tmp_path: Path, key: str
) -> None:
    served = app.create(build_settings(tmp_path, graphiql=True))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served)) as client:
        page = await client.get(URL, headers={"Accept": "text/html", "Authorization": f"Bearer {key}"})
        assert key not in page.text
        for accept in ("application/json", "*/*"):
            answer = await client.get(URL, headers={"Accept": accept})
            assert (answer.status_code, read_code(answer)) == (401, "UNAUTHENTICATED")
        answer = await client.post(URL, content=ACCOUNT_BODY, headers={**JSON, "Accept": "text/html"})
        assert (answer.status_code, read_code(answer)) == (401, "UNAUTHENTICATED")
