"""Whole lists as tables: which columns there are, and their rows, page by page, as they are at one moment.

What is exported is what the lists show: the same conditions in the same order, without a limit.
"""

import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from renewals import i18n
from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db import pagination
from renewals.db import sql as db_sql
from renewals.domain import errors
from renewals.i18n import Label
from renewals.instances import filters
from renewals.instances import queries as instances_queries
from renewals.orders import queries as orders_queries

ROWS_PER_PAGE = 500
"""So many rows are held at a time. Writing them takes some milliseconds, in which nobody else is answered."""


class ColumnType(Enum):
    """How a value is read, and so how it is written."""

    TEXT = auto()
    NUMBER = auto()
    MONEY = auto()
    INSTANT = auto()
    BOOLEAN = auto()
    ENUM = auto()
    CONFIGURATION = auto()


class ExportColumn(NamedTuple):
    """A column: its path in GraphQL, its label, its SQL and how that is read, and the words of an enum's values."""

    name: str
    label: Label
    sql: str
    kind: ColumnType = ColumnType.TEXT
    words: Mapping[str, Label] | None = None
    is_usual: bool = True
    """It is there where nobody chose."""


@dataclass(frozen=True, slots=True)
class ExportTable:
    """What can be exported; a column's SQL may be of a table that `joins` has, and may speak of {now}."""

    name: str
    title: Label
    source: str
    columns: Mapping[str, ExportColumn]
    joins: Mapping[str, str]

    def select_columns(self, names: Sequence[str] | None) -> tuple[ExportColumn, ...]:
        """The columns of these names in their order, or the usual ones; raises InvalidInputError for what is none."""
        if names is None:
            return tuple(column for column in self.columns.values() if column.is_usual)
        if not names:
            raise errors.InvalidInputError("columns", "names no column")
        for number, name in enumerate(names):
            if name not in self.columns:
                known = ", ".join(self.columns)
                raise errors.InvalidInputError("columns", f"{name!r} is no column; there are {known}")
            if name in names[:number]:
                raise errors.InvalidInputError("columns", f"{name!r} is there twice")
        return tuple(self.columns[name] for name in names)


def _table(
    name: str, title: Label, source: str, joins: Mapping[str, str], columns: Sequence[ExportColumn]
) -> ExportTable:
    return ExportTable(name, title, source, {column.name: column for column in columns}, joins)


INSTANCES = _table(
    "instances",
    Label("实例", "Instances"),
    "instances i",
    instances_queries.JOINS | {"bundle": "LEFT JOIN bundles bundle ON bundle.id = i.bundle_id"},
    [
        ExportColumn("id", Label("实例ID", "Instance ID"), "i.id"),
        ExportColumn("name", Label("实例名称", "Instance name"), "i.name"),
        ExportColumn("product.code", Label("产品代码", "Product code"), "product.code"),
        ExportColumn("product.name", Label("产品英文名称", "Product"), "product.name"),
        ExportColumn("product.nameZh", Label("产品线", "Product in Chinese"), "product.name_zh"),
        ExportColumn("dataCenter.code", Label("机房代码", "Data centre code"), "data_center.code"),
        ExportColumn("dataCenter.name", Label("机房", "Data centre"), "data_center.name"),
        ExportColumn(
            "dataCenter.type",
            Label("机房类型", "Data centre type"),
            "data_center.type",
            ColumnType.ENUM,
            i18n.DATA_CENTER_TYPES,
        ),
        ExportColumn(
            "configuration", Label("配置信息", "Configuration"), "i.configuration", ColumnType.CONFIGURATION
        ),
        ExportColumn(
            "billingMode", Label("计费方式", "Billing"), "i.billing_mode", ColumnType.ENUM, i18n.BILLING_MODES
        ),
        ExportColumn("isTrial", Label("试用", "Trial"), "i.is_trial", ColumnType.BOOLEAN),
        ExportColumn(
            "status", Label("状态", "Status"), filters.status_at("{now}"), ColumnType.ENUM, i18n.STATUSES
        ),
        ExportColumn(
            "renewalMode",
            Label("续费策略", "Renewal policy"),
            "i.renewal_mode",
            ColumnType.ENUM,
            i18n.RENEWAL_MODES,
        ),
        ExportColumn(
            "autoRenewMonths",
            Label("自动续费时长(月)", "Auto-renewal months"),
            "i.auto_renew_months",
            ColumnType.NUMBER,
        ),
        ExportColumn("expiresAt", Label("到期时间", "Expiry"), "i.expires_at", ColumnType.INSTANT),
        ExportColumn(
            "monthlyPrice", Label("月价", "Monthly price"), "i.monthly_price_cents", ColumnType.MONEY
        ),
        ExportColumn("createdAt", Label("创建时间", "Created"), "i.created_at", ColumnType.INSTANT),
        ExportColumn("bundle.id", Label("强关联ID", "Bundle ID"), "bundle.id"),
        ExportColumn("bundle.name", Label("强关联名称", "Bundle"), "bundle.name"),
    ],
)
ORDERS = _table(
    "orders",
    Label("续费订单", "Renew orders"),
    "orders o JOIN order_lines l ON l.order_id = o.id JOIN instances i ON i.id = l.instance_id",
    {
        "product": instances_queries.JOINS["product"],
        "refund": """LEFT JOIN (SELECT f.order_line_id, f.cents, r.created_at FROM refund_lines f
          JOIN refunds r ON r.id = f.refund_id) AS refund ON refund.order_line_id = l.id""",
    },
    [
        ExportColumn("order.id", Label("订单号", "Order ID"), "o.id::text"),
        ExportColumn(
            "order.kind", Label("订单类型", "Order kind"), "o.kind", ColumnType.ENUM, i18n.ORDER_KINDS
        ),
        ExportColumn("order.createdAt", Label("下单时间", "Ordered"), "o.created_at", ColumnType.INSTANT),
        ExportColumn("instanceId", Label("实例ID", "Instance ID"), "l.instance_id"),
        ExportColumn("instance.name", Label("实例名称", "Instance name"), "i.name"),
        ExportColumn("product.code", Label("产品代码", "Product code"), "product.code"),
        ExportColumn("product.name", Label("产品英文名称", "Product"), "product.name"),
        ExportColumn("product.nameZh", Label("产品线", "Product in Chinese"), "product.name_zh"),
        ExportColumn("startsAt", Label("原到期时间", "Old expiry"), "l.starts_at", ColumnType.INSTANT),
        ExportColumn("expiresAt", Label("新到期时间", "New expiry"), "l.expires_at", ColumnType.INSTANT),
        ExportColumn("months", Label("时长(月)", "Months"), "l.months", ColumnType.NUMBER),
        ExportColumn("days", Label("时长(天)", "Days"), "l.days", ColumnType.NUMBER),
        ExportColumn("listPrice", Label("原价", "List price"), "l.list_cents", ColumnType.MONEY),
        ExportColumn("discount", Label("优惠", "Discount"), "l.list_cents - l.price_cents", ColumnType.MONEY),
        ExportColumn("price", Label("金额", "Price"), "l.price_cents", ColumnType.MONEY),
        ExportColumn("refunded", Label("退款金额", "Refunded"), "refund.cents", ColumnType.MONEY),
        ExportColumn("refundedAt", Label("退款时间", "Refunded at"), "refund.created_at", ColumnType.INSTANT),
        # The same on each line of an order, so a column of them adds up to nothing: for those who ask.
        ExportColumn(
            "order.total", Label("订单总额", "Order total"), "o.total_cents", ColumnType.MONEY, is_usual=False
        ),
        ExportColumn(
            "order.voucherTotal",
            Label("订单代金券支付", "Order paid by vouchers"),
            "o.voucher_cents",
            ColumnType.MONEY,
            is_usual=False,
        ),
        ExportColumn(
            "order.balanceTotal",
            Label("订单余额支付", "Order paid from balance"),
            "o.balance_cents",
            ColumnType.MONEY,
            is_usual=False,
        ),
    ],
)
"""A row is a line: what one instance cost."""
LEDGER = _table(
    "ledger",
    Label("流水", "Ledger"),
    "ledger_entries e",
    {},
    [
        ExportColumn("id", Label("流水号", "Entry"), "e.number::text"),
        ExportColumn("kind", Label("类型", "Kind"), "e.kind", ColumnType.ENUM, i18n.LEDGER_ENTRY_KINDS),
        ExportColumn("amount", Label("金额", "Amount"), "e.amount_cents", ColumnType.MONEY),
        ExportColumn(
            "balanceAfter", Label("余额", "Balance"), accounts_queries.BALANCE_AFTER, ColumnType.MONEY
        ),
        ExportColumn("voucher.id", Label("代金券ID", "Voucher ID"), "e.voucher_id::text"),
        ExportColumn(
            "availableAfter",
            Label("代金券余额", "Voucher balance"),
            accounts_queries.AVAILABLE_AFTER,
            ColumnType.MONEY,
        ),
        ExportColumn("createdAt", Label("时间", "Time"), "e.created_at", ColumnType.INSTANT),
        ExportColumn("orderId", Label("订单号", "Order ID"), "e.order_id::text"),
        ExportColumn("memo", Label("备注", "Memo"), "e.memo"),
    ],
)
TABLES: Mapping[str, ExportTable] = {table.name: table for table in (INSTANCES, ORDERS, LEDGER)}


@dataclass(frozen=True, slots=True)
class DateRange:
    """Instants of which the first belongs to it and the second does not; None is no bound."""

    since: dt.datetime | None = None
    before: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """What to read: these columns of a table under the conditions, in order."""

    table: ExportTable
    columns: Sequence[ExportColumn]
    conditions: db_sql.WhereClause
    order_by: str
    now: dt.datetime
    is_ordered_by_index: bool = False
    """Whether an index has the rows in order, at least those of each instant together."""

    def statement(self) -> tuple[str, list[object]]:
        """The SELECT and its placeholders' values."""
        conditions = db_sql.WhereClause(list(self.conditions.values), dict(self.conditions.texts))
        now = conditions.bind(self.now) if any("{now}" in column.sql for column in self.columns) else ""
        select = ", ".join(column.sql.replace("{now}", now) for column in self.columns)
        tables = dict.fromkeys(column.sql.partition(".")[0] for column in self.columns)
        joins = " ".join(self.table.joins[table] for table in tables if table in self.table.joins)
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
    """The account's instances as its list has them."""
    conditions = filters.build_conditions(account_id, instance_filter, now)
    return Export(INSTANCES, columns, conditions, ordering.order_by, now)


def export_orders(
    account_id: str, period: DateRange, *, columns: Sequence[ExportColumn], now: dt.datetime
) -> Export:
    """The lines of the orders that were placed in the period, those of the newest order first."""
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
    """Return the account's ledger entries of the period, the newest first."""
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
) -> AsyncGenerator[Sequence[Sequence[object]], None]:
    """The rows, a page at a time; of all of them no more than a page is held."""
    sql, values = export.statement()
    if export.is_ordered_by_index:
        # To sort a whole history costs the least in all, but no row is there before all are read and sorted.
        await database.execute(connection, "SET LOCAL enable_sort = off")
    async with contextlib.aclosing(
        database.stream_rows(connection, sql, *values, size=ROWS_PER_PAGE)
    ) as pages:
        async for page in pages:
            yield page
