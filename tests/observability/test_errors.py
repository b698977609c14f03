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


class Mishap(Exception):
    """An unexpected error whose message contains secrets."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__(f"cannot reach {SECRET}\nat all")


def raising(*_: Any, **__: Any) -> Any:
    raise Mishap


async def raising_later(*_: Any, **__: Any) -> Any:
    raise Mishap


@pytest.fixture
async def asking(world: World, graphql: Client) -> Client:
    """A client of account `a`, which has a balance and an instance."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    graphql.key = await world.key("a")
    return graphql


def told(answer: httpx2.Response, lines: Lines) -> str:
    """Check that a response has one error without details, and that the log has its id; return the id."""
    assert SECRET not in answer.text and "Mishap" not in answer.text and "hunter2" not in str(answer.headers)
    [error] = answer.json()["errors"]
    assert error["message"] == "An internal error occurred."
    assert error["extensions"].keys() == {"code", "id"}
    assert error["extensions"]["code"] == "INTERNAL"
    found(error["extensions"]["id"], lines)
    [request] = lines.requests()
    assert request["codes"] == ["INTERNAL"]
    assert request["error_ids"] == [error["extensions"]["id"]]
    return str(error["extensions"]["id"])


def found(error_id: str, lines: Lines) -> None:
    """Check that the log has the id once, with a traceback and the id of the request."""
    [entry] = [entry for entry in lines.entries if entry.get("error_id") == error_id]
    assert entry["level"] == "error"
    assert "Traceback" in entry["exception"]
    assert entry["request_id"] == lines.requests()[-1]["request_id"]


LAYERS: dict[str, tuple[object, str, Callable[..., Any], str]] = {
    "authentication": (api_keys, "authenticate", raising_later, ACCOUNT),
    "parsing the body": (http_request, "read_body", raising_later, ACCOUNT),
    "parsing the document": (execution_schema.Parser, "on_parse", raising, ACCOUNT),
    "a rule of validation": (execution_schema.RequireOperationName, "on_validate", raising, ACCOUNT),
    "an extension": (operation_cache.CacheOperation, "on_execute", raising, ACCOUNT),
    "what starts the execution": (executor.Executor, "build", raising, ACCOUNT),
    "a resolver": (accounts_queries, "fetch_account", raising_later, ACCOUNT),
    "a loader": (
        catalog,
        "fetch_products",
        raising_later,
        '{ instance(id: "i-1") { id product { name } } }',
    ),
    "what a resolver of many calls": (
        catalog,
        "fetch_data_centers",
        raising_later,
        "{ dataCenters { code } }",
    ),
    "a writer": (orders_repository, "insert_orders", raising_later, RENEW),
    "the engine": (selection, "complete_selection", raising_later, RENEW),
    "the database": (database, "transaction", raising, RENEW),
    "the serializer": (result_writer.ResultWriter, "encode_json", raising, ACCOUNT),
    "the view, outside of its own last line": (view.GraphQLView, "_respond", raising_later, ACCOUNT),
}


@pytest.mark.parametrize("layer", LAYERS)
async def test_a_layer_that_raises_tells_nobody_but_the_log(
    asking: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    place, name, failing, query = LAYERS[layer]
    monkeypatch.setattr(place, name, failing)
    # The comment makes the document new, so that no cached operation takes a shorter path.
    told(await asking.post(f"# {layer}\n{query}"), lines)


async def test_a_known_operation_that_raises_tells_nobody_but_the_log(
    asking: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asking(ACCOUNT)
    lines.clear()
    monkeypatch.setattr(accounts_queries, "fetch_account", raising_later)
    told(await asking.post(ACCOUNT), lines)
    assert lines.requests()[0]["kind"] == "query"


async def test_a_value_of_ours_that_its_type_cannot_write_tells_nobody(
    asking: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(*_: object) -> dict[str, object]:
        return {"id": "a", "name": {SECRET: 1}}

    monkeypatch.setattr(accounts_queries, "fetch_account", fetch)
    answer = await asking.post(ACCOUNT)
    assert SECRET not in answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    found(error["extensions"]["id"], lines)


async def test_a_scalar_that_raises_what_it_should_not_tells_nobody(
    asking: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    date = customer_schema.schema._schema.type_map["Date"]
    monkeypatch.setattr(date, "parse_value", raising)
    monkeypatch.setattr(date, "coerce_input_value", raising)
    query = """query ($day: Date!) { quoteUnifyExpiry(input: {
        selection: {ids: ["i-1"]}, target: {date: $day}}) { total } }"""
    answer = await asking.post(query, day="2027-03-01")
    assert SECRET not in answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    found(error["extensions"]["id"], lines)


async def test_a_database_without_its_table_tells_nobody(world: World, asking: Client, lines: Lines) -> None:
    await database.execute(database.pool(), "ALTER TABLE ledger_entries RENAME TO ledger_of_old")
    answer = await asking.post("{ ledger { nodes { id } } }")
    assert "ledger_" not in answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    found(error["extensions"]["id"], lines)


async def test_a_redis_that_is_away_stops_nothing_and_its_password_is_told_to_nobody(
    asking: Client, lines: Lines
) -> None:
    async with pubsub.connect("redis://:hunter2@127.0.0.1:1/0", listening=True):
        answer = await asking.post(RENEW)
        assert answer.json()["data"] == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}
        async with asyncio.timeout(10):
            while "cannot notify" not in "".join(lines.texts):  # noqa: ASYNC110 - a log has no event for it
                await asyncio.sleep(0.01)
    assert "hunter2" not in "".join(lines.texts)


async def test_what_is_done_after_a_commit_and_raises_is_known_to_the_log_alone(
    asking: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "publish", raising)
    answer = await asking.post(RENEW)
    assert answer.json()["data"] == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}
    assert SECRET in "".join(lines.texts)


async def test_an_operator_is_told_no_more(
    world: World, lines: Lines, settings_override: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_override(operator_api=True)
    operator = Client()
    operator.url, operator.key = OPERATOR_URL, await world.operator_key()
    monkeypatch.setattr(operators_queries, "fetch_accounts", raising_later)
    async with operator.http:
        told(await operator.post("{ accounts { nodes { id } } }"), lines)
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
async def test_an_export_and_a_calendar_tell_nobody(
    asking: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, path: str, place: object, name: str
) -> None:
    monkeypatch.setattr(
        place, name, raising if name == "read_rows" and place is export_queries else raising_later
    )
    answer = await asking.http.get(HOST + path, headers={"Authorization": f"Bearer {asking.key}"})
    assert answer.status_code == 500
    told(answer, lines)
    assert lines.requests()[0]["kind"] in ("export", "calendar")


async def test_an_export_that_breaks_off_is_cut_and_known_to_the_log(
    asking: Client, live: Serve, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = export_queries.read_rows

    async def read(*asked: Any) -> AsyncIterator[Any]:
        async for page in whole(*asked):
            yield page
        raise Mishap

    monkeypatch.setattr(export_queries, "read_rows", read)
    async with live() as address, httpx2.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {asking.key}"}
        with pytest.raises(httpx2.RemoteProtocolError) as cut:
            await client.get(f"http://{address}/export/instances.csv", headers=headers)
    assert SECRET not in str(cut.value)
    [request] = lines.requests()
    assert (request["status"], request["codes"]) == (200, ["INTERNAL"])
    found(request["error_ids"][0], lines)


async def test_a_middleware_that_raises_tells_nobody(world: World, lines: Lines) -> None:
    transport = httpx2.ASGITransport(app=request_logging.RequestLoggingMiddleware(raising_later))
    async with httpx2.AsyncClient(transport=transport) as client:
        answer = await client.get(HOST)
    assert answer.status_code == 500
    told(answer, lines)


async def test_what_starlette_does_by_itself_tells_nobody(
    world: World, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starlette.routing.Router.app", raising_later)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.create())) as client:
        told(await client.get("/export/instances.csv"), lines)


EVENTS = "subscription { events(after: 0) { sequence } }"


async def _first_then_raising(*_: object) -> AsyncIterator[event_log.Event]:
    yield event_log.Event(
        1, "policy.changed", mock.ANY, None, "{}", "WORKER", "worker", None, "Asia/Shanghai", "CNY", None
    )
    raise Mishap


async def _following_then_raising(*_: object) -> AsyncIterator[event_log.Event]:
    return _first_then_raising()


@pytest.mark.parametrize("follow", [raising_later, _following_then_raising])
async def test_server_sent_events_tell_nobody(
    asking: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, follow: Callable[..., Any]
) -> None:
    monkeypatch.setattr(event_log, "subscribe", follow)
    headers = {"Authorization": f"Bearer {asking.key}", "Accept": "text/event-stream"}
    answer = await asking.http.post(URL, json={"query": EVENTS}, headers=headers)
    assert SECRET not in answer.text and "Mishap" not in answer.text
    [request] = lines.requests()
    assert (request["kind"], request["codes"]) == ("subscription", ["INTERNAL"])
    assert request["error_ids"][0] in answer.text
    found(request["error_ids"][0], lines)


@contextlib.asynccontextmanager
async def socket_of(address: str, key: str) -> AsyncIterator[websockets.ClientConnection]:
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(f"ws://{address}/graphql", subprotocols=[protocol]) as socket:
        said = {"Authorization": f"Bearer {key}"}
        await socket.send(orjson.dumps({"type": "connection_init", "payload": said}).decode())
        yield socket


async def heard(socket: websockets.ClientConnection) -> str:
    """Return all messages until the operation or the connection ends."""
    texts: list[str] = []
    with contextlib.suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(10):
            while not texts or orjson.loads(texts[-1])["type"] not in ("complete", "error"):
                texts.append(str(await socket.recv()))
                if orjson.loads(texts[-1])["type"] == "connection_ack":
                    asked = {"type": "subscribe", "id": "1", "payload": {"query": EVENTS}}
                    await socket.send(orjson.dumps(asked).decode())
    return "".join(texts) + (socket.close_reason or "")


@pytest.mark.parametrize(
    ("place", "name", "failing"),
    [
        (websocket.SocketContext, "identify", raising_later),
        (websocket.Handler, "handle_subscribe", raising_later),
        (event_log, "subscribe", raising_later),
        (event_log, "subscribe", _following_then_raising),
        (websocket_messages, "_message", raising),
        (execution_schema.RenewalSchema, "stream", raising_later),
        (view.GraphQLView, "get_context", raising_later),
    ],
    ids=[
        "on connecting",
        "on a message",
        "at the start",
        "amid the events",
        "on reading",
        "a schema",
        "a view",
    ],
)
async def test_a_web_socket_tells_nobody(
    asking: Client,
    live: Serve,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
    failing: Any,
) -> None:
    monkeypatch.setattr(place, name, failing)
    said = ""
    async with live() as address:
        with contextlib.suppress(websockets.InvalidStatus, websockets.ConnectionClosed):
            async with socket_of(address, str(asking.key)) as socket:
                said = await heard(socket)
    assert SECRET not in said and "Mishap" not in said
    error_ids = {error_id for request in lines.requests() for error_id in request.get("error_ids", ())}
    [error_id] = error_ids
    [entry] = [entry for entry in lines.entries if entry.get("error_id") == error_id]
    assert SECRET in entry["exception"]
    assert "INTERNAL" not in said or error_id in said
