"""A queue full of the jobs of killed workers. arq keeps these jobs locked until they time out."""

import time
from pathlib import Path

import redis

from tests.chaos import processes
from tests.chaos.work import Work, until

JOBS_OF_KILLED_WORKERS = 300
IN_PROGRESS_SECONDS = 310


async def test_a_worker_renews_its_chunk_behind_300_jobs_of_killed_workers(
    opened: str, redis_url: str, tmp_path: Path
) -> None:
    work = await Work.begun()
    batch = await work.put(4)
    before = time.time_ns() // 1_000_000 - 1_000
    with redis.Redis.from_url(redis_url) as client:
        for number in range(JOBS_OF_KILLED_WORKERS):
            client.zadd("arq:queue", {f"renew:99999:{number}": before})
            client.set(f"arq:in-progress:renew:99999:{number}", 1, ex=IN_PROGRESS_SECONDS)
    worker = processes.fork(["worker"], {"DATABASE_URL": opened, "REDIS_URL": redis_url}, tmp_path / "log")
    try:
        assert await until(lambda: work.is_done(batch), 10) is not None
    finally:
        await worker.kill()
