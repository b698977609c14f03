"""A server whose page has a key refuses other hosts, so that DNS rebinding cannot read the key."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import websockets
from starlette.types import ASGIApp

from graphql_api import app
from renewals import config
from tests.support import live_server

BASE = "http://127.0.0.1:8123"
KEY = {"graphiql_key": "rk_demo"}
CONSOLE_KEY = {"graphiql_key": "rk_demo", "graphiql": False, "console": True}
OPERATOR_KEY = {"graphiql_operator_key": "rk_operator", "operator_api": True}
PATHS = (
    *("/", "/graphql", "/operator/graphql", "/graphiql/x.js", "/console/", "/console/config.json"),
    *("/calendar.ics", "/healthz", "/nowhere"),
)
TRUSTED = ("127.0.0.1:8123", "localhost:8123", "LOCALHOST:8123", "[::1]:8123", "renewals.lan:8123")
REFUSED = (
    *("evil.example", "evil.example:8123", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8123.evil.example"),
    *("localhost:8124", "[::1]", "127.0.0.1:8123@evil.example", "", "a" * 5_000),
)


def application(**values: object) -> ASGIApp:
    update = {"graphiql": True, "host": "renewals.lan", **values}
    return app.create(config.get_settings().model_copy(update=update))


def create_client(served_app: ASGIApp, base: str = BASE) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served_app), base_url=base)


@pytest.mark.parametrize("host", REFUSED)
@pytest.mark.parametrize("keys", [KEY, OPERATOR_KEY, CONSOLE_KEY], ids=["customer", "operator", "console"])
async def test_another_host_is_refused_if_the_page_has_a_key(
    opened: str, host: str, keys: dict[str, object]
) -> None:
    async with create_client(application(**keys)) as client:
        for path in PATHS:
            for method in ("GET", "POST", "OPTIONS"):
                answer = await client.request(
                    method, path, headers={"Host": host, "Accept": "text/html, application/json"}
                )
                assert answer.status_code == 421, (method, path)
                [error] = answer.json()["errors"]
                assert error["extensions"] == {"code": "BAD_REQUEST"}
                assert error["message"].endswith(f"Open {BASE}/")
                assert "rk_" not in answer.text
                assert len(answer.content) < 1_000


@pytest.mark.parametrize("host", TRUSTED)
async def test_the_servers_own_address_and_loopback_names_are_accepted(opened: str, host: str) -> None:
    async with create_client(application(**KEY)) as client:
        page = await client.get("/graphql", headers={"Host": host, "Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (await client.post("/graphql", headers={"Host": host})).status_code == 401


async def test_the_default_port_may_be_omitted_from_the_host_header(opened: str) -> None:
    async with create_client(application(**KEY), "http://127.0.0.1") as client:
        assert (await client.get("/healthz", headers={"Host": "localhost"})).status_code == 200
        assert (await client.get("/healthz", headers={"Host": "evil.example"})).status_code == 421


async def test_a_server_whose_page_has_no_key_accepts_every_host(opened: str) -> None:
    async with create_client(application()) as client:
        page = await client.get("/graphql", headers={"Host": "evil.example", "Accept": "text/html"})
        assert page.status_code == 200


@pytest.fixture
async def address(database_url: str, redis_url: str) -> AsyncIterator[str]:
    variables = {"REDIS_URL": redis_url, "RENEWALS_GRAPHIQL": "true", "RENEWALS_GRAPHIQL_KEY": "rk_demo"}
    async with live_server.served(database_url, **variables) as server:
        yield server.address


async def test_a_web_socket_of_another_host_is_refused(address: str) -> None:
    port = int(address.rpartition(":")[2])
    async with websockets.connect(
        f"ws://localhost:{port}/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
    ) as socket:
        assert socket.subprotocol == "graphql-transport-ws"
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with websockets.connect(
            f"ws://evil.example:{port}/graphql",
            host="127.0.0.1",
            port=port,
            subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        ):
            pass
    assert refused.value.response.status_code == 421
    assert b"which is not an address of this server" in (refused.value.response.body or b"")
