"""`subscription events` over web sockets and server-sent events, from a real process."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gql
import httpx2
import orjson
import pytest
import redis
import websockets
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from renewals.domain import model
from renewals.events import pubsub
from renewals.instances import policy, selection
from renewals.operators import api_keys, audit_log
from scripts import node_packages
from tests.support.fixtures import NOW, World
from tests.support.live_server import LiveServer, served

EVENTS = (
    "subscription ($after: Int) { events(after: $after) { sequence type instanceId occurredAt payload } }"
)
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")


@pytest.fixture
async def server(world: World, database_url: str, redis_url: str) -> AsyncIterator[LiveServer]:
    """Yield a server; account `a` has 100 instances and an event of each."""
    await world.account("a", balance="1000.00")
    await world.instances([f"i-{n:03d}" for n in range(100)], price="1.00")
    await change_policies(100)
    variables = {"REDIS_URL": redis_url, "RENEWALS_DRAIN_SECONDS": "4"}
    async with pubsub.connect(redis_url), served(database_url, **variables) as process:
        yield process


async def change_policies(count: int, mode: str = "AUTO") -> None:
    """Append events in this process, and notify the server."""
    pick = selection.ById(tuple(f"i-{n:03d}" for n in range(count)))
    await policy.set_policy("a", policy.PolicyRequest(pick, model.RenewalMode(mode)), lambda: NOW)


async def insert_events(world: World, last: int) -> None:
    """Insert events up to a number without a notification."""
    await world.rows(
        """INSERT INTO events (account_id, sequence, type, occurred_at, payload, actor_kind, actor_name)
           SELECT 'a', n, 'policy.changed', now(), to_json(repeat('x', 1000)), 'WORKER', 'worker'
           FROM generate_series(101, $1) AS n""",
        last,
    )
    await world.rows("UPDATE event_streams SET last_sequence = $1", last)


def create_client(server: LiveServer, key: str, *, by_header: bool = False) -> gql.Client:
    """Return a gql client that authenticates by a header or by `connection_init`."""
    authorization = {"Authorization": f"Bearer {key}"}
    transport = WebsocketsTransport(
        f"ws://{server.address}/graphql",
        headers=authorization if by_header else {},
        init_payload={} if by_header else authorization,
        subprotocols=[PROTOCOL],
    )
    return gql.Client(transport=transport)


async def take(client: gql.Client, count: int, after: int | None) -> list[dict[str, Any]]:
    """Return the first `count` events."""
    events_taken: list[dict[str, Any]] = []
    async with client as session:
        request = gql.gql(EVENTS)
        request.variable_values = {"after": after}
        async for answer in session.subscribe(request):
            events_taken.append(answer["events"])
            if len(events_taken) == count:
                break
    return events_taken


@pytest.mark.parametrize("by_header", [True, False])
async def test_missed_events_are_replayed_in_order(world: World, server: LiveServer, by_header: bool) -> None:
    client = create_client(server, await world.key("a"), by_header=by_header)
    events = await asyncio.wait_for(take(client, 90, after=10), 10)
    assert [event["sequence"] for event in events] == list(range(11, 101))
    assert events[0] == {
        "sequence": 11,
        "type": "policy.changed",
        "instanceId": "i-010",
        "occurredAt": "2027-01-10T04:00:00+00:00",
        "payload": {
            "before": {"renewalMode": "MANUAL", "autoRenewMonths": 1},
            "after": {"renewalMode": "AUTO", "autoRenewMonths": 1},
        },
    }


async def test_events_of_another_process_are_received(
    world: World, server: LiveServer, database_url: str, redis_url: str
) -> None:
    client = create_client(server, await world.key("a"))
    receiving = asyncio.create_task(take(client, 100, after=100))
    await asyncio.sleep(1)
    command = (sys.executable, "-m", "tests.support.clocked_cli", "2027-01-31T00:30+08:00", "run-now")
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    )
    done = asyncio.create_task(process.wait())
    events = await asyncio.wait_for(receiving, 20)
    assert {event["type"] for event in events} == {"instance.renewed"}
    assert await done == 0


async def test_events_without_a_notification_are_received(world: World, server: LiveServer) -> None:
    receiving = asyncio.create_task(take(create_client(server, await world.key("a")), 1, after=None))
    await asyncio.sleep(1)
    await insert_events(world, 101)
    [event] = await asyncio.wait_for(receiving, 10)
    assert event["sequence"] == 101


async def test_events_of_another_account_are_not_received(world: World, server: LiveServer) -> None:
    await world.account("b")
    receiving = asyncio.create_task(take(create_client(server, await world.key("b")), 1, after=0))
    await asyncio.sleep(1)
    await change_policies(5, "NONE")
    await asyncio.sleep(1)
    assert not receiving.done()
    receiving.cancel()


@pytest.mark.parametrize(
    "init_payload", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": 5}, {"x": None}]
)
async def test_a_web_socket_without_valid_authentication_is_closed(
    server: LiveServer, init_payload: dict[str, Any]
) -> None:
    async with websockets.connect(f"ws://{server.address}/graphql", subprotocols=[PROTOCOL]) as client:
        await client.send(orjson.dumps({"type": "connection_init", "payload": init_payload}).decode())
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 4403


@pytest.mark.parametrize("after", [-1, 101])
async def test_a_value_of_after_that_is_negative_or_too_large_is_refused(
    world: World, server: LiveServer, after: int
) -> None:
    client = create_client(server, await world.key("a"))
    with pytest.raises(TransportQueryError) as refused:
        await asyncio.wait_for(take(client, 1, after), 10)
    [error] = refused.value.errors or []
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "after"}


INVALID_MESSAGES = [
    "",
    "null",
    "[]",
    "5",
    '"x"',
    "{",
    "{}",
    '{"type": 5}',
    '{"type": "sing"}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": 5, "payload": {"query": "{ account { id } }"}}',
    '{"type": "subscribe", "id": "1", "payload": []}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ account { id } }", "variables": []}}',
    '{"type": "complete"}',
    '{"type": "complete", "id": [1]}',
    orjson.dumps({"type": "次" * 300}).decode(),
    "\ud7ff" * 10,
]


async def test_an_invalid_message_closes_its_web_socket_and_the_server_accepts_new_ones(
    world: World, server: LiveServer, capfd: pytest.CaptureFixture[str]
) -> None:
    headers = {"Authorization": f"Bearer {await world.key('a')}"}
    url = f"ws://{server.address}/graphql"
    for message in INVALID_MESSAGES:
        async with websockets.connect(url, subprotocols=[PROTOCOL], additional_headers=headers) as client:
            await client.send('{"type": "connection_init"}')
            assert orjson.loads(await client.recv()) == {"type": "connection_ack"}
            await client.send(message)
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(client.recv(), 5)
            assert (client.close_code, message) == (4400, message)
    assert "Traceback" not in capfd.readouterr().err


async def test_an_operation_with_a_revoked_key_closes_its_web_socket(
    world: World, server: LiveServer
) -> None:
    headers = {"Authorization": f"Bearer {await world.key('a')}"}
    url = f"ws://{server.address}/graphql"
    async with websockets.connect(url, subprotocols=[PROTOCOL], additional_headers=headers) as client:
        await client.send('{"type": "connection_init"}')
        await client.recv()
        await world.rows("UPDATE api_keys SET revoked_at = now()")
        request = {"query": "{ account { id } }"}
        await client.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": request}).decode())
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 4403


async def test_the_subscriptions_of_a_revoked_key_end(world: World, server: LiveServer) -> None:
    async with stream_events(server, await world.key("a"), 99) as lines:
        assert await anext(lines) == "event: next"
        await world.rows("UPDATE api_keys SET revoked_at = now()")
        async with asyncio.timeout(12):
            assert "event: complete" in [line async for line in lines]


async def test_only_the_subscriptions_of_a_key_revoked_by_an_operator_end_at_once(
    world: World, server: LiveServer
) -> None:
    key = await world.key("a")
    async with (
        stream_events(server, key, 99) as lines,
        stream_events(server, await world.key("a"), 99) as others,
    ):
        assert await anext(lines) == await anext(others) == "event: next"
        await asyncio.sleep(0.5)  # until both streams have sent all events and wait for new ones
        call = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), "revoke", lambda: NOW)
        key_id = await world.value("SELECT id FROM api_keys WHERE prefix = $1", key.split("_")[1])
        await api_keys.revoke_key(call, str(key_id))
        started = asyncio.get_running_loop().time()
        async with asyncio.timeout(10):
            assert "event: complete" in [line async for line in lines]
        assert asyncio.get_running_loop().time() - started < 2  # notified, not found by polling every 5 s
        await change_policies(1, "NONE")
        async with asyncio.timeout(10):
            while '"sequence":101' not in await anext(others):
                pass


async def test_events_after_the_revocation_of_a_key_are_not_sent(world: World, server: LiveServer) -> None:
    async with stream_events(server, await world.key("a"), 99) as lines:
        assert await anext(lines) == "event: next"
        await world.rows("UPDATE api_keys SET revoked_at = now()")  # without a notification
        await change_policies(5, "NONE")
        async with asyncio.timeout(10):
            rest = [line async for line in lines]
    assert "event: complete" in rest
    assert not [line for line in rest if '"sequence":101' in line]


async def test_a_viewer_can_subscribe_and_cannot_execute_a_mutation_over_a_web_socket(
    world: World, server: LiveServer
) -> None:
    client = create_client(server, await world.key("a", role="VIEWER"))
    assert len(await asyncio.wait_for(take(client, 5, after=95), 10)) == 5
    async with client as session:
        for _ in range(2):
            with pytest.raises(TransportQueryError) as refused:
                await session.execute(gql.gql("mutation { resetCalendarToken { token } }"))
            [error] = refused.value.errors or []
            assert error["extensions"] == {"code": "FORBIDDEN"}
    assert await world.count("api_keys") == 1


async def test_an_invalid_document_is_refused_over_server_sent_events_and_web_sockets(
    world: World, server: LiveServer, capfd: pytest.CaptureFixture[str]
) -> None:
    key = await world.key("a")
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    async with httpx2.AsyncClient(headers=headers) as client:
        answer = await client.post(server.url, json={"query": "subscription { events("})
    assert "Syntax Error" in answer.text and "BAD_REQUEST" in answer.text
    async with websockets.connect(
        f"ws://{server.address}/graphql", subprotocols=[PROTOCOL], additional_headers=headers
    ) as socket_client:
        await socket_client.send('{"type": "connection_init"}')
        await socket_client.recv()
        request = {"type": "subscribe", "id": "1", "payload": {"query": "subscription { events("}}
        await socket_client.send(orjson.dumps(request).decode())
        refused = orjson.loads(await socket_client.recv())
    [error] = refused["payload"]
    assert (refused["id"], refused["type"]) == ("1", "error")
    assert "Syntax Error" in error["message"] and error["extensions"] == {"code": "BAD_REQUEST"}
    assert "Traceback" not in capfd.readouterr().err


async def test_a_subscription_whose_client_accepts_only_json_is_refused(
    world: World, server: LiveServer
) -> None:
    headers = {"Authorization": f"Bearer {await world.key('a')}", "Accept": "application/json"}
    async with httpx2.AsyncClient(headers=headers) as client:
        answer = await client.post(server.url, json={"query": "subscription { events { sequence } }"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (400, {"code": "BAD_REQUEST"})


async def test_a_new_subscription_does_not_delay_the_end_of_a_stopping_server(
    world: World, server: LiveServer
) -> None:
    headers = {"Authorization": f"Bearer {await world.key('a')}", "Accept": "text/event-stream"}
    async with httpx2.AsyncClient(headers=headers) as client:
        await client.post(server.url, json={"query": "{ account { id } }"})
        server.process.signal(signal.SIGTERM)
        with contextlib.suppress(httpx2.TransportError):
            await client.post(server.url, json={"query": EVENTS, "variables": {"after": 0}})
        async with asyncio.timeout(10):
            await server.process.ended()


async def test_an_invalid_notification_does_not_prevent_later_notifications(
    world: World, server: LiveServer, redis_url: str
) -> None:
    receiving = asyncio.create_task(take(create_client(server, await world.key("a")), 1, after=None))
    await asyncio.sleep(1)
    with redis.Redis.from_url(redis_url) as client:
        for invalid in ("garbage", "5", "null", "[5]"):
            client.publish("renewals:events", invalid)
    await change_policies(1, "NONE")
    started = asyncio.get_running_loop().time()
    await asyncio.wait_for(receiving, 10)
    assert asyncio.get_running_loop().time() - started < 3  # notified, not found by polling every 5 s


async def test_a_query_over_a_web_socket_returns_current_data(world: World, server: LiveServer) -> None:
    async with create_client(server, await world.key("a")) as session:
        request = gql.gql('{ account { balance } instance(id: "i-000") { renewalMode } }')
        before = await session.execute(request)
        await world.top_up("1.00")
        await change_policies(1, "NONE")
        after = await session.execute(request)
    assert before == {"account": {"balance": "1000.00"}, "instance": {"renewalMode": "AUTO"}}
    assert after == {"account": {"balance": "1001.00"}, "instance": {"renewalMode": "NONE"}}


@contextlib.asynccontextmanager
async def stream_events(server: LiveServer, key: str, after: int | None) -> AsyncIterator[AsyncIterator[str]]:
    """Yield the lines of server-sent events."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "text/event-stream",
        "Accept-Encoding": "gzip",  # the server flushes after each event
    }
    request = {"query": EVENTS, "variables": {"after": after}}
    async with (
        httpx2.AsyncClient(timeout=30) as client,
        client.stream("POST", server.url, json=request, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (answer.headers["cache-control"], answer.headers["content-encoding"]) == ("no-store", "gzip")
        yield answer.aiter_lines()


async def test_server_sent_events_contain_missed_and_new_events_in_order(
    world: World, server: LiveServer
) -> None:
    sequences: list[int] = []
    async with stream_events(server, await world.key("a"), 97) as lines:
        async for line in lines:
            if line.startswith("data: "):
                answer = orjson.loads(line.removeprefix("data: "))
                assert ("extensions" in answer) is (not sequences)  # only the first event has the cost
                sequences.append(answer["data"]["events"]["sequence"])
                if sequences == [98, 99, 100]:
                    await change_policies(2, "NONE")
            if len(sequences) == 5:
                break
    assert sequences == [98, 99, 100, 101, 102]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/event-stream", "text/event-stream"),
        (
            "application/graphql-response+json, application/json, text/event-stream, multipart/mixed",
            "application/graphql-response+json",
        ),
        ("text/event-stream, */*", "application/json"),
        ("application/json", "application/json"),
    ],
)
async def test_a_query_is_streamed_only_if_the_client_accepts_only_event_streams(
    world: World, server: LiveServer, accept: str, media_type: str
) -> None:
    headers = {"Authorization": f"Bearer {await world.key('a')}", "Accept": accept}
    async with httpx2.AsyncClient(headers=headers) as client:
        for _ in range(3):  # cached or not
            answer = await client.post(server.url, json={"query": "{ account { id } }"})
            assert answer.headers["content-type"].split(";")[0] == media_type
            assert '{"data":{"account":{"id":"a"}},"extensions":{"cost":2}}' in answer.text
            assert answer.headers["cache-control"] == "no-store"
            refused = await client.post(server.url, json={"query": "{ nobody }"})
            assert refused.headers["content-type"].split(";")[0] == media_type
            assert "BAD_REQUEST" in refused.text


async def test_server_sent_events_without_a_key_are_refused(server: LiveServer) -> None:
    async with httpx2.AsyncClient() as client:
        headers = {"Accept": "text/event-stream"}
        answer = await client.post(server.url, json={"query": EVENTS}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (
        401,
        {"code": "UNAUTHENTICATED"},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_sigterm_or_sigint_completes_the_subscriptions_and_ends_the_server(
    world: World, server: LiveServer, number: signal.Signals
) -> None:
    key = await world.key("a")
    async with stream_events(server, key, 99) as lines, create_client(server, key) as session:
        assert await anext(lines) == "event: next"
        results = session.subscribe(gql.gql(EVENTS.replace("$after)", "99)").replace("($after: Int)", "")))
        assert (await anext(results))["events"]["sequence"] == 100
        server.process.signal(number)
        async with asyncio.timeout(10):
            rest = [line async for line in lines]
            await server.process.ended()
    assert "event: complete" in rest


async def test_stalled_clients_use_little_memory_and_another_client_receives_its_events(
    world: World, server: LiveServer
) -> None:
    """The server keeps one batch and one buffer for each stalled client, and sends events to other clients."""
    await insert_events(world, 60_000)
    before = read_resident_mb(server.process.pid)
    key = await world.key("a")
    body = orjson.dumps({"query": EVENTS, "variables": {"after": 0}})
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    stalled_clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
    for stalled_client in stalled_clients:
        stalled_client.sendall(head.encode() + body)
    await asyncio.sleep(3)
    grown = read_resident_mb(server.process.pid) - before
    assert len(await take(create_client(server, key), 100, after=59_900)) == 100
    for stalled_client in stalled_clients:
        stalled_client.close()
    assert grown < 60  # of the 600 MB that they requested


def read_resident_mb(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


@node_packages.needed
@pytest.mark.parametrize("version", node_packages.every_node())
async def test_the_javascript_client_receives_missed_and_new_events_in_order(
    world: World, server: LiveServer, version: str
) -> None:
    key = await world.key("a")
    process = await asyncio.create_subprocess_exec(
        *(
            node_packages.every_node()[version],
            str(node_packages.FOLDER / "follow.mjs"),
            f"ws://{server.address}/graphql",
            key,
            "95",
            "8",
        ),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = [orjson.loads(await process.stdout.readline()) for _ in range(5)]
    await change_policies(3, "NONE")
    rest = [orjson.loads(await process.stdout.readline()) for _ in range(3)]
    assert [event["sequence"] for event in first + rest] == list(range(96, 104))
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("header", "payload", "message"),
    [
        ("zh-CN", {}, "days：取值范围为 1 至 366，实际为 0"),
        ("en", {"Accept-Language": "zh-TW"}, "days：取值范围为 1 至 366，实际为 0"),
        ("zh", {"accept-language": "en"}, "days: must be between 1 and 366, not 0"),
        (None, {}, "days: must be between 1 and 366, not 0"),
    ],
)
async def test_the_language_of_a_web_socket_is_that_of_its_init_payload_or_else_of_its_header(
    world: World, server: LiveServer, header: str | None, payload: dict[str, str], message: str
) -> None:
    headers = {"Authorization": f"Bearer {await world.key('a')}"}
    if header:
        headers["Accept-Language"] = header
    async with websockets.connect(
        f"ws://{server.address}/graphql", subprotocols=[PROTOCOL], additional_headers=headers
    ) as client:
        await client.send(orjson.dumps({"type": "connection_init", "payload": payload}).decode())
        await client.recv()
        request = {"type": "subscribe", "id": "1", "payload": {"query": "{ forecast(days: 0) { total } }"}}
        await client.send(orjson.dumps(request).decode())
        answer = orjson.loads(await client.recv())
    assert answer["payload"]["errors"][0]["message"] == message


async def test_the_language_of_an_event_stream_is_that_of_its_header(
    world: World, server: LiveServer
) -> None:
    headers = {
        "Authorization": f"Bearer {await world.key('a')}",
        "Accept": "text/event-stream",
        "Accept-Language": "zh-CN",
    }
    async with httpx2.AsyncClient(headers=headers) as client:
        answer = await client.post(server.url, json={"query": EVENTS, "variables": {"after": 10**9}})
    assert "after：取值范围为 0 至" in answer.text
