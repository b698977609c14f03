"""The words of the glossary as values: what the pure rules speak of, with no table behind them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain import pricing


class RenewalMode(StrEnum):
    MANUAL = "MANUAL"
    AUTO = "AUTO"
    NONE = "NONE"


class RenewalTab(StrEnum):
    MANUAL = "MANUAL"
    AUTO = "AUTO"
    NONE = "NONE"
    NO_EXPIRY = "NO_EXPIRY"


class BillingMode(StrEnum):
    PREPAID = "PREPAID"
    ONE_OFF = "ONE_OFF"
    PAY_AS_YOU_GO = "PAY_AS_YOU_GO"


class InstanceStatus(StrEnum):
    RUNNING = "RUNNING"
    EXPIRED = "EXPIRED"
    RELEASED = "RELEASED"


_STATUSES: Mapping[str, InstanceStatus] = {status.value: status for status in InstanceStatus}
"""Looked up once an instance, where the enumeration's own call would be a tenth of planning it."""


class DataCenterType(StrEnum):
    CLASSIC = "CLASSIC"
    VPC = "VPC"
    EDGE = "EDGE"
    DEDICATED = "DEDICATED"


class BatchMode(StrEnum):
    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    BEST_EFFORT = "BEST_EFFORT"


class BundleHandling(StrEnum):
    REFUSE = "REFUSE"
    WHOLE = "WHOLE"


class OrderKind(StrEnum):
    MANUAL_RENEWAL = "MANUAL_RENEWAL"
    AUTO_RENEWAL = "AUTO_RENEWAL"
    UNIFY_EXPIRY = "UNIFY_EXPIRY"


class LedgerEntryKind(StrEnum):
    TOP_UP = "TOP_UP"
    RENEWAL = "RENEWAL"
    REFUND = "REFUND"


class Role(StrEnum):
    """What a key or a token may be used for: an account, to change or to look; its calendar; the provider's side."""

    RENEWER = "RENEWER"
    VIEWER = "VIEWER"
    CALENDAR = "CALENDAR"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class Product:
    """A row of the catalogue with its discount tiers (rules 2 and 12)."""

    code: str
    renewable: bool
    unsupported_reason: str | None
    max_term_months: int
    retention_days: int
    tiers: Sequence[pricing.DiscountTier]


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""Earlier than anything was ever due."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays: the balance in cents and the time zone its dates belong to."""

    id: str
    zone: ZoneInfo
    balance_cents: int
    ledger_number: int
    lead_days: int
    """The account's own, or the setting's."""
    price_rise_cap_bps: int | None = None
    currency: str = "CNY"
    auto_renew_from: dt.datetime = EPOCH
    """The cut-over: what was due before this instant is left to the account's owner (rule 38)."""
    auto_renew_time: dt.time = dt.time(0, 30)
    """The setting: when the worker begins to renew on the day of expiry, in the account's zone (rule 20)."""


class Instance(NamedTuple):
    """What the rules need to know of an instance; `status` is as noted or as at the selection's instant."""

    id: str
    account_id: str
    product_code: str
    billing_mode: str
    is_trial: bool
    status: str
    renewal_mode: str
    auto_renew_months: int
    expires_at: dt.datetime | None
    anchor_day: int | None
    monthly_price_cents: int
    bundle_id: str | None
    agreed_price_cents: int | None = None
    """What the customer last paid or agreed to, where the price is another one by now."""
    refund_count: int = 0
    """How many of its periods were refunded: the database lets a period be bought again after its refund alone."""

    def status_at(self, now: dt.datetime) -> InstanceStatus:
        """EXPIRED as soon as the expiry has passed, even before the worker has noted it (rule 5)."""
        if self.status == InstanceStatus.RUNNING and self.expires_at is not None and now > self.expires_at:
            return InstanceStatus.EXPIRED
        return _STATUSES[self.status]


class Voucher(NamedTuple):
    """What is left of a voucher, in cents; no product codes means every product."""

    id: str
    available_cents: int
    expires_at: dt.datetime
    product_codes: frozenset[str]
