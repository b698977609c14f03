"""The reads and the export of one account that has 50,000 of 1,000,000 instances, with their orders and events.

A read is timed twice: its statements alone, as the product sends them, and the whole request over HTTP.
"""

import asyncio
import datetime as dt
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson
import uvloop

from benchmarks import client, data, exports, history, results, sizes, stage, statements
from renewals.db import connection as database
from renewals.events import event_log
from renewals.exports import queries as export_queries
from renewals.exports import tables
from renewals.instances import filters
from renewals.instances import queries as instances_queries

TIMES = 15
ROWS = "nodes { id name status renewalMode expiresAt monthlyPrice product { name } dataCenter { name } }"
FACETS = "facets { tabs { value count } products { value count } dataCenterTypes { value count } }"
ORDER = "id kind createdAt total voucherTotal balanceTotal lineCount lines(first: 3) { instance { id name } price }"
ENTRY = "id kind amount balanceAfter createdAt orderId memo"
EVENT = "sequence type occurredAt summary actor { kind name } instance { id name } order { id total } payload"
PAGE_INFO = "pageInfo { hasNextPage endCursor }"
ORDERS, OFFSET, SEARCHED, FACETED = (
    "orders: page of 10",
    "instances: page of 100 at 40,000",
    "instances: page of 100, search and count",
    "instances: page of 100, count and facets",
)
READS: Mapping[str, str] = {
    ORDERS: f"orders(first: 10) {{ {PAGE_INFO} nodes {{ {ORDER} }} }}",
    "orders: page of 10 and count": f"orders(first: 10) {{ totalCount {PAGE_INFO} nodes {{ {ORDER} }} }}",
    "ledger: page of 10": f"ledger(first: 10) {{ {PAGE_INFO} nodes {{ {ENTRY} }} }}",
    "ledger: page of 10 and count": f"ledger(first: 10) {{ totalCount {PAGE_INFO} nodes {{ {ENTRY} }} }}",
    "eventHistory: page of 10": f"eventHistory(first: 10) {{ {PAGE_INFO} nodes {{ {EVENT} }} }}",
    "eventHistory: page of 10 and count": (
        f"eventHistory(first: 10) {{ totalCount {PAGE_INFO} nodes {{ {EVENT} }} }}"
    ),
    OFFSET: f"instances(first: 100, offset: 40000) {{ {ROWS} }}",
    SEARCHED: f'instances(first: 100, filter: {{search: "instance 12"}}) {{ totalCount {ROWS} }}',
    FACETED: f"instances(first: 100) {{ totalCount {FACETS} {ROWS} }}",
}
EVENTS = "events: the next 500 of a subscription"
STATEMENTS, HTTP, SERVER_CPU, POSTGRES_CPU = (
    "ms of its statements",
    "ms over HTTP",
    "ms CPU of the server",
    "ms CPU of PostgreSQL",
)
MILLISECONDS_MAX = {ORDERS: 0.5, OFFSET: 27, SEARCHED: 25, FACETED: 60}
"""The maximum milliseconds of the statements of the reads with a target, on the machine of the published results."""
EXPORT, COPY = "CSV of the instances, over HTTP", "COPY of the same columns"
EXPORT_AT_LEAST = 0.4
NOTES = f"""\
The statements of a read are those that the product sends for the request, without its authentication. They are \
executed one after the other on one connection; the figure is the median of {TIMES} executions. Over HTTP, one \
client sends the request repeatedly.
The history has one renewal of each instance that expires (nine of ten), with an order, a line, a ledger entry \
and an event.
The export is `/export/instances.csv` of all instances that are not released, with the default columns. COPY ... \
TO STDOUT returns the same rows and columns. PostgreSQL only formats them as CSV; the product also writes labels, \
local dates and a readable configuration.
"""


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure each read and the export in a copy of the data set to which a history is added."""
    loaded = data.loaded(environment, size)
    url = environment.create_database("large_account", template=data.DATABASE)
    started = time.monotonic()
    asyncio.run(history.add(url))
    print(f"history of {size.instances:,} in {time.monotonic() - started:.0f} s", file=sys.stderr)
    figures = [
        results.Figure("read", name, STATEMENTS, tuple(values))
        for name, values in asyncio.run(_time_statements(url, loaded.key)).items()
    ]
    command = (sys.executable, "-m", "graphql_api", "serve", "--port")
    with environment.running(lambda port: (*command, str(port)), {"DATABASE_URL": url}) as server:
        figures += _over_http(environment, server, loaded.key, size)
        figures += _export(environment, server, url, loaded.key, size.rounds)
    return results.Section(
        title=f"An account of {size.large_account_instances:,} among {size.instances:,}",
        figures=figures,
        targets=_targets(figures),
        notes=NOTES.splitlines(),
        units_together=True,
    )


async def _time_statements(url: str, key: str) -> Mapping[str, list[float]]:
    """Return, for each read, the milliseconds of each execution of all its statements."""
    documents = {name: f"{{ {selection} }}" for name, selection in READS.items()}
    async with database.connect(url, pool_size=2):
        caught = dict(await statements.catch_all(key, documents))
        after = await event_log.last_sequence(database.pool(), data.LARGE_ACCOUNT) - event_log.EVENTS_PER_READ
        caught[EVENTS] = await statements.catch_call(
            EVENTS, lambda: event_log.read_events(data.LARGE_ACCOUNT, after)
        )
    connection = await asyncpg.connect(url)
    try:
        return {
            name: [await _time(connection, read_statements) for _ in range(TIMES)]
            for name, read_statements in caught.items()
        }
    finally:
        await connection.close()


async def _time(
    connection: asyncpg.Connection, read_statements: Sequence[statements.CapturedStatement]
) -> float:
    started = time.perf_counter()
    for statement in read_statements:
        await connection.fetch(statement.sql, *statement.values)
    return (time.perf_counter() - started) * 1e3


def _over_http(
    environment: stage.Stage, server: stage.Running, key: str, size: sizes.Size
) -> list[results.Figure]:
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(size.rounds):
        for name, selection in READS.items():
            request = client.graphql_request("/graphql", key, f"{{ {selection} }}", {})
            answer = orjson.loads(asyncio.run(client.ask(server.port, request)).body)
            assert "errors" not in answer, answer
            before = environment.cpu_seconds(server)
            load = uvloop.run(client.ClosedLoop(server.port, request, 1, size.seconds / 4).run())
            used = environment.cpu_seconds(server).since(before)
            count = len(load.latencies)
            values[name, HTTP].append(sorted(load.latencies)[count // 2] * 1e3)
            values[name, SERVER_CPU].append(used.server / count * 1e3)
            values[name, POSTGRES_CPU].append(used.postgres / count * 1e3)
            print(f"round {number + 1}, {name:<42} {values[name, HTTP][-1]:8.2f} ms", file=sys.stderr)
    return [results.Figure("read", name, unit, tuple(rounds)) for (name, unit), rounds in values.items()]


def _export(
    environment: stage.Stage, server: stage.Running, url: str, key: str, rounds: int
) -> list[results.Figure]:
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    path = "/export/instances.csv?filter=%7B%22manageable%22%3Anull%7D"
    for number in range(1 + rounds):  # the first round is not counted
        seconds, counts = {}, set()
        for name in (EXPORT, COPY)[:: -1 if number % 2 else 1]:
            before, started = environment.cpu_seconds(server), time.perf_counter()
            rows = exports.take(server.port, path, key)[0] if name == EXPORT else asyncio.run(_copy(url))
            seconds[name] = time.perf_counter() - started
            counts.add(rows)
            used = environment.cpu_seconds(server).since(before)
            if number:
                values[name, "rows/s"].append(rows / seconds[name])
                values[name, "µs CPU of the server a row"].append(used.server / rows * 1e6)
                values[name, "µs CPU of PostgreSQL a row"].append(used.postgres / rows * 1e6)
        if len(counts) != 1:
            raise client.UnexpectedAnswerError(f"the export and COPY have {sorted(counts)} rows")
        print(f"round {number}, export {seconds[EXPORT]:.2f} s, COPY {seconds[COPY]:.2f} s", file=sys.stderr)
    return [results.Figure("export", *key_, tuple(rounds_)) for key_, rounds_ in values.items()]


async def _copy(url: str) -> int:
    """Copy the rows of the export as CSV to this process, and return their number."""
    export = export_queries.export_instances(
        data.LARGE_ACCOUNT,
        filters.InstanceFilter(manageable=None),
        instances_queries.instance_ordering(
            instances_queries.InstanceOrderField.EXPIRES_AT, descending=False
        ),
        columns=tables.INSTANCES.select_columns(None),
        now=dt.datetime.now(dt.UTC),
    )
    sql, sql_values = export.statement()
    lines = 0

    async def count(piece: bytes) -> None:
        nonlocal lines
        lines += piece.count(b"\n")

    connection: Any = await asyncpg.connect(url)
    try:
        await connection.copy_from_query(sql, *sql_values, output=count, format="csv")
    finally:
        await connection.close()
    return lines


def _targets(figures: Sequence[results.Figure]) -> list[results.Target]:
    targets = []
    for name, milliseconds_max in MILLISECONDS_MAX.items():
        ours = results.median(figures, "read", name, STATEMENTS)
        if ours is not None:
            targets.append(
                results.Target(f"{name} ({STATEMENTS})", ours, milliseconds_max, 1, less_is_better=True)
            )
    ours, copy = (results.median(figures, "export", name, "rows/s") for name in (EXPORT, COPY))
    if ours is not None and copy is not None:
        targets.append(results.Target(f"{EXPORT}, against {COPY}", ours, copy, EXPORT_AT_LEAST))
    return targets
