"""The project's executor compared with graphql-core's in one process, with the same schema, documents and 1,000 rows.

Only the execution is timed. The documents are parsed and the data loaders are primed beforehand; nothing is validated,
read from a database or encoded.
"""

import asyncio
import datetime as dt
import gc
import inspect
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import graphql
import strawberry
from graphql import DocumentNode, ExecutionResult, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from benchmarks import results, sizes, stage
from renewals.domain import clock as clocks
from schema.context import Context
from schema.customer import instances
from schema.execution import executor
from schema.fields import sources
from schema.shared import scalars

ROWS = 1_000
AT_LEAST = 20
MS, CPU = "ms", "ms CPU of its process"
OURS, PEER = "Renewals' executor", "graphql-core"
CONTENDERS: dict[str, type[Any]] = {OURS: executor.Executor, PEER: StrawberryGraphQLCoreExecutionContext}
COLUMNS = "id name billingMode isTrial status renewalMode autoRenewMonths expiresAt monthlyPrice createdAt"
DOCUMENTS = {
    f"{ROWS:,} rows of 12 columns": f"{{ instances {{ {COLUMNS} label: name mode: renewalMode }} }}",
    f"{ROWS:,} rows of 10 columns, 2 relations": (
        f"{{ instances {{ {COLUMNS} product {{ name }} dataCenter {{ name }} }} }}"
    ),
}
NOTE = (
    "Both executors run in one process, with the project's types, the same parsed document and the same rows, and "
    "return the same response. Relations are loaded in advance. Nothing is parsed, validated, read from the database "
    "or encoded."
)


def _row(number: int) -> dict[str, Any]:
    moment = dt.datetime(2027, 1, 31, 15, 59, 59, tzinfo=dt.UTC) + dt.timedelta(hours=number)
    return {
        "id": f"i-{number:010}",
        "name": f"instance {number}",
        "billing_mode": "PREPAID",
        "is_trial": False,
        "status": "RUNNING",
        "renewal_mode": "AUTO",
        "auto_renew_months": 1 + number % 12,
        "expires_at": moment,
        "monthly_price_cents": 1_000 + number,
        "created_at": moment,
        "product_code": f"product-{number % 10}",
        "data_center_code": f"dc-{number % 6}",
    }


FOUND = [_row(number) for number in range(ROWS)]


@strawberry.type
class Query:
    @strawberry.field
    def instances(self) -> list[instances.Instance]:
        return FOUND  # type: ignore[return-value]


def run(_: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure the duration of an execution of each document by each of the two executors."""
    config = StrawberryConfig(scalar_map=scalars.SCALARS, default_resolver=sources.read)
    schema = strawberry.Schema(Query, config=config)._schema
    figures, targets = [], []
    for document_name, text in DOCUMENTS.items():
        measured = asyncio.run(_measure(schema, graphql.parse(text), size))
        figures += [results.Figure(document_name, *key, tuple(values)) for key, values in measured.items()]
        ours, peer = (statistics.median(measured[name, MS]) for name in CONTENDERS)
        targets.append(
            results.Target(f"{document_name}, against {PEER}", ours, peer, AT_LEAST, less_is_better=True)
        )
    return results.Section(
        title="The executor alone", figures=figures, targets=targets, notes=(NOTE,), units_together=True
    )


async def _measure(
    schema: GraphQLSchema, document: DocumentNode, size: sizes.Size
) -> Mapping[tuple[str, str], list[float]]:
    context = await _context()
    ours, theirs = [await _answer(schema, document, context, how) for how in CONTENDERS.values()]
    assert ours == theirs, "the two executors differ"
    measured: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(size.rounds):
        for name, how in CONTENDERS.items():
            milliseconds, cpu_milliseconds = await _time(schema, document, context, how, size.seconds / 2)
            measured[name, MS].append(milliseconds)
            measured[name, CPU].append(cpu_milliseconds)
    return measured


async def _context() -> Context:
    """Return a request context whose loaders of products and data centers are primed."""
    context = Context(account_id="a", clock=clocks.utc_now)
    for row in FOUND:
        for loader, key in (
            (context.load.product, row["product_code"]),
            (context.load.data_center, row["data_center_code"]),
        ):
            loader.prime(key, {"code": key, "name": f"the name of {key}"})
    return context


async def _time(
    schema: GraphQLSchema, document: DocumentNode, context: Context, how: type[Any], seconds: float
) -> tuple[float, float]:
    """Return the median duration of all executions within `seconds`, and their mean processor time, in ms."""
    times = []
    gc.collect()
    cpu_before = time.process_time()
    until = time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        await _answer(schema, document, context, how)
        times.append(time.perf_counter() - started)
    cpu_seconds = time.process_time() - cpu_before
    return statistics.median(times) * 1e3, cpu_seconds / len(times) * 1e3


async def _answer(schema: GraphQLSchema, document: DocumentNode, context: Context, how: type[Any]) -> Any:
    executing = graphql.execute(schema, document, context_value=context, executor_class=how)
    result = await executing if inspect.isawaitable(executing) else executing
    assert isinstance(result, ExecutionResult)
    assert result.errors is None, result.errors
    return result.data
