"""`renewals mcp` as a host runs it: over standard input and output, and over streamable HTTP."""

import contextlib
import json
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from renewals.demo import loader
from tests.chaos import processes
from tests.graphql_api.mcp.agent import call, refused
from tests.support.cli import Renewals
from tests.support.fixtures import World
from tests.support.live_server import LiveServer, served
from tests.support.waiting import free_port

PAGE = (Path(__file__).parents[3] / "docs/mcp.md").read_text(encoding="utf-8")
JSON_BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN_URL = "https://renewals.example.com/graphql"
MANUAL = {"tab": "MANUAL", "bundled": False, "status": ["RUNNING"]}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture
async def api(world: World, database_url: str) -> AsyncIterator[LiveServer]:
    """Yield a process that serves the demo account."""
    await world.load_demo()
    async with served(database_url) as server:
        yield server


async def pay_twice(world: World, client: Client) -> None:
    """Find an instance, check that a wrong total is refused, and pay the quoted total twice with the same key."""
    page = (await call(client, "list_instances", filter=MANUAL, first=1))["instances"]
    renewal = {"selection": {"ids": [page["nodes"][0]["id"]]}, "months": 1}
    quote = await call(client, "quote_renewal", **renewal)
    key = {"idempotencyKey": quote["idempotencyKey"]}
    before, orders = await world.snapshot(), await world.count("orders")
    assert (await refused(client, "renew_instances", **renewal, **key, expectedTotal="0.01")).startswith(
        "PriceChanged: "
    )
    assert await world.snapshot() == before
    paid = [
        await call(client, "renew_instances", **renewal, **key, expectedTotal=quote["total"])
        for _ in range(2)
    ]
    assert paid[0]["order"] == paid[1]["order"]
    assert await world.count("orders") == orders + 1


async def test_an_agent_pays_once_over_standard_input_and_output(world: World, api: LiveServer) -> None:
    host_file, _ = [json.loads(text)["mcpServers"]["renewals"] for text in JSON_BLOCK.findall(PAGE)]
    assert (host_file["command"], list(host_file["env"])) == ("renewals", ["GRAPHQL_KEY"])
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "graphql_api", *(word.replace(SHOWN_URL, api.url) for word in host_file["args"])],
        env={"GRAPHQL_KEY": await world.key(loader.ACCOUNT_ID)},
    )
    async with Client(server) as client:
        assert client.instructions and "expectedTotal" in client.instructions
        await pay_twice(world, client)


@contextlib.asynccontextmanager
async def serve_mcp(api: LiveServer) -> AsyncIterator[str]:
    """Serve over HTTP without an API key in the server; yield the URL."""
    port = free_port()
    process = processes.fork(
        ["mcp", "--url", api.url, "--transport", "http", "--port", str(port), "--allow-host", "mcp.example"],
        {"RENEWALS_LOG_LEVEL": "WARNING"},
    )
    url = f"http://127.0.0.1:{port}/mcp"
    try:
        async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(retries=12)) as http:
            assert (await http.get(url)).status_code == 401
        yield url
    finally:
        process.signal(signal.SIGTERM)
        await process.ended()


@contextlib.asynccontextmanager
async def connect(url: str, key: str) -> AsyncIterator[Client]:
    """Connect to the server with a key."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


async def test_each_client_over_http_has_the_rights_of_its_own_key(world: World, api: LiveServer) -> None:
    async with serve_mcp(api) as url:
        async with connect(url, await world.key(loader.ACCOUNT_ID)) as renewer:
            await pay_twice(world, renewer)
        async with connect(url, await world.key(loader.ACCOUNT_ID, role="VIEWER")) as viewer:
            page = (await call(viewer, "list_instances", filter=MANUAL, first=1))["instances"]
            renewal = {"selection": {"ids": [page["nodes"][0]["id"]]}, "months": 1}
            quote = await call(viewer, "quote_renewal", **renewal)
            agreed = {"expectedTotal": quote["total"], "idempotencyKey": quote["idempotencyKey"]}
            before = await world.snapshot()
            assert (await refused(viewer, "renew_instances", **renewal, **agreed)).startswith("FORBIDDEN: ")
            assert await world.snapshot() == before
            assert "no instance" in await refused(viewer, "get_instance", instanceId="nobody's")
        async with connect(url, "unknown") as unknown_client:
            assert (await refused(unknown_client, "list_instances")).startswith("UNAUTHENTICATED: ")
        await check_headers(url, await world.key(loader.ACCOUNT_ID))


async def check_headers(url: str, key: str) -> None:
    """Check which hosts, origins and callers the server accepts."""
    known = {"Authorization": f"Bearer {key}", "Accept": "application/json, text/event-stream"}
    async with httpx2.AsyncClient() as http:
        for headers, status in (
            (known, 200),
            (known | {"Host": "mcp.example", "Origin": "https://mcp.example"}, 200),
            (known | {"Host": "evil.example"}, 421),
            (known | {"Origin": "https://evil.example"}, 403),
            ({"Accept": known["Accept"]}, 401),
        ):
            response = await http.post(url, json=INITIALIZE, headers=headers)
            assert response.status_code == status, (headers, response.text)
            assert "mcp-session-id" not in response.headers
        stream = await http.get(url, headers=known)
        assert (stream.status_code, stream.headers["allow"]) == (405, "POST"), "no stream is kept open"


def test_mcp_on_a_port_in_use_exits_with_an_error_of_one_line(renewals: Renewals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = renewals("mcp", "--transport", "http", "--port", str(listener.getsockname()[1]))
    assert done.exit_code == 1
    assert re.fullmatch(r"Cannot listen: Address already in use.*\n", done.stderr)


def test_a_missing_key_or_package_is_named_in_the_error(
    renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAPHQL_KEY", raising=False)
    done = renewals("mcp")
    assert (done.exit_code, done.stderr) == (
        1,
        "GRAPHQL_KEY is not set. Set it to an API key of the account.\n",
    )
    for name in [name for name in sys.modules if name.startswith("graphql_api.mcp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    done = renewals("mcp")
    assert (done.exit_code, done.stderr) == (
        1,
        "The package mcp is missing. Install it: pip install 'renewals[mcp]'\n",
    )


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8000/graphql", "renewals.example.com/graphql", "ftp://x/graphql", "http://", "http://[x"],
)
def test_a_url_without_a_scheme_or_a_host_is_refused_as_a_usage_error(
    renewals: Renewals, transport: str, url: str
) -> None:
    by_option = renewals("mcp", "--transport", transport, "--url", url, GRAPHQL_KEY="rk_x")
    by_variable = renewals("mcp", "--transport", transport, GRAPHQL_URL=url, GRAPHQL_KEY="rk_x")
    for done in (by_option, by_variable):
        assert (done.exit_code, done.stdout) == (2, "")
        assert "must look like http://127.0.0.1:8000/graphql" in " ".join(done.stderr.split())
