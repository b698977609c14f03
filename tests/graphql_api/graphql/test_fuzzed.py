"""Invalid input generated from the schema causes no status 5xx, no change, and no internal detail in a response."""

from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

INPUTS_MIN = 500
EXAMPLES = 30
ROOT = Path(__file__).parents[3]
INTERNAL_WORDS = (
    "Traceback",
    "asyncpg",
    "site-packages",
    "SELECT ",
    "strawberry",
    "graphql_api",
    "renewals/",
)


def generate_invalid_operations() -> list[tuple[str, str]]:
    """Generate operations with the names of their fields. Each operation violates the schema or a limit."""
    generated: list[tuple[str, str]] = []
    schema = schemathesis.graphql.from_path(str(ROOT / "schema.graphql"))
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @hypothesis.settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        def make(case: Any) -> None:
            generated.append((case.operation.label, case.body))

        make()
    return generated


@pytest.fixture
async def key(world: World) -> str:
    """Return a key of account `a`, which has a balance and an instance."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    return await world.key("a")


async def check(graphql: Client, body: bytes) -> str:
    """Return the body of a response, and check that it contains no internal detail."""
    headers = {"Authorization": f"Bearer {graphql.key}", "Content-Type": "application/json"}
    answer = await graphql.http.post(URL, content=body, headers=headers)
    assert answer.status_code < 500, body
    assert not any(word in answer.text for word in INTERNAL_WORDS), (body, answer.text)
    errors = orjson.loads(answer.content).get("errors")
    codes = {error["extensions"]["code"] for error in errors or ()}
    assert "INTERNAL" not in codes, body
    return ",".join(sorted(codes)) or "data"


@pytest.mark.long
async def test_invalid_input_generated_from_the_schema_does_not_change_data(
    world: World, key: str, graphql: Client
) -> None:
    graphql.key = key
    counts: Counter[str] = Counter()
    before = await world.snapshot()
    inputs = [
        case for case in generate_invalid_operations() if "resetCalendarToken" not in case[0]
    ]  # a mutation without input
    for label, query in inputs:
        counts[await check(graphql, orjson.dumps({"query": query}))] += 1
        if label.startswith("Mutation"):
            assert await world.snapshot() == before, query
    assert await world.snapshot() == before
    assert sum(counts.values()) >= INPUTS_MIN, counts


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=30),
        st.sampled_from(["", "\x00", "i-1", "2026-02-30", "9" * 400, "' OR 1=1 --", "../../etc/passwd", "\u202e"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["ids", "filter", "selection", "months", "idempotencyKey", "input", "x"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip
QUERIES = [
    "query Q($v: ID!) { instance(id: $v) { id } }",
    "query Q($v: ID!) { order(id: $v) { id } }",
    "query Q($v: InstanceFilter) { instances(filter: $v) { totalCount } }",
    "query Q($v: Int) { instances(first: $v) { totalCount } }",
    "query Q($v: Int) { instances(offset: $v) { totalCount } }",
    "query Q($v: String) { instances(after: $v) { nodes { id } } }",
    "query Q($v: String) { ledger(before: $v) { nodes { id } } }",
    "query Q($v: Int!) { forecast(days: $v) { days { date } } }",
    "query Q($v: QuoteRenewalInput!) { quoteRenewal(input: $v) { total } }",
    "query Q($v: QuoteUnifyExpiryInput!) { quoteUnifyExpiry(input: $v) { total } }",
    "mutation M($v: RenewInstancesInput!) { renewInstances(input: $v) { __typename } }",
    "mutation M($v: UnifyExpiryInput!) { unifyExpiry(input: $v) { __typename } }",
    "mutation M($v: SetRenewalPolicyInput!) { setRenewalPolicy(input: $v) { __typename } }",
    "mutation M($v: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $v) { __typename } }",
]


async def test_random_variables_cause_no_internal_error_and_no_change_of_data(
    world: World, key: str, graphql: Client
) -> None:
    graphql.key = key
    values: list[Any] = []

    @hypothesis.settings(
        max_examples=40,
        database=None,
        derandomize=True,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(VALUES)
    def make(value: Any) -> None:
        values.append(value)

    make()
    before = await world.snapshot()
    for query in QUERIES:
        for value in values:
            await check(graphql, orjson.dumps({"query": query, "variables": {"v": value}}))
    assert await world.snapshot() == before
    assert len(QUERIES) * len(values) >= INPUTS_MIN
