"""Fixtures for the tests of imports: a database with a catalog and two accounts, and files."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from typer.testing import Result

from renewals.db import connection as database
from tests.support.cli import Renewals, query, renewals
from tests.support.fixtures import World

__all__ = ["renewals"]

INSTANCES = "accountId,id,name,productCode,dataCenterCode,monthlyPrice,expiresOn"
RunImport = Callable[..., Result]
Row = dict[str, Any]


@pytest.fixture
async def url(database_url: str) -> str:
    """Return the URL of a database with a catalog and the empty accounts `a` and `b`."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a")
        await world.account("b", zone="America/New_York")
    return database_url


@pytest.fixture
def run_import(renewals: Renewals, url: str, tmp_path: Path) -> RunImport:
    """Return a function that imports a file with a given text: `run_import("instances", "id,...", "--dry-run")`."""

    def run(kind: str, text: str | bytes, *options: str, name: str | None = None) -> Result:
        path = tmp_path / (name or f"{kind}.csv")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return renewals("import", kind, str(path), *options, DATABASE_URL=url)

    return run


def row(instance_id: str, account: str = "a", /, **about: Any) -> Row:
    """Return a valid row of an instance."""
    return {
        "accountId": account,
        "id": instance_id,
        "name": f"Instance {instance_id}",
        "productCode": "eip",
        "dataCenterCode": "bj-6",
        "monthlyPrice": "300.00",
        "expiresOn": "2099-01-31",
        **about,
    }


def csv_of(rows: list[Row]) -> str:
    """Return rows as CSV with all of their columns."""
    names = list(dict.fromkeys(name for values in rows for name in values))
    lines = [",".join(str(values.get(name, "")) for name in names) for values in rows]
    return "\n".join([",".join(names), *lines, ""])


def jsonl_of(rows: list[Row]) -> str:
    """Return rows as JSON Lines."""
    return "".join(f"{orjson.dumps(values).decode()}\n" for values in rows)


def counts(result: Result) -> tuple[int, int, int, int]:
    """Return the numbers of created, changed, unchanged and refused rows in the summary."""
    [line] = [line for line in result.stdout.splitlines() if re.match(r"[\d,]+ lines?: ", line)]
    words = line.replace(",", "").replace(" would be", "").partition(": ")[2].partition(";")[0].split()
    assert words[1::2] == ["created", "changed", "unchanged", "refused"]
    return tuple(map(int, words[::2]))  # type: ignore[return-value]


def problems(result: Result) -> list[str]:
    """Return the reported problems, without the name of the file."""
    lines = [line for line in result.stderr.splitlines() if line[:1] != "."]
    return [line.partition(":")[2] for line in lines if "lines/s" not in line]


def snapshot(url: str, *, but: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Return every row of every table except the named ones."""

    async def read() -> dict[str, list[str]]:
        connection = await asyncpg.connect(url)
        try:
            tables = await connection.fetch(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
            )
            return {
                table: [
                    str(found[0])
                    for found in await connection.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")
                ]
                for (table,) in map(tuple, tables)
                if table not in but
            }
        finally:
            await connection.close()

    return asyncio.run(read())


def read_value(url: str, sql: str) -> Any:
    """Return the single value of a statement."""
    [[value]] = query(url, sql)
    return value
