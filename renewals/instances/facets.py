"""Counts of instances by the values of facets, always within one account."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from renewals.db import connection as database
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
"""The maximum number of values that are returned for one tag key."""


async def count_facets(
    connection: Connection, account_id: str, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> dict[str, list[tuple[str, int]]]:
    """Return the number of matching instances for each value of each facet.

    For each facet, the filter's conditions on this facet are ignored. Values known in advance keep their order and may
    have the count 0. Catalog codes are sorted by count, largest first.
    """
    conditions = filters.build_conditions(account_id, instance_filter, now)
    manageable = "TRUE" if instance_filter.manageable else filters.MANAGEABLE
    within = [
        f"i.expires_at <= {conditions.bind(now + dt.timedelta(days=days))} AS within_{days}"
        for days in EXPIRY_BUCKETS_DAYS
    ]
    is_in = ", ".join(f'({conditions.for_facet(facet)}) AS "in {facet}"' for facet in FACETS)
    # The rows are grouped by booleans, because PostgreSQL expects two groups for each. For an expression of an instant,
    # it would expect many groups, and sort all rows instead of hashing them.
    statement = f"""WITH grouped AS MATERIALIZED (
        SELECT i.renewal_mode, i.product_code, i.data_center_code, ({manageable}) AS is_manageable,
          i.expires_at IS NOT NULL AS expires, i.expires_at < {conditions.bind(now)} AS is_expired,
          {", ".join(within)}, {is_in}, count(*) AS n
        FROM instances i WHERE {conditions.for_facet("")}
        GROUP BY {", ".join(map(str, range(1, 7 + len(within) + len(FACETS))))}),
      faceted AS (SELECT grouped.*, type_code FROM grouped JOIN data_centers ON code = data_center_code)
      SELECT * FROM ({" UNION ALL ".join(map(_count_by, FACETS))}) AS counted ORDER BY facet, count DESC, value"""
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
    """Return the most frequent values of the tag `key`, at most TAG_VALUES_MAX, each with its number of instances.

    The filter's conditions on this tag are ignored. Instances without the tag are not counted.
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


_BUCKETS = " ".join(f"WHEN within_{days} THEN '{days}'" for days in EXPIRY_BUCKETS_DAYS)
_VALUES = {
    "tabs": "CASE WHEN NOT is_manageable THEN NULL WHEN expires THEN renewal_mode ELSE 'NO_EXPIRY' END",
    "products": "product_code",
    "dataCenters": "data_center_code",
    "dataCenterTypes": "type_code",
    "expiry": f"""CASE WHEN NOT expires THEN NULL WHEN is_expired THEN 'EXPIRED' {_BUCKETS}
      ELSE 'LATER' END""",
}
"""For each facet, the SQL of its value in a row of `faceted`, a subquery in `count_facets`."""


def _count_by(facet: str) -> str:
    """Return the SELECT that counts instances by the value of a facet, under the conditions on the other facets."""
    conditions = "".join(f' AND "in {other}"' for other in FACETS if other != facet)
    value = _VALUES[facet]
    return f"""SELECT '{facet}' AS facet, {value} AS value, sum(n)::bigint AS count FROM faceted
        WHERE {value} IS NOT NULL{conditions} GROUP BY 2"""
