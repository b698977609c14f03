"""Internal errors of every layer: the client gets a code and an id, the log gets the traceback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest import mock

import httpx2
import orjson
import pytest
import websockets

from graphql_api import app
from graphql_api.auth import authentication
from graphql_api.graphql import http_request, result_writer, view, websocket, websocket_messages
from graphql_api.middleware import request_logging
from renewals import catalog
from renewals.accounts import api_keys
from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.events import event_log, pubsub
from renewals.exports import queries as export_queries
from renewals.forecasts import calendar_entries
from renewals.instances import selection
from renewals.operators import queries as operators_queries
from renewals.orders import repository as orders_repository
from schema.customer import schema as customer_schema
from schema.execution import executor, operation_cache
from schema.execution import schema as execution_schema
from tests.observability.conftest import Lines, Serve
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client
from tests.support.operator_client import OPERATOR_URL

SECRET = "postgres://ops:hunter2@10.1.2.3/billing"
HOST = "http://testserver"
ACCOUNT = "{ account { id name } }"
RENEW = """mutation { renewInstances(input: {
    selection: {ids: ["i-1"]}, months: 1, idempotencyKey: "key"}) { __typename } }"""


class UnexpectedError(Exception):
    """An unexpected error whose message contains secrets."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__(f"cannot reach {SECRET}\nat all")


def fail(*_: Any, **__: Any) -> Any:
    raise UnexpectedError


async def fail_async(*_: Any, **__: Any) -> Any:
    raise UnexpectedError


@pytest.fixture
async def customer(world: World, graphql: Client) -> Client:
    """A client of account `a`, which has a balance and an instance."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    graphql.key = await world.key("a")
    return graphql


def assert_internal_error(response: httpx2.Response, lines: Lines) -> str:
    """Check that a response has one error without details, and that the log has its id; return the id."""
    assert (
        SECRET not in response.text
        and "UnexpectedError" not in response.text
        and "hunter2" not in str(response.headers)
    )
    [error] = response.json()["errors"]
    assert error["message"] == "An internal error occurred."
    assert error["extensions"].keys() == {"code", "id"}
    assert error["extensions"]["code"] == "INTERNAL"
    assert_logged(error["extensions"]["id"], lines)
    [request] = lines.requests()
    assert request["codes"] == ["INTERNAL"]
    assert request["error_ids"] == [error["extensions"]["id"]]
    return str(error["extensions"]["id"])


def assert_logged(error_id: str, lines: Lines) -> None:
    """Check that the log has the id once, with a traceback and the id of the request."""
    [entry] = [entry for entry in lines.entries if entry.get("error_id") == error_id]
    assert entry["level"] == "error"
    assert "Traceback" in entry["exception"]
    assert entry["request_id"] == lines.requests()[-1]["request_id"]


LAYERS: dict[str, tuple[object, str, Callable[..., Any], str]] = {
    "authentication": (api_keys, "authenticate", fail_async, ACCOUNT),
    "parsing the body": (http_request, "read_body", fail_async, ACCOUNT),
    "parsing the document": (execution_schema.Parser, "on_parse", fail, ACCOUNT),
    "a rule of validation": (execution_schema.RequireOperationName, "on_validate", fail, ACCOUNT),
    "an extension": (operation_cache.CacheOperation, "on_execute", fail, ACCOUNT),
    "the start of the execution": (executor.Executor, "build", fail, ACCOUNT),
    "a resolver": (accounts_queries, "fetch_account", fail_async, ACCOUNT),
    "a loader": (
        catalog,
        "fetch_products",
        fail_async,
        '{ instance(id: "i-1") { id product { name } } }',
    ),
    "a resolver of a list": (
        catalog,
        "fetch_data_centers",
        fail_async,
        "{ dataCenters { code } }",
    ),
    "a writer": (orders_repository, "insert_orders", fail_async, RENEW),
    "the engine": (selection, "complete_selection", fail_async, RENEW),
    "the database": (database, "transaction", fail, RENEW),
    "the serializer": (result_writer.ResultWriter, "encode_json", fail, ACCOUNT),
    "the view": (view.GraphQLView, "_respond", fail_async, ACCOUNT),
}


@pytest.mark.parametrize("layer", LAYERS)
async def test_an_error_in_any_layer_returns_an_internal_error_and_is_logged(
    customer: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    place, name, failing, query = LAYERS[layer]
    monkeypatch.setattr(place, name, failing)
    # The comment makes the document new, so that no cached operation takes a shorter path.
    assert_internal_error(await customer.post(f"# {layer}\n{query}"), lines)


async def test_an_error_in_a_cached_operation_returns_an_internal_error_and_is_logged(
    customer: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    await customer(ACCOUNT)
    lines.clear()
    monkeypatch.setattr(accounts_queries, "fetch_account", fail_async)
    assert_internal_error(await customer.post(ACCOUNT), lines)
    assert lines.requests()[0]["kind"] == "query"


async def test_a_value_that_cannot_be_serialized_returns_an_internal_error_without_detail(
    customer: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(*_: object) -> dict[str, object]:
        return {"id": "a", "name": {SECRET: 1}}

    monkeypatch.setattr(accounts_queries, "fetch_account", fetch)
    response = await customer.post(ACCOUNT)
    assert SECRET not in response.text
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert_logged(error["extensions"]["id"], lines)


async def test_an_unexpected_error_in_a_scalar_returns_an_internal_error_without_detail(
    customer: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    date = customer_schema.schema._schema.type_map["Date"]
    monkeypatch.setattr(date, "parse_value", fail)
    monkeypatch.setattr(date, "coerce_input_value", fail)
    query = """query ($day: Date!) { quoteUnifyExpiry(input: {
        selection: {ids: ["i-1"]}, target: {date: $day}}) { total } }"""
    response = await customer.post(query, day="2027-03-01")
    assert SECRET not in response.text
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert_logged(error["extensions"]["id"], lines)


async def test_a_missing_table_returns_an_internal_error_without_its_name(
    world: World, customer: Client, lines: Lines
) -> None:
    await database.execute(database.pool(), "ALTER TABLE ledger_entries RENAME TO ledger_of_old")
    response = await customer.post("{ ledger { nodes { id } } }")
    assert "ledger_" not in response.text
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert_logged(error["extensions"]["id"], lines)


async def test_a_renewal_succeeds_without_redis_and_the_log_omits_the_password_of_redis(
    customer: Client, lines: Lines
) -> None:
    async with pubsub.connect("redis://:hunter2@127.0.0.1:1/0", listening=True):
        response = await customer.post(RENEW)
        assert response.json()["data"] == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}
        async with asyncio.timeout(10):
            while "cannot notify" not in "".join(lines.texts):  # noqa: ASYNC110 - a log has no event for it
                await asyncio.sleep(0.01)
    assert "hunter2" not in "".join(lines.texts)


async def test_an_error_after_the_commit_is_logged_and_the_renewal_succeeds(
    customer: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "publish", fail)
    response = await customer.post(RENEW)
    assert response.json()["data"] == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}
    assert SECRET in "".join(lines.texts)


async def test_an_operator_receives_an_internal_error_without_detail(
    world: World, lines: Lines, settings_override: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_override(operator_api=True)
    operator = Client()
    operator.url, operator.key = OPERATOR_URL, await world.operator_key()
    monkeypatch.setattr(operators_queries, "fetch_accounts", fail_async)
    async with operator.http:
        assert_internal_error(await operator.post("{ accounts { nodes { id } } }"), lines)
    assert lines.requests()[0]["role"] == "OPERATOR"


@pytest.mark.parametrize(
    ("path", "place", "name"),
    [
        ("/export/instances.csv", api_keys, "authenticate"),
        ("/export/instances.csv", accounts_queries, "fetch_account"),
        ("/export/ledger.jsonl", export_queries, "read_rows"),
        ("/calendar.ics", calendar_entries, "build_calendar"),
        ("/calendar.ics", authentication, "identify_calendar"),
    ],
)
async def test_a_failing_export_or_calendar_returns_an_internal_error_without_detail(
    customer: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, path: str, place: object, name: str
) -> None:
    monkeypatch.setattr(place, name, fail if name == "read_rows" and place is export_queries else fail_async)
    response = await customer.http.get(HOST + path, headers={"Authorization": f"Bearer {customer.key}"})
    assert response.status_code == 500
    assert_internal_error(response, lines)
    assert lines.requests()[0]["kind"] in ("export", "calendar")


async def test_an_export_that_fails_midway_ends_the_connection_and_is_logged(
    customer: Client, live: Serve, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_rows = export_queries.read_rows

    async def read_and_fail(*arguments: Any) -> AsyncIterator[Any]:
        async for page in read_rows(*arguments):
            yield page
        raise UnexpectedError

    monkeypatch.setattr(export_queries, "read_rows", read_and_fail)
    async with live() as address, httpx2.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {customer.key}"}
        with pytest.raises(httpx2.RemoteProtocolError) as disconnection:
            await client.get(f"http://{address}/export/instances.csv", headers=headers)
    assert SECRET not in str(disconnection.value)
    [request] = lines.requests()
    assert (request["status"], request["codes"]) == (200, ["INTERNAL"])
    assert_logged(request["error_ids"][0], lines)


async def test_a_failing_middleware_returns_an_internal_error_without_detail(
    world: World, lines: Lines
) -> None:
    transport = httpx2.ASGITransport(app=request_logging.RequestLoggingMiddleware(fail_async))
    async with httpx2.AsyncClient(transport=transport) as client:
        response = await client.get(HOST)
    assert response.status_code == 500
    assert_internal_error(response, lines)


async def test_an_error_in_the_router_returns_an_internal_error_without_detail(
    world: World, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starlette.routing.Router.app", fail_async)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.create())) as client:
        assert_internal_error(await client.get("/export/instances.csv"), lines)


EVENTS = "subscription { events(after: 0) { sequence } }"


async def _yield_event_then_fail(*_: object) -> AsyncIterator[event_log.Event]:
    yield event_log.Event(
        1, "policy.changed", mock.ANY, None, "{}", "WORKER", "worker", None, "Asia/Shanghai", "CNY", None
    )
    raise UnexpectedError


async def _subscribe_then_fail(*_: object) -> AsyncIterator[event_log.Event]:
    return _yield_event_then_fail()


@pytest.mark.parametrize("follow", [fail_async, _subscribe_then_fail])
async def test_failing_server_sent_events_return_an_internal_error_without_detail(
    customer: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, follow: Callable[..., Any]
) -> None:
    monkeypatch.setattr(event_log, "subscribe", follow)
    headers = {"Authorization": f"Bearer {customer.key}", "Accept": "text/event-stream"}
    response = await customer.http.post(URL, json={"query": EVENTS}, headers=headers)
    assert SECRET not in response.text and "UnexpectedError" not in response.text
    [request] = lines.requests()
    assert (request["kind"], request["codes"]) == ("subscription", ["INTERNAL"])
    assert request["error_ids"][0] in response.text
    assert_logged(request["error_ids"][0], lines)


@contextlib.asynccontextmanager
async def open_socket(address: str, key: str) -> AsyncIterator[websockets.ClientConnection]:
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(f"ws://{address}/graphql", subprotocols=[protocol]) as socket:
        payload = {"Authorization": f"Bearer {key}"}
        await socket.send(orjson.dumps({"type": "connection_init", "payload": payload}).decode())
        yield socket


async def read_messages(socket: websockets.ClientConnection) -> str:
    """Return all messages until the operation or the connection ends."""
    texts: list[str] = []
    with contextlib.suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(10):
            while not texts or orjson.loads(texts[-1])["type"] not in ("complete", "error"):
                texts.append(str(await socket.recv()))
                if orjson.loads(texts[-1])["type"] == "connection_ack":
                    request = {"type": "subscribe", "id": "1", "payload": {"query": EVENTS}}
                    await socket.send(orjson.dumps(request).decode())
    return "".join(texts) + (socket.close_reason or "")


@pytest.mark.parametrize(
    ("place", "name", "failing"),
    [
        (websocket.SocketContext, "identify", fail_async),
        (websocket.Handler, "handle_subscribe", fail_async),
        (event_log, "subscribe", fail_async),
        (event_log, "subscribe", _subscribe_then_fail),
        (websocket_messages, "_message", fail),
        (execution_schema.RenewalSchema, "stream", fail_async),
        (view.GraphQLView, "get_context", fail_async),
    ],
    ids=[
        "authentication",
        "a subscribe message",
        "the start of the subscription",
        "after an event",
        "parsing a message",
        "the schema",
        "the context of the view",
    ],
)
async def test_an_error_in_a_web_socket_is_logged_and_not_shown_to_the_client(
    customer: Client,
    live: Serve,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
    failing: Any,
) -> None:
    monkeypatch.setattr(place, name, failing)
    messages = ""
    async with live() as address:
        with contextlib.suppress(websockets.InvalidStatus, websockets.ConnectionClosed):
            async with open_socket(address, str(customer.key)) as socket:
                messages = await read_messages(socket)
    assert SECRET not in messages and "UnexpectedError" not in messages
    error_ids = {error_id for request in lines.requests() for error_id in request.get("error_ids", ())}
    [error_id] = error_ids
    [entry] = [entry for entry in lines.entries if entry.get("error_id") == error_id]
    assert SECRET in entry["exception"]
    assert "INTERNAL" not in messages or error_id in messages
