"""The contenders of the read benchmarks: the project, its peers in Python and Node.js, and a server without GraphQL.

The project's database has only the indexes of its migrations. The peers have a copy with one more index, which is the
best one for the measured list.
"""

import asyncio
import contextlib
import datetime as dt
import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from benchmarks import client, console, data, environments, sizes, stage
from benchmarks.peers import store
from renewals import config

ROOT = Path(__file__).parent.parent
UVICORN = ("-m", "uvicorn", "--loop", "uvloop", "--http", "httptools")
OURS, BEST_PRACTICE, POSTGRAPHILE, MERCURIUS, FLOOR = (
    "Renewals",
    "Strawberry + asyncpg, tuned",
    "PostGraphile 5",
    "Mercurius, jit",
    "no GraphQL (floor)",
)
POOL_SIZE = config.get_settings().database_pool_size
"""The project's default pool size, with which the project is measured. Each peer has the best of `pools.SIZES`."""


@dataclass(frozen=True, slots=True)
class Contender:
    """The command that starts a server, and the operation that is sent to the server."""

    name: str
    command: Callable[[int], Sequence[str]]
    folder: Path = ROOT
    document: str = console.DOCUMENT
    variables: Callable[[int, dt.date], Mapping[str, Any]] = console.variables
    rows: Callable[[Mapping[str, Any]], tuple[int, list[console.Row]]] = console.rows


@dataclass(frozen=True, slots=True)
class RunningContender:
    """A running contender, with its requests by page size."""

    contender: Contender
    server: stage.Running
    requests: Mapping[int, bytes]

    @property
    def name(self) -> str:
        return self.contender.name


@contextlib.contextmanager
def up(
    environment: stage.Stage, size: sizes.Size, pool_sizes: Mapping[str, int]
) -> Iterator[list[RunningContender]]:
    """Run the contenders in `pool_sizes` with these pool sizes during the block, after comparing their responses.

    Raises UnexpectedAnswerError if two responses differ, a page is not full, or a status is not 200. Raises
    UnavailableError as `find` does.
    """
    with contextlib.ExitStack() as running:
        started = [
            running.enter_context(start(environment, size, find(environment.folder, name), pool_size))
            for name, pool_size in pool_sizes.items()
        ]
        asyncio.run(_compare(started))
        yield started


def available(work: Path) -> tuple[list[str], list[str]]:
    """Return the names of the contenders that can be started, and a sentence for each of the others."""
    names, missing = [], []
    for name in _MAKERS:
        try:
            find(work, name)
            names.append(name)
        except environments.UnavailableError as problem:
            missing.append(f"{name} was left out: {problem}")
            print(missing[-1], file=sys.stderr)
    return names, missing


def find(work: Path, name: str) -> Contender:
    """Return the contender `name`. Raises UnavailableError if it needs Node.js or npm packages that are unavailable."""
    return _MAKERS[name](work)


@contextlib.contextmanager
def start(
    environment: stage.Stage, size: sizes.Size, contender: Contender, pool_size: int
) -> Iterator[RunningContender]:
    """Run one contender during the block, with a pool of the given size. The server's output goes to a file."""
    loaded = data.loaded(environment, size)
    url = loaded.url if contender.name == OURS else _peers_database(environment)
    variables = {
        "DATABASE_URL": url,
        "RENEWALS_DATABASE_POOL_SIZE": str(pool_size),
        "POOL_SIZE": str(pool_size),
        "PYTHONPATH": str(ROOT),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    requests = {
        page: client.graphql_request(
            "/graphql", loaded.key, contender.document, contender.variables(page, loaded.today)
        )
        for page in console.PAGES
    }
    with environment.running(contender.command, variables, folder=contender.folder) as server:
        yield RunningContender(contender, server, requests)


async def load(running: RunningContender, page: int, size: sizes.Size, seconds: float) -> client.Load:
    """Request pages of `page` rows in a closed loop for `seconds`."""
    return await client.ClosedLoop(
        running.server.port, running.requests[page], size.connections, seconds
    ).run()


def _ours(_: Path) -> Contender:
    return Contender(OURS, lambda port: (sys.executable, "-m", "graphql_api", "serve", "--port", str(port)))


def _python(name: str, module: str, *options: str) -> Contender:
    def command(port: int) -> Sequence[str]:
        return (sys.executable, *UVICORN, *options, "--port", str(port), f"benchmarks.peers.{module}:app")

    return Contender(name, command)


def _mercurius(work: Path) -> Contender:
    node, folder = environments.node_peer(work, "mercurius")
    return Contender(MERCURIUS, lambda port: (node, "server.mjs", str(port)), folder=folder)


def _postgraphile(work: Path) -> Contender:
    node, folder = environments.node_peer(work, "postgraphile")
    return Contender(
        POSTGRAPHILE,
        lambda port: (node, "server.mjs", str(port)),
        folder=folder,
        document=console.POSTGRAPHILE_DOCUMENT,
        variables=console.postgraphile_variables,
        rows=console.postgraphile_rows,
    )


_MAKERS: Mapping[str, Callable[[Path], Contender]] = {
    OURS: _ours,
    BEST_PRACTICE: lambda _: _python(BEST_PRACTICE, "best_practice"),
    POSTGRAPHILE: _postgraphile,
    MERCURIUS: _mercurius,
    FLOOR: lambda _: _python(FLOOR, "floor", "--log-level", "warning"),
}


@functools.cache
def _peers_database(environment: stage.Stage) -> str:
    url = environment.create_database("peers", template=data.DATABASE)

    async def add_index() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(store.INDEX)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    asyncio.run(add_index())
    return url


async def _compare(started: Sequence[RunningContender]) -> None:
    """Raise UnexpectedAnswerError unless all contenders return the same full pages and total counts."""
    for page in console.PAGES:
        expected = None
        for running in started:
            answer = await client.ask(running.server.port, running.requests[page])
            if answer.status != 200:
                raise client.UnexpectedAnswerError(f"{running.name}: {answer.status} {answer.body[:500]!r}")
            result = running.contender.rows(orjson.loads(answer.body))
            expected = expected or result
            if result != expected or len(result[1]) != page:
                raise client.UnexpectedAnswerError(_difference(running.name, page, result, expected))


def _difference(
    name: str, page: int, result: tuple[int, list[console.Row]], expected: tuple[int, list[console.Row]]
) -> str:
    rows = next(((a, b) for a, b in zip(result[1], expected[1], strict=False) if a != b), None)
    return (
        f"{name} returns other pages of {page}: {result[0]} match, {len(result[1])} rows, "
        f"where {expected[0]} match, {len(expected[1])} rows; first difference: {rows}"
    )
