"""What `examples/` shows, run against a real server."""

import asyncio
import datetime as dt
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import node
from tests.served import Served, served
from tests.world import World

EXAMPLES = Path(__file__).parents[1] / "examples"
CLIENTS = {
    "python": [sys.executable, str(EXAMPLES / "renew.py")],
    "typescript": [node.NODE, str(EXAMPLES / "javascript/renew.ts")],
}


@pytest.fixture
async def server(world: World, database_url: str) -> AsyncIterator[Served]:
    """A process that serves account `a`: two instances that expire soon by the real clock, one that does not."""
    await world.account("a", balance="1000.00")
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date()
    for instance_id, day in (("i-1", soon), ("i-2", soon), ("i-3", soon + dt.timedelta(days=60))):
        await world.instance(instance_id, expires=str(day), price="300.00")
    async with served(database_url) as process:
        yield process


async def run(*command: str) -> tuple[int, str]:
    """The exit code of a client and what it said."""
    done = await asyncio.to_thread(
        subprocess.run, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("language", ["python", pytest.param("typescript", marks=node.needed)])
async def test_a_client_renews_what_expires_once_however_often_it_is_run(
    world: World, server: Served, language: str
) -> None:
    arguments = (server.url, await world.key("a"), "10")
    answers = [await run(*CLIENTS[language], *arguments) for _ in range(2)]
    assert answers == [
        (0, "2 instances for 600.00, 0 refused\norder of 600.00, balance 400.00\n"),
        (0, "nothing expires\n"),
    ]
    assert await world.rows("SELECT instance_id FROM order_lines ORDER BY 1") == [("i-1",), ("i-2",)]


@pytest.mark.parametrize("language", ["python", pytest.param("typescript", marks=node.needed)])
async def test_a_client_says_why_nothing_was_renewed(world: World, server: Served, language: str) -> None:
    await world.instance(
        "i-4", expires=str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)), price="900.00"
    )
    code, said = await run(*CLIENTS[language], server.url, await world.key("a"), "10")
    assert code == 1
    assert "InsufficientFunds: " in said
    assert await world.count("orders") == 0


@node.needed
async def test_the_generated_types_are_those_of_the_schema_and_fit_the_client(tmp_path: Path) -> None:
    written = tmp_path / "generated.ts"
    folder = EXAMPLES / "javascript"
    assert await run(node.NODE, str(folder / "generate.mjs"), written.as_uri()) == (0, "")
    assert written.read_text() == (folder / "generated.ts").read_text()
    compiler = str(folder / "node_modules/typescript/bin/tsc")
    assert await run(node.NODE, compiler, "--project", str(folder / "tsconfig.json")) == (0, "")
