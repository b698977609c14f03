"""The glossary's words as people read them, in Chinese and in English; the API itself speaks of enum values."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from renewals.domain import model


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


class Words(NamedTuple):
    """The same in each language."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        return self.zh if language is Language.ZH else self.en


RENEWAL_MODES: Mapping[str, Words] = {
    model.RenewalMode.MANUAL: Words("手动续费", "Manual renewal"),
    model.RenewalMode.AUTO: Words("自动续费", "Auto-renewal"),
    model.RenewalMode.NONE: Words("到期不续费", "No renewal"),
}
BILLING_MODES: Mapping[str, Words] = {
    model.BillingMode.PREPAID: Words("包年包月", "Prepaid"),
    model.BillingMode.ONE_OFF: Words("按次购买", "One-off"),
    model.BillingMode.PAY_AS_YOU_GO: Words("按量付费", "Pay as you go"),
}
STATUSES: Mapping[str, Words] = {
    model.InstanceStatus.RUNNING: Words("运行中", "Running"),
    model.InstanceStatus.EXPIRED: Words("已到期", "Expired"),
    model.InstanceStatus.RELEASED: Words("已释放", "Released"),
}
DATA_CENTER_TYPES: Mapping[str, Words] = {
    model.DataCenterType.CLASSIC: Words("经典网络", "Classic"),
    model.DataCenterType.VPC: Words("VPC", "VPC"),
    model.DataCenterType.EDGE: Words("边缘", "Edge"),
    model.DataCenterType.DEDICATED: Words("专属", "Dedicated"),
}
ORDER_KINDS: Mapping[str, Words] = {
    model.OrderKind.MANUAL_RENEWAL: Words("手动续费", "Manual renewal"),
    model.OrderKind.AUTO_RENEWAL: Words("自动续费", "Auto-renewal"),
    model.OrderKind.UNIFY_EXPIRY: Words("统一到期时间", "Unify expiry"),
}
LEDGER_ENTRY_KINDS: Mapping[str, Words] = {
    model.LedgerEntryKind.TOP_UP: Words("充值", "Top-up"),
    model.LedgerEntryKind.RENEWAL: Words("续费", "Renewal"),
    model.LedgerEntryKind.REFUND: Words("退款", "Refund"),
}
YES, NO = Words("是", "Yes"), Words("否", "No")
