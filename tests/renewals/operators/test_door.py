"""Test access to the customers' and the operator API, and that neither API reveals the other."""

from collections.abc import MutableMapping
from typing import Any

import httpx2
import pytest

from graphql_api import app
from renewals import config
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import model
from schema.context import Context
from schema.customer import schema as customer_schema
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import URL, Client
from tests.support.operator_client import OPERATOR_URL, Operator

NAMES = "{ __schema { types { name } queryType { fields { name } } mutationType { fields { name } } } }"


async def test_an_operator_reads_every_account(world: World, operator: Operator) -> None:
    await world.account("a")
    await world.account("b", balance="5.00")
    answer = await operator('{ accounts { totalCount nodes { id balance } } account(id: "b") { name } }')
    assert answer == {
        "accounts": {
            "totalCount": 2,
            "nodes": [{"id": "a", "balance": "0.00"}, {"id": "b", "balance": "5.00"}],
        },
        "account": {"name": "Account b"},
    }


async def test_a_key_of_another_role_is_refused_by_each_api_with_the_same_response(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    keys = {"RENEWER": await world.key("a"), "OPERATOR": operator.key, "nobody's": "rk_0_0"}
    keys["CALENDAR"] = await api_keys.create(database.pool(), "a", NOW, role=model.Role.CALENDAR)
    accesses = set()
    refusals = set()
    for url in (URL, OPERATOR_URL):
        for role, key in keys.items():
            answer = await operator.http.post(
                url, json={"query": "{ __typename }"}, headers={"Authorization": f"Bearer {key}"}
            )
            if answer.status_code == 200:
                accesses.add((url, role))
            else:
                refusals.add((answer.status_code, answer.content, answer.headers["www-authenticate"]))
    assert accesses == {(URL, "RENEWER"), (OPERATOR_URL, "OPERATOR")}
    assert len(refusals) == 1, "all refusals are the same"


async def test_a_revoked_or_expired_operator_key_has_no_access(world: World, operator: Operator) -> None:
    await database.execute(database.pool(), "UPDATE api_keys SET expires_at = $1", NOW)
    assert (await operator.post("{ __typename }")).status_code == 401
    await database.execute(database.pool(), "UPDATE api_keys SET expires_at = NULL, revoked_at = $1", NOW)
    assert (await operator.post("{ __typename }")).status_code == 401


async def test_the_operator_api_accepts_no_web_socket(operator: Operator) -> None:
    scope = {
        "type": "websocket",
        "path": "/operator/graphql",
        "headers": [(b"authorization", f"Bearer {operator.key}".encode())],
        "query_string": b"",
        "subprotocols": ["graphql-transport-ws"],
    }
    sent = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append((message["type"], message.get("code")))

    await app.create()(scope, receive, send)
    assert sent == [("websocket.close", 1000)], "the connection is not accepted"


async def test_the_operator_api_returns_404_without_the_setting_operator_api(world: World) -> None:
    client = Client()
    client.key = await world.operator_key()
    async with client.http:
        client.url = OPERATOR_URL
        assert (await client.post("{ __typename }")).status_code == 404


async def test_the_customers_schema_contains_no_operator_type(world: World) -> None:
    context = Context("a", clocks.utc_now)
    type_names = str((await customer_schema.schema.execute(NAMES, context_value=context)).data)
    assert "renewInstances" in type_names
    for word in (
        "createAccount",
        "registerInstances",
        "auditLog",
        "ApiKey",
        "'Percent'",
        "scalar Percent",
        "Operator",
    ):
        assert word not in type_names
        assert word not in customer_schema.sdl()


async def test_the_operators_app_serves_no_customer_api(world: World, operator: Operator) -> None:
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.create_for_operators()))
    async with client:
        headers = {"Authorization": f"Bearer {operator.key}"}
        request = {"query": "{ __typename }"}
        assert (await client.post(OPERATOR_URL, json=request, headers=headers)).status_code == 200
        assert (await client.post(URL, json=request, headers=headers)).status_code == 404
        assert (await client.get(URL.replace("/graphql", "/healthz"))).status_code == 200


async def test_the_operators_app_refuses_a_subscription_with_bad_request(
    world: World, operator: Operator
) -> None:
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.create_for_operators()))
    async with client:
        for accepted in ("text/event-stream", "application/json"):
            headers = {"Authorization": f"Bearer {operator.key}", "Accept": accepted}
            request = {"query": "subscription { events { sequence } }"}
            response = await client.post(OPERATOR_URL, json=request, headers=headers)
            assert response.status_code < 500, response.text
            assert "BAD_REQUEST" in response.text


async def test_a_cached_operation_is_authorized_for_each_request(world: World, operator: Operator) -> None:
    """The cache stores operations, not their callers."""
    await world.account("a")
    query = "{ accounts { nodes { id } } }"
    first = [await operator(query) for _ in range(3)]
    assert first == [{"accounts": {"nodes": [{"id": "a"}]}}] * 3
    operator.key = await world.key("a")
    assert (await operator.post(query)).status_code == 401


async def test_the_operator_api_returns_a_query_as_an_event_stream_but_refuses_a_subscription(
    operator: Operator,
) -> None:
    headers = {"Authorization": f"Bearer {operator.key}", "Accept": "text/event-stream"}
    request = {"query": "{ accounts { totalCount } }"}
    answer = await operator.http.post(OPERATOR_URL, json=request, headers=headers)
    assert answer.text.startswith('event: next\r\ndata: {"data":{"accounts":{"totalCount":0}}')
    assert answer.text.endswith("event: complete\r\ndata: \r\n\r\n")
    [error] = await operator.errors("subscription { events { sequence } }")
    assert error["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("path", ["/operator", "/operator/", "/operator/graphql/x"])
async def test_other_paths_below_operator_return_404(operator: Operator, path: str) -> None:
    assert (await operator.http.get(f"http://testserver{path}")).status_code == 404


def test_the_operator_api_is_off_by_default() -> None:
    assert config.Settings.model_fields["operator_api"].default is False
