"""The programs in `examples/`, run against a real server."""

import asyncio
import contextlib
import datetime as dt
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scripts import node_packages
from tests.support.fixtures import World
from tests.support.live_server import LiveServer, served
from tests.support.waiting import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
JAVASCRIPT = EXAMPLES / "javascript"
TYPESCRIPT_COMPILER = str(JAVASCRIPT / "node_modules/typescript/bin/tsc")
CLIENTS = [
    "python",
    *(pytest.param(version, marks=node_packages.needed) for version in node_packages.every_node()),
]


async def client(name: str, folder: Path) -> list[str]:
    """Return the command that runs the example client in Python, or in TypeScript with a version of Node.js."""
    if name == "python":
        return [sys.executable, str(EXAMPLES / "renew.py")]
    program = node_packages.every_node()[name]
    if node_packages.reads_types(name):
        return [program, str(JAVASCRIPT / "renew.ts")]
    built = await run(
        *(program, TYPESCRIPT_COMPILER, "--project", str(JAVASCRIPT / "tsconfig.json")),
        *("--outDir", str(folder)),
    )
    assert built == (0, "")
    for name in ("node_modules", "package.json", "renew.graphql"):
        (folder / name).symlink_to(JAVASCRIPT / name)
    return [program, str(folder / "renew.js")]


CREATE_ENDPOINT = """mutation { done: createWebhookEndpoint(input: {url: "%s/", idempotencyKey: "key"}) {
    ... on CreateWebhookEndpointSuccess { secret } } }"""
RENEW = """mutation { done: renewInstances(input: {
    selection: {ids: ["i-1"]}, months: 1, idempotencyKey: "key"}) { __typename } }"""


@pytest.fixture
async def server(world: World, database_url: str) -> AsyncIterator[LiveServer]:
    """A process that serves account `a`, which has two instances that expire soon and one that does not."""
    await world.account("a", balance="1000.00")
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date()
    for instance_id, day in (("i-1", soon), ("i-2", soon), ("i-3", soon + dt.timedelta(days=60))):
        await world.instance(instance_id, expires=str(day), price="300.00")
    async with served(database_url) as process:
        yield process


async def run(*command: str) -> tuple[int, str]:
    """Return the exit code and the output of a client."""
    process = await asyncio.to_thread(
        subprocess.run, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return process.returncode, process.stdout


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_run_twice_renews_expiring_instances_once(
    world: World, server: LiveServer, name: str, tmp_path: Path
) -> None:
    command = await client(name, tmp_path)
    arguments = (server.url, await world.key("a"), "10")
    outputs = [await run(*command, *arguments) for _ in range(2)]
    assert outputs == [
        (0, "2 instances for 600.00, 0 refused\norder of 600.00, balance 400.00\n"),
        (0, "nothing expires\n"),
    ]
    assert await world.rows("SELECT instance_id FROM order_lines ORDER BY 1") == [("i-1",), ("i-2",)]


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_prints_the_refusal_if_the_money_is_insufficient(
    world: World, server: LiveServer, name: str, tmp_path: Path
) -> None:
    command = await client(name, tmp_path)
    await world.instance(
        "i-4", expires=str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)), price="900.00"
    )
    code, output = await run(*command, server.url, await world.key("a"), "10")
    assert code == 1
    assert "InsufficientFunds: " in output
    assert await world.count("orders") == 0


@node_packages.needed
@pytest.mark.parametrize("version", node_packages.every_node())
async def test_the_generated_types_are_those_of_the_schema_and_fit_the_client(
    tmp_path: Path, version: str
) -> None:
    program, output_path = node_packages.every_node()[version], tmp_path / "generated.ts"
    assert await run(program, str(JAVASCRIPT / "generate.mjs"), output_path.as_uri()) == (0, "")
    assert output_path.read_text() == (JAVASCRIPT / "generated.ts").read_text()
    project = str(JAVASCRIPT / "tsconfig.json")
    assert await run(program, TYPESCRIPT_COMPILER, "--noEmit", "--project", project) == (0, "")


@contextlib.asynccontextmanager
async def process(*command: str, **variables: str) -> AsyncIterator[None]:
    """Run a process during the block and kill it at the end."""
    started = await asyncio.create_subprocess_exec(*command, env=os.environ | variables, cwd=EXAMPLES)
    try:
        yield
    finally:
        started.kill()
        await started.wait()


async def test_the_example_consumer_stores_the_new_expiry_and_refuses_a_forged_webhook(
    world: World, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    consumer = f"http://127.0.0.1:{port}"
    await world.account("a", balance="1000.00")
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date()
    await world.instance("i-1", expires=str(soon), price="300.00")
    servers = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "RENEWALS_WEBHOOK_HTTP": "true",
        "RENEWALS_WEBHOOK_PORTS": str(port),
        "RENEWALS_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    headers = {"Authorization": f"Bearer {await world.key('a')}"}
    async with served(database_url, **servers) as server, httpx2.AsyncClient() as client:

        async def run_mutation(mutation: str) -> dict[str, Any]:
            response = await client.post(server.url, json={"query": mutation}, headers=headers)
            return dict(response.json()["data"]["done"])

        endpoint = await run_mutation(CREATE_ENDPOINT % consumer)
        consuming = process(
            *(sys.executable, "-m", "uvicorn", "consumer:app", "--port", str(port)),
            WEBHOOK_SECRET=endpoint["secret"],
            CLOUD=str(tmp_path / "cloud.db"),
        )
        async with consuming, process(sys.executable, "-m", "graphql_api", "worker", **servers):
            assert await run_mutation(RENEW) == {"__typename": "RenewInstancesSuccess"}
            machines: dict[str, str] = {}
            async with asyncio.timeout(30):
                while not machines:
                    await asyncio.sleep(0.1)
                    with contextlib.suppress(httpx2.TransportError):
                        machines = (await client.get(f"{consumer}/machines")).json()
            forged = await client.post(consumer, json={"type": "instance.renewed"})
    expires_at = await world.value("SELECT expires_at FROM instances")
    assert machines == {"i-1": expires_at.isoformat()}
    assert forged.status_code == 401
