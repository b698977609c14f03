"""Queries of exports, which read the same rows as the API's lists, in the same order but without a limit.

The export of orders reads the lines of the orders. The rows are read page by page from one snapshot.
"""

import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db import pagination, row_stream
from renewals.db import sql as db_sql
from renewals.exports.columns import ExportColumn, ExportTable
from renewals.exports.tables import INSTANCES, LEDGER, ORDERS
from renewals.instances import filters
from renewals.orders import queries as orders_queries

ROWS_PER_PAGE = 500
"""The maximum number of rows in a page of an export; the event loop is blocked while a page is formatted."""


@dataclass(frozen=True, slots=True)
class DateRange:
    """A half-open period of time, [since, before); None means no bound."""

    since: dt.datetime | None = None
    before: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """An export: the selected columns of a table, and the conditions and the order of the rows.

    `is_ordered_by_index` is true if an index returns the rows in this order, except for rows with equal instants.
    """

    table: ExportTable
    columns: Sequence[ExportColumn]
    conditions: db_sql.WhereClause
    order_by: str
    now: dt.datetime
    is_ordered_by_index: bool = False

    def statement(self) -> tuple[str, list[object]]:
        """Return the SELECT statement and the values of its placeholders."""
        conditions = db_sql.WhereClause(list(self.conditions.values), dict(self.conditions.texts))
        now = conditions.bind(self.now) if any("{now}" in column.sql for column in self.columns) else ""
        select = ", ".join(column.sql.replace("{now}", now) for column in self.columns)
        tables = {column.sql.rpartition(".")[0].strip('"') + "." for column in self.columns}
        joins = " ".join(
            join
            for alias, join in self.table.joins.items()
            if any(table.startswith(f"{alias}.") for table in tables)
        )
        sql = f"SELECT {select} FROM {self.table.source} {joins} WHERE {conditions.where} ORDER BY {self.order_by}"
        return sql, conditions.values


def export_instances(
    account_id: str,
    instance_filter: filters.InstanceFilter,
    ordering: pagination.SortOrder,
    *,
    columns: Sequence[ExportColumn],
    now: dt.datetime,
) -> Export:
    """Return the export of the account's instances that match a filter, in the given order."""
    conditions = filters.build_conditions(account_id, instance_filter, now)
    return Export(INSTANCES, columns, conditions, ordering.order_by, now)


def export_orders(
    account_id: str, period: DateRange, *, columns: Sequence[ExportColumn], now: dt.datetime
) -> Export:
    """Return the export of the lines of the account's orders in a period, newest order first."""
    conditions = db_sql.WhereClause()
    conditions.add("o.account_id = {}", account_id)
    _add_period(conditions, "o.created_at", period)
    order_by = f"{orders_queries.ORDERS.order_by}, l.starts_at, l.instance_id"
    return Export(ORDERS, columns, conditions, order_by, now, is_ordered_by_index=True)


def export_ledger(
    account_id: str,
    ledger_filter: accounts_queries.LedgerFilter,
    period: DateRange,
    *,
    columns: Sequence[ExportColumn],
    now: dt.datetime,
) -> Export:
    """Return the export of the account's ledger entries that are in a period and match a filter, newest first."""
    conditions = accounts_queries.ledger_conditions(account_id, ledger_filter)
    _add_period(conditions, "e.created_at", period)
    return Export(
        LEDGER, columns, conditions, accounts_queries.LEDGER.order_by, now, is_ordered_by_index=True
    )


def _add_period(conditions: db_sql.WhereClause, column: str, period: DateRange) -> None:
    if period.since is not None:
        conditions.add(f"{column} >= {{}}", period.since)
    if period.before is not None:
        conditions.add(f"{column} < {{}}", period.before)


async def read_rows(
    connection: database.Connection, export: Export
) -> AsyncGenerator[Sequence[database.Row], None]:
    """Yield the rows of an export in pages of at most ROWS_PER_PAGE."""
    sql, values = export.statement()
    if export.is_ordered_by_index:
        # A sort would take less time in total, but would delay the first row until all rows had been read.
        await database.execute(connection, "SET LOCAL enable_sort = off")
    async with contextlib.aclosing(
        row_stream.stream_rows(connection, sql, *values, size=ROWS_PER_PAGE)
    ) as pages:
        async for page in pages:
            yield page
