"""Labels of enum values, for menus, tables, exports and calendars."""

from collections.abc import Mapping

from renewals.domain import model
from renewals.domain.messages import Message

RENEWAL_MODES: Mapping[str, Message] = {
    model.RenewalMode.MANUAL: Message("Manual renewal"),
    model.RenewalMode.AUTO: Message("Auto-renewal"),
    model.RenewalMode.NONE: Message("No renewal"),
}
BILLING_MODES: Mapping[str, Message] = {
    model.BillingMode.PREPAID: Message("Prepaid"),
    model.BillingMode.ONE_OFF: Message("One-off"),
    model.BillingMode.PAY_AS_YOU_GO: Message("Pay as you go"),
}
STATUSES: Mapping[str, Message] = {
    model.InstanceStatus.RUNNING: Message("Running"),
    model.InstanceStatus.EXPIRED: Message("Expired"),
    model.InstanceStatus.RELEASED: Message("Released"),
}
ORDER_KINDS: Mapping[str, Message] = {
    model.OrderKind.MANUAL_RENEWAL: Message("Manual renewal"),
    model.OrderKind.AUTO_RENEWAL: Message("Auto-renewal"),
    model.OrderKind.UNIFY_EXPIRY: Message("Unify expiry"),
}
LEDGER_ENTRY_KINDS: Mapping[str, Message] = {
    model.LedgerEntryKind.TOP_UP: Message("Top-up"),
    model.LedgerEntryKind.RENEWAL: Message("Renewal"),
    model.LedgerEntryKind.REFUND: Message("Refund"),
}
YES, NO = Message("Yes"), Message("No")
