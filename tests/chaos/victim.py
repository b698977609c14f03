"""The product's command line in a process that can be killed, stopped, or given a wrong clock.

`processes` forks it from a process that has imported this module. The product has no code for faults: this module
counts the statements in asyncpg, and replaces the clock before other modules import it as a default argument.
"""

import asyncio
import datetime as dt
import functools
import importlib
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from renewals.domain import clock as clocks
from tests.chaos import plans

_plan = plans.Plan()
_statement_count = 0


def run(arguments: Sequence[str], plan: plans.Plan) -> None:
    """Run `renewals ...` with a plan, and exit the process."""
    global _plan  # noqa: PLW0603  # the process is forked for this one run
    _plan = plan
    if plan.chunk_seconds_max is not None:
        main.CHUNK_SECONDS_MAX = plan.chunk_seconds_max
    if plan.idle_seconds_max is not None:
        sessions.IDLE_SECONDS_MAX = sessions.TRANSACTION_SECONDS_MAX = plan.idle_seconds_max
    if plan.sweeps_each_second:
        main.cron = _each_second
    cli.app(list(arguments))


def _each_second(job: Callable[..., Awaitable[None]], **options: Any) -> Any:
    return _cron(job, **options | {"second": set(range(60))})


def _utc_now() -> dt.datetime:
    now = dt.datetime.now(dt.UTC)
    if _plan.clock_file is None:
        return now
    return now + dt.timedelta(seconds=float(Path(_plan.clock_file).read_text()))


def _counted(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a method of asyncpg that counts statements, and triggers the fuse of the plan."""

    @functools.wraps(method)
    async def counted(connection: asyncpg.Connection, *arguments: Any, **options: Any) -> Any:
        global _statement_count  # noqa: PLW0603
        _statement_count += 1
        call = method(connection, *arguments, **options)
        fuse = _plan.fuse
        if fuse is None or fuse.statement != _statement_count:
            return await call
        match fuse.moment:
            case plans.Moment.BEFORE:
                os.kill(os.getpid(), fuse.signal_number)
                return await call
            case plans.Moment.SENT:
                task = asyncio.ensure_future(call)
                await asyncio.sleep(0)  # the first step of the task writes to the socket
                os.kill(os.getpid(), fuse.signal_number)
                return await task
            case plans.Moment.AFTER:
                result = await call
                os.kill(os.getpid(), fuse.signal_number)
                return result

    return counted


clocks.utc_now = _utc_now
asyncpg.Connection.execute = _counted(asyncpg.Connection.execute)
asyncpg.Connection.fetch = _counted(asyncpg.Connection.fetch)
cli: Any = importlib.import_module("graphql_api.cli.main")
database: Any = importlib.import_module("renewals.db.connection")
sessions: Any = importlib.import_module("renewals.db.sessions")
main: Any = importlib.import_module("workers.main")
importlib.import_module("graphql_api.app")
importlib.import_module("uvicorn.protocols.http.httptools_impl")
_cron = main.cron
