"""The tables as Tortoise models, the only list of a table's columns outside the migrations.

Money is in cents, and instants are in UTC. The migrations also contain what a model cannot express: checks, partial
indexes and collations. Each docstring names the modules that write the table. `demo.reset` also deletes and corrects
rows.

Six tables have no model, because Tortoise requires a primary key of one column: `events` (written by
`events.event_log`), `webhook_secrets` (`webhooks.secrets`), `webhook_cursors` (`events.webhook_cursors`),
`webhook_deliveries` (`webhooks.deliveries`), `refund_lines` (`operators.refunds`) and `search_texts`
(`instances.search_texts`).
"""

from renewals.db.models.accounts import Account, ApiKey, Voucher
from renewals.db.models.events import AccountWatch, EventStream, Reminder, WebhookEndpoint, WebhookState
from renewals.db.models.instances import Bundle, DataCenter, DataCenterType, DiscountTier, Instance, Product
from renewals.db.models.operations import AuditEntry, WriteCheck
from renewals.db.models.orders import LedgerEntry, Order, OrderLine, Refund
from renewals.db.models.runs import RenewalAttempt, RenewalChunk, RenewalRun
from renewals.db.models.test_clocks import ClockMove

__all__ = [
    "Account",
    "AccountWatch",
    "ApiKey",
    "AuditEntry",
    "Bundle",
    "ClockMove",
    "DataCenter",
    "DataCenterType",
    "DiscountTier",
    "EventStream",
    "Instance",
    "LedgerEntry",
    "Order",
    "OrderLine",
    "Product",
    "Refund",
    "Reminder",
    "RenewalAttempt",
    "RenewalChunk",
    "RenewalRun",
    "Voucher",
    "WebhookEndpoint",
    "WebhookState",
    "WriteCheck",
]
