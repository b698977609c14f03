"""A test that replaces every process under load: `make restarts`, or `python -m tests.load.restarts`.

It replaces them in two ways. One is SIGHUP to `renewals serve` with two workers. The other is a rolling update as in
Kubernetes: a new pod becomes ready, and the old pod gets no new connections, waits, and receives SIGTERM.
"""

import argparse
import asyncio
import contextlib
import itertools
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.chaos import stage
from tests.graphql_api.devserver.test_up import processes
from tests.load.load import Load, Outcome, operation
from tests.support.fixtures import World
from tests.support.live_server import LiveServer, served

RATE = 200
INSTANCES = 500
PAGE = "{ instances(first: 10) { totalCount nodes { id expiresAt monthlyPrice } } account { balance } }"
RENEW = """mutation ($id: ID!, $key: String!) {
  renewInstances(input: { selection: { ids: [$id] }, months: 1, idempotencyKey: $key }) {
    __typename ... on Error { message }
  }
}"""
PRE_STOP_SECONDS = 1.0
REPLACE_SECONDS_MAX = 120.0


def renewal(number: int) -> bytes:
    """Return the body of a renewal of one instance. The number of orders shows whether any was executed twice."""
    return operation(RENEW, id=f"i-{number // 20 % INSTANCES}", key=f"load-{number}")


BODIES = (*[lambda _: operation(PAGE)] * 19, renewal)
"""The bodies of 20 successive requests: 19 pages of instances and one renewal."""


class Plan(NamedTuple):
    """The number of replacements, their minimum duration in all, the drain time, and the requests per second."""

    times: int
    seconds: float
    drain_seconds: float
    rate: float = RATE

    def load(self, port: Callable[[], int], key: str) -> Load:
        return Load(port, key, BODIES, rest_seconds_max=0.4 * self.drain_seconds)

    async def play(self, load: Load, replace: Callable[[], Awaitable[None]]) -> Outcome:
        running = asyncio.create_task(load.run(self.rate))
        try:
            for _ in range(self.times):
                pause = asyncio.create_task(asyncio.sleep(self.seconds / self.times))
                await replace()
                await pause
        finally:
            load.end()
        return await running


async def prepare() -> str:
    """Create account `a` with money and INSTANCES instances; return its key."""
    world = World()
    await world.put_catalogue()
    await world.account("a", balance="1000000.00")
    await world.instances([f"i-{n}" for n in range(INSTANCES)], price="1.00")
    return await world.key("a")


async def of_processes(database_url: str, key: str, plan: Plan) -> Outcome:
    """Run one server with two workers, and replace both by SIGHUP."""
    settings = {"RENEWALS_WORKERS": "2", "RENEWALS_DRAIN_SECONDS": str(plan.drain_seconds)}
    async with served(database_url, **settings) as server:
        load = plan.load(lambda: server.port, key)

        async def replace() -> None:
            before = children(server.process.pid)
            server.process.signal(signal.SIGHUP)
            async with asyncio.timeout(REPLACE_SECONDS_MAX):
                while before & (now := children(server.process.pid)) or len(now) < len(before):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)

        return await plan.play(load, replace)


async def of_pods(database_url: str, key: str, plan: Plan) -> Outcome:
    """Run two servers on separate ports, and replace them in turn. A server that ends gets no new connections."""
    async with contextlib.AsyncExitStack() as pods:

        async def start() -> LiveServer:
            settings = {"RENEWALS_DRAIN_SECONDS": str(plan.drain_seconds)}
            return await pods.enter_async_context(served(database_url, **settings))

        async def replace() -> None:
            for _ in range(2):
                endpoints.append(await start())
                leaving = endpoints.pop(0)
                await asyncio.sleep(PRE_STOP_SECONDS)
                leaving.process.signal(signal.SIGTERM)
                await leaving.process.ended()

        endpoints = [await start(), await start()]
        turns = itertools.count()
        load = plan.load(lambda: endpoints[next(turns) % len(endpoints)].port, key)
        return await plan.play(load, replace)


def children(pid: int) -> set[int]:
    """Return the process ids of a supervisor's workers."""
    return {
        child
        for child, parent, command in processes()
        if parent == pid and "graphql_api.server.serve" in command
    }


async def _try_both(servers: stage.Servers, plan: Plan) -> bool:
    is_clean = True
    async with stage.opened(servers) as opened:
        key = await prepare()
        for replacement in (of_processes, of_pods):
            started_at = time.monotonic()
            outcome = await replacement(opened.database_url, key, plan)
            seconds = time.monotonic() - started_at
            sys.stdout.write(f"{replacement.__name__}, {plan.times} times in {seconds:.0f} s: {outcome}\n")
            is_clean = is_clean and not outcome.wrong
    return is_clean


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Replaces every process under load; exit 1 for a lost request."
    )
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--drain-seconds", type=float, default=8)
    parser.add_argument("--rate", type=float, default=RATE)
    with stage.started(durable=False) as own:
        sys.exit(not asyncio.run(_try_both(own, Plan(**vars(parser.parse_args())))))
