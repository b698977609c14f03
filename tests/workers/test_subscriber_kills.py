"""A subscriber that is killed repeatedly misses no event and stores none twice, while workers are killed as well."""

import datetime as dt
import functools
import signal
from pathlib import Path

from tests.support import integrity
from tests.support.fixtures import World
from tests.support.live_server import served
from tests.support.waiting import eventually
from tests.workers import subscriber
from tests.workers.conftest import Start

ACCOUNTS, INSTANCES = 20, 500
KILLS = 20
TOTAL = ACCOUNTS * INSTANCES
WORKER_KILLS = (3, 8)
SLOWLY = {"RENEWALS_INSTANCES_PER_CHUNK": "100", "RENEWALS_WORKER_CHUNKS_AT_ONCE": "1"}


async def test_a_subscriber_killed_20_times_stores_each_of_10_000_events_once(
    world: World, database_url: str, redis_url: str, start: Start, tmp_path: Path
) -> None:
    now = dt.datetime.now(dt.UTC)
    east = 12 - now.hour  # the zone in which it is about noon, so that the last day does not end soon
    today = (now + dt.timedelta(hours=east)).date().isoformat()
    keys = []
    for number in range(ACCOUNTS):
        account = f"a-{number}"
        await world.account(account, balance="100000.00", zone=f"Etc/GMT{-east:+}")
        ids = [f"{account}-{n}" for n in range(INSTANCES)]
        await world.instances(ids, account=account, expires=today, mode="AUTO", price="1.00")
        keys.append(await world.key(account))

    def received() -> int:
        return sum(len(subscriber.read_stored_events(file)) for file in tmp_path.iterdir())

    async def has_received(count: int) -> bool:
        return received() >= count

    async with served(database_url, REDIS_URL=redis_url) as server:
        command = ("-m", "tests.workers.subscriber", f"ws://{server.address}/graphql", str(tmp_path), *keys)
        worker = start(**SLOWLY)
        for kill in range(KILLS):
            following = start(*command)
            expected_count = TOTAL * (kill + 1) // (KILLS + 1)
            await eventually(functools.partial(has_received, expected_count), 60)
            await following.kill()
            if kill in WORKER_KILLS:
                worker.signal(signal.SIGKILL)
                worker = start(**SLOWLY)
        start(*command)
        await eventually(lambda: has_received(TOTAL), 60)

    for number in range(ACCOUNTS):
        events = subscriber.read_stored_events(tmp_path / f"{number}.jsonl")
        assert [event["sequence"] for event in events] == list(range(1, INSTANCES + 1))
        assert {event["type"] for event in events} == {"instance.renewed"}
        assert {event["instanceId"] for event in events} == {f"a-{number}-{n}" for n in range(INSTANCES)}
    await integrity.assert_holds()
