"""Every statement for a customer's field, also in data loaders, filters by the customer's account."""

import re

from tests.isolation import walk
from tests.isolation.asking import CUSTOMERS, Scene, ask
from tests.support import sql_log

SHARED = frozenset({"products", "discount_tiers", "data_centers", "data_center_types", "pg_timezone_names"})
"""Tables that every account may read."""
OF_ENDPOINTS = frozenset({"webhook_states", "webhook_cursors", "webhook_deliveries"})
"""Tables that are read by ids of endpoints, after the endpoints were read by the account."""
TABLES = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?\"?([a-z_]+)\b(?!\()")


def tables_of(sql: str) -> set[str]:
    return set(TABLES.findall(sql)) - SHARED


async def test_every_statement_of_a_query_filters_by_the_callers_account(scene: Scene) -> None:
    wrong = set()
    query_count = 0
    for place in walk.places(CUSTOMERS):
        if place.operation != "query":
            continue
        with sql_log.noted() as statements:
            await ask(scene.operator, scene.theirs.key, place, {}, scene.theirs)
        for statement in statements[1:]:  # the first statement finds the account by its key
            tables = tables_of(statement.sql)
            if not tables:
                continue
            query_count += 1
            values = [str(item) for value in statement.values for item in _several(value)]
            is_named = "account_id" in statement.sql or "FROM accounts" in statement.sql
            is_own = is_named and scene.theirs.account_id in values
            if tables <= OF_ENDPOINTS:
                is_own = is_own or set(values) <= set(scene.theirs.things["endpoint"])
            if not is_own:
                wrong.add(f"{place.coordinate}: {statement}")
    assert not wrong, "\n".join(sorted(wrong))
    assert query_count > 50


def _several(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
