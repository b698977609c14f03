"""Labels of enum values in Chinese and English, for exports and calendars; the API returns the enum values."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from renewals.domain import model


class Language(StrEnum):
    """A language of labels and messages."""

    ZH = "zh"
    EN = "en"


class Label(NamedTuple):
    """A text in each language."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return the text in a language."""
        return self.zh if language is Language.ZH else self.en


RENEWAL_MODES: Mapping[str, Label] = {
    model.RenewalMode.MANUAL: Label("手动续费", "Manual renewal"),
    model.RenewalMode.AUTO: Label("自动续费", "Auto-renewal"),
    model.RenewalMode.NONE: Label("到期不续费", "No renewal"),
}
BILLING_MODES: Mapping[str, Label] = {
    model.BillingMode.PREPAID: Label("包年包月", "Prepaid"),
    model.BillingMode.ONE_OFF: Label("按次购买", "One-off"),
    model.BillingMode.PAY_AS_YOU_GO: Label("按量付费", "Pay as you go"),
}
STATUSES: Mapping[str, Label] = {
    model.InstanceStatus.RUNNING: Label("运行中", "Running"),
    model.InstanceStatus.EXPIRED: Label("已到期", "Expired"),
    model.InstanceStatus.RELEASED: Label("已释放", "Released"),
}
DATA_CENTER_TYPES: Mapping[str, Label] = {
    model.DataCenterType.CLASSIC: Label("经典网络", "Classic"),
    model.DataCenterType.VPC: Label("VPC", "VPC"),
    model.DataCenterType.EDGE: Label("边缘", "Edge"),
    model.DataCenterType.DEDICATED: Label("专属", "Dedicated"),
}
ORDER_KINDS: Mapping[str, Label] = {
    model.OrderKind.MANUAL_RENEWAL: Label("手动续费", "Manual renewal"),
    model.OrderKind.AUTO_RENEWAL: Label("自动续费", "Auto-renewal"),
    model.OrderKind.UNIFY_EXPIRY: Label("统一到期时间", "Unify expiry"),
}
LEDGER_ENTRY_KINDS: Mapping[str, Label] = {
    model.LedgerEntryKind.TOP_UP: Label("充值", "Top-up"),
    model.LedgerEntryKind.RENEWAL: Label("续费", "Renewal"),
    model.LedgerEntryKind.REFUND: Label("退款", "Refund"),
}
YES, NO = Label("是", "Yes"), Label("否", "No")
