"""Fixtures: worker processes, and the worker's queue."""

from collections.abc import AsyncIterator, Callable

import orjson
import pytest
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

from tests.chaos import processes

Start = Callable[..., processes.Process]


@pytest.fixture
async def start(database_url: str, redis_url: str) -> AsyncIterator[Start]:
    """Return a function that starts a worker or another Python program on the test's servers. Kill all afterwards."""
    started: list[processes.Process] = []

    def start(*program: str, **variables: str) -> processes.Process:
        environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, **variables}
        started.append(
            processes.start_python(program, environment)
            if program
            else processes.fork(["worker"], environment)
        )
        return started[-1]

    yield start
    for process in started:
        await process.kill()


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[ArqRedis]:
    """The worker's queue, whose jobs are encoded as JSON."""
    pool = await create_pool(
        RedisSettings.from_dsn(redis_url), job_serializer=orjson.dumps, job_deserializer=orjson.loads
    )
    yield pool
    await pool.aclose(close_connection_pool=True)
