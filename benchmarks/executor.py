"""The project's executor beside graphql-core's own, in one process: the same schema, document and 1,000 objects.

Nothing is parsed, validated, read or encoded; what is timed is what makes an answer out of objects.
"""

import datetime as dt
import gc
import time
from typing import Any

import graphql
import strawberry
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from benchmarks import console, results, sizes, stage
from benchmarks.peers.strawberry_types import (
    CONFIG,
    DataCenter,
    Instance,
    InstanceConnection,
    InstanceFilter,
    Money,
    Product,
)
from renewals import terms
from schema import executor

ROWS = 1_000
AT_LEAST = 20
WHAT = f"a list of {ROWS:,} with 12 fields"
CONTENDERS = {
    "Renewals' executor": executor.Executor,
    "graphql-core": StrawberryGraphQLCoreExecutionContext,
}


def _instance(number: int) -> Instance:
    moment = dt.datetime(2027, 1, 31, 15, 59, 59, tzinfo=dt.UTC) + dt.timedelta(hours=number)
    return Instance(
        id=strawberry.ID(f"i-{number:010}"),
        name=f"instance {number}",
        billing_mode=terms.BillingMode.PREPAID,
        is_trial=False,
        status=terms.InstanceStatus.RUNNING,
        renewal_mode=terms.RenewalMode.AUTO,
        auto_renew_months=1 + number % 12,
        expires_at=moment,
        monthly_price=Money(1_000 + number),
        created_at=moment,
        product=Product(name=f"Product {number % 10}"),
        data_center=DataCenter(name=f"北京{number % 6}区"),
    )


FOUND = InstanceConnection(total_count=ROWS, nodes=[_instance(number) for number in range(ROWS)])


@strawberry.type
class Query:
    @strawberry.field
    def instances(self, filter: InstanceFilter, first: int) -> InstanceConnection:  # noqa: A002
        return FOUND


def run(_: stage.Stage, size: sizes.Size) -> results.Section:
    """The time of one execution, the median of each round, and how many times faster ours is."""
    schema, document = strawberry.Schema(Query, config=CONFIG)._schema, graphql.parse(console.DOCUMENT)
    assert _answer(schema, document, executor.Executor) == _answer(
        schema, document, StrawberryGraphQLCoreExecutionContext
    ), "the two executors differ"
    taken: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _round in range(size.rounds):
        for name, context in CONTENDERS.items():
            taken[name].append(_milliseconds(schema, document, context, size.seconds))
    figures = [results.Figure(WHAT, name, "ms", tuple(values)) for name, values in taken.items()]
    ours, peer = (figure.median for figure in figures)
    return results.Section(
        title="The executor alone",
        figures=figures,
        targets=(
            results.Target(f"{WHAT}, against graphql-core", ours, peer, AT_LEAST, less_is_better=True),
        ),
        notes=(
            "In one process, on the same Strawberry schema, parsed document and objects; both answer the same.",
        ),
    )


def _milliseconds(
    schema: graphql.GraphQLSchema, document: graphql.DocumentNode, context: Any, seconds: float
) -> float:
    """The median of as many executions as fit into the time."""
    taken = []
    gc.collect()
    until = time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        _answer(schema, document, context)
        taken.append(time.perf_counter() - started)
    return sorted(taken)[len(taken) // 2] * 1e3


def _answer(schema: graphql.GraphQLSchema, document: graphql.DocumentNode, context: Any) -> Any:
    window = {"expiresFrom": "2027-01-01T00:00:00+00:00", "expiresBefore": "2028-01-01T00:00:00+00:00"}
    result = graphql.execute(
        schema,
        document,
        variable_values={"filter": {"tab": "AUTO", **window}, "first": ROWS},
        executor_class=context,
    )
    assert isinstance(result, graphql.ExecutionResult)
    assert result.errors is None, result.errors
    return result.data
