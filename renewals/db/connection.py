"""PostgreSQL through Tortoise's pool: open it, run statements on it.

Every statement of the domain goes through `fetch` or `execute` with a connection given by its caller,
so that what belongs to one transaction is seen to.
"""

import asyncio
import contextlib
import functools
import logging
import os
import random
import time
import uuid
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import asyncpg
from asyncpg.pgproto import pgproto
from tortoise import Tortoise
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError, TransactionManagementError
from tortoise.transactions import in_transaction

from renewals import config
from renewals.db import pool as db_pool
from renewals.db import server_version
from renewals.observability import metrics

log = logging.getLogger(__name__)

APP = "renewals"
_CONNECTION = "default"

IDLE_SECONDS_MAX = 60
TRANSACTION_SECONDS_MAX = 300
"""PostgreSQL ends a transaction of the API or the worker whose client stands still so long between two statements,
or that takes so long in all (from PostgreSQL 17 on): its locks hold up its accounts."""
CONNECT_SECONDS_MAX = 10
ATTEMPTS_MAX = 5
PAUSE_SECONDS = 0.1
_OUTAGES = (
    OSError,
    asyncio.TimeoutError,
    DBConnectionError,
    TransactionManagementError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's goodbye came while the next statement was being sent
    asyncpg.InvalidCachedStatementError,  # the schema has changed under a connection, which knows it from now on
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # the database takes no connections, or a lock is not to be had
    asyncpg.InvalidTransactionStateError,
    asyncpg.InvalidAuthorizationSpecificationError,  # a role or a password that another is about to mend
    asyncpg.InvalidCatalogNameError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    server_version.UnsupportedServerError,
)

_CLOSED_TRANSPORT = "the handler is closed"
"""The end of uvloop's RuntimeError for a write on a transport that its peer has just closed."""

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")
Connection = BaseDBAsyncClient
Row = Any
"""A row answers by column name and by position."""


def configuration(
    url: str,
    pool_size: int = 10,
    *,
    pool_size_min: int = 1,
    connect_seconds_max: float = CONNECT_SECONDS_MAX,
    idle_seconds_max: float = 300,
    **seconds_max: int,
) -> dict[str, Any]:
    """Tortoise's configuration for a PostgreSQL URL; `statement`, `transaction`, `lock` in seconds, 0 for ever."""
    address = url.partition("://")[2].partition("?")[0]
    connection = expand_db_url(f"asyncpg://{address}") | {"engine": db_pool.__name__}
    transaction_seconds_max = seconds_max.pop("transaction", 0)
    limits = {"idle_in_transaction_session": IDLE_SECONDS_MAX} | seconds_max
    connection["credentials"] |= {
        "dsn": url,
        "minsize": min(pool_size_min, pool_size),
        "maxsize": pool_size,
        "timeout": connect_seconds_max,
        "max_inactive_connection_lifetime": idle_seconds_max,
        "application_name": APP,
        "transaction_seconds_max": transaction_seconds_max,
        # The cost of a subquery that seldom runs is estimated for every row, and would have it compiled.
        "server_settings": {"jit": "off"}
        | {f"{name}_timeout": f"{seconds}s" for name, seconds in limits.items()},
    }
    app = {
        "models": ["renewals.db.models"],
        "default_connection": _CONNECTION,
        "migrations": "renewals.db.migrations",
    }
    return {"connections": {_CONNECTION: connection}, "apps": {APP: app}}


@contextlib.asynccontextmanager
async def connect(url: str, *, pool_size: int = 10, **limits: Any) -> AsyncIterator[None]:
    """Opens the pool for as long as the block runs; see `configuration` for its limits."""
    global _pool  # noqa: PLW0603 - what is open is a fact of the process
    await Tortoise.init(config=configuration(url, pool_size, **limits), _enable_global_fallback=True)
    before, _pool = _pool, get_connection(_CONNECTION)
    try:
        yield
    finally:
        _pool = before
        await Tortoise.close_connections()


def connect_from_settings(settings: config.Settings) -> contextlib.AbstractAsyncContextManager[None]:
    """The pool of a process that serves or works, by the settings."""
    return connect(
        settings.required_database_url,
        pool_size=settings.database_pool_size,
        pool_size_min=settings.database_pool_size_min,
        connect_seconds_max=settings.database_connect_seconds_max,
        idle_seconds_max=settings.database_idle_seconds_max,
        statement=settings.database_statement_seconds_max,
        transaction=TRANSACTION_SECONDS_MAX,
    )


def pool() -> Connection:
    """The pool itself: each statement runs on its own."""
    if _pool is None:
        raise RuntimeError("the database is not open")
    return _pool


_pool: Connection | None = None
_after_commit: weakref.WeakKeyDictionary[Connection, list[Callable[[], None]]] = weakref.WeakKeyDictionary()


def after_commit(connection: Connection, work: Callable[[], None]) -> None:
    """Has something done once the connection's transaction is committed, and not if it is rolled back.

    Transactions are not nested here: an inner one would do it although the outer is rolled back.
    """
    _after_commit.setdefault(connection, []).append(work)


@contextlib.asynccontextmanager
async def transaction() -> AsyncIterator[Connection]:
    """One transaction: all of the block or nothing. Lock the account rows first (see ARCHITECTURE.md)."""
    context = in_transaction(_CONNECTION)
    asked_at = time.perf_counter()
    try:
        connection = await context.__aenter__()
        metrics.POOL_WAIT_SECONDS.observe(time.perf_counter() - asked_at)
    except BaseException as stop:
        # Tortoise keeps the connection of a BEGIN that was cancelled; after some of those the pool is empty.
        if hasattr(context, "token"):
            with contextlib.suppress(Exception):
                await context.__aexit__(type(stop), stop, stop.__traceback__)
        raise
    try:
        yield connection
    except BaseException as stop:
        try:
            await context.__aexit__(type(stop), stop, stop.__traceback__)
        except Exception as problem:
            # Without its connection PostgreSQL has rolled back by itself, so that what ended the block is raised.
            if not is_unavailable(problem):
                raise
        raise
    await context.__aexit__(None, None, None)
    for work in _after_commit.pop(connection, ()):
        try:
            work()
        except Exception:  # what is committed has succeeded
            log.exception("work after a commit failed")


@contextlib.asynccontextmanager
async def read_snapshot(*, seconds_max: int | None = None) -> AsyncIterator[Connection]:
    """One transaction that only reads, and sees the database as it is at one moment throughout.

    `seconds_max` is how long it may take, where that is not what every transaction may take (PostgreSQL 17).
    """
    async with transaction() as connection:
        await execute(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if seconds_max is not None and await _has_transaction_timeout(connection):
            # The clock that is running stays as it is set, so it is first taken away.
            await execute(
                connection,
                f"SET LOCAL transaction_timeout = 0; SET LOCAL transaction_timeout = '{seconds_max}s'",
            )
        yield connection


async def _has_transaction_timeout(connection: Connection) -> bool:
    async with connection.acquire_connection() as asked:
        return server_version.has_transaction_timeout(asked)


def retry_on_conflict(work: Callable[Arguments, Awaitable[Value]]) -> Callable[Arguments, Awaitable[Value]]:
    """Does a transaction again, a bounded number of times, that PostgreSQL gave up in favour of another."""

    @functools.wraps(work)
    async def try_again(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        for tried in range(1, ATTEMPTS_MAX):
            try:
                return await work(*args, **kwargs)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                await asyncio.sleep(random.uniform(0, PAUSE_SECONDS * tried))  # noqa: S311 - so that they part
        return await work(*args, **kwargs)

    return try_again


def is_unavailable(error: Exception) -> bool:
    """Whether an error is the server's state and not the work's: it may be gone when the work is tried again."""
    return isinstance(error, _OUTAGES) or (
        isinstance(error, RuntimeError) and str(error).endswith(_CLOSED_TRANSPORT)
    )


async def fetch(connection: Connection, sql: str, *values: object) -> Sequence[Row]:
    """The rows of a statement; an INSERT, UPDATE or DELETE answers those it returns.

    asyncpg is asked itself, for the way through Tortoise costs half as much again as a short read.
    """
    rows: Sequence[Row]
    asked_at = time.perf_counter()
    async with connection.acquire_connection() as asked:
        _note_wait(connection, asked_at)
        rows = await asked.fetch(sql, *values)
    return rows


def _note_wait(connection: Connection, asked_at: float) -> None:
    if not isinstance(connection, TransactionWrapper):  # which has its connection already
        metrics.POOL_WAIT_SECONDS.observe(time.perf_counter() - asked_at)


def record_pool_metrics() -> None:
    """Measures how many connections the pool has, and how many of them are in use."""
    found: asyncpg.Pool | None = getattr(pool(), "_pool", None)
    if found is not None:
        idle = found.get_idle_size()
        metrics.POOL.labels("in_use").set(found.get_size() - idle)
        metrics.POOL.labels("idle").set(idle)
        metrics.POOL_MAX.set(found.get_max_size())


async def stream_rows(
    connection: Connection, sql: str, *values: object, size: int
) -> AsyncGenerator[Sequence[Row], None]:
    """The rows of a statement of any length, so many at a time, in a transaction that stays open meanwhile."""
    async with connection.acquire_connection() as asked:
        cursor = await asked.cursor(sql, *values)
        while page := await cursor.fetch(size):
            yield page


async def execute(connection: Connection, sql: str, *values: object) -> int:
    """How many rows a statement wrote, or a SELECT found."""
    asked_at = time.perf_counter()
    async with connection.acquire_connection() as asked:
        _note_wait(connection, asked_at)
        status = await asked.execute(sql, *values)
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


def new_id() -> uuid.UUID:
    """A new UUID of version 7: those made one after the other are next to each other in every index.

    It is of the class that asyncpg itself reads, which it writes without asking for its bytes.
    """
    stamp = bytearray(int(time.time() * 1_000).to_bytes(6, "big") + os.urandom(10))
    stamp[6] = stamp[6] & 0x0F | 0x70
    stamp[8] = stamp[8] & 0x3F | 0x80
    found: uuid.UUID = pgproto.UUID(bytes(stamp))
    return found
