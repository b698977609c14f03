"""The properties of an accepted operation besides its cost, and the messages of refused documents."""

import pytest

from renewals import config
from renewals.instances.account_sizes import AccountSize
from schema.customer import schema as customer_schema
from schema.limits import document_limits, limit_errors

LIMITS = document_limits.Limits.of(config.get_settings())
SIZE = AccountSize(instances=20_000, ledger_entries=500, events=500)


@pytest.mark.parametrize(
    ("query", "is_one_page"),
    [
        ("{ instances(first: 1000) { totalCount nodes { id } } }", True),
        ('{ page: instances(filter: {products: ["a"], search: "b"}) { facets { tabs { count } } } }', True),
        ("query { ...Page } fragment Page on Query { orders { nodes { id } } }", True),
        ("{ ledger { nodes { id } } }", True),
        ("{ eventHistory { nodes { sequence } } }", True),
        ("{ instances { totalCount } orders { totalCount } }", False),
        ("{ instances { totalCount } account { id } }", False),
        ("{ forecast(days: 366) { total } }", False),
        ("{ account { vouchers { id } } }", False),
        ("{ __typename }", False),
        ('mutation { setTags(input: {selection: {ids: ["a"]}, set: []}) { __typename } }', False),
    ],
)
def test_a_query_of_exactly_one_list_is_recognized_as_one_page(query: str, is_one_page: bool) -> None:
    checked = document_limits.DocumentLimits(customer_schema.schema._schema, LIMITS)
    admitted = checked.check(query, None, {}, SIZE)
    assert admitted.is_one_page is is_one_page
    assert admitted.fields <= admitted.cost


@pytest.mark.parametrize(
    ("selection", "code", "maximum"),
    [
        (" ".join(f"a{number}: id" for number in range(101)), "TOO_MANY_ALIASES", 100),
        ("id @skip(if: false) " * 101, "TOO_MANY_DIRECTIVES", 100),
        ("id" + " @skip(if: false)" * 6, "TOO_MANY_DIRECTIVES", 5),
        ("id " * 202, "TOO_MANY_REPEATS", 20_000),
    ],
)
def test_the_refusal_of_an_unused_fragment_says_that_the_limit_applies_to_fragments(
    selection: str, code: str, maximum: int
) -> None:
    checked = document_limits.DocumentLimits(customer_schema.schema._schema, LIMITS)
    for query in (
        f"{{ account {{ name }} }} fragment F on Account {{ {selection} }}",
        f"{{ account {{ {selection} }} }}",
    ):
        with pytest.raises(limit_errors.LimitExceededError) as refused:
            checked.check(query, None, {}, SIZE)
        assert refused.value.extensions == {"code": code, "maximum": maximum}
        assert str(refused.value).startswith("an operation or a fragment must have at most ")
