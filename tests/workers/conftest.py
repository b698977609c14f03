"""A worker as a process of its own, and the queue as a worker has it."""

from collections.abc import AsyncIterator, Callable

import orjson
import pytest
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

from tests.chaos import processes

Start = Callable[..., processes.Process]


@pytest.fixture
async def start(database_url: str, redis_url: str) -> AsyncIterator[Start]:
    """Starts a worker, or another program of Python's, on the test's servers; what lives at the end is killed."""
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
    """The queue, in JSON."""
    pool = await create_pool(
        RedisSettings.from_dsn(redis_url), job_serializer=orjson.dumps, job_deserializer=orjson.loads
    )
    yield pool
    await pool.aclose(close_connection_pool=True)
