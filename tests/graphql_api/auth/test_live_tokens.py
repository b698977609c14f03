"""Tokens at a real server: a subscription ends when its token expires."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import NamedTuple

import gql
import httpx2
import orjson
import pytest
import websockets
from gql.transport.websockets import WebsocketsTransport

from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.instances import policy, selection
from tests.support import live_server
from tests.support.fixtures import NOW, World
from tests.support.issuer import Issuer

EVENTS = "subscription { events(after: 0) { sequence } }"
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")


class Server(NamedTuple):
    """The address of a server in this process, because the environment cannot allow an issuer without TLS."""

    address: str

    @property
    def url(self) -> str:
        return f"http://{self.address}/graphql"


@pytest.fixture
async def server(world: World, issuer: Issuer) -> AsyncIterator[Server]:
    """Yield a server that accepts the issuer's tokens without leeway; account `a` has five events."""
    await world.account("a")
    await world.instances([f"i-{n}" for n in range(5)])
    pick = selection.ById(tuple(f"i-{n}" for n in range(5)))
    await policy.set_policy("a", policy.PolicyRequest(pick, model.RenewalMode.AUTO), lambda: NOW)
    async with live_server.served_here(issuer.settings(jwt_leeway_seconds=0)) as address:
        yield Server(address)


def timestamp_in(seconds: float) -> float:
    return (clocks.utc_now() + dt.timedelta(seconds=seconds)).timestamp()


async def test_server_sent_events_end_when_their_token_expires(server: Server, issuer: Issuer) -> None:
    token = issuer.token(clocks.utc_now(), exp=timestamp_in(3), role="VIEWER")
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with (
        asyncio.timeout(15),
        httpx2.AsyncClient(timeout=15) as client,
        client.stream("POST", server.url, json={"query": EVENTS}, headers=headers) as answer,
    ):
        lines = [line async for line in answer.aiter_lines()]
    assert clocks.utc_now().timestamp() < timestamp_in(0) + 9
    assert sum(line == "event: next" for line in lines) == 5
    assert "event: complete" in lines
    async with httpx2.AsyncClient() as client:
        late = await client.post(server.url, json={"query": "{ __typename }"}, headers=headers)
    assert late.status_code == 401


async def test_an_operation_over_a_web_socket_whose_token_has_expired_closes_the_web_socket(
    server: Server, issuer: Issuer
) -> None:
    init_payload = {"Authorization": f"Bearer {issuer.token(clocks.utc_now(), 'ec', exp=timestamp_in(4))}"}
    async with websockets.connect(f"ws://{server.address}/graphql", subprotocols=[PROTOCOL]) as client:
        await client.send(orjson.dumps({"type": "connection_init", "payload": init_payload}).decode())
        assert orjson.loads(await client.recv()) == {"type": "connection_ack"}
        await subscribe(client, "1", EVENTS)
        messages = [orjson.loads(await asyncio.wait_for(client.recv(), 12)) for _ in range(6)]
        assert [message["type"] for message in messages] == ["next"] * 5 + ["complete"]
        await subscribe(client, "2", "{ account { id } }")
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(client.recv(), 5)
        assert client.close_code == 4403


async def subscribe(client: websockets.ClientConnection, id_: str, query: str) -> None:
    message = {"type": "subscribe", "id": id_, "payload": {"query": query}}
    await client.send(orjson.dumps(message).decode())


async def test_a_web_socket_with_an_invalid_token_is_closed(server: Server, issuer: Issuer) -> None:
    for token in (issuer.token(NOW), issuer.token(clocks.utc_now(), account="nobody"), "a.b.c"):
        init_payload = {"Authorization": f"Bearer {token}"}
        async with websockets.connect(f"ws://{server.address}/graphql", subprotocols=[PROTOCOL]) as client:
            await client.send(orjson.dumps({"type": "connection_init", "payload": init_payload}).decode())
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert client.close_code == 4403


async def test_a_token_with_the_role_viewer_cannot_execute_a_mutation_over_a_web_socket(
    server: Server, issuer: Issuer
) -> None:
    token = issuer.token(clocks.utc_now(), role="VIEWER")
    transport = WebsocketsTransport(
        f"ws://{server.address}/graphql",
        headers={"Authorization": f"Bearer {token}"},
        subprotocols=[PROTOCOL],
    )
    async with gql.Client(transport=transport) as session:
        assert await session.execute(gql.gql("{ account { id } }")) == {"account": {"id": "a"}}
        with pytest.raises(gql.transport.exceptions.TransportQueryError, match="FORBIDDEN"):
            await session.execute(gql.gql("mutation { resetCalendarToken { token } }"))
