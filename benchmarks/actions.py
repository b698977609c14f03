"""The cost of `Instance.actions`, measured alternately on pages of 1,000 instances with and without this field."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import uvloop

from benchmarks import client, console, contenders, data, results, sizes, stage

ROWS = 1000
ACTIONS = "actions { action allowed monthsMin monthsMax refusal { code message } }"
WITH_ACTIONS, PLAIN = "with actions", "without actions"
DOCUMENTS = {WITH_ACTIONS: console.DOCUMENT.replace("id name", f"id {ACTIONS} name"), PLAIN: console.DOCUMENT}
LIST, REFUSED = f"page of {ROWS}", f"page of {ROWS} with refused actions"
TIMES_MAX = 2
"""The maximum processor time of a page with actions, as a multiple of the time of the page without them."""
CPU = "ms CPU of the server"
NOTES = f"""\
The list is the page of {ROWS} of the console's list, with its 12 fields, without and with `{ACTIONS}`.
The second table is for instances that are not manageable: each of their actions has a refusal with a message. \
The target applies to the first table.
"""


class MeasuredPage(NamedTuple):
    """A page, with or without actions, and its request."""

    what: str
    name: str
    request: bytes


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure the processor time and the rate of each page with and without actions."""
    with contenders.up(environment, size, {contenders.OURS: contenders.POOL_SIZE}) as [running]:
        pages = list(_pages(data.loaded(environment, size)))
        for page in pages:
            asyncio.run(_check(running.server, page))
            uvloop.run(_load(running.server, page, size, size.warm_up_seconds))
        figures = _measure(environment, running.server, pages, size)
    ours, peer = (results.median(figures, LIST, name, CPU) for name in DOCUMENTS)
    assert ours is not None
    assert peer is not None
    return results.Section(
        title="The actions of 1,000 instances",
        figures=figures,
        targets=(
            results.Target(
                f"{LIST} with actions (ms of CPU), against the page without",
                ours,
                peer,
                1 / TIMES_MAX,
                less_is_better=True,
            ),
        ),
        notes=(
            *NOTES.splitlines(),
            f"The client uses {size.connections} connections. The pages are measured in turn.",
            f"A round takes {size.seconds:g} s for each page; the number of rounds is {size.rounds}.",
        ),
        units_together=True,
    )


def _pages(loaded: data.Loaded) -> Iterator[MeasuredPage]:
    filters: dict[str, dict[str, Any]] = {
        LIST: console.variables(ROWS, loaded.today),
        REFUSED: {"filter": {"manageable": False}, "first": ROWS},
    }
    for what, variables in filters.items():
        for name, document in DOCUMENTS.items():
            yield MeasuredPage(
                what, name, client.graphql_request("/graphql", loaded.key, document, variables)
            )


async def _check(server: stage.Running, page: MeasuredPage) -> None:
    """Raise UnexpectedAnswerError unless the page has the rows and the actions that are to be measured."""
    nodes = orjson.loads((await client.ask(server.port, page.request)).body)["data"]["instances"]["nodes"]
    actions = [action for node in nodes for action in node.get("actions", ())]
    is_refused = page.what == REFUSED
    if (
        len(nodes) != ROWS
        or bool(actions) != (page.name == WITH_ACTIONS)
        or any(is_refused == action["allowed"] for action in actions)
    ):
        raise client.UnexpectedAnswerError(f"{page.what} {page.name}: {len(nodes)} rows, such as {nodes[:1]}")


def _measure(
    environment: stage.Stage, server: stage.Running, pages: list[MeasuredPage], size: sizes.Size
) -> list[results.Figure]:
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for number in range(size.rounds):
        for page in pages if number % 2 == 0 else reversed(pages):
            before = environment.cpu_seconds(server)
            load = uvloop.run(_load(server, page, size, size.seconds))
            used = environment.cpu_seconds(server).since(before)
            count = len(load.latencies)
            for unit, value in (
                ("requests/s", load.requests_per_second),
                (CPU, used.server / count * 1e3),
                ("ms CPU of PostgreSQL", used.postgres / count * 1e3),
            ):
                values[page.what, page.name, unit].append(value)
            print(
                f"round {number + 1}, {page.what} {page.name}: {used.server / count * 1e3:.2f} ms",
                file=sys.stderr,
            )
    return [results.Figure(*key, tuple(rounds)) for key, rounds in values.items()]


async def _load(server: stage.Running, page: MeasuredPage, size: sizes.Size, seconds: float) -> client.Load:
    return await client.ClosedLoop(server.port, page.request, size.connections, seconds).run()
