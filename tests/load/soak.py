"""A test of the served API's memory: `make soak-api MINUTES=10`, or `python -m tests.load.soak`.

`renewals serve` with two workers serves a mixture of valid and invalid requests, and `renewals worker` runs beside it.
The memory of each process is printed every 30 seconds. The exit code is 1 if the memory of a process grows by more than
GROWTH_MAX from the second third of the time to the last, or if a request fails.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import orjson
import websockets

from tests.chaos import stage
from tests.load import restarts
from tests.support.fixtures import World
from tests.support.live_server import LiveServer, served

RATE = 60
"""Requests per second. On a small machine, a higher rate would measure the client."""
AT_ONCE = 24
ACCOUNTS, INSTANCES = ("a", "b", "c"), 1_000
SAMPLE_SECONDS, PRINT_SECONDS = 1.0, 30.0
GROWTH_MAX = 0.10
"""The maximum growth, as a ratio, from the mean of the second third of the samples to the mean of the last third."""
ANSWER_SECONDS_MAX = 30.0
MEBIBYTE = 1 << 20
GOOD = {"OK", "200", "next", "BUSY"}
"""The expected results of valid requests. BUSY is one of them, because concurrent exports are limited."""
SERVER_ERRORS = {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}
"""The codes of errors that the server causes."""

PAGE = "{ instances(first: 10) { totalCount nodes { id expiresAt monthlyPrice outlook { willRenew } } } }"
DETAILS = """query ($id: ID!) { instance(id: $id) { id name configuration { label value } product { code } }
  orders(first: 5) { nodes { total lines { startsAt price } } } ledger(first: 5) { nodes { amount } } }"""
QUOTE = """query ($ids: [ID!]!) {
  quoteRenewal(input: { selection: { ids: $ids }, months: 3 }) { total refusals { code } }
  forecast(days: 10) { topUpNeeded } }"""
SUBSCRIBE = "subscription { events(after: 0) { sequence type } }"
DEEP = "{ account " * 20 + "}" * 20
BAD = (
    {"query": "{ instances(first: 5) { nodes { id "},
    {"query": "{ noSuchField }"},
    {"query": DEEP},
    {"query": "{ instances(first: 5000) { totalCount } }"},
    {"query": PAGE, "variables": []},
    {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
)


class Customers:
    """Clients on kept connections, and the counts of their responses."""

    def __init__(self, server: LiveServer, keys: list[str]) -> None:
        self._server = server
        self._keys = keys
        self._numbers = itertools.count()
        self.answers: Counter[str] = Counter()
        """The number of responses by kind of request and code."""

    async def ask(self, seconds: float) -> None:
        """Send random requests for `seconds`, at most AT_ONCE at a time."""
        kinds: dict[Callable[[httpx2.AsyncClient, int], Awaitable[str]], int] = {
            self._page: 40, self._details: 20, self._quote: 12, self._renew: 8, self._new_document: 8,
            self._bad: 8, self._stranger: 2, self._export: 2, self._stream: 2, self._socket: 2,
        }  # fmt: skip
        until = time.monotonic() + seconds
        room = asyncio.Semaphore(AT_ONCE)
        limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        async with (
            httpx2.AsyncClient(limits=limits, timeout=ANSWER_SECONDS_MAX) as client,
            asyncio.TaskGroup() as tasks,
        ):

            async def once(kind: Callable[[httpx2.AsyncClient, int], Awaitable[str]]) -> None:
                try:
                    async with asyncio.timeout(ANSWER_SECONDS_MAX):
                        code = await kind(client, next(self._numbers))
                except (OSError, TimeoutError, httpx2.HTTPError, websockets.WebSocketException) as lost:
                    code = type(lost).__name__
                finally:
                    room.release()
                self.answers[f"{kind.__name__.strip('_')} {code}"] += 1

            while time.monotonic() < until:
                await room.acquire()
                tasks.create_task(once(*random.choices(list(kinds), list(kinds.values()))))
                await asyncio.sleep(random.expovariate(RATE))

    @property
    def faults(self) -> int:
        """The number of unexpected and missing responses."""
        return sum(
            count for kind_and_code, count in self.answers.items() if _is_fault(*kind_and_code.split(" ", 1))
        )

    async def _post(self, client: httpx2.AsyncClient, number: int, body: object) -> str:
        headers = {"Authorization": f"Bearer {self._keys[number % len(self._keys)]}"}
        return _code(await client.post(self._server.url, json=body, headers=headers))

    async def _page(self, client: httpx2.AsyncClient, number: int) -> str:
        return await self._post(client, number, {"query": PAGE})

    async def _details(self, client: httpx2.AsyncClient, number: int) -> str:
        return await self._post(client, number, {"query": DETAILS, "variables": {"id": _instance(number)}})

    async def _quote(self, client: httpx2.AsyncClient, number: int) -> str:
        ids = [_instance(number + offset * len(ACCOUNTS)) for offset in range(20)]
        return await self._post(client, number, {"query": QUOTE, "variables": {"ids": ids}})

    async def _renew(self, client: httpx2.AsyncClient, number: int) -> str:
        variables = {"id": _instance(number), "key": f"soak-{number}"}
        return await self._post(client, number, {"query": restarts.RENEW, "variables": variables})

    async def _new_document(self, client: httpx2.AsyncClient, number: int) -> str:
        return await self._post(
            client, number, {"query": f"query Q{number} {{ a{number}: account {{ id }} }}"}
        )

    async def _bad(self, client: httpx2.AsyncClient, number: int) -> str:
        return await self._post(client, number, random.choice(BAD))

    async def _stranger(self, client: httpx2.AsyncClient, number: int) -> str:
        headers = {"Authorization": f"Bearer rk_{number:08x}_stranger"}
        return _code(await client.post(self._server.url, json={"query": PAGE}, headers=headers))

    async def _export(self, client: httpx2.AsyncClient, number: int) -> str:
        address = (
            f"http://{self._server.address}/export/{random.choice(('instances', 'orders', 'ledger'))}.csv"
        )
        headers = {"Authorization": f"Bearer {self._keys[number % len(self._keys)]}"}
        return _code(await client.get(address, headers=headers))

    async def _stream(self, client: httpx2.AsyncClient, number: int) -> str:
        """Read the beginning of a stream of server-sent events, and disconnect."""
        headers = {
            "Authorization": f"Bearer {self._keys[number % len(self._keys)]}",
            "Accept": "text/event-stream",
        }
        async with client.stream(
            "POST", self._server.url, json={"query": SUBSCRIBE}, headers=headers
        ) as response:
            async for _ in response.aiter_bytes():
                break
        return str(response.status_code)

    async def _socket(self, _: httpx2.AsyncClient, number: int) -> str:
        """Subscribe over a web socket, read the first event, and disconnect."""
        key = self._keys[number % len(self._keys)]
        async with websockets.connect(
            f"ws://{self._server.address}/graphql",
            subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        ) as socket:
            admission = {"type": "connection_init", "payload": {"Authorization": f"Bearer {key}"}}
            await socket.send(orjson.dumps(admission).decode())
            await socket.recv()
            await socket.send(
                orjson.dumps({"id": "1", "type": "subscribe", "payload": {"query": SUBSCRIBE}}).decode()
            )
            return str(orjson.loads(await socket.recv())["type"])


class Memory:
    """The resident memory of processes in MiB, sampled every second."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self.samples: dict[str, list[float]] = {name: [] for name in pids}

    async def watch(self) -> None:
        started_at = printed_at = time.monotonic()
        while True:
            for name, pid in self._pids.items():
                self.samples[name].append(_resident(pid))
            if (now := time.monotonic()) >= printed_at + PRINT_SECONDS:
                printed_at = now
                say(f"{now - started_at:5.0f} s  {self._latest()}")
            await asyncio.sleep(SAMPLE_SECONDS)

    def _latest(self) -> str:
        return "  ".join(f"{name} {values[-1]:.1f} MiB" for name, values in self.samples.items())


def is_flat(name: str, samples: list[float]) -> bool:
    """Print the growth of a process's memory; return whether it is at most GROWTH_MAX."""
    third = len(samples) // 3
    before, after = statistics.fmean(samples[third : 2 * third]), statistics.fmean(samples[2 * third :])
    flat = after <= before * (1 + GROWTH_MAX)
    say(f"{name}: {before:.1f} MiB, then {after:.1f} ({after - before:+.1f}): {'flat' if flat else 'GROWS'}")
    return flat


def say(line: str) -> None:
    """Print a line immediately, even into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _is_fault(kind: str, code: str) -> bool:
    """Return whether a result is missing, or unexpected for its kind of request."""
    if kind in ("bad", "stranger"):
        return code in SERVER_ERRORS or code in GOOD or not code.isupper()
    return code not in GOOD


def _instance(number: int) -> str:
    """Return the id of an instance of the account that the n-th request uses."""
    return f"{ACCOUNTS[number % len(ACCOUNTS)]}-{number // len(ACCOUNTS) % INSTANCES}"


def _code(response: httpx2.Response) -> str:
    """Return OK, the code of the first error, the type of a refusal, or the status of a response that is not JSON."""
    if not response.headers.get("content-type", "").startswith("application/"):
        return str(response.status_code)
    content = response.json()
    for error in content.get("errors", ()):
        return str(error.get("extensions", {}).get("code", "without a code"))
    refused = (content["data"] or {}).get("renewInstances", {}).get("__typename", "OK")
    return "OK" if refused == "RenewInstancesSuccess" else str(refused)


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


async def _prepared() -> list[str]:
    """Create accounts with money, instances and the events of their registration; return the accounts' keys."""
    world = World()
    await world.put_catalogue()
    for account in ACCOUNTS:
        await world.account(account, balance="1000000.00")
        await world.instances([f"{account}-{n}" for n in range(INSTANCES)], account=account, price="1.00")
    return [await world.key(account) for account in ACCOUNTS]


async def _soak(servers: stage.Servers, seconds: float) -> bool:
    async with stage.opened(servers) as opened:
        keys = await _prepared()
        worker = opened.plain_worker()
        settings = {"REDIS_URL": opened.valkey.url, "RENEWALS_WORKERS": "2"}
        async with served(opened.database_url, **settings) as server:
            serving = sorted(restarts.children(server.process.pid))
            pids = {f"api {number}": pid for number, pid in enumerate(serving, 1)}
            memory = Memory({"supervisor": server.process.pid, **pids, "worker": worker.pid})
            customers = Customers(server, keys)
            watching = asyncio.create_task(memory.watch())
            await customers.ask(seconds)
            watching.cancel()
            is_the_same = set(serving) == restarts.children(server.process.pid) and worker.is_alive
    for kind_and_code, count in sorted(customers.answers.items()):
        say(f"{count:9,}  {kind_and_code}")
    say(
        f"{customers.answers.total():,} requests in {seconds:.0f} s, {customers.faults} of them not as they ought to be"
    )
    flat = [is_flat(name, samples) for name, samples in memory.samples.items()]
    if not is_the_same:
        say("a process ended meanwhile")
    return all(flat) and is_the_same and not customers.faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serves a mixture; exit 1 if memory grows or requests fail.")
    parser.add_argument("--minutes", type=float, default=10)
    with stage.started(durable=False) as own:
        sys.exit(not asyncio.run(_soak(own, 60 * parser.parse_args().minutes)))
