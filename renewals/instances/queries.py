"""Queries of instances for the API; `db.pagination` builds the statement of a page.

Only `fetch_instances_of_accounts`, which is for operators, reads instances of more than one account.
"""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from enum import StrEnum

from renewals.db import connection as database
from renewals.db import pagination, sql
from renewals.db.connection import Connection, Row
from renewals.domain.registration_rows import InstanceRow
from renewals.instances import filters


class InstanceOrderField(StrEnum):
    """A field by which the list of instances can be sorted."""

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

_INSTANCE_COLUMNS = tuple(name for name in InstanceRow._fields if name != "status")
"""The columns that registration writes, except the stored status: the API computes the status at the current time."""
_SELECT_COLUMNS = ", ".join(f"i.{column}" for column in _INSTANCE_COLUMNS)
RENEWED_COLUMNS = f"{_SELECT_COLUMNS}, i.status"
"""The columns of `fetch_instances_by_id` for an instance that was just renewed; its stored status is current."""

JOINS = {
    "product": "JOIN products product ON product.code = i.product_code",
    "data_center": "JOIN data_centers data_center ON data_center.code = i.data_center_code",
    "data_center.type": """JOIN data_center_types "data_center.type"
      ON "data_center.type".code = data_center.type_code""",
}
"""Joins by alias, which is the path from the instance to the table. A join comes after the joins that it depends on."""


@functools.cache
def instance_ordering(order_field: InstanceOrderField, *, descending: bool) -> pagination.SortOrder:
    """Return the sort order of the list of instances: by a field, then by id."""
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
    """Return one page of the account's instances that match the filter, with `columns` and those of the sort order.

    Each of `columns` is a column of `instances`, or "table.column" for a table in `JOINS`, such as
    "data_center.type.name".
    """
    conditions = filters.build_conditions(account_id, instance_filter, now)
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
        row_id="i.id" if request.offset or instance_filter.search is not None else None,
    )


@functools.lru_cache(1_000)
def _selected(columns: frozenset[str], ordering: pagination.SortOrder) -> tuple[str, str]:
    """Return the select list, without the status, and the joins that it needs."""
    names = {*columns, *(column.name for column in ordering.columns)}
    assert all("." in column or column in (*_INSTANCE_COLUMNS, "status") for column in names), names
    joined = sorted(column.rpartition(".")[::2] for column in names if "." in column)
    select = [f"i.{column}" for column in _INSTANCE_COLUMNS if column in names]
    select += [f'"{table}".{column} AS "{table}.{column}"' for table, column in joined]
    tables = {table for table, _ in joined}
    return ", ".join(select), " ".join(join for table, join in JOINS.items() if table in tables)


async def fetch_instances_by_id(
    connection: Connection, account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> dict[str, Row]:
    """Return instances of the account by id, with their status at `now`, whether they are manageable or not."""
    rows = await database.fetch(
        connection,
        f"""SELECT {_SELECT_COLUMNS}, {filters.status_at("$3")} AS status
            FROM instances i WHERE i.account_id = $1 AND i.id = ANY($2)""",
        account_id,
        sql.storable_texts(instance_ids),
        now,
    )
    return {row["id"]: row for row in rows}


async def fetch_instances_of_accounts(
    connection: Connection, instance_ids: Sequence[str], now: dt.datetime
) -> dict[str, Row]:
    """Return instances of any account by id, each with its status at the instant of its account (rule 37)."""
    rows = await database.fetch(
        connection,
        f"""SELECT {_SELECT_COLUMNS}, {filters.status_at("coalesce(a.test_clock, $2)")} AS status
            FROM instances i JOIN accounts a ON a.id = i.account_id WHERE i.id = ANY($1)""",
        sql.storable_texts(instance_ids),
        now,
    )
    return {row["id"]: row for row in rows}


async def fetch_release_times(
    connection: Connection, account_id: str, instance_ids: Sequence[str]
) -> dict[str, dt.datetime]:
    """Return the end of the retention by instance id, for unreleased instances that have an expiry (rule 22)."""
    rows = await database.fetch(
        connection,
        f"""SELECT i.id, {filters.RELEASES_AT} AS releases_at FROM instances i
            WHERE i.account_id = $1 AND i.id = ANY($2) AND i.expires_at IS NOT NULL AND i.status <> 'RELEASED'""",
        account_id,
        instance_ids,
    )
    return {row["id"]: row["releases_at"] for row in rows}


async def fetch_instances_of_bundles(
    connection: Connection,
    account_id: str,
    bundle_ids: Sequence[str],
    first: int,
    offset: int,
    *,
    now: dt.datetime,
) -> dict[str, list[Row]]:
    """Return, by bundle id, the `first` members after `offset` of each given bundle of the account, sorted by id."""
    rows = await database.fetch(
        connection,
        f"""SELECT s.* FROM bundles b CROSS JOIN LATERAL (
              SELECT {_SELECT_COLUMNS}, {filters.status_at("$5")} AS status
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
    """Return the number of the account's instances that match a filter."""
    return await pagination.count_rows(
        connection, "instances i", filters.build_conditions(account_id, instance_filter, now)
    )


async def fetch_bundles(connection: Connection, account_id: str, bundle_ids: Sequence[str]) -> dict[str, Row]:
    """Return bundles of the account by id, with the number of their members."""
    rows = await database.fetch(
        connection,
        """SELECT b.id, b.name, (SELECT count(*) FROM instances i WHERE i.bundle_id = b.id) AS instance_count
           FROM bundles b WHERE b.account_id = $1 AND b.id = ANY($2)""",
        account_id,
        bundle_ids,
    )
    return {row["id"]: row for row in rows}
