"""The statements of the product's reads, captured when they are sent, and PostgreSQL's plans for them."""

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import asyncpg
import httpx2

from benchmarks import data
from graphql_api import app
from renewals.auto_renewal import due
from renewals.db import connection as database
from renewals.db import pool

DUE = "due count"
PAGE = "nodes { id name status renewalMode expiresAt monthlyPrice billingMode }"
COUNT = "totalCount"
FACETS = "facets { tabs { value count } products { value count } expiry { value count } }"
ROWS_SORTED_MAX = 1_000
ROWS_DROPPED_MAX = 1_000
"""The maximum number of rows that a plan may discard, and of executions of a step. No read has a page of this size."""
INTRODUCTION = """\
# The plans of the reads

`python -m benchmarks --only growth` writes this page in a database of {instances:,} instances. A plan has a fault if it
sorts or discards more than {rows:,} rows, executes a step more than {rows:,} times, or scans the whole table of
instances. The line below each name lists the faults of the plan.
"""


@dataclass(frozen=True, slots=True)
class CapturedStatement:
    """A statement with its parameter values."""

    name: str
    sql: str
    values: Sequence[object]


@dataclass(frozen=True, slots=True)
class Plan:
    """PostgreSQL's plan for a statement, as text, and the faults of the plan."""

    name: str
    sql: str
    text: str
    faults: Sequence[str]


def reads(today: dt.date) -> Mapping[str, str]:
    """Return, by name of the read, the arguments of `instances` and the fields that are selected."""
    soon, later = (f"{today + dt.timedelta(days=days)}T16:00:00Z" for days in (30, 36))
    window = f'expiresFrom: "{soon}", expiresBefore: "{later}"'
    filters = {
        "all": "",
        "tab MANUAL": "tab: MANUAL",
        "tab AUTO": "tab: AUTO",
        "tab NONE": "tab: NONE",
        "tab NO_EXPIRY": "tab: NO_EXPIRY",
        "tab AUTO, six days": f"tab: AUTO, {window}",
        "within 30 days": "expiresWithinDays: 30",
        "product": 'products: ["product-3"]',
        "data center": 'dataCenters: ["dc-2"]',
        "data center type": 'dataCenterTypes: ["VPC"]',
        "search": 'search: "instance 12"',
        "status EXPIRED": "status: [EXPIRED]",
        "status RELEASED": "status: [RELEASED]",
        "bundled": "bundled: true",
        "not manageable": "manageable: false",
    }
    pages = {
        f"page of 100, {name}": f"(first: 100, filter: {{{text}}}) {{ {PAGE} }}"
        for name, text in filters.items()
    }
    pages["page of 100 at 4,000"] = f"(first: 100, offset: 4000) {{ {PAGE} }}"
    pages |= {
        f"page of 100 by {field}": f"(first: 100, orderBy: {{field: {field}}}) {{ {PAGE} }}"
        for field in ("CREATED_AT", "NAME", "PRODUCT", "ID")
    }
    narrow = {
        name: filters[name] for name in ("all", "tab AUTO", "tab AUTO, six days", "within 30 days", "search")
    }
    totals = {
        f"count, {name}": f"(first: 0, filter: {{{text}}}) {{ {COUNT} }}" for name, text in narrow.items()
    }
    facets = {
        f"facets, {name}": f"(first: 0, filter: {{{text}}}) {{ {FACETS} }}" for name, text in narrow.items()
    }
    return pages | totals | facets


async def catch(loaded: data.Loaded) -> list[CapturedStatement]:
    """Run each read and the count of due instances; return the first statement of each that reads instances."""
    now = dt.datetime.now(dt.UTC)
    documents = {name: f"{{ instances{arguments} }}" for name, arguments in reads(loaded.today).items()}
    async with database.connect(loaded.url, pool_size=2):
        by_name = await catch_all(loaded.key, documents)
        caught = [
            statement
            for statements in by_name.values()
            for statement in [each for each in statements if "FROM instances" in each.sql][:1]
        ]
        counting = await catch_call(DUE, lambda: due.count_due(database.pool(), now))
    caught += [statement for statement in counting if "instances" in statement.sql]
    return caught


async def catch_all(key: str, documents: Mapping[str, str]) -> Mapping[str, list[CapturedStatement]]:
    """Run each document once in process, and return the statements of each by name.

    The statement of the authentication is left out. The pool of the database must be open.
    """
    caught = {}
    headers = {"Authorization": f"Bearer {key}"}
    transport = httpx2.ASGITransport(app=app.create())
    async with httpx2.AsyncClient(transport=transport, headers=headers, timeout=60) as client:
        for name, document in documents.items():
            with _listening() as captured:
                response = (await client.post("http://here/graphql", json={"query": document})).json()
            assert "errors" not in response, response["errors"]
            caught[name] = [
                CapturedStatement(name, sql, values) for sql, values in captured if "api_keys" not in sql
            ]
    return caught


async def catch_call(name: str, call: Callable[[], Awaitable[object]]) -> list[CapturedStatement]:
    """Run `call`, and return the statements that it sends."""
    with _listening() as captured:
        await call()
    return [CapturedStatement(name, sql, values) for sql, values in captured]


async def explain(url: str, caught: Sequence[CapturedStatement]) -> list[Plan]:
    """Return the plan of each statement, after running the statement twice with EXPLAIN ANALYZE."""
    connection = await asyncpg.connect(url)
    try:
        return [await _explain(connection, statement) for statement in caught]
    finally:
        await connection.close()


async def _explain(connection: asyncpg.Connection, statement: CapturedStatement) -> Plan:
    rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {statement.sql}", *statement.values)
    explain_sql = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.sql}"
    [[plan_json]] = await connection.fetch(explain_sql, *statement.values)
    nodes = list(_nodes(json.loads(plan_json)[0]["Plan"]))
    return Plan(statement.name, statement.sql, "\n".join(row[0] for row in rows), list(_faults(nodes)))


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _faults(nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for node in nodes:
        kind, rows = node["Node Type"], node["Actual Rows"] * node["Actual Loops"]
        dropped = node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
        if kind == "Seq Scan" and node.get("Relation Name") == "instances":
            yield "reads all instances of all accounts"
        if "Sort" in kind and sum(child["Actual Rows"] for child in node.get("Plans", ())) > ROWS_SORTED_MAX:
            yield f"sorts {sum(child['Actual Rows'] for child in node['Plans']):,.0f} rows"
        if dropped > ROWS_DROPPED_MAX:
            yield f"discards {dropped:,.0f} rows and keeps {rows:,.0f}"
        if node["Actual Loops"] > ROWS_DROPPED_MAX:
            yield f"executes {kind} {node['Actual Loops']:,} times"


def describe(plans: Sequence[Plan], instances: int) -> str:
    """Format the plans as a page of Markdown."""
    parts = [INTRODUCTION.format(instances=instances, rows=ROWS_SORTED_MAX)]
    parts += [f"## {plan.name}\n\n{_faulty(plan)}\n\n```\n{plan.text}\n```\n" for plan in plans]
    return "\n".join(parts)


def _faulty(plan: Plan) -> str:
    return "; ".join(dict.fromkeys(plan.faults)) or "No faults."


@contextmanager
def _listening() -> Iterator[list[tuple[str, Sequence[object]]]]:
    """Yield a list that collects each statement that is fetched during the block, with its values."""
    captured: list[tuple[str, Sequence[object]]] = []
    connection = pool.PooledConnection
    fetch = connection.fetch

    async def listen(self: Any, sql: str, *values: Any, **options: Any) -> Any:
        captured.append((sql, values))
        return await fetch(self, sql, *values, **options)

    with mock.patch.object(connection, "fetch", listen):
        yield captured
