"""Documents sent by hash or id: automatic persisted queries (APQ) and trusted documents."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from graphql_api import app
from graphql_api.graphql import http_request, persisted_queries, trusted_documents
from renewals import config
from schema.customer import schema as customer_schema
from schema.limits import document_limits
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

QUERY = "query Mine { account { id } }"
MINE = {"account": {"id": "a"}}


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def hashed(text: str, /, **members: Any) -> dict[str, Any]:
    """Return a request with the hash of a document, as Apollo's clients send it."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}, **members}


@pytest.fixture
async def key(world: World) -> str:
    await world.account("a")
    return await world.key("a")


@pytest.fixture
async def ask(key: str, graphql: Client) -> Callable[[Any], Any]:
    async def post(body: Any) -> Any:
        answer = await graphql.http.post(URL, json=body, headers={"Authorization": f"Bearer {key}"})
        return answer.status_code, answer.json()

    return post


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["errors"][0]["extensions"]["code"]


async def test_a_document_is_sent_once_with_its_hash(ask: Any, key: str, graphql: Client) -> None:
    assert code(await ask(hashed(QUERY))) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert (await ask(hashed(QUERY, query=QUERY)))[1]["data"] == MINE
    assert (await ask(hashed(QUERY)))[1]["data"] == MINE
    parameters = {"extensions": orjson.dumps(hashed(QUERY)["extensions"]).decode()}
    answer = await graphql.http.get(URL, params=parameters, headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["data"] == MINE


async def test_a_document_with_a_wrong_hash_is_refused(ask: Any) -> None:
    assert code(await ask(hashed(QUERY, query="{ account { name } }"))) == (400, "BAD_REQUEST")
    assert code(await ask(hashed(QUERY))) == (200, "PERSISTED_QUERY_NOT_FOUND")
    nonsense: tuple[Any, ...] = (
        1,
        "x",
        [],
        {},
        {"sha256Hash": 1},
        {"sha256Hash": "x"},
        {"sha256Hash": "A" * 64},
    )
    for persisted in nonsense:
        assert code(await ask({"extensions": {"persistedQuery": persisted}})) == (400, "BAD_REQUEST")


async def test_documents_beyond_the_limits_are_not_cached(ask: Any) -> None:
    wide = "{ " + "__typename " * 101 + "}"
    assert code(await ask(hashed(wide, query=wide))) == (400, "TOO_MANY_ROOT_FIELDS")
    assert code(await ask(hashed(wide))) == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_invalid_documents_are_not_cached(ask: Any) -> None:
    for query in ("{", "{ nothing }", "query ($id: Nothing) { account { id } }"):
        assert code(await ask(hashed(query, query=query))) == (200, "BAD_REQUEST")
        assert code(await ask(hashed(query))) == (200, "PERSISTED_QUERY_NOT_FOUND")


def built(manifest: Path, **settings: object) -> trusted_documents.TrustedDocuments:
    return trusted_documents.load_trusted_documents(
        config.get_settings().model_copy(update=settings),
        document_limits.Limits.of(config.get_settings()),
        customer_schema.schema,
        built_manifest=manifest,
    )


def test_the_documents_of_the_console_are_trusted_once_it_is_built_and_after_each_build(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "persisted-documents.json"
    documents = built(manifest, trusted_documents_only=True)
    assert documents.find(digest(QUERY)) is None
    manifest.write_bytes(orjson.dumps({f"sha256:{digest(QUERY)}": QUERY}))
    assert documents.find(f"sha256:{digest(QUERY)}") == documents.find(digest(QUERY)) == QUERY
    assert not documents.allows("{ account { name } }")
    other = "{ account { name } }"
    manifest.write_bytes(orjson.dumps({digest(other): other}))
    os.utime(manifest, ns=(1, 1))
    assert documents.find(digest(other)) == other


@pytest.mark.parametrize("text", ["{", '{"x": 1}', '{"x": "{ nothing }"}', '{"x": "{"}'])
def test_a_console_of_another_version_is_logged_and_stops_nothing(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = tmp_path / "persisted-documents.json"
    manifest.write_text(text)
    documents = built(manifest)
    assert documents.find("x") is None
    assert documents.find("x") is None
    assert caplog.text.count("the console must be built again") == 1


async def test_a_document_that_is_too_costly_for_some_variables_may_be_trusted(tmp_path: Path) -> None:
    query = "query Q($n: Int!) { instances(first: $n) { nodes { orders(first: $n) { id } } } }"
    manifest = tmp_path / "trusted.json"
    manifest.write_bytes(orjson.dumps({"q": query}))
    settings = config.get_settings().model_copy(update={"trusted_documents": manifest})
    trusted = trusted_documents.load_trusted_documents(
        settings, document_limits.Limits.of(settings), customer_schema.schema
    )
    assert trusted.find("q") == query


def test_the_cache_is_limited_and_removes_the_oldest_first() -> None:
    cache = persisted_queries.PersistedQueryCache(characters_max=700)  # a document takes 300 besides its text
    for name in "abc":
        cache.add(name, name * 40)
    assert [cache.find(name) is not None for name in "abc"] == [False, True, True]
    cache.find("b")
    cache.add("d", "d" * 40)
    assert [cache.find(name) is not None for name in "bcd"] == [True, False, True]
    cache.add("long", "l" * 401)
    assert cache.find("long") is None
    assert cache.find("b") is not None


def test_the_cache_can_be_disabled() -> None:
    store = persisted_queries.DocumentStore(
        customer_schema.schema, trusted_documents.TrustedDocuments({}, only=False), characters_max=0
    )
    with pytest.raises(Exception, match="PersistedQueryNotSupported"):
        store.find(http_request.build_request(hashed(QUERY)))


@pytest.fixture
async def trusting_client(key: str, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Yield a client of an application that executes only trusted documents."""
    manifest = tmp_path / "trusted.json"
    manifest.write_bytes(orjson.dumps({f"sha256:{digest(QUERY)}": QUERY, "names": "{ account { name } }"}))
    settings = config.get_settings().model_copy(
        update={"trusted_documents": manifest, "trusted_documents_only": True, "graphiql": False}
    )
    transport = httpx2.ASGITransport(app=app.create(settings))
    async with httpx2.AsyncClient(transport=transport, headers={"Authorization": f"Bearer {key}"}) as client:

        async def post(body: Any) -> Any:
            answer = await client.post(URL, json=body)
            return answer.status_code, answer.json()

        yield post


async def test_only_trusted_documents_are_executed_with_the_setting(trusting_client: Any) -> None:
    for body in (
        {"documentId": f"sha256:{digest(QUERY)}"},
        {"documentId": digest(QUERY)},
        hashed(QUERY),
        {"query": QUERY},
    ):
        assert (await trusting_client(body))[1]["data"] == MINE
    assert (await trusting_client({"documentId": "names"}))[1]["data"]["account"].keys() == {"name"}
    for body in (
        {"query": "{ account { id name } }"},
        {"query": "mutation { resetCalendarToken { token } }"},
        hashed("{ account { id name } }"),
        hashed("{ account { id name } }", query="{ account { id name } }"),
        {"documentId": "other"},
    ):
        assert code(await trusting_client(body)) == (400, "DOCUMENT_NOT_TRUSTED")


async def test_a_request_without_a_document_is_refused(ask: Any) -> None:
    bodies: tuple[dict[str, Any], ...] = ({}, {"query": ""}, {"variables": {}})
    for body in bodies:
        assert code(await ask(body)) == (400, "BAD_REQUEST")
    assert code(await ask({"documentId": "x"})) == (400, "DOCUMENT_NOT_TRUSTED")
    assert code(await ask({"documentId": 1})) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("manifest", "word"),
    [
        (b"[]", "JSON object"),
        (b"{", "trusted.json"),
        (b'{"a": 1}', "JSON object"),
        (b'{"a": "{ nothing }"}', "does not match the schema"),
        (b'{"a": "{"}', "cannot be parsed"),
        (orjson.dumps({"a": "{ " + "__typename " * 101 + "}"}), "exceeds the limits"),
        (b'{"a": "{ __schema { description } }"}', "exceeds the limits"),
        (orjson.dumps({"a": "{ account " * 2_000}), "cannot be parsed"),
        (orjson.dumps({digest(QUERY): "{ account { name } }"}), "is not the SHA-256 hash of its document"),
        (b'{"format": "apollo-persisted-query-manifest", "operations": 1}', "list of objects"),
    ],
)
def test_a_manifest_that_cannot_be_used_stops_the_start(tmp_path: Path, manifest: bytes, word: str) -> None:
    (tmp_path / "trusted.json").write_bytes(manifest)
    settings = config.get_settings().model_copy(update={"trusted_documents": tmp_path / "trusted.json"})
    with pytest.raises(trusted_documents.ManifestError, match=word):
        trusted_documents.load_trusted_documents(
            settings, document_limits.Limits.of(settings), customer_schema.schema
        )


def test_a_manifest_may_be_apollos(tmp_path: Path) -> None:
    operations = [{"id": digest(QUERY), "body": QUERY, "name": "Mine", "type": "query"}]
    path = tmp_path / "manifest.json"
    path.write_bytes(
        orjson.dumps({"format": trusted_documents.APOLLO_FORMAT, "version": 1, "operations": operations})
    )
    assert trusted_documents.read_manifest(path) == {digest(QUERY): QUERY}
