"""Labels of enum values, for menus, tables, exports and calendars."""

from collections.abc import Mapping

from renewals.domain import model
from renewals.domain.errors import RefusalCode
from renewals.domain.instance_actions import InstanceActionKind
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
REFUSAL_CODES: Mapping[str, Message] = {
    RefusalCode.NOT_FOUND: Message("Instance not found"),
    RefusalCode.UNSUPPORTED_PRODUCT: Message("Product not supported"),
    RefusalCode.TRIAL: Message("Trial instance"),
    RefusalCode.ONE_OFF: Message("One-off purchase"),
    RefusalCode.NO_EXPIRY: Message("No expiry"),
    RefusalCode.EXPIRED: Message("Instance has expired"),
    RefusalCode.RELEASED: Message("Instance was released"),
    RefusalCode.BUNDLED: Message("Bundled with other instances"),
    RefusalCode.BUNDLE_INCOMPLETE: Message("Bundle not complete"),
    RefusalCode.PERIOD_TOO_SHORT: Message("Period too short"),
    RefusalCode.MAX_TERM_EXCEEDED: Message("Longest term exceeded"),
    RefusalCode.TARGET_NOT_LATER: Message("Target date is too early"),
    RefusalCode.INSUFFICIENT_FUNDS: Message("Insufficient funds"),
    RefusalCode.PRICE_HELD: Message("Price rise not accepted"),
    RefusalCode.BEFORE_CUT_OVER: Message("Due before the start of automatic renewals"),
    RefusalCode.TOO_MANY_TAGS: Message("Too many tags"),
}
ROLES: Mapping[str, Message] = {
    model.Role.RENEWER: Message("Renewer"),
    model.Role.VIEWER: Message("Viewer"),
}
YES, NO = Message("Yes"), Message("No")
NOT_SET = Message("Not set")
"""The label for a tag that an instance does not have, or whose value is empty."""

BY_ENUM: Mapping[str, Mapping[str, Message]] = {
    "ActorKind": {
        model.ActorKind.CUSTOMER: Message("Customer"),
        model.ActorKind.WORKER: Message("Automatic"),
        model.ActorKind.OPERATOR: Message("Provider"),
    },
    "BatchMode": {
        model.BatchMode.ALL_OR_NOTHING: Message("All or nothing"),
        model.BatchMode.BEST_EFFORT: Message("As many as possible"),
    },
    "BillingMode": BILLING_MODES,
    "BundleHandling": {
        model.BundleHandling.REFUSE: Message("Refuse bundle members in a batch"),
        model.BundleHandling.WHOLE: Message("Widen the selection to whole bundles"),
    },
    "ForecastGrouping": {
        "PRODUCT": Message("By product"),
        "DATA_CENTER": Message("By data center"),
        "TAG": Message("By tag"),
    },
    "InstanceActionKind": {
        InstanceActionKind.RENEW: Message("Renew"),
        InstanceActionKind.SET_AUTO: Message("Set to auto-renewal"),
        InstanceActionKind.UNIFY: Message("Unify expiry"),
    },
    "InstanceOrderField": {
        "EXPIRES_AT": Message("Expiry"),
        "CREATED_AT": Message("Created"),
        "NAME": Message("Instance name"),
        "PRODUCT": Message("Product code"),
        "ID": Message("Instance ID"),
    },
    "InstanceStatus": STATUSES,
    "Language": {
        model.Language.ZH.name: Message("Chinese"),
        model.Language.EN.name: Message("English"),
    },
    "LedgerEntryKind": LEDGER_ENTRY_KINDS,
    "OrderDirection": {"ASC": Message("Ascending"), "DESC": Message("Descending")},
    "OrderKind": ORDER_KINDS,
    "RefusalCode": REFUSAL_CODES,
    "RenewalMode": RENEWAL_MODES,
    "RenewalTab": {
        model.RenewalTab.MANUAL: Message("Manual renewal"),
        model.RenewalTab.AUTO: Message("Auto-renewal"),
        model.RenewalTab.NONE: Message("No renewal"),
        model.RenewalTab.NO_EXPIRY: Message("Without expiry"),
    },
    "Role": ROLES,
    "WebhookDeliveryState": {"WAITING": Message("Waiting"), "PARKED": Message("Parked")},
}
"""The labels of enum values in the customer API, by the name of the enum and the value."""
COUNT = sum(map(len, BY_ENUM.values()))
"""The number of labels in BY_ENUM."""
