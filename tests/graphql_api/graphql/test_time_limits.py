"""Time limits of requests, also in the database, and limits on concurrent operations."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from graphql_api import app
from graphql_api.graphql import websocket
from renewals import config
from tests.support.fixtures import World
from tests.support.graphql_client import URL
from tests.support.live_server import LiveServer, served

RENEW = """mutation { renewInstances(input: {
    selection: {ids: ["i-1"]}, months: 1, idempotencyKey: "key"}) { __typename } }"""
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()"""
EVENTS = "subscription { events { sequence } }"


@pytest.fixture
async def key(world: World) -> str:
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    return await world.key("a")


@pytest.fixture
async def impatient_client(world: World, key: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the application with a time limit of 1 s."""
    settings = config.get_settings().model_copy(update={"request_seconds_max": 1.0})
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app.create(settings)), headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


@contextlib.asynccontextmanager
async def hold_locks(database_url: str, statement: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold the locks of a statement while the block runs."""
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute(statement)
            yield holder
    finally:
        await holder.close()


@pytest.mark.parametrize(
    ("query", "lock"),
    [
        ("{ instances { totalCount } }", "LOCK TABLE instances IN ACCESS EXCLUSIVE MODE"),
        (RENEW, "SELECT * FROM accounts WHERE id = 'a' FOR UPDATE"),
    ],
)
async def test_a_request_beyond_the_time_limit_is_also_cancelled_in_the_database(
    world: World, impatient_client: httpx2.AsyncClient, database_url: str, query: str, lock: str
) -> None:
    before = await world.snapshot()
    async with hold_locks(database_url, lock) as holder:
        answer = await impatient_client.post(URL, json={"query": query})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")
        async with asyncio.timeout(5):
            while await holder.fetchval(WAITING):  # noqa: ASYNC110 - another process releases them
                await asyncio.sleep(0.05)
    assert await world.snapshot() == before
    for _ in range(
        config.get_settings().database_pool_size + 1
    ):  # every connection of the pool is still usable
        assert (await impatient_client.post(URL, json={"query": query})).status_code == 200


async def test_a_body_that_is_not_sent_within_the_time_limit_is_refused(
    impatient_client: httpx2.AsyncClient,
) -> None:
    async def send_slowly() -> AsyncIterator[bytes]:
        yield b'{"query": '
        await asyncio.sleep(5)
        yield b'"{ account { id } }"}'

    answer = await impatient_client.post(
        URL, content=send_slowly(), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")


@contextlib.asynccontextmanager
async def open_socket(server: LiveServer, key: str) -> AsyncIterator[ClientConnection]:
    async with connect(
        f"ws://{server.address}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
    ) as socket:
        await socket.send(
            orjson.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}).decode()
        )
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        yield socket


async def run_operation(socket: ClientConnection, operation_id: str, query: str) -> Any:
    """Return the response to an operation, or None if the operation is still running after the wait."""
    await socket.send(
        orjson.dumps({"id": operation_id, "type": "subscribe", "payload": {"query": query}}).decode()
    )
    try:
        async with asyncio.timeout(1.5):
            return orjson.loads(await socket.recv())
    except TimeoutError:
        return None


async def subscribe(socket: ClientConnection, operation_id: str) -> None:
    payload = {"id": operation_id, "type": "subscribe", "payload": {"query": EVENTS}}
    await socket.send(orjson.dumps(payload).decode())


def read_code(message: Any) -> str:
    assert message["type"] == "error"
    return str(message["payload"][0]["extensions"]["code"])


async def test_operations_over_a_web_socket_have_the_limits_of_requests(key: str, database_url: str) -> None:
    async with (
        served(database_url, RENEWALS_REQUEST_SECONDS_MAX="0.5") as server,
        open_socket(server, key) as socket,
    ):
        assert (
            read_code(await run_operation(socket, "1", "{ __schema { types { name } } }"))
            == "INTROSPECTION_DISABLED"
        )
        assert (
            read_code(await run_operation(socket, "2", "{ " + "__typename " * 101 + "}"))
            == "TOO_MANY_ROOT_FIELDS"
        )
        async with hold_locks(database_url, "LOCK TABLE instances IN ACCESS EXCLUSIVE MODE"):
            assert read_code(await run_operation(socket, "3", "{ instances { totalCount } }")) == "TIMEOUT"
        assert (await run_operation(socket, "3", "{ instances { totalCount } }"))["type"] == "next"


async def test_the_web_sockets_and_subscriptions_of_a_key_are_limited(
    world: World, key: str, database_url: str
) -> None:
    limits = config.get_settings()
    async with served(database_url) as server, contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(open_socket(server, key))
            for _ in range(limits.sockets_per_key_max)
        ]
        with pytest.raises(Exception, match=r"1013.*Too many web sockets"):
            async with open_socket(server, key):
                pass
        for number in range(limits.subscriptions_per_key_max):
            await subscribe(sockets[number // websocket.OPERATIONS_MAX], str(number))
        one, last = sockets[0], sockets[-1]
        await asyncio.sleep(2)  # until all have begun: a subscription without an event sends nothing
        assert read_code(await run_operation(last, "x", EVENTS)) == "TOO_MANY_AT_ONCE"
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        async with httpx2.AsyncClient(headers=headers) as client:
            refused = await client.post(server.url, json={"query": EVENTS})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
            other = {"Authorization": f"Bearer {await world.key('a')}"}
            async with client.stream("POST", server.url, json={"query": EVENTS}, headers=other) as streamed:
                assert streamed.status_code == 200
            await one.send(orjson.dumps({"id": "0", "type": "complete"}).decode())
            await asyncio.sleep(0.2)
            async with client.stream("POST", server.url, json={"query": EVENTS}) as streamed:
                assert streamed.status_code == 200
            await asyncio.sleep(0.5)
            assert await run_operation(last, "x", EVENTS) is None


async def test_an_error_of_an_operation_does_not_end_other_operations_of_its_web_socket(
    key: str, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with served(database_url) as server, open_socket(server, key) as socket:
        assert await run_operation(socket, "events", EVENTS) is None
        payloads: tuple[dict[str, Any], ...] = (
            {"query": '{ a "' + "b" * 300 + '"}'},
            {"query": "query A { account { id } }", "operationName": "B" * 300},
            {"documentId": "unknown"},
            {"extensions": {"persistedQuery": {"sha256Hash": "0" * 64}}},
            {"extensions": []},
            {},
        )
        for payload in payloads:
            await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
            answer = orjson.loads(await socket.recv())
            assert read_code(answer) in ("BAD_REQUEST", "DOCUMENT_NOT_TRUSTED", "PERSISTED_QUERY_NOT_FOUND")
            assert len(answer["payload"][0]["message"]) < 400
        answer = await run_operation(socket, "1", "{ account { id } }")
        assert answer["payload"] == {"data": {"account": {"id": "a"}}, "extensions": {"cost": 2}}
        assert orjson.loads(await socket.recv()) == {"id": "1", "type": "complete"}
        hashed = {"version": 1, "sha256Hash": hashlib.sha256(b"{ account { id } }").hexdigest()}
        for query in ("{ account { id } }", None):
            request = {"query": query, "extensions": {"persistedQuery": hashed}}
            await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": request}).decode())
            assert orjson.loads(await socket.recv())["payload"]["data"] == {"account": {"id": "a"}}
            assert orjson.loads(await socket.recv())["type"] == "complete"
        await socket.send(orjson.dumps({"id": "e" * 300, "type": "complete"}).decode())
        assert (await run_operation(socket, "x" * 300, EVENTS)) is None
        await socket.send(
            orjson.dumps({"id": "x" * 300, "type": "subscribe", "payload": {"query": EVENTS}}).decode()
        )
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, len(str(socket.close_reason))) == (4409, 123)
    assert "xxx" not in capfd.readouterr().err


async def test_a_refused_eleventh_operation_of_a_web_socket_does_not_use_the_budget(
    key: str, database_url: str
) -> None:
    limits = {"RENEWALS_COST_MAX": "1000", "RENEWALS_COST_PER_MINUTE_MAX": "1000"}
    async with served(database_url, **limits) as server, open_socket(server, key) as socket:
        for number in range(10):
            await socket.send(
                orjson.dumps({"id": str(number), "type": "subscribe", "payload": {"query": EVENTS}}).decode()
            )
        for _ in range(20):
            refused = await run_operation(
                socket, "one more", "{ instances(first: 99) { nodes { id name } } }"
            )
            assert read_code(refused) == "TOO_MANY_AT_ONCE"
        await socket.send(orjson.dumps({"id": "0", "type": "complete"}).decode())
        assert (await run_operation(socket, "one more", "{ account { id } }"))["type"] == "next"


async def test_only_a_page_of_an_allowed_origin_opens_a_web_socket(key: str, database_url: str) -> None:
    async with served(database_url, RENEWALS_CORS_ORIGINS="https://console.example.com") as server:
        address, protocols = f"ws://{server.address}/graphql", [Subprotocol("graphql-transport-ws")]
        for origin in ("https://evil.example", "null", "https://console.example.com.evil.example"):
            with pytest.raises(Exception, match="403"):
                async with connect(address, subprotocols=protocols, additional_headers={"Origin": origin}):
                    pass
        for origin in ("https://console.example.com", f"http://{server.address}"):
            async with connect(address, subprotocols=protocols, additional_headers={"Origin": origin}):
                pass
