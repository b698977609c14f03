"""Counts of instances by the values of facets, always within one account."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from renewals.db import connection as database
from renewals.db import sql
from renewals.db.connection import Connection
from renewals.domain import model
from renewals.instances import filters

EXPIRY_BUCKETS_DAYS = (7, 15, 30)
FACETS: Mapping[str, Sequence[str] | None] = {
    "tabs": tuple(model.RenewalTab),
    "products": None,
    "dataCenters": None,
    "dataCenterTypes": None,
    "expiry": ("EXPIRED", *map(str, EXPIRY_BUCKETS_DAYS), "LATER"),
}
"""The facets and, if known in advance, their values in order."""
TAG_VALUES_MAX = 100
"""The number of values that are counted for the key of a tag."""


async def count_facets(
    connection: Connection, account_id: str, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> dict[str, list[tuple[str, int]]]:
    """Return the counts by value of every facet; each facet ignores its own condition.

    Values known in advance keep their order and include zeros. Catalog codes are sorted by count.
    """
    conditions = filters.build_conditions(account_id, instance_filter, now)
    values = {
        "tabs": f"CASE WHEN {filters.MANAGEABLE} THEN {filters.TAB} END",
        "products": "i.product_code",
        "dataCenters": "i.data_center_code",
        "dataCenterTypes": "d.type_code",
        "expiry": _expiry_bucket(conditions, instance_filter, now),
    }
    columns = ", ".join(
        f'{value} AS "{facet}", ({conditions.for_facet(facet)}) AS "in {facet}"'
        for facet, value in values.items()
    )
    counts = " UNION ALL ".join(
        f"""SELECT '{facet}' AS facet, "{facet}" AS value, sum(n)::bigint AS count FROM base
            WHERE "{facet}" IS NOT NULL
            {"".join(f' AND "in {other}"' for other in values if other != facet)} GROUP BY 2"""
        for facet in values
    )
    statement = f"""WITH base AS MATERIALIZED (
                SELECT {columns}, count(*) AS n FROM instances i
                  JOIN data_centers d ON d.code = i.data_center_code
                WHERE {conditions.for_facet("")} GROUP BY {", ".join(map(str, range(1, 2 * len(values) + 1)))})
              SELECT * FROM ({counts}) AS counted ORDER BY facet, count DESC, value"""
    counted: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
    for facet, value, count in map(tuple, await database.fetch(connection, statement, *conditions.values)):
        counted[facet][value] = count
    return {
        facet: [(value, counted[facet].get(value, 0)) for value in known or counted[facet]]
        for facet, known in FACETS.items()
    }


async def count_tag_values(
    connection: Connection,
    account_id: str,
    instance_filter: filters.InstanceFilter,
    key: str,
    now: dt.datetime,
) -> list[tuple[str, int]]:
    """Return the most frequent values of the tag with a key, without the filter's conditions on that key.

    Instances without the tag are not counted.
    """
    if instance_filter.tags:
        others = [tag for tag in instance_filter.tags if tag.key != key]
        instance_filter = dataclasses.replace(instance_filter, tags=others or None)
    conditions = filters.build_conditions(account_id, instance_filter, now)
    key_at = conditions.bind(key)
    rows = await database.fetch(
        connection,
        f"""SELECT i.tags ->> {key_at}::text AS value, count(*) AS count FROM instances i
            WHERE {conditions.where} AND i.tags ? {key_at}::text
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {TAG_VALUES_MAX}""",
        *conditions.values,
    )
    return [(row["value"], row["count"]) for row in rows]


def _expiry_bucket(
    conditions: sql.WhereClause, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> str:
    """Return the SQL of the expiry bucket: the first that holds an instance that expires and is not released."""
    buckets = "".join(
        f" WHEN i.expires_at <= {conditions.bind(now + dt.timedelta(days=days))} THEN '{days}'"
        for days in EXPIRY_BUCKETS_DAYS
    )
    status = filters.matching_status_at(instance_filter, conditions.bind(now))
    return f"""CASE WHEN i.expires_at IS NULL THEN NULL ELSE CASE {status}
      WHEN 'EXPIRED' THEN 'EXPIRED' WHEN 'RUNNING' THEN CASE{buckets} ELSE 'LATER' END END END"""
