"""The connection pool, transactions and statements.

`fetch` and `execute` receive the connection from their caller, so that the code shows which statements share a
transaction.
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
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar

import asyncpg
from asyncpg.pgproto import pgproto
from tortoise import Tortoise
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from renewals import config
from renewals.db import errors as db_errors
from renewals.db import server_version, sessions
from renewals.db.configuration import DEFAULT_CONNECTION, build_configuration
from renewals.observability import metrics

log = logging.getLogger(__name__)

ATTEMPTS_MAX = 5
PAUSE_SECONDS = 0.1
"""The maximum pause before the second attempt; before attempt n + 1, the maximum is n times as long."""
Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")
Connection = BaseDBAsyncClient


class Row(Protocol):
    """A row, whose values are read by column name or by position."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""

    def items(self) -> Iterable[tuple[str, object]]:
        """Return the names and values of the columns."""


@contextlib.asynccontextmanager
async def connect(url: str, *, pool_size: int = 10, **limits: Any) -> AsyncIterator[None]:
    """Keep the pool open while the block runs; `limits` are further arguments of `build_configuration`."""
    global _pool  # noqa: PLW0603 - the pool belongs to the process
    await Tortoise.init(config=build_configuration(url, pool_size, **limits), _enable_global_fallback=True)
    previous, _pool = _pool, get_connection(DEFAULT_CONNECTION)
    try:
        yield
    finally:
        _pool = previous
        await Tortoise.close_connections()


def connect_from_settings(settings: config.Settings) -> contextlib.AbstractAsyncContextManager[None]:
    """Keep the pool of an API or worker process open while the block runs."""
    return connect(
        settings.required_database_url,
        pool_size=settings.database_pool_size,
        pool_size_min=settings.database_pool_size_min,
        connect_seconds_max=settings.database_connect_seconds_max,
        idle_seconds_max=settings.database_idle_seconds_max,
        replica_url=settings.database_replica_url,
        statement=settings.database_statement_seconds_max,
        transaction=sessions.TRANSACTION_SECONDS_MAX,
    )


def pool() -> Connection:
    """Return the pool, on which each statement is its own transaction. Raises RuntimeError if the pool is not open."""
    if _pool is None:
        raise RuntimeError("the database is not open")
    return _pool


_pool: Connection | None = None
_after_commit: weakref.WeakKeyDictionary[Connection, list[Callable[[], None]]] = weakref.WeakKeyDictionary()


def after_commit(connection: Connection, work: Callable[[], None]) -> None:
    """Register a function that is called after the connection's transaction is committed, but not after a rollback.

    Transactions must not be nested: the end of the inner transaction would call the function even if the outer
    transaction is rolled back.
    """
    _after_commit.setdefault(connection, []).append(work)


@contextlib.asynccontextmanager
async def transaction(name: str = DEFAULT_CONNECTION) -> AsyncIterator[Connection]:
    """Run the block in a transaction; a block that changes accounts must first lock them (see ARCHITECTURE.md)."""
    context = in_transaction(name)
    started_at = time.perf_counter()
    try:
        connection = await context.__aenter__()
        metrics.POOL_WAIT_SECONDS.observe(time.perf_counter() - started_at)
    except BaseException as error:
        # Tortoise does not return the connection of a cancelled BEGIN to the pool, so it is returned here.
        if hasattr(context, "token"):
            with contextlib.suppress(Exception):
                await context.__aexit__(type(error), error, error.__traceback__)
        raise
    try:
        yield connection
    except BaseException as error:
        try:
            await context.__aexit__(type(error), error, error.__traceback__)
        except Exception as rollback_error:
            # PostgreSQL rolls back the transaction of a lost connection, so the block's own error is raised.
            if not db_errors.is_unavailable(rollback_error):
                raise
        raise
    await context.__aexit__(None, None, None)
    for work in _after_commit.pop(connection, ()):
        try:
            work()
        except Exception:  # the transaction has succeeded
            log.exception("a callback raised an error after its transaction was committed")


@contextlib.asynccontextmanager
async def read_snapshot(
    *, seconds_max: int | None = None, name: str = DEFAULT_CONNECTION
) -> AsyncIterator[Connection]:
    """Run the block in a read-only transaction that reads a single snapshot.

    On PostgreSQL 17 and newer, `seconds_max` replaces the time limit of the transaction.
    """
    async with transaction(name) as connection:
        await execute(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if seconds_max is not None and await _has_transaction_timeout(connection):
            # PostgreSQL does not change a running timer, so the timer is removed first.
            await execute(
                connection,
                f"SET LOCAL transaction_timeout = 0; SET LOCAL transaction_timeout = '{seconds_max}s'",
            )
        yield connection


async def _has_transaction_timeout(connection: Connection) -> bool:
    async with connection.acquire_connection() as raw:
        return server_version.has_transaction_timeout(raw)


def retry_on_conflict(
    work: Callable[Arguments, Coroutine[object, None, Value]],
) -> Callable[Arguments, Coroutine[object, None, Value]]:
    """Decorate a transaction to repeat it after deadlocks and serialization errors, up to ATTEMPTS_MAX tries in all."""

    @functools.wraps(work)
    async def try_again(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        for attempt in range(1, ATTEMPTS_MAX):
            try:
                return await work(*args, **kwargs)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                await asyncio.sleep(random.uniform(0, PAUSE_SECONDS * attempt))  # noqa: S311 - to space the retries
        return await work(*args, **kwargs)

    return try_again


def retry_on_unique_violation(
    work: Callable[Arguments, Coroutine[object, None, Value]],
) -> Callable[Arguments, Coroutine[object, None, Value]]:
    """Decorate a transaction to repeat it after violations of a unique key, up to ATTEMPTS_MAX tries in all."""

    @functools.wraps(work)
    async def try_again(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        for _ in range(1, ATTEMPTS_MAX):
            try:
                return await work(*args, **kwargs)
            except (asyncpg.UniqueViolationError, IntegrityError) as error:
                if not db_errors.is_unique_violation(error):
                    raise
        return await work(*args, **kwargs)

    return try_again


async def fetch(connection: Connection, sql: str, *values: object) -> Sequence[Row]:
    """Execute a statement and return its rows, or the rows of its RETURNING clause.

    This function calls asyncpg directly, because a short read through Tortoise takes 50 % longer.
    """
    rows: Sequence[Row]
    started_at = time.perf_counter()
    async with connection.acquire_connection() as raw:
        _observe_wait(connection, started_at)
        rows = await raw.fetch(sql, *values)
    return rows


def _observe_wait(connection: Connection, started_at: float) -> None:
    if not isinstance(connection, TransactionWrapper):  # a transaction already has its connection
        metrics.POOL_WAIT_SECONDS.observe(time.perf_counter() - started_at)


def record_pool_metrics() -> None:
    """Set the metrics of the connections in the pool."""
    asyncpg_pool: asyncpg.Pool | None = getattr(pool(), "_pool", None)  # None before the first statement
    if asyncpg_pool is not None:
        idle = asyncpg_pool.get_idle_size()
        metrics.POOL.labels("in_use").set(asyncpg_pool.get_size() - idle)
        metrics.POOL.labels("idle").set(idle)
        metrics.POOL_MAX.set(asyncpg_pool.get_max_size())


async def execute(connection: Connection, sql: str, *values: object) -> int:
    """Execute a statement and return the number of rows that it wrote or selected."""
    started_at = time.perf_counter()
    async with connection.acquire_connection() as raw:
        _observe_wait(connection, started_at)
        status = await raw.execute(sql, *values)
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


_last_stamp = 0
"""The time of the latest id, in milliseconds since 1970, and 12 lower bits that number the ids of one millisecond."""


def new_id() -> uuid.UUID:
    """Return a UUID of version 7 that is greater than all earlier ids of this process.

    The orders of one account in a run have equal creation times, so only their ids show which was paid first. The id is
    an instance of asyncpg's own UUID class, which asyncpg encodes fastest.
    """
    global _last_stamp  # noqa: PLW0603 - a process has one sequence of ids
    _last_stamp = max(int(time.time() * 1_000) << 12, _last_stamp + 1)
    milliseconds, number = divmod(_last_stamp, 1 << 12)
    random_bits = int.from_bytes(os.urandom(8), "big") >> 2
    value = milliseconds << 80 | 0x7 << 76 | number << 64 | 0b10 << 62 | random_bits
    identifier: uuid.UUID = pgproto.UUID(value.to_bytes(16, "big"))
    return identifier
