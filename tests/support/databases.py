"""Databases for tests: one for each template and test process, emptied after a test and used by the next.

Copying a template takes 40 ms and dropping the copy 20 ms. Emptying the copy takes 5 ms on a connection that stays
open. To keep tests independent, a database is dropped instead if a test changed a table, an index, a trigger or a
protected row, or if its tables exceed BYTES_MAX.
"""

import asyncio
import os
import threading
import urllib.parse
import uuid
from collections.abc import AsyncIterator, Coroutine
from typing import TypeVar

import asyncpg

BYTES_MAX = 4 * 2**20
"""The size in bytes from which dropping a database is cheaper than emptying it."""

Value = TypeVar("Value")

_OTHERS = """SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
_CATALOG = """
WITH public_classes AS (
  SELECT oid, xmin, relname, reltuples, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT md5(concat_ws('|',
  (SELECT string_agg(concat_ws(' ', oid, xmin, relname, reltuples, relfilenode), ',' ORDER BY oid) FROM public_classes),
  (SELECT sum(a.xmin::text::bigint) FROM pg_attribute a JOIN public_classes c ON c.oid = a.attrelid),
  (SELECT string_agg(concat_ws(' ', t.oid, t.xmin), ',' ORDER BY t.oid) FROM pg_trigger t),
  (SELECT string_agg(concat_ws(' ', k.oid, k.xmin), ',' ORDER BY k.oid) FROM pg_constraint k),
  (SELECT string_agg(concat_ws(' ', d.oid, d.xmin), ',' ORDER BY d.oid) FROM pg_attrdef d),
  (SELECT string_agg(concat_ws(' ', p.oid, p.xmin), ',' ORDER BY p.oid) FROM pg_proc p
   WHERE pronamespace = 'public'::regnamespace),
  (SELECT string_agg(concat_ws(' ', e.oid, e.xmin), ',' ORDER BY e.oid) FROM pg_event_trigger e),
  (SELECT string_agg(concat_ws(' ', n.oid, n.xmin), ',' ORDER BY n.oid) FROM pg_namespace n),
  (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
   WHERE datname = current_database())))
"""
_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
)
_RESTART = """SELECT setval(s.oid::regclass, 1, false) FROM pg_class s
  JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i') JOIN pg_class t ON t.oid = d.refobjid
  WHERE s.relkind = 'S' AND t.relname = ANY('{%s}')"""
_BYTES = """SELECT sum(pg_relation_size(oid))::bigint FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"""


def copy_statement(name: str, template: str, postgres_major: int) -> str:
    """Return the statement that copies a database in the fastest way that the server supports."""
    strategy = " STRATEGY WAL_LOG" if postgres_major >= 15 else ""
    return f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}'


def url_of(server_url: str, name: str) -> str:
    """Return the URL of a database on a server."""
    return urllib.parse.urlsplit(server_url)._replace(path=f"/{name}").geturl()


class ServerConnection:
    """A connection to the server that outlives tests, and a thread with the event loop of all such connections.

    These connections cannot use the event loop of a test, because that loop ends with the test.
    """

    def __init__(self, server_url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._connection = self._call(asyncpg.connect(server_url))

    async def execute(self, statement: str) -> None:
        """Execute a statement on the server."""
        await self.run(self._connection.execute(statement))

    async def run(self, work: Coroutine[object, None, Value]) -> Value:
        """Run a coroutine in the thread's event loop, and return its result."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._call(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[object, None, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _Copy:
    """A copy of a template, and the state that it must have before it is used again."""

    def __init__(self, name: str, url: str, connection: asyncpg.Connection) -> None:
        self.name = name
        self.url = url
        self._connection = connection
        self._catalog = ""
        self._kept_rows = ""
        self._kept_sql = ""
        self._delete_sql = ""

    @classmethod
    async def open(cls, name: str, url: str) -> "_Copy":
        """Connect to a new copy, and record its system catalog and the rows of the tables that are not empty."""
        copy = cls(name, url, await asyncpg.connect(url))
        await copy._inspect()
        return copy

    async def _inspect(self) -> None:
        connection = self._connection
        self._catalog = await connection.fetchval(_CATALOG)
        protected: list[str] = []
        emptied: list[str] = []
        for [table] in await connection.fetch(_TABLES):
            has_rows = await connection.fetchval(f'SELECT EXISTS (SELECT FROM "{table}")')
            (protected if has_rows else emptied).append(table)
        hashes = [
            f"(SELECT string_agg(t::text, ',' ORDER BY t::text) FROM \"{table}\" t)" for table in protected
        ]
        self._kept_sql = f"SELECT md5(concat_ws('|', {', '.join(hashes)}))" if hashes else "SELECT ''"
        self._kept_rows = await connection.fetchval(self._kept_sql)
        # Triggers protect rows from deletion. They do not fire while `session_replication_role` is `replica`.
        deletes = "; ".join(f'DELETE FROM "{table}"' for table in emptied)
        emptying = f"SET LOCAL session_replication_role = replica; {deletes}; {_RESTART % ','.join(emptied)}"
        self._delete_sql = f"BEGIN; {emptying}; COMMIT"

    async def is_emptied(self) -> bool:
        """Empty the database; return False if it must be dropped instead."""
        connection = self._connection
        await connection.execute(_OTHERS)
        if await connection.fetchval(_CATALOG) != self._catalog:
            return False
        if await connection.fetchval(_BYTES) > BYTES_MAX:
            return False
        if await connection.fetchval(self._kept_sql) != self._kept_rows:
            return False
        await connection.execute(self._delete_sql)
        return True

    async def close(self) -> None:
        """Close the connection."""
        self._connection.terminate()


class DatabasePool:
    """The databases of one test process."""

    def __init__(self, server_url: str, postgres_major: int, server: ServerConnection) -> None:
        self._server_url = server_url
        self._postgres_major = postgres_major
        self._server = server
        self._idle: dict[str, _Copy] = {}

    async def use(self, template: str) -> AsyncIterator[str]:
        """Yield the URL of a database with the contents of its template; empty or drop the database afterwards."""
        copy = self._idle.pop(template, None) or await self._copy(template)
        yield copy.url
        try:
            is_emptied = await self._server.run(copy.is_emptied())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            is_emptied = False
        if is_emptied and template not in self._idle:
            self._idle[template] = copy
        else:
            await self._drop(copy)

    async def close(self) -> None:
        """Drop the databases."""
        for copy in self._idle.values():
            await self._drop(copy)

    async def _drop(self, copy: _Copy) -> None:
        await self._server.run(copy.close())
        await self._server.execute(f'DROP DATABASE IF EXISTS "{copy.name}" WITH (FORCE)')

    async def _copy(self, template: str) -> _Copy:
        name = f"renewals_test_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}_{uuid.uuid4().hex[:12]}"
        await self._server.execute(copy_statement(name, template, self._postgres_major))
        return await self._server.run(_Copy.open(name, url_of(self._server_url, name)))
