"""The properties of an accepted operation besides its cost, such as whether it reads only one page of a list."""

import pytest

from renewals import config
from renewals.instances.account_sizes import AccountSize
from schema.customer import schema as customer_schema
from schema.limits import document_limits

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
    limits = document_limits.Limits.of(config.get_settings())
    checked = document_limits.DocumentLimits(customer_schema.schema._schema, limits)
    admitted = checked.check(query, None, {}, SIZE)
    assert admitted.is_one_page is is_one_page
    assert admitted.fields <= admitted.cost
