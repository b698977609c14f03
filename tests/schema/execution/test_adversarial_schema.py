"""Compiled execution has the results of graphql-core for any values, in thousands of executions."""

import logging
import os
import random
from collections import Counter
from typing import Any

import asyncpg
import pytest
from graphql import parse, validate
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution import executor
from schema.fields import sources
from tests.conftest import POSTGRES
from tests.schema.execution import adversarial_schema, compare, documents
from tests.support import cases

EXECUTIONS = int(os.environ.get("SOAK_EXECUTIONS") or 5_400)
"""The minimum number of executions over all seeds."""

SEEDS = range(9)
SHORT_SEEDS = 2
"""The number of seeds that `make test` uses. Each takes 6 s of processor time."""
FAULTS = (0, 0, 0.005, 0.02, 0.1, 0.4)
"""The probabilities that a value is invalid. Each document is executed with one of them."""

TIMES = 24
"""The number of executions of each document."""
ODDLY_TIMED_MAX = 0.02


def argument(rng: random.Random, name: str, type_name: str) -> Any:
    """Return a value of a scalar, sometimes an invalid one."""
    return {"Int": rng.randint(-3, 3), "String": rng.choice(["", "a"])}[type_name]


@pytest.fixture
async def records() -> list[asyncpg.Record]:
    """Return rows of the database, one with valid and one with invalid values."""
    connection = await asyncpg.connect(os.environ[POSTGRES])
    try:
        return [
            await connection.fetchrow(sql)
            for sql in (adversarial_schema.VALID_RECORDS, adversarial_schema.INVALID_RECORDS)
        ]
    finally:
        await connection.close()


@pytest.mark.parametrize("seed", cases.long_after(SHORT_SEEDS, SEEDS))
async def test_compiled_execution_returns_the_data_and_the_errors_of_graphql_core(
    seed: int, records: list[asyncpg.Record], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="strawberry.execution")
    default_resolver, dicts = (sources.read, 0.4) if seed % 3 else (getattr, 0.05)
    stock = adversarial_schema.make(StrawberryGraphQLCoreExecutionContext, default_resolver)
    compiled = adversarial_schema.make(executor.Executor, default_resolver)
    rng = random.Random(seed)
    tally: Counter[str] = Counter()
    while tally["executions"] < EXECUTIONS / len(SEEDS):
        document = documents.Writer(stock._schema, rng, argument).write()
        if tally["executions"] < 2 * TIMES:  # validation takes longer than all the other steps
            assert not validate(stock._schema, parse(document.text)), document.text
        fault = rng.choice(FAULTS)
        assigned = [document.variables(rng) for _ in range(3)]
        for variables in (*assigned, assigned[0]):
            values_seed = rng.getrandbits(32)
            answers = []
            for schema in (stock, compiled):
                context = adversarial_schema.Values(values_seed, fault, document.names, records, dicts=dicts)
                answers.append(await schema.execute(document.text, variables, context, operation_name="Q"))
            expected, found = answers
            waited = (
                not document.names.isdisjoint(adversarial_schema.WAITING) or adversarial_schema.Later.waited
            )
            adversarial_schema.Later.waited = False
            different = compare.differences(expected, found, waited=waited)
            assert not different, "\n".join([f"seed {seed}", document.text, str(variables), *different])
            tally["executions"] += 1
            tally["with errors"] += bool(expected.errors)
            tally["with data"] += expected.data is not None
    assert tally["with errors"] > 0.2 * tally["executions"]
    assert tally["with data"] > 0.5 * tally["executions"]
    print(dict(tally))  # noqa: T201
