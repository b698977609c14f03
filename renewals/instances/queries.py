"""Reads for the console; always within one account, so that nobody sees another's (not even that it is there)."""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from enum import StrEnum

from renewals.db import connection as database
from renewals.db import pagination, sql
from renewals.db.connection import Connection, Row
from renewals.domain import model
from renewals.instances import filters


class InstanceOrderField(StrEnum):
    EXPIRES_AT = "EXPIRES_AT"
    CREATED_AT = "CREATED_AT"
    NAME = "NAME"
    PRODUCT = "PRODUCT"
    ID = "ID"


_ID = pagination.text_column("id", "i.id")
_INSTANCE_KEYS: Mapping[InstanceOrderField, tuple[pagination.SortColumn, ...]] = {
    InstanceOrderField.EXPIRES_AT: (pagination.nullable_timestamp_column("expires_at", "i.expires_at"), _ID),
    InstanceOrderField.CREATED_AT: (pagination.timestamp_column("created_at", "i.created_at"), _ID),
    InstanceOrderField.NAME: (pagination.text_column("name", "i.name"), _ID),
    InstanceOrderField.PRODUCT: (pagination.text_column("product_code", "i.product_code"), _ID),
    InstanceOrderField.ID: (_ID,),
}

EXPIRY_BUCKETS_DAYS = (7, 15, 30)
FACETS: Mapping[str, Sequence[str] | None] = {
    "tabs": tuple(model.RenewalTab),
    "products": None,
    "dataCenters": None,
    "dataCenterTypes": tuple(model.DataCenterType),
    "expiry": ("EXPIRED", *map(str, EXPIRY_BUCKETS_DAYS), "LATER"),
}
"""The facets and, where they are known beforehand, their values in order."""


_INSTANCE_COLUMNS = (
    "id", "account_id", "name", "product_code", "data_center_code", "configuration", "billing_mode", "is_trial",
    "renewal_mode", "auto_renew_months", "expires_at", "anchor_day", "monthly_price_cents", "agreed_price_cents",
    "bundle_id", "created_at",
)  # fmt: skip
JOINS = {
    "product": "JOIN products product ON product.code = i.product_code",
    "data_center": "JOIN data_centers data_center ON data_center.code = i.data_center_code",
}


@functools.cache
def instance_ordering(order_field: InstanceOrderField, *, descending: bool) -> pagination.SortOrder:
    """The order of the list of instances: by a field, then by id."""
    return pagination.SortOrder(f"{order_field} {descending}", _INSTANCE_KEYS[order_field], descending)


async def fetch_instances(
    connection: Connection,
    account_id: str,
    instance_filter: filters.InstanceFilter,
    request: pagination.PageRequest,
    *,
    ordering: pagination.SortOrder,
    now: dt.datetime,
    columns: frozenset[str],
    counted: bool,
) -> pagination.Page:
    """One page of the account's instances, of each only these columns and those it is ordered by.

    A column is of instances, or "table.column" of one that `JOINS` has.
    """
    conditions = filters.conditions(account_id, instance_filter, now)
    select, joins = _selected(columns, ordering)
    if "status" in columns:
        select = f"{select}, {filters.matching_status_at(instance_filter, conditions.bind(now))} AS status"
    return await pagination.fetch_page(
        connection,
        select=select,
        source="instances i",
        joins=joins,
        conditions=conditions,
        ordering=ordering,
        request=request,
        counted=counted,
    )


@functools.lru_cache(1_000)
def _selected(columns: frozenset[str], ordering: pagination.SortOrder) -> tuple[str, str]:
    """What is selected, but for the status, and what is joined for that."""
    wanted = {*columns, *(column.name for column in ordering.columns)}
    assert all("." in column or column in (*_INSTANCE_COLUMNS, "status") for column in wanted), wanted
    joined = sorted(column for column in wanted if "." in column)
    select = [f"i.{column}" for column in _INSTANCE_COLUMNS if column in wanted]
    select += [f'{column} AS "{column}"' for column in joined]
    tables = dict.fromkeys(column.partition(".")[0] for column in joined)
    return ", ".join(select), " ".join(JOINS[table] for table in tables)


async def fetch_instances_by_id(
    connection: Connection, account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> dict[str, Row]:
    """Those of the instances that the account has, manageable or not."""
    rows = await database.fetch(
        connection,
        f"""SELECT {", ".join(f"i.{column}" for column in _INSTANCE_COLUMNS)}, {filters.status_at("$3")} AS status
            FROM instances i WHERE i.account_id = $1 AND i.id = ANY($2)""",
        account_id,
        sql.storable_texts(instance_ids),
        now,
    )
    return {row["id"]: row for row in rows}


async def fetch_instances_of_bundles(
    connection: Connection,
    account_id: str,
    bundle_ids: Sequence[str],
    first: int,
    offset: int,
    *,
    now: dt.datetime,
) -> dict[str, list[Row]]:
    """A slice of the members of each bundle of the account, by id."""
    rows = await database.fetch(
        connection,
        f"""SELECT s.* FROM bundles b CROSS JOIN LATERAL (
              SELECT {", ".join(f"i.{column}" for column in _INSTANCE_COLUMNS)}, {filters.status_at("$5")} AS status
              FROM instances i WHERE i.bundle_id = b.id ORDER BY i.id LIMIT $3 OFFSET $4) AS s
            WHERE b.account_id = $1 AND b.id = ANY($2)""",
        account_id,
        bundle_ids,
        first,
        offset,
        now,
    )
    return sql.group_by_column(rows, "bundle_id")


async def count_instances(
    connection: Connection, account_id: str, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> int:
    """How many instances match."""
    conditions = filters.conditions(account_id, instance_filter, now)
    sql = f"SELECT count(*) FROM instances i WHERE {conditions.where}"
    return int((await database.fetch(connection, sql, *conditions.values))[0][0])


async def count_facets(
    connection: Connection, account_id: str, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> dict[str, list[tuple[str, int]]]:
    """Counts by value for every facet, each leaving out its own condition, in one statement.

    Known values come in their order, zeros included; catalogue codes in the order of their count.
    """
    conditions = filters.conditions(account_id, instance_filter, now)
    values = {
        "tabs": f"CASE WHEN {filters.MANAGEABLE} THEN {filters.TAB} END",
        "products": "i.product_code",
        "dataCenters": "i.data_center_code",
        "dataCenterTypes": "d.type",
        "expiry": _expiry_bucket(conditions, instance_filter, now),
    }
    shown = ", ".join(
        f'{sql} AS "{facet}", ({conditions.for_facet(facet)}) AS "in {facet}"'
        for facet, sql in values.items()
    )
    counts = " UNION ALL ".join(
        f"""SELECT '{facet}' AS facet, "{facet}" AS value, sum(n)::bigint AS count FROM base
            WHERE "{facet}" IS NOT NULL
            {"".join(f' AND "in {other}"' for other in values if other != facet)} GROUP BY 2"""
        for facet in values
    )
    sql = f"""WITH base AS MATERIALIZED (
                SELECT {shown}, count(*) AS n FROM instances i
                  JOIN data_centers d ON d.code = i.data_center_code
                WHERE {conditions.for_facet("")} GROUP BY {", ".join(map(str, range(1, 2 * len(values) + 1)))})
              SELECT * FROM ({counts}) AS counted ORDER BY facet, count DESC, value"""
    counted: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
    for facet, value, count in map(tuple, await database.fetch(connection, sql, *conditions.values)):
        counted[facet][value] = count
    return {
        facet: [(value, counted[facet].get(value, 0)) for value in known or counted[facet]]
        for facet, known in FACETS.items()
    }


def _expiry_bucket(
    conditions: sql.WhereClause, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> str:
    """Each instance with an expiry that is not released is in the first bucket that holds it."""
    buckets = "".join(
        f" WHEN i.expires_at <= {conditions.bind(now + dt.timedelta(days=days))} THEN '{days}'"
        for days in EXPIRY_BUCKETS_DAYS
    )
    status = filters.matching_status_at(instance_filter, conditions.bind(now))
    return f"""CASE WHEN i.expires_at IS NULL THEN NULL ELSE CASE {status}
      WHEN 'EXPIRED' THEN 'EXPIRED' WHEN 'RUNNING' THEN CASE{buckets} ELSE 'LATER' END END END"""


async def fetch_bundles(connection: Connection, account_id: str, bundle_ids: Sequence[str]) -> dict[str, Row]:
    """Bundles of the account with the number of their members."""
    rows = await database.fetch(
        connection,
        """SELECT b.id, b.name, (SELECT count(*) FROM instances i WHERE i.bundle_id = b.id) AS instance_count
           FROM bundles b WHERE b.account_id = $1 AND b.id = ANY($2)""",
        account_id,
        bundle_ids,
    )
    return {row["id"]: row for row in rows}
