"""Exports of any length use one database snapshot and little memory, also for clients that are slow or disconnect."""

import asyncio
import contextlib
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest
import uvicorn
from starlette.types import Scope

from graphql_api import app, errors
from graphql_api.middleware import slow_clients
from graphql_api.rest import exports
from renewals import config
from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db import row_stream, server_version
from renewals.exports import queries as export_queries
from renewals.exports import tables
from tests.conftest import postgres_major
from tests.observability.conftest import Lines, lines
from tests.support.fixtures import NOW, World

__all__ = ["lines"]

MANY = 20_000
POLL_SECONDS = 0.005
CUT = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The errors of a statement on a connection that the server has ended."""
FILL = """INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode,
    is_trial, status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
  SELECT 'i-' || lpad(n::text, 8, '0'), $1, repeat('网', 100), 'eip', 'bj-6', '[]', 'PREPAID', FALSE,
    'RUNNING', 'MANUAL', 1, '2027-01-31 15:59:59Z'::timestamptz + n % 300 * interval '1 day', 31, 100, now()
  FROM generate_series($2::int, $3::int) n"""
OPEN_SNAPSHOTS = """SELECT count(*) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    AND backend_type = 'client backend'"""
CUT_EXPORTS = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'"""


async def insert_rows(count: int, account: str = "a", first: int = 1) -> None:
    await database.execute(database.pool(), FILL, account, first, first + count - 1)


@pytest.fixture
async def key(world: World) -> str:
    await world.account("a")
    return await world.key("a")


class ExportReader:
    """A client that calls the application, and reads an export piece by piece."""

    def __init__(
        self, key: str, path: str = "/export/instances.jsonl", coding: str = "identity", **limits: int
    ) -> None:
        self.app = app.create(config.get_settings().model_copy(update=limits), clock=lambda: NOW)
        self.taken = bytearray()
        self.is_complete = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.left = asyncio.Event()
        self.pieces = asyncio.Semaphore(0)
        self._key = key
        self._path = path
        self._coding = coding

    def start(self) -> asyncio.Task[None]:
        path, _, query = self._path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "headers": [
                (b"authorization", f"Bearer {self._key}".encode()), (b"accept-encoding", self._coding.encode()),
            ], "client": None,
            "server": ("testserver", 80),
        }  # fmt: skip
        self.task = asyncio.create_task(self._call(scope))
        return self.task

    async def _call(self, scope: Scope) -> None:
        await self.app(scope, self._receive, self._send)

    async def take(self, count: int = 1_000_000) -> None:
        """Read `count` pieces, or fewer if the export ends."""
        for _ in range(count):
            before = len(self.taken)
            self.pieces.release()
            while len(self.taken) == before and not self.task.done():
                await asyncio.wait({self.task}, timeout=POLL_SECONDS)
            if self.task.done():
                return

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            return
        await self.pieces.acquire()
        self.taken += message["body"]
        self.is_complete = not message.get("more_body")


async def count_snapshots(world: World) -> int:
    return int(await world.value(OPEN_SNAPSHOTS))


async def test_an_export_does_not_contain_changes_made_during_the_export(world: World, key: str) -> None:
    await insert_rows(MANY)
    reader = ExportReader(key, "/export/instances.jsonl?columns=id,name")
    reader.start()
    await reader.take(2)
    await insert_rows(MANY, first=MANY + 1)
    await database.execute(database.pool(), "UPDATE instances SET name = 'changed'")
    await database.execute(database.pool(), "DELETE FROM instances WHERE id = 'i-00000300'")
    await reader.take()
    await reader.task
    assert reader.is_complete
    rows = bytes(reader.taken).splitlines()
    assert len(rows) == len(set(rows)) == MANY
    assert b"changed" not in reader.taken
    assert await count_snapshots(world) == 0


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
async def test_an_export_is_compressed_and_flushed_piece_by_piece(
    world: World, key: str, ending: str
) -> None:
    await insert_rows(MANY)
    plain, reader = (
        ExportReader(key, f"/export/instances.{ending}", coding) for coding in ("identity", "gzip")
    )
    plain.start()
    reader.start()
    await plain.take(1)
    await reader.take(1)
    assert reader.headers[b"content-encoding"] == b"gzip" and b"content-encoding" not in plain.headers
    assert zlib.decompressobj(31).decompress(reader.taken) == plain.taken
    await reader.take()
    await plain.take()
    assert zlib.decompress(reader.taken, 31) == plain.taken
    assert len(reader.taken) < len(plain.taken) / 5


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.long
async def test_the_memory_of_an_export_does_not_grow_with_the_number_of_rows(
    world: World, key: str, ending: str
) -> None:
    peaks = []
    for first, count in ((1, 5_000), (5_001, 45_000)):
        await insert_rows(count, first=first)
        length, peak = await measure_export(
            key, f"/export/instances.{ending}?columns=id,name,expiresAt,createdAt"
        )
        assert length > 300 * (first + count - 1)
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 200_000, peaks  # 50,000 rows are 15,000,000 bytes


async def measure_export(key: str, path: str) -> tuple[int, int]:
    """Return the size of an export, and the peak of memory while its pieces were read and dropped."""
    reader = ExportReader(key, path)
    length = 0

    async def drop(message: Any) -> None:
        nonlocal length
        length += len(message.get("body", b""))
        await asyncio.sleep(0)

    reader._send = drop  # type: ignore[method-assign]
    tracemalloc.start()
    try:
        await reader.start()
        return length, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_the_rows_of_an_export_are_read_in_pages_of_a_limited_size(world: World, key: str) -> None:
    await insert_rows(export_queries.ROWS_PER_PAGE * 3 + 1)
    async with database.read_snapshot() as connection:
        columns = tables.LEDGER.select_columns(None)
        export = export_queries.export_ledger(
            "a", accounts_queries.LedgerFilter(), export_queries.DateRange(), columns=columns, now=NOW
        )
        assert [page async for page in export_queries.read_rows(connection, export)] == []
        sql = "SELECT id FROM instances ORDER BY id"
        pages = row_stream.stream_rows(connection, sql, size=export_queries.ROWS_PER_PAGE)
        sizes = [len(page) async for page in pages]
    assert sizes == [export_queries.ROWS_PER_PAGE] * 3 + [1]


async def test_the_database_connection_of_an_export_that_ends_early_remains_usable(
    world: World, key: str
) -> None:
    await insert_rows(export_queries.ROWS_PER_PAGE * 3)
    async with database.read_snapshot() as connection:
        pages = row_stream.stream_rows(connection, "SELECT id FROM instances", size=10)
        assert len(await anext(pages)) == 10
        await asyncio.sleep(0)  # the next rows are being read
        await pages.aclose()
    assert await world.value("SELECT count(*) FROM instances") == export_queries.ROWS_PER_PAGE * 3


async def test_a_client_that_disconnects_releases_the_snapshot_of_its_export_at_once(
    world: World, key: str
) -> None:
    await insert_rows(MANY)
    for taken in (0, 1, 3):
        reader = ExportReader(key)
        reader.start()
        await reader.take(taken)
        await wait_until(lambda: count_snapshots(world))
        reader.left.set()
        await asyncio.wait_for(reader.task, 2)
        assert await count_snapshots(world) == 0
        assert not reader.is_complete
    assert await read_all(world, key) == MANY


async def read_all(world: World, key: str) -> int:
    """Read an export completely; return its number of rows."""
    reader = ExportReader(key)
    reader.start()
    await reader.take()
    await reader.task
    assert reader.is_complete
    assert await count_snapshots(world) == 0
    return reader.taken.count(b"\n")


async def test_a_client_that_stops_reading_an_export_is_disconnected(world: World, key: str) -> None:
    await insert_rows(MANY)
    reader = ExportReader(key, export_stall_seconds_max=1)
    reader.start()
    await reader.take(2)
    with pytest.raises(errors.ClientTooSlowError, match="read nothing for 1 seconds"):
        await asyncio.wait_for(reader.task, 3)
    assert not reader.is_complete
    assert await count_snapshots(world) == 0
    assert await read_all(world, key) == MANY


async def test_a_stalled_export_is_not_ended_by_the_time_limit_of_other_responses(
    world: World, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of other responses is shorter in this test, as it is if the setting is above 30 s."""
    monkeypatch.setattr(slow_clients, "SEND_SECONDS_MAX", 0.2)
    await insert_rows(MANY)
    reader = ExportReader(key, export_stall_seconds_max=50)
    reader.start()
    await reader.take(2)
    await asyncio.sleep(0.6)
    await reader.take()
    await reader.task
    assert reader.is_complete
    assert reader.taken.count(b"\n") == MANY


async def test_a_client_that_stops_reading_from_a_real_socket_releases_its_snapshot(
    world: World, key: str, settings_override: Callable[..., None]
) -> None:
    settings_override(export_stall_seconds_max=1)
    await insert_rows(MANY * 5)
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(
            f"GET /export/instances.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        )
        await reader.readexactly(1_000)
        assert await count_snapshots(world) == 1
        await wait_until(lambda: is_free(world))
        with contextlib.suppress(ConnectionError):
            assert b"0\r\n\r\n" not in (await reader.read())[-5:]
        writer.close()


async def test_a_client_that_takes_too_long_in_total_is_disconnected(world: World, key: str) -> None:
    await insert_rows(MANY)
    reader = ExportReader(key, export_seconds_max=1)
    reader.start()
    while not reader.task.done():
        await reader.take(1)
        await asyncio.sleep(0.2)
    with pytest.raises(errors.ClientTooSlowError, match="within 1 seconds"):
        await reader.task
    assert 0 < reader.taken.count(b"\n") < MANY
    assert not reader.is_complete
    assert await count_snapshots(world) == 0


async def test_an_export_that_exceeds_its_time_before_its_first_piece_returns_timeout(
    world: World, key: str, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    async def read_slowly(*_: object) -> AsyncIterator[list[asyncpg.Record]]:
        await asyncio.sleep(60)
        yield []

    monkeypatch.setattr(export_queries, "read_rows", read_slowly)
    reader = ExportReader(key, export_seconds_max=1)
    reader.start()
    await reader.take()
    await reader.task
    assert (reader.status, reader.is_complete) == (503, True)
    [problem] = orjson.loads(reader.taken)["errors"]
    assert problem["extensions"] == {"code": "TIMEOUT"}
    assert problem["message"].startswith("The export was canceled after 1 s, before its first row. ")
    assert await count_snapshots(world) == 0
    [logged] = lines.requests()
    assert (logged["status"], logged["codes"]) == (503, ["TIMEOUT"])
    assert [entry for entry in lines.entries if entry["level"] in ("error", "critical")] == []


async def test_an_export_may_take_longer_than_other_transactions(database_url: str) -> None:
    if postgres_major() < server_version.TRANSACTION_TIMEOUT_MAJOR_MIN:
        pytest.skip("this PostgreSQL has no transaction_timeout")
    async with database.connect(database_url, pool_size=1, transaction=1):
        async with database.read_snapshot(seconds_max=60) as connection:
            await database.fetch(connection, "SELECT pg_sleep(1.5)")
        [[seconds]] = await database.fetch(database.pool(), "SHOW transaction_timeout")
        assert seconds == "1s"
        with pytest.raises(CUT):
            async with database.read_snapshot() as connection:
                await database.fetch(connection, "SELECT pg_sleep(5)")


async def test_one_account_can_use_half_of_the_limit_of_concurrent_exports(
    world: World, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "WAIT_SECONDS_MAX", 0.1)
    await insert_rows(MANY)
    await world.account("b")
    reader = ExportReader(key, exports_at_once_max=4)
    first = [reader, ExportReader(key)]
    first[1].app = reader.app
    for reader in first:
        reader.start()
        await reader.take(1)
    third = ExportReader(key)
    third.app = reader.app
    third.start()
    await third.take()
    assert (third.status, b"BUSY" in third.taken, third.is_complete) == (503, True, True)
    other = ExportReader(await world.key("b"), "/export/ledger.jsonl")
    other.app = reader.app
    other.start()
    await other.take()
    await other.task
    assert (other.status, other.is_complete) == (200, True)
    monkeypatch.setattr(exports, "WAIT_SECONDS_MAX", 60.0)
    third.start()
    await asyncio.sleep(0.05)
    assert not third.task.done(), "the third export waits until another export ends"
    first[0].left.set()
    await first[0].task
    await third.take(1)
    assert third.status == 200
    for reader in (first[1], third):
        reader.left.set()
        await reader.task
    assert await count_snapshots(world) == 0


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[int]:
    """Serve the application on a real socket; yield the port."""
    server = uvicorn.Server(
        uvicorn.Config(app.create(clock=lambda: NOW), port=0, lifespan="off", log_level="critical")
    )
    running = asyncio.create_task(server.serve())
    await wait_until(lambda: asyncio.sleep(0, server.started))
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def test_an_export_that_fails_after_its_first_piece_ends_with_a_protocol_error(
    world: World, key: str
) -> None:
    await insert_rows(MANY * 5)
    headers = {"Authorization": f"Bearer {key}"}
    async with served() as port, httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for ending in ("csv", "jsonl"):
            async with client.stream("GET", f"/export/instances.{ending}", headers=headers) as answer:
                assert answer.status_code == 200
                pieces = answer.aiter_raw()
                await anext(pieces)
                await wait_until(lambda: world.value(CUT_EXPORTS))
                with pytest.raises(httpx2.RemoteProtocolError):
                    [_ async for _ in pieces]
        async with client.stream("GET", "/export/instances.csv?columns=id", headers=headers) as answer:
            assert (await answer.aread()).count(b"\r\n") == MANY * 5 + 1


async def test_database_connections_that_postgresql_ends_are_replaced(world: World, key: str) -> None:
    await insert_rows(MANY)
    for _ in range(config.get_settings().database_pool_size + 1):
        reader = ExportReader(key)
        reader.start()
        await reader.take(1)
        await wait_until(lambda: world.value(CUT_EXPORTS))
        with pytest.raises(CUT):
            await asyncio.gather(reader.take(), reader.task)
        assert not reader.is_complete
    assert await read_all(world, key) == MANY


async def test_a_client_that_closes_its_socket_releases_the_snapshot_of_its_export(
    world: World, key: str
) -> None:
    await insert_rows(MANY * 5)
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /export/instances.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        )
        await reader.readexactly(1_000)
        assert await count_snapshots(world) == 1
        writer.close()
        await wait_until(lambda: is_free(world))


async def is_free(world: World) -> bool:
    return await count_snapshots(world) == 0


async def wait_until(is_met: Callable[[], Any]) -> None:
    """Wait until a condition holds. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while not await is_met():  # noqa: ASYNC110 - other processes make it true
            await asyncio.sleep(POLL_SECONDS)
