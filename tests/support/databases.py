"""Databases for tests: one for each template and test process, emptied after a test and used by the next.

Copying a template takes 40 ms and dropping the copy 20 ms. Emptying the copy takes 5 ms on a connection that stays
open. To keep tests independent, a database is dropped instead if a test changed a table, an index, a trigger or a
protected row, or if its tables exceed BYTES_MAX.

The domain's pool on the copy stays open, too: each new connection fills many caches, in PostgreSQL and in this process.
Creating an account and an instance takes 39 ms of processor time on new connections, and 10 ms on reset ones.
"""

import asyncio
import contextlib
import os
import urllib.parse
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from renewals.db import connection as database
from renewals.db import pool as db_pool

BYTES_MAX = 4 * 2**20
"""The size in bytes from which dropping a database is cheaper than emptying it."""

CONNECTIONS_MAX = 4
"""The number of connections above which a pool is closed after a test; otherwise, all later tests would reset them."""

SECONDS_MAX = 10
"""The time to empty a database, after which it is dropped."""

_OTHERS = """SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL($1::int[])
    AND backend_type = 'client backend'"""
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


class DatabaseCopy:
    """A copy of a template, and the state that it must have before it is used again."""

    def __init__(self, name: str, url: str, connection: asyncpg.Connection) -> None:
        self.name = name
        self.url = url
        self._connection = connection
        self._pool: db_pool.ConnectionPool | None = None
        self._catalog = ""
        self._kept_rows = ""
        self._kept_sql = ""
        self._delete_sql = ""

    @classmethod
    async def open(cls, name: str, url: str) -> "DatabaseCopy":
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

    @contextlib.asynccontextmanager
    async def domain_pool(self) -> AsyncIterator[None]:
        """Connect the domain to this database while the block runs, by the pool of an earlier test if there is one."""
        async with database.connect(self.url):
            client: Any = database.pool()
            client._pool = self._pool
            try:
                yield
            finally:
                self._pool, client._pool = client._pool, None

    async def is_emptied(self) -> bool:
        """Empty the database; return False if it must be dropped instead."""
        connection = self._connection
        await connection.execute(_OTHERS, await self._reset_pool())
        if await connection.fetchval(_CATALOG) != self._catalog:
            return False
        if await connection.fetchval(_BYTES) > BYTES_MAX:
            return False
        if await connection.fetchval(self._kept_sql) != self._kept_rows:
            return False
        await connection.execute(self._delete_sql)
        return True

    async def _reset_pool(self) -> list[int]:
        """Reset the sessions of the pool, and return the ids of their processes; close a pool that is still in use."""
        pool = self._pool
        if pool is None:
            return []
        is_unused = pool.get_idle_size() == pool.get_size() and pool._turns._free == pool.get_max_size()
        if pool.is_closing() or not is_unused or pool.get_size() > CONNECTIONS_MAX:
            pool.terminate()
            self._pool = None
            return []
        pids: list[int] = []
        async with contextlib.AsyncExitStack() as acquired:
            for _ in range(pool.get_size()):
                connection = await acquired.enter_async_context(pool.acquire())
                await connection.execute("DISCARD ALL")
                connection._mark_stmts_as_closed()  # otherwise asyncpg uses the discarded statements
                pids.append(connection.get_server_pid())
        return pids

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.terminate()
        self._connection.terminate()


class DatabasePool:
    """The databases of one test process."""

    def __init__(self, server_url: str, postgres_major: int, server: asyncpg.Connection) -> None:
        self._server_url = server_url
        self._postgres_major = postgres_major
        self._server = server
        self._idle: dict[str, DatabaseCopy] = {}

    @contextlib.asynccontextmanager
    async def use(self, template: str) -> AsyncIterator[DatabaseCopy]:
        """Yield a database with the contents of its template; empty or drop the database afterwards."""
        copy = self._idle.pop(template, None) or await self._copy(template)
        yield copy
        is_emptied = False
        try:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with asyncio.timeout(SECONDS_MAX):
                    is_emptied = await copy.is_emptied()
        finally:
            if is_emptied and template not in self._idle:
                self._idle[template] = copy
            else:
                await self._drop(copy)

    async def close(self) -> None:
        """Drop the databases."""
        for copy in self._idle.values():
            await self._drop(copy)

    async def _drop(self, copy: DatabaseCopy) -> None:
        copy.close()
        await self._server.execute(f'DROP DATABASE IF EXISTS "{copy.name}" WITH (FORCE)')

    async def _copy(self, template: str) -> DatabaseCopy:
        name = f"renewals_test_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}_{uuid.uuid4().hex[:12]}"
        await self._server.execute(copy_statement(name, template, self._postgres_major))
        return await DatabaseCopy.open(name, url_of(self._server_url, name))
