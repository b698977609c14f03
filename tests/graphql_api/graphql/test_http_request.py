"""GraphQL over HTTP: media types, statuses, CORS, compression, and the audits of the specification."""

import asyncio
import subprocess
from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest

from graphql_api import app, responses
from graphql_api.middleware import direct_routes
from renewals import config
from scripts import node_packages
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client
from tests.support.live_server import served

AUDITS = 61
RESPONSE = "application/graphql-response+json"
ACCOUNT = {"query": "{ account { id } }"}
CONSOLE_ORIGIN = "https://console.example.com"


@pytest.fixture
async def key(world: World) -> str:
    await world.account("a")
    return await world.key("a")


@pytest.fixture
async def cors_client(world: World, key: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the application with CORS for one origin."""
    settings = config.get_settings().model_copy(update={"cors_origins": (CONSOLE_ORIGIN,)})
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app.create(settings)), headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


@node_packages.needed
async def test_every_audit_of_the_specification_passes(key: str, database_url: str) -> None:
    async with served(database_url, RENEWALS_INTROSPECTION="true") as server:
        command = [node_packages.NODE, "audit.mjs", server.url, key]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=node_packages.FOLDER, capture_output=True, text=True, timeout=60
        )
    assert done.stdout == f"{AUDITS} of {AUDITS} audits\n"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", (responses.JSON, False)),
        ("*/*", (responses.JSON, False)),
        ("application/*;q=0.8", (responses.JSON, False)),
        (RESPONSE, (RESPONSE, False)),
        (f"application/json, {RESPONSE};q=0.5", (responses.JSON, False)),
        (f"Application/JSON;q=0.5, {RESPONSE}", (RESPONSE, False)),
        (f"{RESPONSE};charset=utf-8, text/event-stream", (RESPONSE, True)),
        ("text/event-stream", (None, True)),
        ("text/html", (None, False)),
        ("application/json;q=0", (None, False)),
        ("application/json;q=x", (None, False)),
        ("application/json;q=nan", (None, False)),
        ("application/json;q=-1", (None, False)),
        ("application/json;q=0, */*", (RESPONSE, False)),
        ("*/*, application/*;q=0", (None, False)),
        (f"{RESPONSE};q=0, */*;q=0.1", (responses.JSON, False)),
        (f"{RESPONSE}, application/json;q=nan", (RESPONSE, False)),
        (",,;q=1,", (None, False)),
    ],
)
def test_the_accept_header_determines_the_media_type_and_the_streaming(
    accept: str, expected: tuple[str | None, bool]
) -> None:
    assert responses.parse_accept(accept) == expected


async def test_an_invalid_document_is_a_400_only_with_the_media_type_graphql_response(
    key: str, graphql: Client
) -> None:
    for accept, status, has_data in (("application/json", 200, True), (RESPONSE, 400, False)):
        headers = {"Authorization": f"Bearer {key}", "Accept": accept}
        for query in ("{", "{ nothing }", "query Q($id: ID!) { instance(id: $id) { id } }"):
            answer = await graphql.http.post(URL, json={"query": query}, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (status, accept)
            assert ("data" in answer.json()) is has_data
        wrong = {"query": "{ instances(first: 2000) { totalCount } account { id } }"}
        answer = await graphql.http.post(URL, json=wrong, headers=headers)
        assert answer.status_code == 200  # the document was executed, and a field has an error


@pytest.mark.parametrize("accept", ["application/json", RESPONSE, f"{RESPONSE}, application/json;q=0.9"])
async def test_a_refusal_has_the_preferred_media_type(key: str, graphql: Client, accept: str) -> None:
    wanted = accept.partition(",")[0]
    introspection = b'{"query": "{ __schema { description } }"}'
    for authorization, body, status in (
        ("", b"{}", 401),
        (f"Bearer {key}", b"[]", 400),
        (f"Bearer {key}", introspection, 400),
        (f"Bearer {key}", b" " * 3_000_000, 413),
    ):
        headers = {"Authorization": authorization, "Accept": accept, "Content-Type": "application/json"}
        answer = await graphql.http.post(URL, content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, wanted)
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.json().keys() == ({"errors"} if wanted == RESPONSE else {"data", "errors"})


async def test_an_empty_parameter_of_the_url_is_ignored(key: str, graphql: Client) -> None:
    parameters = {"query": "query Mine { account { id } }"}
    for name in ("operationName", "variables", "extensions", "documentId"):
        parameters[name] = ""
        answer = await graphql.http.get(URL, params=parameters, headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["data"] == {"account": {"id": "a"}}


async def test_error_messages_do_not_reveal_names_of_the_schema(key: str, graphql: Client) -> None:
    graphql.key = key
    for query in (
        "{ acount { id } }",
        "{ account { nam } }",
        "{ instance(di: 1) { id } }",
        "query Q($x: Instan) { a }",
    ):
        assert all("mean" not in error["message"] for error in await graphql.errors(query))


async def test_a_request_that_accepts_only_unsupported_media_types_is_not_executed(
    world: World, key: str, graphql: Client
) -> None:
    before = await world.snapshot()
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/html"}
    mutation_body = {"query": "mutation { resetCalendarToken { token } }"}
    answer = await graphql.http.post(URL, json=mutation_body, headers=headers)
    assert answer.status_code == 406
    assert await world.snapshot() == before


async def test_the_refusal_of_a_method_lists_the_allowed_methods(key: str, graphql: Client) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        answer = await graphql.http.request(method, URL, headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    mutation_body = {"query": "mutation { resetCalendarToken { token } }"}
    answer = await graphql.http.get(URL, params=mutation_body, headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_only_a_page_of_an_allowed_origin_may_send_requests(
    cors_client: httpx2.AsyncClient, graphql: Client
) -> None:
    preflight_headers = {
        "Origin": CONSOLE_ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, apollographql-client-name,"
        " apollographql-client-version, apollo-require-preflight, baggage, sentry-trace, x-requested-with",
    }
    allowed = await cors_client.request("OPTIONS", URL, headers=preflight_headers)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == CONSOLE_ORIGIN
    assert "access-control-allow-credentials" not in allowed.headers
    answer = await cors_client.post(URL, json=ACCOUNT, headers={"Origin": CONSOLE_ORIGIN})
    assert answer.headers["access-control-allow-origin"] == CONSOLE_ORIGIN
    assert "Content-Disposition" in answer.headers["access-control-expose-headers"]
    unknown = preflight_headers | {"Access-Control-Request-Headers": "x-unknown"}
    assert (await cors_client.request("OPTIONS", URL, headers=unknown)).status_code == 400
    for client, origin in (
        (cors_client, "https://evil.example"),
        (cors_client, "null"),
        (graphql.http, CONSOLE_ORIGIN),
    ):
        refused = await client.request("OPTIONS", URL, headers=preflight_headers | {"Origin": origin})
        assert 400 <= refused.status_code < 500
        assert "access-control-allow-origin" not in refused.headers


async def test_every_response_has_the_security_headers(key: str, graphql: Client) -> None:
    for path, headers in (("graphql", {"Authorization": f"Bearer {key}"}), ("graphql", {}), ("nothing", {})):
        answer = await graphql.http.post(f"http://testserver/{path}", json=ACCOUNT, headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "strict-transport-security" not in answer.headers
    answer = await graphql.http.post(URL.replace("http:", "https:"), json=ACCOUNT)
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("accept", ["application/json", RESPONSE])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity", "x"])
async def test_only_a_long_response_is_compressed_with_a_coding_that_its_client_accepts(
    world: World, key: str, graphql: Client, coding: str, accept: str
) -> None:
    for number in range(50):
        await world.instance(f"i-{number}")
    body = {"query": "{ instances(first: 50) { nodes { id name expiresAt } } }"}
    headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": coding, "Accept": accept}
    answer = await graphql.http.post(URL, json=body, headers=headers)
    assert answer.headers["content-type"] == accept
    assert answer.headers.get("content-encoding", "identity") == (coding if coding != "x" else "identity")
    if coding != "zstd":  # the client may not support it
        assert len(orjson.loads(answer.content)["data"]["instances"]["nodes"]) == 50
    short = await graphql.http.post(URL, json=ACCOUNT, headers=headers)
    assert "content-encoding" not in short.headers
    request = graphql.http.build_request("POST", URL, json=body, headers=headers)
    del request.headers["accept-encoding"]
    plain = await graphql.http.send(request)
    assert "content-encoding" not in plain.headers and len(plain.content) > direct_routes.COMPRESSED_BYTES_MIN
