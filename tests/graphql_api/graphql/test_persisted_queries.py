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
OWN_ACCOUNT = {"account": {"id": "a"}}


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def build_hashed(text: str, /, **members: Any) -> dict[str, Any]:
    """Return a request with the hash of a document, as Apollo's clients send it."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}, **members}


@pytest.fixture
async def key(world: World) -> str:
    await world.account("a")
    return await world.key("a")


@pytest.fixture
async def send(key: str, graphql: Client) -> Callable[[Any], Any]:
    async def post(body: Any) -> Any:
        answer = await graphql.http.post(URL, json=body, headers={"Authorization": f"Bearer {key}"})
        return answer.status_code, answer.json()

    return post


def read_code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["errors"][0]["extensions"]["code"]


async def test_a_document_sent_once_with_its_hash_can_be_requested_by_the_hash(
    send: Any, key: str, graphql: Client
) -> None:
    assert read_code(await send(build_hashed(QUERY))) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert (await send(build_hashed(QUERY, query=QUERY)))[1]["data"] == OWN_ACCOUNT
    assert (await send(build_hashed(QUERY)))[1]["data"] == OWN_ACCOUNT
    parameters = {"extensions": orjson.dumps(build_hashed(QUERY)["extensions"]).decode()}
    answer = await graphql.http.get(URL, params=parameters, headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["data"] == OWN_ACCOUNT


async def test_a_document_with_a_wrong_or_invalid_hash_is_refused(send: Any) -> None:
    assert read_code(await send(build_hashed(QUERY, query="{ account { name } }"))) == (400, "BAD_REQUEST")
    assert read_code(await send(build_hashed(QUERY))) == (200, "PERSISTED_QUERY_NOT_FOUND")
    invalid: tuple[Any, ...] = (
        1,
        "x",
        [],
        {},
        {"sha256Hash": 1},
        {"sha256Hash": "x"},
        {"sha256Hash": "A" * 64},
    )
    for persisted in invalid:
        assert read_code(await send({"extensions": {"persistedQuery": persisted}})) == (400, "BAD_REQUEST")


async def test_a_hash_is_compared_with_the_document_even_if_an_id_is_sent_too(send: Any) -> None:
    other = build_hashed(QUERY, query="{ account { name } }", documentId="x")
    assert read_code(await send(other)) == (400, "BAD_REQUEST")
    malformed = {"query": QUERY, "documentId": "x", "extensions": {"persistedQuery": {"sha256Hash": "x"}}}
    assert read_code(await send(malformed)) == (400, "BAD_REQUEST")
    assert read_code(await send(build_hashed(QUERY))) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert (await send(build_hashed(QUERY, query=QUERY, documentId="x")))[1]["data"] == OWN_ACCOUNT
    assert (await send(build_hashed(QUERY)))[1]["data"] == OWN_ACCOUNT


async def test_documents_beyond_the_limits_are_not_cached(send: Any) -> None:
    wide = "{ " + "__typename " * 101 + "}"
    assert read_code(await send(build_hashed(wide, query=wide))) == (400, "TOO_MANY_ROOT_FIELDS")
    assert read_code(await send(build_hashed(wide))) == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_invalid_documents_are_not_cached(send: Any) -> None:
    for query in ("{", "{ nothing }", "query ($id: Nothing) { account { id } }"):
        assert read_code(await send(build_hashed(query, query=query))) == (200, "BAD_REQUEST")
        assert read_code(await send(build_hashed(query))) == (200, "PERSISTED_QUERY_NOT_FOUND")


def load_documents(manifest: Path, **settings: object) -> trusted_documents.TrustedDocuments:
    return trusted_documents.load_trusted_documents(
        config.get_settings().model_copy(update=settings),
        document_limits.Limits.of(config.get_settings()),
        customer_schema.schema,
        built_manifest=manifest,
    )


def test_the_documents_of_the_console_are_trusted_after_each_build(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "persisted-documents.json"
    documents = load_documents(manifest, trusted_documents_only=True)
    assert documents.find(digest(QUERY)) is None
    manifest.write_bytes(orjson.dumps({f"sha256:{digest(QUERY)}": QUERY}))
    assert documents.find(f"sha256:{digest(QUERY)}") == documents.find(digest(QUERY)) == QUERY
    assert not documents.allows("{ account { name } }")
    other = "{ account { name } }"
    manifest.write_bytes(orjson.dumps({digest(other): other}))
    os.utime(manifest, ns=(1, 1))
    assert documents.find(digest(other)) == other


@pytest.mark.parametrize("text", ["{", '{"x": 1}', '{"x": "{ nothing }"}', '{"x": "{"}'])
def test_an_invalid_manifest_of_the_console_is_logged_once_and_ignored(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = tmp_path / "persisted-documents.json"
    manifest.write_text(text)
    documents = load_documents(manifest)
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


def test_a_full_cache_removes_the_least_recently_used_document() -> None:
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


def test_a_hash_is_not_supported_if_the_cache_is_disabled() -> None:
    store = persisted_queries.DocumentStore(
        customer_schema.schema, trusted_documents.TrustedDocuments({}, only=False), characters_max=0
    )
    with pytest.raises(Exception, match="PersistedQueryNotSupported"):
        store.find(http_request.build_request(build_hashed(QUERY)))


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


async def test_only_trusted_documents_are_executed_if_the_setting_requires_it(trusting_client: Any) -> None:
    for body in (
        {"documentId": f"sha256:{digest(QUERY)}"},
        {"documentId": digest(QUERY)},
        build_hashed(QUERY),
        {"query": QUERY},
    ):
        assert (await trusting_client(body))[1]["data"] == OWN_ACCOUNT
    unused = {"persistedQuery": {"version": 1, "sha256Hash": "x"}}
    for body in ({"documentId": "names"}, {"documentId": "names", "extensions": unused}):
        assert (await trusting_client(body))[1]["data"]["account"].keys() == {"name"}
    for body in (
        {"query": "{ account { id name } }"},
        {"query": "mutation { resetCalendarToken { token } }"},
        build_hashed("{ account { id name } }"),
        build_hashed("{ account { id name } }", query="{ account { id name } }"),
        {"documentId": "other"},
    ):
        assert read_code(await trusting_client(body)) == (400, "DOCUMENT_NOT_TRUSTED")


async def test_a_request_without_a_known_document_is_refused(send: Any) -> None:
    bodies: tuple[dict[str, Any], ...] = ({}, {"query": ""}, {"variables": {}})
    for body in bodies:
        assert read_code(await send(body)) == (400, "BAD_REQUEST")
    assert read_code(await send({"documentId": "x"})) == (400, "DOCUMENT_NOT_TRUSTED")
    assert read_code(await send({"documentId": 1})) == (400, "BAD_REQUEST")


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
def test_an_invalid_manifest_of_trusted_documents_is_refused_with_the_reason(
    tmp_path: Path, manifest: bytes, word: str
) -> None:
    (tmp_path / "trusted.json").write_bytes(manifest)
    settings = config.get_settings().model_copy(update={"trusted_documents": tmp_path / "trusted.json"})
    with pytest.raises(trusted_documents.ManifestError, match=word):
        trusted_documents.load_trusted_documents(
            settings, document_limits.Limits.of(settings), customer_schema.schema
        )


def test_a_manifest_in_the_format_of_apollo_is_accepted(tmp_path: Path) -> None:
    operations = [{"id": digest(QUERY), "body": QUERY, "name": "Mine", "type": "query"}]
    path = tmp_path / "manifest.json"
    path.write_bytes(
        orjson.dumps({"format": trusted_documents.APOLLO_FORMAT, "version": 1, "operations": operations})
    )
    assert trusted_documents.read_manifest(path) == {digest(QUERY): QUERY}
