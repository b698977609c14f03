"""A test of whether one key can slow down another account: `make starve`, or `python -m tests.load.starve --help`.

For each case, a separate process keeps 50 connections busy with one kind of request by the attacker's key. Meanwhile,
another account sends 20 small queries per second. The table shows the latencies of the other account without and with
the attacker. The exit code is 1 if a p99 exceeds its bound, a query fails, or `/readyz` does not return 200.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx2
import orjson

from tests.chaos import stage
from tests.load.load import KeptConnection
from tests.support.fixtures import World
from tests.support.live_server import LiveServer, served

CONNECTIONS = 50
RATE = 20
"""Queries per second of the other account."""
INSTANCES, AUTO_INSTANCES, VICTIM_INSTANCES = 2_000, 8_000, 200
RATIO_MAX = 10.0
P99_SECONDS_MAX = 0.150
ATTACKER, VICTIM = "attacker", "victim"
JSON_HEADERS = {"Content-Type": "application/json"}


class HTTPRequest(NamedTuple):
    """One request of an attacker."""

    method: str
    path: str
    body: bytes = b""

    def encode(self, key: str) -> bytes:
        head = [
            f"{self.method} {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {key}",
            f"Content-Length: {len(self.body)}",
            "Content-Type: application/json",
        ]
        return "\r\n".join([*head, "", ""]).encode() + self.body


def _graphql(document: str, **variables: object) -> HTTPRequest:
    return HTTPRequest("POST", "/graphql", orjson.dumps({"query": document, "variables": variables}))


def _instance(number: int) -> str:
    return f"attacker-{number % (INSTANCES + AUTO_INSTANCES):05}"


def _outlook(number: int) -> HTTPRequest:
    return _graphql("query ($id: ID!) { instance(id: $id) { outlook { willRenew } } }", id=_instance(number))


def _forecasts(number: int) -> HTTPRequest:
    fields = (f"f{index}: forecast(days: {30 + index}) {{ topUpNeeded }}" for index in range(49))
    return _graphql(f"query F{number} {{ {' '.join(fields)} }}")


def _refused(number: int) -> HTTPRequest:
    fields = " ".join(f"a{index}: name" for index in range(900))
    return _graphql(f"query R{number} {{ account {{ {fields} }} }}")


def _invalid(number: int) -> HTTPRequest:
    fields = " ".join(f"unknown{number}x{index}" for index in range(100)) + " name" * 190
    return _graphql(f"query I{number} {{ account {{ {fields} }} }}")


def _inline(number: int) -> HTTPRequest:
    ids = " ".join(f'"{_instance(number + index)}"' for index in range(12_000))
    return _graphql(f"query V{number} {{ instances(filter: {{ ids: [{ids}] }}) {{ totalCount }} }}")


def _variables(number: int) -> HTTPRequest:
    unused: dict[str, list[str]] = {f"v{index}": [] for index in range(150_000)}
    return _graphql("{ account { id } }", number=number, unused=unused)


def _search(number: int) -> HTTPRequest:
    return _graphql(
        "query ($text: String!) { instances(first: 1, filter: { search: $text }) { totalCount } }",
        text=f"nothing {number}",
    )


def _facets(_: int) -> HTTPRequest:
    return _graphql("{ instances(first: 1) { facets { tabs { value count } products { count } } } }")


PAGE_1000 = """query ($offset: Int!) { instances(first: 1000, offset: $offset) { totalCount nodes {
  id name status renewalMode expiresAt monthlyPrice configuration { label value } product { code name }
  dataCenter { code name } } } }"""


def _page(number: int) -> HTTPRequest:
    return _graphql(PAGE_1000, offset=number % 9 * 1_000)


def _quote(_: int) -> HTTPRequest:
    ids = [_instance(index) for index in range(INSTANCES + AUTO_INSTANCES)]
    return _graphql(
        "query ($ids: [ID!]!) { quoteRenewal(input: { selection: { ids: $ids }, months: 3 }) { total } }",
        ids=ids,
    )


def _policy(number: int) -> HTTPRequest:
    ids = [_instance(index) for index in range(INSTANCES)]
    mode = ("MANUAL", "NONE")[number % 2]
    return _graphql(
        """mutation ($ids: [ID!]!, $mode: RenewalMode!) {
          setRenewalPolicy(input: { selection: { ids: $ids }, mode: $mode }) { __typename } }""",
        ids=ids,
        mode=mode,
    )


CASES: Mapping[str, Callable[[int], HTTPRequest]] = {
    "outlook": _outlook,
    "forecasts": _forecasts,
    "refused": _refused,
    "invalid": _invalid,
    "inline": _inline,
    "variables": _variables,
    "calendar": lambda _: HTTPRequest("GET", "/calendar.ics"),
    "search": _search,
    "facets": _facets,
    "exports": lambda _: HTTPRequest("GET", "/export/instances.csv"),
    "pages": _page,
    "quotes": _quote,
    "policies": _policy,
}
"""The requests of each attack, by the number of the request."""

SMALL: Sequence[HTTPRequest] = (
    _graphql("{ instances(first: 10) { totalCount nodes { id expiresAt monthlyPrice } } }"),
    _graphql('{ instance(id: "victim-7") { id name status product { code } } }'),
    _graphql("{ account { balance } }"),
    _graphql("{ orders(first: 5) { nodes { id total } } }"),
)


@dataclass
class Answers:
    """The latencies of the other account in seconds, its failures by status and code, and the failures of `/readyz`."""

    latencies: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    unready: int = 0

    def percentile(self, share: float) -> float:
        """Return the percentile of the latencies at `share` (0 to 1), in seconds."""
        ordered = sorted(self.latencies) or [0.0]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Verdict(NamedTuple):
    """One row of the table."""

    case: str
    alone: Answers
    attacked: Answers
    attacker: Mapping[str, int]

    def is_fair(self, *, ratio_max: float = RATIO_MAX, seconds_max: float = P99_SECONDS_MAX) -> bool:
        """Return whether the other account was served within the bounds, without a failure of a query or `/readyz`."""
        bound = min(seconds_max, ratio_max * self.alone.percentile(0.99))
        return (
            self.attacked.percentile(0.99) <= bound
            and not self.attacked.failures
            and not self.attacked.unready
        )

    def __str__(self) -> str:
        figures = [
            1e3 * answers.percentile(share)
            for answers in (self.alone, self.attacked)
            for share in (0.5, 0.99)
        ]
        statuses = ", ".join(f"{count} x {status}" for status, count in sorted(self.attacker.items()))
        return (
            f"{self.case:10} {figures[0]:8.1f} {figures[1]:8.1f} {figures[2]:10.1f} {figures[3]:8.1f} "
            f"{self.attacked.failures.total():9} {self.attacked.unready:8}  {statuses}"
        )


HEADING = (
    f"{'':10} {'alone, ms':>17} {'attacked, ms':>19} {'':9} {'/readyz':>8}  the attacker's\n"
    f"{'case':10} {'p50':>8} {'p99':>8} {'p50':>10} {'p99':>8} {'failures':>9} {'false':>8}  answers"
)


async def prepare() -> tuple[str, str]:
    """Create the two accounts; return the key of the attacker and that of the other account."""
    world = World()
    await world.put_catalogue()
    await world.account(ATTACKER, balance="100000.00")
    await world.account(VICTIM, balance="100000.00")
    ids = [_instance(number) for number in range(INSTANCES + AUTO_INSTANCES)]
    await world.instances(ids[:INSTANCES], account=ATTACKER, expires="2027-03-31", price="30.00")
    for month in range(4):
        await world.instances(
            ids[INSTANCES + month :: 4],
            account=ATTACKER,
            mode="AUTO",
            expires=f"2027-0{month + 1}-20",
            price="30.00",
        )
    await world.instances([f"victim-{n}" for n in range(VICTIM_INSTANCES)], account=VICTIM, price="1.00")
    return await world.key(ATTACKER), await world.key(VICTIM)


async def measure_victim(server: LiveServer, key: str, seconds: float, *, rate: float = RATE) -> Answers:
    """Send small queries at a steady rate, without waiting for the responses, and poll `/readyz`."""
    answers, numbers = Answers(), itertools.count()
    connections: list[KeptConnection] = []
    idle: list[KeptConnection] = []
    loop = asyncio.get_running_loop()

    async def ask(due: float) -> None:
        connection = idle.pop() if idle else None
        request = SMALL[next(numbers) % len(SMALL)].encode(key)
        try:
            if connection is None or not connection.is_kept:
                _, connection = await loop.create_connection(KeptConnection, "127.0.0.1", server.port)
                connections.append(connection)
            status, body = await connection.ask(request)
        except (OSError, TimeoutError) as lost:
            answers.failures[type(lost).__name__] += 1
            return
        answers.latencies.append(time.perf_counter() - due)
        idle.append(connection)
        if status != 200 or b'"errors"' in body:
            answers.failures[f"{status} {_code(body)}"] += 1

    async def watch() -> None:
        async with httpx2.AsyncClient(timeout=5) as client:
            while True:
                try:
                    response = await client.get(f"http://{server.address}/readyz")
                    answers.unready += response.status_code != 200
                except httpx2.HTTPError:
                    answers.unready += 1
                await asyncio.sleep(0.5)

    watching = asyncio.create_task(watch())
    tasks, due, ends_at = [], time.perf_counter(), time.perf_counter() + seconds
    while due < ends_at:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(due)))
        due += random.uniform(0.5, 1.5) / rate
    await asyncio.gather(*tasks)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    for connection in connections:
        connection.transport.close()
    return answers


def _code(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["errors"][0]["extensions"]["code"])
    except (ValueError, LookupError, TypeError):
        return ""


async def attack(case: str, port: int, key: str, seconds: float, connections: int) -> Counter[str]:
    """Keep a number of connections busy with one kind of request; return the responses by status and code.

    Processes of the pool for long computations have a low priority. On a busy machine, it is possible that no request
    gets a response before the end.
    """
    statuses: Counter[str] = Counter()
    loop, ends_at, numbers = asyncio.get_running_loop(), time.monotonic() + seconds, itertools.count()
    requests = [CASES[case](number).encode(key) for number in range(8)]

    async def keep_busy() -> None:
        connection: KeptConnection | None = None
        while time.monotonic() < ends_at:
            try:
                if connection is None or not connection.is_kept:
                    _, connection = await loop.create_connection(KeptConnection, "127.0.0.1", port)
                status, body = await connection.ask(requests[next(numbers) % len(requests)])
                statuses[f"{status} {_code(body)}".strip()] += 1
            except (OSError, TimeoutError) as lost:
                statuses[type(lost).__name__] += 1
                connection = None
            except asyncio.CancelledError:
                statuses["unanswered"] += 1
                raise

    working = [asyncio.create_task(keep_busy()) for _ in range(connections)]
    await asyncio.wait(working, timeout=seconds)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    return statuses


@contextlib.asynccontextmanager
async def attacking(
    server: LiveServer, case: str, key: str, seconds: float, connections: int = CONNECTIONS
) -> AsyncIterator[dict[str, int]]:
    """Run the attack in a separate process during the block. Afterwards, the yielded dictionary has its results."""
    words = ["--attack", case, str(server.port), key, str(seconds), str(connections)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__ if __name__ != "__main__" else "tests.load.starve", *words,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    statuses: dict[str, int] = {}
    try:
        await process.stdout.readline()  # the attack has begun
        yield statuses
        out = await process.stdout.read()
        statuses |= orjson.loads(out or b"{}")
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    finally:
        # A process that has closed its output is not killed: kill() would reap it before asyncio, which would warn.
        await process.wait()


async def try_case(
    server: LiveServer, case: str, keys: tuple[str, str], alone: Answers, seconds: float
) -> Verdict:
    """Measure the other account during the attack."""
    attacker, victim = keys
    async with attacking(server, case, attacker, seconds + 2) as statuses:
        await asyncio.sleep(1)  # until the attack is at full rate
        attacked = await measure_victim(server, victim, seconds)
    return Verdict(case, alone, attacked, statuses)


async def _starve(servers: stage.Servers, cases: Sequence[str], seconds: float, workers: int) -> bool:
    is_fair = True
    say = sys.stdout.write
    async with stage.opened(servers) as opened:
        say("Filling the database ...\n")
        keys = await prepare()
        settings = {
            "RENEWALS_WORKERS": str(workers),
            "RENEWALS_COST_PER_MINUTE_MAX": "0",
            "RENEWALS_LOG_LEVEL": "CRITICAL",
        }
        async with served(opened.database_url, **settings) as server:
            await measure_victim(server, keys[1], 2)  # warm-up
            say(HEADING + "\n")
            for case in cases:
                sys.stdout.flush()
                alone = await measure_victim(server, keys[1], seconds)
                verdict = await try_case(server, case, keys, alone, seconds)
                say(f"{verdict}{'' if verdict.is_fair() else '  <- not fair'}\n")
                if verdict.attacked.failures:
                    say(f"           failures: {dict(verdict.attacked.failures)}\n")
                is_fair = is_fair and verdict.is_fair()
    return is_fair


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.starve",
        description="Attacks with one key and measures another account; exit 1 if that is slowed down too much.",
    )
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--only", default=",".join(CASES), help=f"cases, of {','.join(CASES)} (default: all)")
    parser.add_argument("--workers", type=int, default=1, help="API processes (default: 1)")
    parser.add_argument("--attack", nargs=5, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    arguments = _parser().parse_args()
    if arguments.attack:
        case, port, key, seconds, connections = arguments.attack
        sys.stdout.write("\n")
        sys.stdout.flush()
        found = asyncio.run(attack(case, int(port), key, float(seconds), int(connections)))
        sys.stdout.buffer.write(orjson.dumps(found))
        sys.exit(0)
    with stage.started(durable=False) as own:
        cases = [each for each in arguments.only.split(",") if each]
        sys.exit(not asyncio.run(_starve(own, cases, arguments.seconds, arguments.workers)))
