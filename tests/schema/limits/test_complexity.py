"""An operation has the same size as the operation with expanded fragments."""

import datetime as dt
from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, print_ast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renewals.domain import limits
from renewals.instances.account_sizes import AccountSize
from schema.customer import schema as customer_schema
from schema.limits import complexity, list_sizes, weights

SCHEMA = customer_schema.schema._schema


def measure_operation(query: str) -> complexity.Operation:
    [operation] = complexity.measure(SCHEMA, parse(query)).operations.values()
    return operation


SIZE = AccountSize(instances=20_000, auto_instances=10_000, vouchers=30, ledger_entries=500)


def cost_of(query: str, size: AccountSize | None = SIZE, **variables: Any) -> int:
    return measure_operation(query).total(variables, size).cost


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ account { id } }", {}, 2),
        ("{ account { id name } a: account { id } }", {}, 5),
        ("{ instances { nodes { id } } }", {}, 1 + 10 * 2),
        ("{ instances(first: 1000) { nodes { id name } } }", {}, 1 + 1000 * 3),
        ("query Q($n: Int) { instances(first: $n) { nodes { id } } }", {"n": 7}, 1 + 7 * 2),
        ("query Q($n: Int = 20) { instances(first: $n) { nodes { id } } }", {}, 1 + 20 * 2),
        ("query Q($n: Int = 20) { instances(first: $n) { nodes { id } } }", {"n": None}, 1 + 10 * 2),
        ("{ instances(last: 3) { edges { node { id } } } }", {}, 1 + 3 * 3),
        ("{ instances(first: 999999999) { nodes { id } } }", {}, 1 + 1000 * 2),
        ("{ instances(first: -5) { nodes { id } } }", {}, 1),
        ("query Q($n: Int) { instances(first: $n) { nodes { id } } }", {"n": 500.0}, 1 + 500 * 2),
        ("query Q($n: Int) { instances(first: $n) { nodes { id } } }", {"n": "500"}, 1 + 10 * 2),
        ("query Q($n: Int) { instances(first: $n, last: 1000) { nodes { id } } }", {}, 1 + 1000 * 2),
        ("{ products { code } }", {}, 10 * 2),
        ("{ order(id: 1) { lines(first: 7) { price } all: lines { price } } }", {}, 1 + 7 * 2 + 100 * 2),
        ("query Q($n: Int!) { order(id: 1) { lines(first: $n) { price } } }", {"n": 1_000}, 1 + 1_000 * 2),
        ("query Q($n: Int) { order(id: 1) { lines(first: $n) { price } } }", {}, 1 + 100 * 2),
        ("query Q($n: Int = 7) { order(id: 1) { lines(first: $n) { price } } }", {}, 1 + 7 * 2),
    ],
)  # fmt: skip
def test_the_cost_of_a_query_is_the_maximum_number_of_fields_in_its_result(
    query: str, variables: dict[str, Any], cost: int
) -> None:
    assert cost_of(query, None, **variables) == cost


MONTH = weights.FORECAST_RENEWAL * SIZE.auto_instances


@pytest.mark.parametrize(
    ("query", "work"),
    [
        ("{ instances { totalCount } }", weights.COUNT * SIZE.instances),
        ("{ instances { facets { expiry { count } } } }", weights.FACET * SIZE.instances),
        ("{ instances(filter: {tab: AUTO}) { pageInfo { hasNextPage } } }", 0),
        (
            "{ instances(filter: {status: [EXPIRED]}) { pageInfo { hasNextPage } } }",
            weights.SCAN * SIZE.instances + 1,
        ),
        (
            '{ instances(filter: {search: "x"}) { pageInfo { hasNextPage } } }',
            weights.SEARCH * SIZE.instances,
        ),
        ("{ instances(orderBy: {field: NAME}) { pageInfo { hasNextPage } } }", weights.SCAN * SIZE.instances),
        ("{ instances(offset: 1000) { pageInfo { hasNextPage } } }", weights.SCAN * 1_000),
        ("{ instances(offset: 999999) { pageInfo { hasNextPage } } }", weights.SCAN * SIZE.instances),
        ("{ forecast(days: 1) { total } }", MONTH),
        ("{ forecast(days: 366) { total } }", 13 * MONTH),
        ("{ forecast { total } }", 2 * MONTH),
        ("query Q($d: Int) { forecast(days: $d) { total } }", 2 * MONTH),
        ("{ instances { nodes { outlook { willRenew } } } }", weights.OUTLOOK_MONTHS * MONTH),
        (
            "{ instances { nodes { outlook { price } } } b: instances { nodes { outlook { price } } } }",
            2 * weights.OUTLOOK_MONTHS * MONTH,
        ),
        ("{ instances { nodes { attempts { id } orders { id } } } }", 10 * 2 * weights.NESTED_HISTORY),
        ("{ instances { nodes { releasesAt } } }", 10 * weights.RELEASE_TIME),
        ('{ instances(filter: {expiresOnTo: "2027-01-31"}) { pageInfo { hasNextPage } } }', 0),
        ("{ order(id: 1) { lines(offset: 1000) { price } } }", weights.LINES_PASSED * 1_000),
        ("{ order(id: 1) { lineCount } }", weights.NESTED_COUNT),
        ("subscription { events { summary } }", weights.SUMMARY),
        ("{ orders { totalCount } }", weights.ENTRY * SIZE.ledger_entries),
    ],
)
def test_the_work_of_a_query_is_computed_from_the_size_of_the_account(query: str, work: float) -> None:
    assert measure_operation(query).total({}, SIZE).work == work


def test_the_cost_of_the_vouchers_is_proportional_to_their_number_in_the_account() -> None:
    assert cost_of("{ account { vouchers { id } } }") == 1 + SIZE.vouchers * 2


def test_the_actions_of_an_instance_cost_three_objects_with_their_fields() -> None:
    without_actions = cost_of("{ instances(first: 1000) { nodes { id } } }")
    with_actions = cost_of("{ instances(first: 1000) { nodes { id actions { action allowed } } } }")
    assert with_actions - without_actions == 1_000 * 3 * (1 + 2)


QUOTE = "query Q($i: QuoteRenewalInput!) { quoteRenewal(input: $i) { total lines { instanceId } } }"


def test_a_quote_costs_a_fixed_amount_for_each_instance_that_it_can_select() -> None:
    def cost(selection: Any) -> int:
        return cost_of(QUOTE, i={"selection": selection, "months": 1}) - weights.QUOTE_CALL

    fields_cost, instance_cost = 2 + 100 * 2, 1 + weights.QUOTE
    assert cost({"ids": ["a"] * 15}) == 15 * instance_cost + fields_cost
    maximum = limits.INSTANCES_PER_SELECTION_MAX
    assert cost({"matching": {"filter": {}}}) == maximum * instance_cost + fields_cost
    assert cost({"matching": {"filter": {}, "except": ["a"]}}) == maximum * instance_cost + fields_cost
    assert cost({"ids": ["a"] * 20_000}) == 20_000 * instance_cost + fields_cost
    literal = 'query { quoteRenewal(input: {selection: {ids: ["a", "b"]}, months: 1}) { total lines { instanceId } } }'
    assert cost_of(literal) == weights.QUOTE_CALL + 2 * instance_cost + fields_cost
    variable_query = (
        "query Q($ids: [ID!]) { quoteRenewal(input: {selection: {ids: $ids}, months: 1}) { total } }"
    )
    assert cost_of(variable_query, ids=["a"] * 5) == weights.QUOTE_CALL + 5 * instance_cost + 2
    selections: tuple[Any, ...] = (None, 1, "x", [], {"ids": None})
    for invalid_selection in selections:
        assert cost(invalid_selection) == fields_cost
    deep: Any = []
    for _ in range(900):
        deep = {"a": deep}
    assert cost(deep) == fields_cost


MOVE = "mutation M($i: AdvanceTestClockInput!) { advanceTestClock(input: $i) { __typename } }"


def test_a_move_of_a_test_clock_costs_its_days_and_a_refused_move_costs_only_the_call() -> None:
    clock = dt.datetime(2027, 1, 15, 2, tzinfo=dt.UTC)
    size = SIZE._replace(auto_instances=100, test_clock=clock)

    def cost(to: object, of: AccountSize = size) -> int:
        return cost_of(MOVE, of, i={"to": to, "idempotencyKey": "k"})

    day_cost = weights.CLOCK_DAY + 100 * weights.CLOCK_DAY_INSTANCE
    call_cost = cost("2027-01-15T10:00:00+08:00")
    assert cost("2027-01-15T10:30:00+08:00") - call_cost == day_cost
    assert cost("2027-02-15T02:00:00Z") - call_cost == 31 * day_cost
    assert cost("2029-01-15T02:00:00Z", SIZE._replace(test_clock=clock)) - call_cost == weights.CLOCK_MOVE_MAX
    for invalid_instant in (
        "2026-01-15T02:00:00Z",
        "2030-01-15T02:00:00Z",
        "2027-02-15T02:00:00",
        "soon",
        "",
        7,
        None,
    ):
        assert cost(invalid_instant) == call_cost
    assert cost("2027-02-15T02:00:00Z", SIZE) == call_cost
    literal = MOVE.replace("($i: AdvanceTestClockInput!)", "($to: DateTime!)").replace(
        "$i", '{to: $to, idempotencyKey: "k"}'
    )
    assert cost_of(literal, size, to="2027-01-16T02:00:00Z") - call_cost == day_cost
    assert cost_of(
        literal.replace("($to: DateTime!)", "").replace("$to", '"2027-01-17T02:00:00Z"'), size
    ) == (call_cost + 2 * day_cost)


def test_a_quote_by_filter_costs_at_most_the_number_of_instances_of_the_account() -> None:
    query = "{ quoteRenewal(input: {selection: {matching: {filter: {}}}, months: 1}) { total } }"
    small = AccountSize(instances=7)
    assert cost_of(query, small) == weights.QUOTE_CALL + 7 * (1 + weights.QUOTE) + 2
    with pytest.raises(list_sizes.SizeNeededError):
        measure_operation(query).total({})


def test_a_variable_is_searched_once_even_if_an_operation_uses_it_500_times() -> None:
    fields = " ".join(f"a{n}: $i" for n in range(500))
    operation = measure_operation(f"query Q($i: X) {{ quoteRenewal(input: {{ {fields} }}) {{ total }} }}")
    searches = 0

    class Counting(dict[str, Any]):
        def items(self) -> Any:
            nonlocal searches
            searches += 1
            return super().items()

    operation.total({"i": Counting({str(n): {} for n in range(100_000)})})
    assert searches == 1


def test_unused_fragments_of_a_document_are_measured() -> None:
    aliases = " ".join(f"a{n}: id" for n in range(70))
    document = complexity.measure(
        SCHEMA, parse(f"{{ account {{ id }} }} fragment F on Account {{ {aliases} }}")
    )
    assert [fragment.aliases for fragment in document.fragments] == [70]


@pytest.mark.parametrize(
    "query",
    [
        "query A { account { id } } query A { account { name } }",
        "{ ...F } fragment F on Query { account { id } } fragment F on Query { account { name } }",
        "{ account { id } } type Query { id: ID }",
    ],
)
def test_a_document_with_duplicate_names_or_a_type_definition_is_refused(query: str) -> None:
    with pytest.raises(complexity.DefinitionsError):
        complexity.measure(SCHEMA, parse(query))


def test_the_pairs_of_fields_with_the_same_name_are_counted() -> None:
    card = "__typename id name status product { __typename code name }"
    fragments = " ".join(f"fragment F{n} on Instance {{ {card} }}" for n in range(30))
    spreads = " ".join(f"...F{n}" for n in range(30))
    page = measure_operation(f"{{ instances {{ nodes {{ {spreads} }} }} }} {fragments}")
    assert page.measure.duplicate_pairs == 30 * 29 // 2 * (4 + 1 + 3)
    assert measure_operation("{ account { " + "id " * 500 + "} }").measure.duplicate_pairs == 500 * 499 // 2


def test_the_cost_of_an_operation_depends_on_the_variables_of_each_request() -> None:
    operation = measure_operation("query Q($n: Int) { instances(first: $n) { nodes { id } } }")
    assert [operation.total({"n": n}).cost for n in (1, 2, 1)] == [3, 5, 3]


def test_fragments_with_an_exponential_expansion_are_measured_without_being_expanded() -> None:
    levels = 80
    chain = " ".join(
        f"fragment F{n} on Account {{ a{n}: id ...G{n} ...H{n} }} fragment G{n} on Account {{ ...F{n + 1} }}"
        f" fragment H{n} on Account {{ ...F{n + 1} }}"
        for n in range(40)
    )
    doubled = measure_operation("{ account { ...F0 } } " + chain + " fragment F40 on Account { id }")
    assert doubled.measure.aliases == 2**40 - 1
    assert doubled.total({}).cost == 1 + 2**41 - 1
    nested = "{ instances " * levels + "{ id }" + "}" * levels  # fits no schema
    assert measure_operation(nested).measure.depth == levels + 1


def test_a_fragment_that_spreads_itself_directly_or_indirectly_is_refused() -> None:
    for query in (
        "{ ...A } fragment A on Query { ...A }",
        "{ account { ...A } } fragment A on Account { ...B } fragment B on Account { ... { ...A } }",
    ):
        with pytest.raises(complexity.FragmentCycleError):
            measure_operation(query)


FIELDS = {
    "Query": ("account", "instances", "products"),
    "Account": ("id", "name"),
    "InstanceConnection": ("totalCount", "nodes"),
    "Instance": ("id", "product"),
    "Product": ("code", "name"),
}
TYPES = {
    "account": "Account",
    "instances": "InstanceConnection",
    "products": "Product",
    "nodes": "Instance",
    "product": "Product",
}


@st.composite
def selections(draw: st.DrawFn, parent: str, fragments: dict[str, tuple[str, str]], depth: int = 0) -> str:
    """Draw a selection set of a type. Parts of it are in fragments."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(FIELDS[parent]))
        kind = draw(st.sampled_from(("field", "field", "alias", "inline", "fragment")))
        known = [name_of_fragment for name_of_fragment, (on, _) in fragments.items() if on == parent]
        if kind == "inline" and depth < 4:
            parts.append(f"... on {parent} {draw(selections(parent, fragments, depth + 1))}")
        elif kind == "fragment" and known:
            parts.append(f"...{draw(st.sampled_from(known))}")
        elif kind == "fragment" and depth < 4:
            body = draw(selections(parent, fragments, depth + 1))
            fragments[f"F{len(fragments)}"] = (parent, body)
            parts.append(f"...F{len(fragments) - 1}")
        else:
            alias = f"a{draw(st.integers(0, 2))}: " if kind == "alias" else ""
            below = draw(selections(TYPES[name], fragments, depth + 1)) if name in TYPES else ""
            parts.append(f"{alias}{name} {below}")
    return "{ " + " ".join(dict.fromkeys(parts)) + " }"


def expand_fragments(query: str) -> str:
    """Return the operation with its fragments expanded."""
    document = parse(query)
    bodies = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    [operation] = [
        definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode)
    ]

    def write(node: Any) -> str:
        parts = []
        for child in node.selections:
            if child.kind == "fragment_spread":
                fragment = bodies[child.name.value]
                parts.append(f"... on {fragment.type_condition.name.value} {write(fragment.selection_set)}")
            elif child.kind == "inline_fragment":
                parts.append(f"... on {child.type_condition.name.value} {write(child.selection_set)}")
            else:
                alias = f"{child.alias.value}: " if child.alias else ""
                below = write(child.selection_set) if child.selection_set else ""
                parts.append(f"{alias}{child.name.value} {below}")
        return "{ " + " ".join(parts) + " }"

    return write(operation.selection_set)


@settings(suppress_health_check=[HealthCheck.too_slow])  # drawing examples takes long on a busy machine
@given(st.data())
def test_an_operation_with_fragments_has_the_size_and_the_cost_of_its_expansion(data: st.DataObject) -> None:
    fragments: dict[str, tuple[str, str]] = {}
    operation = data.draw(selections("Query", fragments))
    query = operation + " ".join(f" fragment {name} on {on} {body}" for name, (on, body) in fragments.items())
    with_fragments, expanded = measure_operation(query), measure_operation(expand_fragments(query))
    assert print_ast(parse(query))
    for name in ("depth", "aliases", "directives", "width"):
        assert getattr(with_fragments.measure, name) == getattr(expanded.measure, name)
    assert with_fragments.total({}, SIZE) == expanded.total({}, SIZE)
