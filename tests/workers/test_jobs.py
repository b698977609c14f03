"""The jobs of the worker."""

import datetime as dt

from arq import create_pool
from arq.connections import RedisSettings

from renewals.auto_renewal import schedule
from renewals.domain import clock as clocks
from tests.support.fixtures import World
from workers import jobs


async def test_the_sweep_opens_a_missing_scheduled_run_once(world: World, redis_url: str) -> None:
    await world.account("a", balance="1000.00")
    today = clocks.utc_now().astimezone(dt.timezone(dt.timedelta(hours=8))).date()
    await world.instance("i-1", expires=str(today), mode="AUTO")
    queue = await create_pool(RedisSettings.from_dsn(redis_url))
    await jobs.run_every_minute({"redis": queue})
    await jobs.run_every_minute({"redis": queue})
    assert await world.rows("SELECT trigger, scheduled_at FROM renewal_runs") == [
        ("SCHEDULED", schedule.last_scheduled_at(clocks.utc_now()))
    ]
    await queue.aclose()
