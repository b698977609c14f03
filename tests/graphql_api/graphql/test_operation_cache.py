"""A cached operation has the same response as its first execution, and as an execution by the schema itself."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
import pytest
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from renewals.domain import clock as clocks
from schema.context import Context
from schema.customer import query as customer_query
from schema.customer import schema as customer_schema
from schema.execution import executor, operation_cache
from schema.execution import schema as execution_schema
from schema.fields import sources
from schema.limits import document_cache
from schema.shared import scalars
from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

LIST = """query List($filter: InstanceFilter, $first: Int, $more: Boolean = true, $order: InstanceOrder) {
  instances(filter: $filter, first: $first, orderBy: $order) {
    totalCount
    nodes { ...Row product { code nameZh } dataCenter @include(if: $more) { name type { code } } }
    edges { cursor node { id bundle { id instances { id expiresAt } } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    facets @skip(if: $more) { tabs { value count } expiry { value count } }
  }
  again: instances(first: 1) { nodes { __typename summarize: id configuration { label value } } }
}
fragment Row on Instance {
  id name status expiresAt createdAt monthlyPrice attempts { id } orders { id lines { price } }
}"""
TWO = "query One { account { id } } query Two { account { name balance vouchers { id available } } }"
REQUESTS: list[tuple[str, dict[str, Any] | None, str | None]] = [
    ("{ account { id name balance timeZone } }", None, None),
    ("{ account { id } }", {"unknown": 1}, None),
    (LIST, {}, None),
    (LIST, {"first": 1, "more": False}, "List"),
    (LIST, {"first": None, "filter": {"tab": "MANUAL", "products": None}}, "List"),
    (LIST, {"filter": {"tab": "AUTO", "expiresFrom": "2027-01-01T00:00:00+08:00"}}, None),
    (LIST, {"order": {"field": "NAME", "direction": "DESC"}}, None),
    (LIST, {"first": -1}, None),
    (LIST, {"first": "1"}, None),
    (LIST, {"first": 10**12}, None),
    (LIST, {"filter": {"tab": "NOWHERE"}}, None),
    (LIST, {"filter": {"nonsense": 1}}, None),
    (LIST, {"filter": {"expiresFrom": "yesterday"}}, None),
    (LIST, {"more": None}, None),
    (LIST, {"more": "yes"}, None),
    (LIST, {}, "Other"),
    (TWO, None, None),
    (TWO, None, "Two"),
    (TWO, None, "One"),
    ("query ($id: ID!) { instance(id: $id) { id status } }", {"id": "i-1"}, None),
    ("query ($id: ID!) { instance(id: $id) { id status } }", {"id": 7}, None),
    ("query ($id: ID!) { instance(id: $id) { id status } }", {}, None),
    ("query ($id: ID!) { instance(id: $id) { id status } }", {"id": None}, None),
    ('query ($id: ID = "i-2") { instance(id: $id) { id } }', {}, None),
    ("query ($ids: [ID!]) { instances(filter: {ids: $ids}) { nodes { id } } }", {"ids": "i-1"}, None),
    ("{ instances(first: 100000) { nodes { id } } account { id } }", None, None),
    ("{ account { secret } }", None, None),
    ("{ account {", None, None),
    ("subscription { account { id } }", None, None),
]  # fmt: skip


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    """Return a client of account `a`, which has instances of each kind."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1", mode="AUTO")
    await world.instance("i-2", bundle="b")
    await world.instance("i-3", bundle="b")
    await world.instance("i-4", expires=None)
    await world.voucher("20.00", voucher_id=str(uuid.uuid4()))
    graphql.key = await world.key("a")
    customer_schema.schema.operations = operation_cache.Operations(customer_schema.schema._schema)
    return graphql


async def post(client: Client, query: str, variables: Any, name: str | None) -> httpx2.Response:
    body = {"query": query, "variables": variables, "operationName": name}
    headers = {"Authorization": f"Bearer {client.key}"}
    return await client.http.post(URL, json=body, headers=headers)


def summarize(answer: httpx2.Response) -> tuple[int, str, bytes]:
    return answer.status_code, answer.headers["content-type"], answer.content


@pytest.mark.parametrize(("query", "variables", "name"), REQUESTS)
async def test_the_response_of_a_repeated_request_equals_the_first(
    client: Client, query: str, variables: dict[str, Any] | None, name: str | None
) -> None:
    first = await post(client, query, variables, name)
    for _ in range(3):
        assert summarize(await post(client, query, variables, name)) == summarize(first)


async def test_a_valid_document_is_parsed_and_validated_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await post(client, LIST, {"first": 2}, None)
    assert "errors" not in first.json()

    async def fail(*_: object, **__: object) -> None:
        raise AssertionError("the document was executed without the cache")

    monkeypatch.setattr(customer_schema.schema, "execute", fail)
    assert summarize(await post(client, LIST, {"first": 2}, None)) == summarize(first)
    filtered = (await post(client, LIST, {"first": 1, "filter": {"tab": "NO_EXPIRY"}}, None)).json()["data"]
    assert [node["id"] for node in filtered["instances"]["nodes"]] == ["i-4"]


@pytest.mark.parametrize("verb", [customer.RENEW, customer.UNIFY, customer.SET_POLICY])
async def test_a_repeated_order_has_the_same_response_and_a_repeated_policy_succeeds(
    client: Client, verb: str
) -> None:
    arguments: dict[str, dict[str, Any]] = {
        customer.RENEW: {"months": 1, "idempotencyKey": "key"},
        customer.UNIFY: {"target": {"date": "2027-06-30"}, "idempotencyKey": "key"},
        customer.SET_POLICY: {"mode": "MANUAL"},
    }
    request = {"input": {"selection": {"ids": ["i-1"]}, **arguments[verb]}}
    first = (await post(client, verb, request, None)).json()
    assert "errors" not in first
    answers = [(await post(client, verb, request, None)).json() for _ in range(3)]
    if verb == customer.SET_POLICY:
        assert all("errors" not in answer for answer in answers)
    else:
        assert answers == [first] * 3  # all responses have the order of the idempotency key


async def test_invalid_or_long_documents_are_not_cached(client: Client) -> None:
    cache = customer_schema.schema.operations
    long = "{ account { id } }" + " " * document_cache.CHARACTERS_KEPT_MAX
    for query in (
        "{ account { secret } }",
        "{ account {",
        TWO,
        "{ account { id } } { account { id } }",
        long,
    ):
        await post(client, query, None, None)
        assert cache.find(query, None) is None
    await post(client, "{ account { id } }", None, None)
    assert cache.find("{ account { id } }", None)
    assert cache.find("{ account { id } }", "Other") is None


async def test_the_cache_contains_a_limited_number_of_recently_used_documents(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_cache, "OPERATIONS_MAX", 3)
    documents = [f"{{ account {{ a{number}: id }} }}" for number in range(4)]
    for query in (*documents[:3], documents[0], documents[3]):
        await post(client, query, None, None)
    is_cached = [bool(customer_schema.schema.operations.find(query, None)) for query in documents]
    assert is_cached == [True, False, True, True]


UNUSUAL = [
    {"content": b'{"query": "{ account { id } }", "extensions": {}}'},
    {
        "content": b'{"query": "{ account { id } }"}',
        "headers": {"Content-Type": "APPLICATION/JSON;charset=UTF-8"},
    },
    {"content": b'[{"query": "{ account { id } }"}]'},
    {"content": b'{"query": "{ account { id } }", "variables": []}'},
    {"content": b'{"query": "{ account { id } }", "operationName": 1}'},
]


@pytest.mark.parametrize("sent", UNUSUAL)
async def test_the_response_of_an_unusual_request_does_not_depend_on_the_cache(
    client: Client, sent: dict[str, Any]
) -> None:
    async def send() -> tuple[int, str, bytes]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {client.key}"}
        headers |= sent.get("headers", {})
        return summarize(await client.http.post(URL, content=sent["content"], headers=headers))

    before = await send()
    await post(client, "{ account { id } }", None, None)
    assert await send() == before


async def test_a_schema_extension_is_called_for_each_request_of_a_cached_operation(client: Client) -> None:
    calls: list[str] = []

    class Observer(SchemaExtension):
        def on_operation(self) -> Iterator[None]:
            calls.append("begun")
            yield
            assert self.execution_context.result is not None
            calls.append(f"ended {self.execution_context.operation_name}")

        async def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(info.field_name)
            answer = _next(root, info, *args, **kwargs)
            return await answer if hasattr(answer, "__await__") else answer

        def get_results(self) -> dict[str, Any]:
            return {"seen": len(calls)}

    observed = execution_schema.RenewalSchema(
        query=customer_query.Query,
        config=StrawberryConfig(scalar_map=scalars.SCALARS, default_resolver=sources.read),
        execution_context_class=executor.Executor,
        extensions=[Observer],
    )
    query = "query Mine { instances(first: 2) { nodes { id name } } }"

    def context() -> Context:
        return Context(account_id="a", clock=clocks.utc_now)

    assert await observed.execute_cached(query, {}, None, context()) is None
    first = await observed.execute(query, context_value=context())
    expected, calls[:] = list(calls), []
    again = await observed.execute_cached(query, {}, None, context())
    assert again is not None
    assert calls == expected == ["begun", "instances", "nodes", *["id", "name"] * 2, "ended Mine"]
    assert (again.data, again.errors, again.extensions) == (first.data, first.errors, {"seen": len(calls)})


async def test_an_instant_of_a_cached_operation_has_the_format_of_the_scalar(client: Client) -> None:
    query = "{ instances { nodes { id expiresAt createdAt } } }"
    direct = await customer_schema.schema.execute(
        query, context_value=Context(account_id="a", clock=lambda: client.now)
    )
    for _ in range(2):
        assert (await post(client, query, None, None)).content == orjson.dumps(
            {"data": direct.data, "extensions": {"cost": 41}}
        )
