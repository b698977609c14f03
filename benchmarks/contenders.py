"""The contenders of the reads: the project, its peers in Python and Node, and a server without GraphQL.

The project's database is as its migrations create it. The peers have a copy with one more index,
(account_id, expires_at, id), because they cannot use the project's index on an expression.
"""

import asyncio
import contextlib
import datetime as dt
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from benchmarks import client, console, data, environments, sizes, stage

ROOT = Path(__file__).parent.parent
UVICORN = ("-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--log-level", "warning")
PEERS_INDEX = "CREATE INDEX instances_for_peers ON instances (account_id, expires_at, id)"

OURS, NAIVE, BEST_PRACTICE, GRAPHENE, ARIADNE, POSTGRAPHILE, FLOOR = (
    "Renewals",
    "Strawberry + Tortoise, stock",
    "Strawberry + asyncpg, tuned",
    "Graphene",
    "Ariadne",
    "PostGraphile 5",
    "no GraphQL (floor)",
)


@dataclass(frozen=True, slots=True)
class Contender:
    """How to start a server and build its requests."""

    name: str
    command: Callable[[int], Sequence[str]]
    folder: Path = ROOT
    path: str = "/graphql"
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
    environment: stage.Stage, size: sizes.Size, names: Sequence[str] | None = None
) -> Iterator[tuple[list[RunningContender], list[str]]]:
    """Start all contenders, check that their responses agree, and list those that are unavailable."""
    contenders, missing = _find(environment.folder, names)
    loaded = data.loaded(environment, size)
    peers_url = _peers_database(environment)
    with contextlib.ExitStack() as running:
        started = [
            _start(
                running,
                environment,
                contender,
                replace(loaded, url=loaded.url if contender.name == OURS else peers_url),
            )
            for contender in contenders
        ]
        asyncio.run(_compare(started))
        yield started, missing


def _find(work: Path, names: Sequence[str] | None) -> tuple[list[Contender], list[str]]:
    makers: dict[str, Callable[[], Contender]] = {
        OURS: lambda: Contender(
            OURS, lambda port: (sys.executable, "-m", "graphql_api", "serve", "--port", str(port))
        ),
        NAIVE: lambda: _python(NAIVE, "naive"),
        BEST_PRACTICE: lambda: _python(BEST_PRACTICE, "best_practice"),
        GRAPHENE: lambda: _python(GRAPHENE, "graphene_app", environments.python(work), path="/graphql/"),
        ARIADNE: lambda: _python(ARIADNE, "ariadne_app", environments.python(work), path="/graphql/"),
        POSTGRAPHILE: lambda: _postgraphile(work),
        FLOOR: lambda: _python(FLOOR, "floor"),
    }
    contenders, missing = [], []
    for name in names or makers:
        try:
            contenders.append(makers[name]())
        except environments.UnavailableError as problem:
            missing.append(f"{name} was left out: {problem}")
            print(missing[-1], file=sys.stderr)
    return contenders, missing


def _python(name: str, module: str, python: str = sys.executable, *, path: str = "/graphql") -> Contender:
    def command(port: int) -> Sequence[str]:
        return (python, *UVICORN, "--port", str(port), f"benchmarks.peers.{module}:app")

    return Contender(name, command, path=path)


def _postgraphile(work: Path) -> Contender:
    node, folder = environments.postgraphile(work)
    return Contender(
        POSTGRAPHILE,
        lambda port: (node, "server.mjs", str(port)),
        folder=folder,
        document=console.POSTGRAPHILE_DOCUMENT,
        variables=console.postgraphile_variables,
        rows=console.postgraphile_rows,
    )


def _peers_database(environment: stage.Stage) -> str:
    url = environment.create_database("peers", template=data.DATABASE)

    async def add_index() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(PEERS_INDEX)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    asyncio.run(add_index())
    return url


def _start(
    running: contextlib.ExitStack, here: stage.Stage, contender: Contender, loaded: data.Loaded
) -> RunningContender:
    environment = {
        "DATABASE_URL": loaded.url,
        "PYTHONPATH": str(ROOT),
        "RENEWALS_LOG_LEVEL": "WARNING",
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    server = running.enter_context(here.running(contender.command, environment, folder=contender.folder))
    requests = {
        page: client.graphql_request(
            contender.path, loaded.key, contender.document, contender.variables(page, loaded.today)
        )
        for page in console.PAGES
    }
    return RunningContender(contender, server, requests)


async def _compare(started: Sequence[RunningContender]) -> None:
    """Raise if a contender's response differs from that of the first one."""
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
        f"{name} answers otherwise on pages of {page}: {result[0]} match, {len(result[1])} rows, "
        f"where {expected[0]} match, {len(expected[1])} rows; first difference: {rows}"
    )
