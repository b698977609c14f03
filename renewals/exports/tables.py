"""The exportable tables: instances, order lines and ledger entries."""

from collections.abc import Mapping

from renewals.accounts import queries as accounts_queries
from renewals.domain.messages import Message
from renewals.exports.columns import ColumnType, ExportColumn, ExportTable
from renewals.i18n import labels
from renewals.instances import filters
from renewals.instances import queries as instances_queries

INSTANCES = ExportTable.of(
    "instances",
    Message("Instances"),
    "instances i",
    instances_queries.JOINS | {"bundle": "LEFT JOIN bundles bundle ON bundle.id = i.bundle_id"},
    [
        ExportColumn("id", Message("Instance ID"), "i.id"),
        ExportColumn("name", Message("Instance name"), "i.name"),
        ExportColumn("product.code", Message("Product code"), "product.code"),
        ExportColumn("product.name", Message("Product"), "product.name"),
        ExportColumn("product.nameZh", Message("Product in Chinese"), "product.name_zh"),
        ExportColumn("dataCenter.code", Message("Data center code"), "data_center.code"),
        ExportColumn("dataCenter.name", Message("Data center"), "data_center.name"),
        ExportColumn("dataCenter.type.code", Message("Data center type code"), '"data_center.type".code'),
        # The older name of `dataCenter.type.code`, from the time when types had only a code.
        ExportColumn(
            "dataCenter.type", Message("Data center type code"), '"data_center.type".code', is_default=False
        ),
        ExportColumn("dataCenter.type.name", Message("Data center type"), '"data_center.type".name'),
        ExportColumn(
            "dataCenter.type.nameZh",
            Message("Data center type in Chinese"),
            '"data_center.type".name_zh',
        ),
        ExportColumn("configuration", Message("Configuration"), "i.configuration", ColumnType.CONFIGURATION),
        ExportColumn("tags", Message("Tags"), "i.tags", ColumnType.TAGS),
        ExportColumn(
            "billingMode", Message("Billing"), "i.billing_mode", ColumnType.ENUM, labels.BILLING_MODES
        ),
        ExportColumn("isTrial", Message("Trial"), "i.is_trial", ColumnType.BOOLEAN),
        ExportColumn(
            "status", Message("Status"), filters.status_at("{now}"), ColumnType.ENUM, labels.STATUSES
        ),
        ExportColumn(
            "renewalMode",
            Message("Renewal policy"),
            "i.renewal_mode",
            ColumnType.ENUM,
            labels.RENEWAL_MODES,
        ),
        ExportColumn(
            "autoRenewMonths",
            Message("Auto-renewal months"),
            "i.auto_renew_months",
            ColumnType.NUMBER,
        ),
        ExportColumn("expiresAt", Message("Expiry"), "i.expires_at", ColumnType.INSTANT),
        ExportColumn("monthlyPrice", Message("Monthly price"), "i.monthly_price_cents", ColumnType.MONEY),
        ExportColumn("createdAt", Message("Created"), "i.created_at", ColumnType.INSTANT),
        ExportColumn("bundle.id", Message("Bundle ID"), "bundle.id"),
        ExportColumn("bundle.name", Message("Bundle"), "bundle.name"),
    ],
)
ORDERS = ExportTable.of(
    "orders",
    Message("Renewal orders"),
    "orders o JOIN order_lines l ON l.order_id = o.id JOIN instances i ON i.id = l.instance_id",
    {
        "product": instances_queries.JOINS["product"],
        "refund": """LEFT JOIN (SELECT f.order_line_id, f.cents, r.created_at FROM refund_lines f
          JOIN refunds r ON r.id = f.refund_id) AS refund ON refund.order_line_id = l.id""",
    },
    [
        ExportColumn("order.id", Message("Order ID"), "o.id::text"),
        ExportColumn("order.kind", Message("Order kind"), "o.kind", ColumnType.ENUM, labels.ORDER_KINDS),
        ExportColumn("order.createdAt", Message("Ordered"), "o.created_at", ColumnType.INSTANT),
        ExportColumn("instanceId", Message("Instance ID"), "l.instance_id"),
        ExportColumn("instance.name", Message("Instance name"), "i.name"),
        ExportColumn("product.code", Message("Product code"), "product.code"),
        ExportColumn("product.name", Message("Product"), "product.name"),
        ExportColumn("product.nameZh", Message("Product in Chinese"), "product.name_zh"),
        ExportColumn("startsAt", Message("Old expiry"), "l.starts_at", ColumnType.INSTANT),
        ExportColumn("expiresAt", Message("New expiry"), "l.expires_at", ColumnType.INSTANT),
        ExportColumn("months", Message("Months"), "l.months", ColumnType.NUMBER),
        ExportColumn("days", Message("Days"), "l.days", ColumnType.NUMBER),
        ExportColumn("listPrice", Message("List price"), "l.list_cents", ColumnType.MONEY),
        ExportColumn("discount", Message("Discount"), "l.list_cents - l.price_cents", ColumnType.MONEY),
        ExportColumn("price", Message("Price"), "l.price_cents", ColumnType.MONEY),
        ExportColumn("refunded", Message("Refunded"), "refund.cents", ColumnType.MONEY),
        ExportColumn("refundedAt", Message("Refunded at"), "refund.created_at", ColumnType.INSTANT),
        # These columns are not defaults: each line of an order repeats the totals, so a sum over lines would be wrong.
        ExportColumn(
            "order.total",
            Message("Order total"),
            "o.total_cents",
            ColumnType.MONEY,
            is_default=False,
        ),
        ExportColumn(
            "order.voucherTotal",
            Message("Order paid by vouchers"),
            "o.voucher_cents",
            ColumnType.MONEY,
            is_default=False,
        ),
        ExportColumn(
            "order.balanceTotal",
            Message("Order paid from balance"),
            "o.balance_cents",
            ColumnType.MONEY,
            is_default=False,
        ),
    ],
)
"""The table of order lines: one row for each instance of an order."""
LEDGER = ExportTable.of(
    "ledger",
    Message("Ledger"),
    "ledger_entries e",
    {},
    [
        ExportColumn("id", Message("Entry"), "e.number::text"),
        ExportColumn("kind", Message("Kind"), "e.kind", ColumnType.ENUM, labels.LEDGER_ENTRY_KINDS),
        ExportColumn("amount", Message("Amount"), "e.amount_cents", ColumnType.MONEY),
        ExportColumn("balanceAfter", Message("Balance"), accounts_queries.BALANCE_AFTER, ColumnType.MONEY),
        ExportColumn("voucher.id", Message("Voucher ID"), "e.voucher_id::text"),
        ExportColumn(
            "availableAfter",
            Message("Voucher balance"),
            accounts_queries.AVAILABLE_AFTER,
            ColumnType.MONEY,
        ),
        ExportColumn("createdAt", Message("Time"), "e.created_at", ColumnType.INSTANT),
        ExportColumn("orderId", Message("Order ID"), "e.order_id::text"),
        ExportColumn("memo", Message("Memo"), "e.memo"),
    ],
)
TABLES: Mapping[str, ExportTable] = {table.name: table for table in (INSTANCES, ORDERS, LEDGER)}
