"""The exportable tables: instances, order lines and ledger entries."""

from collections.abc import Mapping

from renewals import i18n
from renewals.accounts import queries as accounts_queries
from renewals.exports.columns import ColumnType, ExportColumn, ExportTable
from renewals.i18n import Label
from renewals.instances import filters
from renewals.instances import queries as instances_queries

INSTANCES = ExportTable.of(
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
ORDERS = ExportTable.of(
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
        # Each line of an order repeats these values, so their sums mean nothing: they are optional.
        ExportColumn(
            "order.total",
            Label("订单总额", "Order total"),
            "o.total_cents",
            ColumnType.MONEY,
            is_default=False,
        ),
        ExportColumn(
            "order.voucherTotal",
            Label("订单代金券支付", "Order paid by vouchers"),
            "o.voucher_cents",
            ColumnType.MONEY,
            is_default=False,
        ),
        ExportColumn(
            "order.balanceTotal",
            Label("订单余额支付", "Order paid from balance"),
            "o.balance_cents",
            ColumnType.MONEY,
            is_default=False,
        ),
    ],
)
"""The table of order lines: one row for each instance of an order."""
LEDGER = ExportTable.of(
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
