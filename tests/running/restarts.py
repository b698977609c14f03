"""Every process replaced under load, several times: `make restarts`, or `python -m tests.running.restarts`.

Two ways: SIGHUP of one `renewals serve --workers 2`, and what Kubernetes does with pods: a new one is started and
ready, the old one gets no new connections, waits, and is told to stop.
"""

import argparse
import asyncio
import contextlib
import signal
import sys

from tests.faults import stage
from tests.running.load import Load, Outcome, operation
from tests.served import Served, served
from tests.world import World

RATE = 200
INSTANCES = 500
PAGE = "{ instances(first: 10) { totalCount nodes { id expiresAt monthlyPrice } } account { balance } }"
RENEW = """mutation ($id: ID!, $key: String!) {
  renewInstances(input: { selection: { ids: [$id] }, months: 1, idempotencyKey: $key }) {
    __typename ... on Error { message }
  }
}"""
PRE_STOP_SECONDS = 1.0
DRAIN_SECONDS = 10.0


def renewal(number: int) -> bytes:
    """A renewal of one instance, which is done once or it would be seen in the ledger."""
    return operation(RENEW, id=f"i-{number // 20 % INSTANCES}", key=f"load-{number}")


BODIES = (*[lambda _: operation(PAGE)] * 19, renewal)
"""Of twenty requests one renews."""


async def prepare() -> str:
    """An account with instances and money; answers its key."""
    world = World()
    await world.put_catalogue()
    await world.account("a", balance="1000000.00")
    await world.instances([f"i-{n}" for n in range(INSTANCES)], price="1.00")
    return await world.key("a")


async def of_processes(
    database_url: str, key: str, *, seconds: float, times: int, drain_seconds: float, rate: float = RATE
) -> Outcome:
    """One server with two processes; SIGHUP replaces both."""
    async with served(
        database_url, RENEWALS_WORKERS="2", RENEWALS_DRAIN_SECONDS=str(drain_seconds)
    ) as server:
        load = Load(lambda: server.port, key, BODIES, rest_seconds_max=0.4 * drain_seconds)
        running = asyncio.create_task(load.run(rate, seconds))
        for _ in range(times):
            await asyncio.sleep(seconds / (times + 1))
            server.process.send_signal(signal.SIGHUP)
        return await running


async def of_pods(
    database_url: str, key: str, *, seconds: float, times: int, drain_seconds: float, rate: float = RATE
) -> Outcome:
    """One server after the other, each on a port of its own; new connections go to the newest."""
    async with contextlib.AsyncExitStack() as pods:

        async def start() -> Served:
            return await pods.enter_async_context(
                served(database_url, RENEWALS_DRAIN_SECONDS=str(drain_seconds))
            )

        newest = await start()
        load = Load(lambda: newest.port, key, BODIES, rest_seconds_max=0.4 * drain_seconds)
        running = asyncio.create_task(load.run(rate, seconds))
        for _ in range(times):
            await asyncio.sleep(seconds / (times + 1))
            old, newest = newest, await start()
            await asyncio.sleep(PRE_STOP_SECONDS)
            old.process.terminate()
        return await running


async def _try_both(servers: stage.Servers, seconds: float, times: int, rate: float) -> bool:
    is_clean = True
    async with stage.opened(servers) as opened:
        key = await prepare()
        for way in (of_processes, of_pods):
            outcome = await way(
                opened.database_url, key, seconds=seconds, times=times, drain_seconds=DRAIN_SECONDS, rate=rate
            )
            sys.stdout.write(f"{way.__name__}, {times} times in {seconds:.0f} s: {outcome}\n")
            is_clean = is_clean and not outcome.wrong
    return is_clean


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Replaces every process under load; exit 1 for a lost request."
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--rate", type=float, default=RATE)
    chosen = parser.parse_args()
    with stage.started(durable=False) as own:
        sys.exit(not asyncio.run(_try_both(own, chosen.seconds, chosen.times, chosen.rate)))
