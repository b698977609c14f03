"""The size of an operation: as though its fragments were written out, found without writing them out."""

from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, print_ast
from hypothesis import given
from hypothesis import strategies as st

from renewals import limits
from schema import build, measures

SCHEMA = build.schema._schema


def measured(query: str) -> measures.Operation:
    [operation] = measures.measure(SCHEMA, parse(query)).operations.values()
    return operation


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ account { id } }", {}, 2),
        ("{ account { id name } a: account { id } }", {}, 5),
        ("{ instances { nodes { id } } }", {}, 1 + 10 * 2),
        ("{ instances(first: 1000) { totalCount nodes { id name } } }", {}, 2 + 1000 * 3),
        ("query Q($n: Int) { instances(first: $n) { nodes { id } } }", {"n": 7}, 1 + 7 * 2),
        ("query Q($n: Int = 20) { instances(first: $n) { nodes { id } } }", {}, 1 + 20 * 2),
        ("query Q($n: Int = 20) { instances(first: $n) { nodes { id } } }", {"n": None}, 1 + 10 * 2),
        ("{ instances(last: 3) { edges { node { id } } } }", {}, 1 + 3 * 3),
        ("{ instances(first: 999999999) { nodes { id } } }", {}, 1 + 1000 * 2),
        ("{ instances(first: -5) { nodes { id } } }", {}, 1),
        ("{ instances { nodes { orders(first: 3) { id } } } }", {}, 1 + 10 * (1 + 3 * 2)),
        ("{ forecast(days: 60) { days { date } } }", {}, 20_001 + 60 * 2),
        ("{ forecast { days { date } } }", {}, 20_001 + 30 * 2),
        ("query Q($n: Int) { instances(first: $n) { nodes { id } } }", {"n": 500.0}, 1 + 500 * 2),
        ("query Q($n: Int) { instances(first: $n) { nodes { id } } }", {"n": "500"}, 1 + 10 * 2),
        ("query Q($n: Int) { instances(first: $n, last: 1000) { nodes { id } } }", {}, 1 + 1000 * 2),
        ("query Q($f: X) { instances(filter: $f) { totalCount } }", {"f": {"ids": ["a"] * 50_000}}, 50_002),
        ("{ products { code } }", {}, 10 * 2),
        ("{ instances(first: 100) { facets { tabs { count } } } }", {}, 1 + 501 + 10 * 2),
    ],
)  # fmt: skip
def test_a_cost_is_the_number_of_fields_that_may_be_answered(
    query: str, variables: dict[str, Any], cost: int
) -> None:
    assert measured(query).cost(variables) == cost


QUOTE = "query Q($i: QuoteRenewalInput!) { quoteRenewal(input: $i) { total lines { instanceId } } }"


def test_what_an_input_names_counts_beside_the_slices_of_its_answer() -> None:
    def cost(selection: Any) -> int:
        return measured(QUOTE).cost({"i": {"selection": selection, "months": 1}})

    lines = 100 * 2
    assert cost({"ids": ["a"] * 15}) == 15 + 2 + lines
    most = limits.INSTANCES_PER_SELECTION_MAX
    assert cost({"matching": {"filter": {}}}) == most + 2 + lines
    assert cost({"matching": {"filter": {}, "except": ["a"]}}) == most + 2 + lines
    assert cost({"ids": ["a"] * 20_000}) == 20_000 + 2 + lines
    written = 'query { quoteRenewal(input: {selection: {ids: ["a", "b"]}, months: 1}) { total lines { instanceId } } }'
    assert measured(written).cost({}) == 2 + 2 + lines
    by_variable = (
        "query Q($ids: [ID!]) { quoteRenewal(input: {selection: {ids: $ids}, months: 1}) { total } }"
    )
    assert measured(by_variable).cost({"ids": ["a"] * 5}) == 5 + 2
    for nonsense in (None, 1, "x", [], {"ids": None}):
        assert cost(nonsense) == 2 + lines
    deep: Any = []
    for _ in range(900):
        deep = {"a": deep}
    assert cost(deep) == 2 + lines


def test_a_slice_counts_as_many_rows_as_it_may_have() -> None:
    order = (
        "query Q($n: Int! = 7) { order(id: 1) { lines(first: $n) { price } all: lines { price } lineCount } }"
    )
    assert measured(order).cost({}) == 2 + 7 * 2 + 100 * 2
    assert measured(order).cost({"n": 1_000}) == 2 + 1_000 * 2 + 100 * 2


def test_a_variable_is_looked_through_once_however_often_it_is_mentioned() -> None:
    members = " ".join(f"a{n}: $i" for n in range(500))
    operation = measured(f"query Q($i: X) {{ quoteRenewal(input: {{ {members} }}) {{ total }} }}")
    looked = 0

    class Counting(dict[str, Any]):
        def items(self) -> Any:
            nonlocal looked
            looked += 1
            return super().items()

    operation.cost({"i": Counting({str(n): {} for n in range(100_000)})})
    assert looked == 1


def test_what_is_not_used_is_measured_too_for_it_is_validated() -> None:
    aliases = " ".join(f"a{n}: id" for n in range(70))
    found = measures.measure(SCHEMA, parse(f"{{ account {{ id }} }} fragment F on Account {{ {aliases} }}"))
    assert [fragment.aliases for fragment in found.fragments] == [70]


@pytest.mark.parametrize(
    "query",
    [
        "query A { account { id } } query A { account { name } }",
        "{ ...F } fragment F on Query { account { id } } fragment F on Query { account { name } }",
        "{ account { id } } type Query { id: ID }",
    ],
)
def test_each_definition_has_a_name_of_its_own(query: str) -> None:
    with pytest.raises(measures.DefinitionsError):
        measures.measure(SCHEMA, parse(query))


def test_fields_of_one_name_count_by_their_pairs() -> None:
    card = "__typename id name status product { __typename code name }"
    fragments = " ".join(f"fragment F{n} on Instance {{ {card} }}" for n in range(30))
    spreads = " ".join(f"...F{n}" for n in range(30))
    page = measured(f"{{ instances {{ nodes {{ {spreads} }} }} }} {fragments}")
    assert page.measure.repeats == 30 * 29 // 2 * (4 + 1 + 3)
    assert measured("{ account { " + "id " * 500 + "} }").measure.repeats == 500 * 499 // 2


def test_nothing_in_a_long_life_of_variables_is_remembered() -> None:
    operation = measured("query Q($n: Int) { instances(first: $n) { nodes { id } } }")
    assert [operation.cost({"n": n}) for n in (1, 2, 1)] == [3, 5, 3]


def test_fragments_that_double_are_measured_as_fast_as_they_are_written() -> None:
    levels = 80
    chain = " ".join(
        f"fragment F{n} on Account {{ a{n}: id ...G{n} ...H{n} }} fragment G{n} on Account {{ ...F{n + 1} }}"
        f" fragment H{n} on Account {{ ...F{n + 1} }}"
        for n in range(40)
    )
    doubled = measured("{ account { ...F0 } } " + chain + " fragment F40 on Account { id }")
    assert doubled.measure.aliases == 2**40 - 1
    assert doubled.cost({}) == 1 + 2**41 - 1
    nested = "{ instances " * levels + "{ id }" + "}" * levels  # fits no schema
    assert measured(nested).measure.depth == levels + 1


def test_a_fragment_that_spreads_itself_is_found_wherever_it_is_spread() -> None:
    for query in (
        "{ ...A } fragment A on Query { ...A }",
        "{ account { ...A } } fragment A on Account { ...B } fragment B on Account { ... { ...A } }",
    ):
        with pytest.raises(measures.FragmentCycleError):
            measured(query)


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
    """A selection set of a type, parts of which are in fragments."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(FIELDS[parent]))
        kind = draw(st.sampled_from(("field", "field", "alias", "inline", "fragment")))
        known = [each for each, (on, _) in fragments.items() if on == parent]
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


def written_out(query: str) -> str:
    """The operation with each spread replaced by what it spreads."""
    document = parse(query)
    bodies = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]

    def write(node: Any) -> str:
        parts = []
        for each in node.selections:
            if each.kind == "fragment_spread":
                fragment = bodies[each.name.value]
                parts.append(f"... on {fragment.type_condition.name.value} {write(fragment.selection_set)}")
            elif each.kind == "inline_fragment":
                parts.append(f"... on {each.type_condition.name.value} {write(each.selection_set)}")
            else:
                alias = f"{each.alias.value}: " if each.alias else ""
                below = write(each.selection_set) if each.selection_set else ""
                parts.append(f"{alias}{each.name.value} {below}")
        return "{ " + " ".join(parts) + " }"

    return write(operation.selection_set)


@given(st.data())
def test_a_fragment_is_measured_as_what_stands_in_it(data: st.DataObject) -> None:
    fragments: dict[str, tuple[str, str]] = {}
    operation = data.draw(selections("Query", fragments))
    query = operation + " ".join(f" fragment {name} on {on} {body}" for name, (on, body) in fragments.items())
    short, long = measured(query), measured(written_out(query))
    assert print_ast(parse(query))
    for name in ("depth", "aliases", "directives", "width"):
        assert getattr(short.measure, name) == getattr(long.measure, name)
    assert short.cost({}) == long.cost({})
