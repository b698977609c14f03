"""A worker as a process of its own, and the queue as a worker has it."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import orjson
import pytest
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(database_url: str, redis_url: str) -> Iterator[Start]:
    """Starts a worker, or another program of Python's, on the test's servers; what lives at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, *(arguments or ("-m", "graphql_api", "worker"))]
        urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        started.append(subprocess.Popen(command, env=os.environ | urls | variables))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[ArqRedis]:
    """The queue, in JSON."""
    pool = await create_pool(
        RedisSettings.from_dsn(redis_url), job_serializer=orjson.dumps, job_deserializer=orjson.loads
    )
    yield pool
    await pool.aclose(close_connection_pool=True)
