"""For a page, PostgreSQL reads at most one instance more than the page has, however many were released."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from renewals.db import connection as database
from renewals.db import pagination
from renewals.domain import model
from renewals.instances import filters
from renewals.instances import queries as instances_queries
from tests.support import sql_log
from tests.support.fixtures import NOW, World

RELEASED = """INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode,
    is_trial, status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
  SELECT 'r-' || n, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial, 'RELEASED',
    renewal_mode, auto_renew_months, $1::timestamptz - n * interval '1 minute', anchor_day, monthly_price_cents,
    created_at
  FROM instances, generate_series(30000, 35000) AS n WHERE id = 'i-0'"""
ORDERING = instances_queries.instance_ordering(
    instances_queries.InstanceOrderField.EXPIRES_AT, descending=False
)
COLUMNS = frozenset({"id", "status", "expires_at", "product.code", "product.name"})
FIRST, LAST = dt.date(2027, 6, 1), dt.date(2027, 6, 30)


@pytest.fixture
async def fleet(world: World) -> World:
    """Create account `a` with 5,001 released instances and 300 others, of which 100 are expired."""
    await world.account("a")
    for number in range(300):
        expires = "2027-01-08" if number < 100 else "2027-06-30"
        await world.instance(f"i-{number}", expires=expires, mode="AUTO" if number % 2 else "MANUAL")
    await database.execute(database.pool(), RELEASED, NOW)
    await database.execute(database.pool(), "ANALYZE instances")
    return world


def walk_plan(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from walk_plan(child)


async def explain_scans(
    instance_filter: filters.InstanceFilter, request: pagination.PageRequest
) -> list[Mapping[str, Any]]:
    """Return the scans of instances in the executed plan of a page of ten."""
    with sql_log.noted() as seen:
        page = await instances_queries.fetch_instances(
            database.pool(),
            "a",
            instance_filter,
            request,
            ordering=ORDERING,
            now=NOW,
            columns=COLUMNS,
            counted=False,
        )
    assert len(page.rows) == 10
    [(sql, values)] = seen
    rows = await database.fetch(database.pool(), f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *values)
    plan = json.loads(rows[0][0])[0]["Plan"]
    return [node for node in walk_plan(plan) if node.get("Relation Name") == "instances"]


async def explain(instance_filter: filters.InstanceFilter) -> set[str]:
    """Return the indexes that a page of ten uses, and check that it reads at most 11 instances."""
    scans = await explain_scans(instance_filter, pagination.PageRequest(first=10))
    assert scans, "the page is read from instances"
    assert sum(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scans) <= 11
    return {node["Index Name"] for node in scans}


@pytest.mark.parametrize(
    ("instance_filter", "index"),
    [
        (filters.InstanceFilter(), "instances_by_expiry"),
        (filters.InstanceFilter(manageable=None), "instances_by_expiry"),
        (filters.InstanceFilter(tab=model.RenewalTab.AUTO), "instances_by_mode"),
        (filters.InstanceFilter(tab=model.RenewalTab.MANUAL), "instances_by_mode"),
        (filters.InstanceFilter(expires_on_from=FIRST, expires_on_to=LAST), "instances_by_expiry"),
        (
            filters.InstanceFilter(tab=model.RenewalTab.MANUAL, expires_on_from=FIRST, expires_on_to=LAST),
            "instances_by_mode",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_page_of_ten_instances_reads_at_most_11_rows_by_the_expected_index(
    fleet: World, instance_filter: filters.InstanceFilter, index: str
) -> None:
    assert await explain(instance_filter) == {index}


async def test_a_page_at_an_offset_reads_complete_rows_only_for_the_page(fleet: World) -> None:
    scans = await explain_scans(filters.InstanceFilter(), pagination.PageRequest(first=10, offset=20))
    counts = {scan["Index Name"]: scan["Actual Rows"] * scan["Actual Loops"] for scan in scans}
    assert counts == {"instances_by_expiry": 31, "instances_pkey": 11}


async def test_just_in_time_compilation_is_off(world: World) -> None:
    assert await world.value("SHOW jit") == "off"
