"""The size limit of responses on every path, and the memory that clients occupy if they do not read."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import websockets

from graphql_api import app, errors
from graphql_api.limits import answer_size
from renewals import config
from tests.costs.operations import ALL
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import URL
from tests.support.live_server import served, served_here

PAGE = "{ instances(first: 100) { nodes { id name } } }"
RENEW = """mutation ($ids: [ID!]!, $first: Int!) {
  renewInstances(input: {selection: {ids: $ids}, months: 1, idempotencyKey: "k"}) {
    ... on RenewInstancesSuccess { instanceCount instances(first: $first) { id name } } } }"""
IDS = [f"i-{number:03}" for number in range(100)]
LARGE_RENEWAL = {"query": RENEW, "variables": {"ids": IDS, "first": 100}}


@pytest.fixture
async def headers(world: World) -> dict[str, str]:
    await world.account("a", balance="1000000.00")
    await world.instances(IDS)
    return {"Authorization": f"Bearer {await world.key('a')}"}


@pytest.fixture
async def client(headers: dict[str, str]) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the application with responses of at most 2,000 bytes."""
    settings = config.get_settings().model_copy(update={"answer_bytes_max": 2_000})
    transport = httpx2.ASGITransport(app=app.create(settings, clock=lambda: NOW))
    async with httpx2.AsyncClient(transport=transport, headers=headers) as session:
        yield session


def read_error(answer: dict[str, Any]) -> dict[str, Any]:
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "COST_TOO_HIGH", "maximum": 2_000}
    assert answer.get("data") is None
    return dict(error)


def read_event(answer: httpx2.Response) -> dict[str, Any]:
    """Return the only result of an event stream."""
    [line] = [line for line in answer.text.splitlines() if line.startswith("data:") and len(line) > 6]
    return dict(orjson.loads(line.removeprefix("data:")))


async def test_a_response_beyond_the_limit_is_an_error(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json={"query": PAGE})
    assert answer.status_code == 400
    expected = "The response is larger than 2,000 bytes. Request fewer fields or smaller pages."
    assert read_error(answer.json())["message"] == expected
    chinese = await client.post(URL, json={"query": PAGE}, headers={"Accept-Language": "zh"})
    assert read_error(chinese.json())["message"] == "响应超过 2,000 字节，请减少字段或缩小每页条数。"
    small = await client.post(URL, json={"query": PAGE.replace("100", "10")})
    assert len(small.json()["data"]["instances"]["nodes"]) == 10


async def test_a_streamed_result_beyond_the_limit_is_an_error(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json={"query": PAGE}, headers={"Accept": "text/event-stream"})
    read_error(read_event(answer))


def test_a_web_socket_result_beyond_the_limit_is_an_error() -> None:
    message = {"type": "next", "id": "1", "payload": {"data": {"name": "x" * 2_000}}}
    replacement = orjson.loads(answer_size.encode(message, 2_000))
    assert (replacement["type"], replacement["id"]) == ("next", "1")
    read_error(replacement["payload"])
    assert orjson.loads(answer_size.encode(message, 3_000)) == message


async def test_a_mutation_with_a_too_large_response_is_executed_and_can_be_repeated(
    client: httpx2.AsyncClient, world: World
) -> None:
    answer = await client.post(URL, json=LARGE_RENEWAL)
    assert read_error(answer.json())["message"].startswith("The mutation was executed.")
    assert await world.count("order_lines") == 100
    repeated = await client.post(URL, json={"query": RENEW, "variables": {"ids": IDS, "first": 1}})
    assert repeated.json()["data"]["renewInstances"]["instanceCount"] == 100
    assert await world.count("order_lines") == 100


async def test_a_too_large_result_in_an_event_stream_says_whether_a_mutation_was_executed(
    client: httpx2.AsyncClient,
) -> None:
    for body, is_mutation in ((LARGE_RENEWAL, True), ({"query": PAGE}, False)):
        answer = await client.post(URL, json=body, headers={"Accept": "text/event-stream"})
        message = read_error(read_event(answer))["message"]
        assert message.startswith("The mutation was executed.") is is_mutation


async def test_a_too_large_result_over_a_web_socket_says_whether_a_mutation_was_executed(
    headers: dict[str, str],
) -> None:
    settings = config.get_settings().model_copy(update={"answer_bytes_max": 2_000})
    async with (
        served_here(settings, lambda: NOW) as address,
        websockets.connect(
            f"ws://{address}/graphql",
            subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
            additional_headers=headers,
        ) as client,
    ):
        await client.send('{"type": "connection_init"}')
        await client.recv()
        for body, is_mutation in ((LARGE_RENEWAL, True), ({"query": PAGE}, False)):
            await client.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": body}).decode())
            result, end = orjson.loads(await client.recv()), orjson.loads(await client.recv())
            assert (result["type"], end["type"]) == ("next", "complete")
            message = read_error(result["payload"])["message"]
            assert message.startswith("The mutation was executed.") is is_mutation


def test_the_unread_response_bytes_of_a_key_are_limited() -> None:
    unread, size = answer_size.UnreadAnswers(1_000_000), 400_000
    with unread.sending("a", size), unread.sending("a", size):
        with pytest.raises(errors.HTTPError) as refused, unread.sending("a", size):
            pass
        assert (refused.value.status, refused.value.code) == (429, "TOO_MANY_AT_ONCE")
        with unread.sending("b", size), unread.sending("a", 1_000):
            pass
    with unread.sending("a", 5_000_000):  # a single response is always sent
        pass


MEMORY_MB_MAX = 400
READERS = 40


def read_peak_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    [line] = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


@pytest.mark.long
async def test_clients_that_do_not_read_take_little_memory(world: World, database_url: str) -> None:
    await world.account("a")
    await world.instances([f"i-{number:04}" for number in range(1_000)])
    key = await world.key("a")
    page = f"instances(first: 1000) {{ nodes {{ {ALL} }} }}"
    roots = " ".join(f"p{number}: {page}" for number in range(10))
    body = orjson.dumps({"query": f"{{ {roots} }}"})
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    async with served(database_url, RENEWALS_COST_PER_MINUTE_MAX="0") as server:
        before = read_peak_mb(server.process.pid)
        host, _, port = server.address.partition(":")
        with contextlib.ExitStack() as sockets:
            for _ in range(READERS):
                reader = sockets.enter_context(socket.create_connection((host, int(port))))
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                reader.sendall(head + body)
            await asyncio.sleep(8)
            async with httpx2.AsyncClient(timeout=20) as client:
                answer = await client.post(
                    server.url,
                    json={"query": "{ account { id } }"},
                    headers={"Authorization": f"Bearer {await world.key('a')}"},
                )
        assert answer.json()["data"] == {"account": {"id": "a"}}
        peak = read_peak_mb(server.process.pid)
        print(f"{before:.0f} MB before, {peak:.0f} MB at most")  # noqa: T201
        assert peak < MEMORY_MB_MAX
