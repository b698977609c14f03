"""The customer schema has the same results as with graphql-core, with rows of a real database."""

import logging
import os
import random
from collections import Counter
from typing import Any

import orjson
import pytest
import strawberry
from graphql import Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionResult

from schema.context import Context
from schema.customer import mutation, query, subscription
from schema.customer import schema as customer_schema
from schema.execution import schema as execution_schema
from tests.schema.execution import compare, documents
from tests.support import customer, fixtures
from tests.support.graphql_client import Client

EXECUTIONS = int(os.environ.get("SOAK_EXECUTIONS") or 320)
"""The minimum number of executions over all seeds."""

SEEDS = range(4)
TIMES = 8
"""The number of executions of each document."""

CHOICES: dict[str, list[Any]] = {
    "days": [1, 5, 90, 0, -1, 367],
    "after": [*[Undefined] * 9, "no cursor"],
    "before": [*[Undefined] * 9, "no cursor"],
    "first": [*[0, 1, 2, 3, 10] * 3, -1, 1000],
    "last": [*[Undefined] * 9, 1],
    "offset": [*[Undefined] * 9, 1],
    "id": ["i-1", "i-3", "other", "00000000-0000-4000-8000-00000000000a", "no"],
    "ids": ["i-1", "i-2", "i-3", "i-5", "none"],
    "except": ["i-1", "i-2"],
    "products": ["eip", "kec", "none"],
    "dataCenters": ["bj-6", "bj-1"],
    "dataCenterTypes": ["VPC", "EDGE", "none"],
    "key": ["env", "team", ""],
    "tagKey": ["env", "team", ""],
    "createdFrom": ["2027-01-01T00:00:00Z"],
    "createdBefore": ["2027-06-30T00:00:00+08:00"],
    "values": ["prod", "test"],
    "search": ["i-", "Instance", "%", ""],
    "months": [1, 2, 12, 0, 40],
    "dayOfMonth": [1, 15, 31, 0, 40],
    "date": ["2027-06-30", "2020-01-01"],
    "expiresFrom": ["2027-01-01T00:00:00Z"],
    "expiresBefore": ["2027-06-30T00:00:00+08:00"],
    "expiresOnFrom": ["2027-01-31"],
    "expiresOnTo": ["2027-02-28"],
    "expiresWithinDays": [0, 30, 400, -1],
    "autoRenewMonths": [1, 12, 0, 40],
    "occurredFrom": ["2027-01-01T00:00:00Z"],
    "occurredBefore": ["2027-06-30T00:00:00+08:00"],
    "types": ["instance.renewed", "policy.changed", "none"],
    "instanceId": ["i-1", "i-3", "none"],
}


def argument(rng: random.Random, name: str, type_name: str) -> Any:
    """Return a value of the argument's type, which the API may still refuse."""
    if type_name == "Boolean":
        return rng.choice([True, False])
    return rng.choice(CHOICES[name])


@pytest.fixture
async def filled_account(world: fixtures.World, graphql: Client) -> None:
    """An account with objects of every kind, including orders and used vouchers."""
    buyer = await customer.open_account(world, graphql, balance="5000.00")
    await world.voucher("120.00", products=["eip"], voucher_id="00000000-0000-4000-8000-00000000000a")
    await world.voucher("30.00", expires="2027-01-31")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO")
    await world.instances(
        ["i-3", "i-4"], expires="2027-02-28", product="kec", bundle="b-1", data_center="bj-1"
    )
    await world.instance("i-5", expires=None, tags={"team": "web", "env": "prod"})
    await world.instance("i-6", expires="2027-03-31", product="ddos", mode="NONE", configuration={"a": "b"})
    await world.instance("i-7", expires="2027-01-05", product="ebs", status="EXPIRED")
    await buyer.renew(["i-1", "i-2"], key="1")
    await buyer.renew(["i-1"], months=3, key="2")
    await buyer.unify(["i-3", "i-4"], day=15, key="3")


@pytest.mark.usefixtures("filled_account")
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_customers_schema_returns_the_data_and_the_errors_of_graphql_core(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    stock = execution_schema.build_schema(
        StrawberryGraphQLCoreExecutionContext,
        query=query.Query,
        mutation=mutation.Mutation,
        subscription=subscription.Subscription,
        exception_handlers=customer_schema.HANDLERS,
    )
    rng = random.Random(seed)
    tally: Counter[str] = Counter()
    while tally["executions"] < EXECUTIONS / len(SEEDS):
        document = documents.Writer(stock._schema, rng, argument).write()
        assigned = [document.variables(rng) for _ in range(TIMES // 2)]
        for variables in assigned * 2:
            expected, found = [
                await execute(schema, document.text, variables) for schema in (stock, customer_schema.schema)
            ]
            different = compare.differences(expected, found, waited=True)
            assert not different, "\n".join([f"seed {seed}", document.text, str(variables), *different])
            again = await customer_schema.schema.execute_cached(document.text, variables, "Q", context())
            if again and not again.errors:
                assert orjson.dumps(again.data) == orjson.dumps(expected.data), document.text
            codes = {(error.extensions or {}).get("code") for error in expected.errors or ()}
            assert "INTERNAL" not in codes, f"an internal error with both executors: {document.text}"
            tally["executions"] += 1
            tally["again"] += bool(again)
            tally["with errors"] += bool(expected.errors)
            tally["with data"] += expected.data is not None
    assert tally["again"] > 0.4 * tally["executions"]
    assert tally["with errors"] > 0.1 * tally["executions"]
    assert tally["with data"] > 0.3 * tally["executions"]
    print(dict(tally))  # noqa: T201


async def execute(schema: strawberry.Schema, document: str, variables: dict[str, Any]) -> ExecutionResult:
    return await schema.execute(document, variables, context(), operation_name="Q")


def context() -> Context:
    """Return the context of a request of account `a`, always at the same instant."""
    return Context(account_id="a", clock=lambda: fixtures.NOW)
