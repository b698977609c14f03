"""Enums and value objects of the rules, independent of the database."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain import pricing

CURRENCY_DEFAULT = "CNY"
"""The currency of an account that is created without a currency."""
TERM_MONTHS_DEFAULT = 36
"""The longest term, in months from today, of a product that is created without one."""
RETENTION_DAYS_DEFAULT = 7
"""The number of days between expiry and release, for a product that is created without this number."""


class RenewalMode(StrEnum):
    """The renewal mode of an instance: renewed by the customer, renewed by the worker, or meant to expire (rule 3)."""

    MANUAL = "MANUAL"
    AUTO = "AUTO"
    NONE = "NONE"


class RenewalTab(StrEnum):
    """The one tab of the console that lists a manageable instance (rule 3)."""

    MANUAL = "MANUAL"
    AUTO = "AUTO"
    NONE = "NONE"
    NO_EXPIRY = "NO_EXPIRY"


class BillingMode(StrEnum):
    """The way in which an instance is billed; only PREPAID instances are renewed (rule 1)."""

    PREPAID = "PREPAID"
    ONE_OFF = "ONE_OFF"
    PAY_AS_YOU_GO = "PAY_AS_YOU_GO"


class InstanceStatus(StrEnum):
    """The state of an instance: RUNNING, EXPIRED after its expiry, or RELEASED permanently (rule 22)."""

    RUNNING = "RUNNING"
    EXPIRED = "EXPIRED"
    RELEASED = "RELEASED"


_STATUSES: Mapping[str, InstanceStatus] = {status.value: status for status in InstanceStatus}
"""The statuses by value. Calling `InstanceStatus(value)` instead would take 10 % of the time to plan an instance."""


class Language(StrEnum):
    """A language of messages and labels, by its subtag of BCP 47 (rule 27)."""

    ZH = "zh"
    EN = "en"


class BatchMode(StrEnum):
    """The effect of one refusal: it stops the whole batch, or it excludes only the refused instances (rule 17)."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    BEST_EFFORT = "BEST_EFFORT"


class BundleHandling(StrEnum):
    """The treatment of bundle members (rule 10).

    REFUSE accepts them only if the selection is exactly one whole bundle; WHOLE adds the missing members.
    """

    REFUSE = "REFUSE"
    WHOLE = "WHOLE"


class OrderKind(StrEnum):
    """The operation that placed an order."""

    MANUAL_RENEWAL = "MANUAL_RENEWAL"
    AUTO_RENEWAL = "AUTO_RENEWAL"
    UNIFY_EXPIRY = "UNIFY_EXPIRY"


class LedgerEntryKind(StrEnum):
    """The reason why a balance or a voucher changed."""

    TOP_UP = "TOP_UP"
    RENEWAL = "RENEWAL"
    REFUND = "REFUND"


class Role(StrEnum):
    """The rights of a key or token: change an account, read it, read its calendar, or operate for the provider."""

    RENEWER = "RENEWER"
    VIEWER = "VIEWER"
    CALENDAR = "CALENDAR"
    OPERATOR = "OPERATOR"


class ActorKind(StrEnum):
    """The kind of actor that causes an event."""

    CUSTOMER = "CUSTOMER"
    WORKER = "WORKER"
    OPERATOR = "OPERATOR"


class Actor(NamedTuple):
    """The author of a change; `name` is the name of a key or an operator, the subject of a token, or `worker`."""

    kind: ActorKind
    name: str


WORKER = Actor(ActorKind.WORKER, "worker")
"""The actor of all scheduled changes and notices: automatic renewals, expiry, release, reminders and warnings."""
UNNAMED_CUSTOMER = Actor(ActorKind.CUSTOMER, "")
"""A customer whose key has no name."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the catalog with its discount tiers (rules 2 and 12)."""

    code: str
    renewable: bool
    unsupported_reason: str | None
    unsupported_reason_zh: str | None
    max_term_months: int
    retention_days: int
    tiers: Sequence[pricing.DiscountTier]


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""An instant before every due time."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its balance in cents, its time zone, and its settings with the defaults filled in."""

    id: str
    zone: ZoneInfo
    balance_cents: int
    ledger_number: int
    lead_days: int
    """The number of days by which an automatic renewal precedes the last day."""
    price_rise_cap_bps: int | None = None
    currency: str = CURRENCY_DEFAULT
    auto_renew_from: dt.datetime = EPOCH
    """The cut-over: the worker does not renew instances that were due before this instant (rule 38)."""
    auto_renew_time: dt.time = dt.time(0, 30)
    """The time of day, in the account's time zone, from which an instance is due on its due day (rule 20)."""
    language: Language = Language.EN
    """The language of texts for which no request chooses a language, such as those of webhooks (rule 27)."""
    test_clock: dt.datetime | None = None
    """The instant of a test account's clock; None for an account in real time (rule 37)."""
    name: str = ""

    def instant(self, now: dt.datetime) -> dt.datetime:
        """Return the current time of the account: its test clock, or `now` if it has none (rule 37)."""
        return now if self.test_clock is None else self.test_clock


class Instance(NamedTuple):
    """The columns of an instance that the rules use; `status` is the stored status or the status at an instant."""

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
    """The monthly price that the customer last paid or accepted, if the current price differs."""
    refund_count: int = 0
    """The number of refunded periods. Order lines are unique by instance, start and this number.

    A refunded period can therefore be bought again.
    """

    def status_at(self, now: dt.datetime) -> InstanceStatus:
        """Return the status at `now`: EXPIRED if it is stored as RUNNING and the expiry has passed (rule 5).

        In all other cases, this is the stored status.
        """
        if self.status == InstanceStatus.RUNNING and self.expires_at is not None and now > self.expires_at:
            return InstanceStatus.EXPIRED
        return _STATUSES[self.status]


class Voucher(NamedTuple):
    """A voucher with its remaining amount in cents; without product codes, it pays for every product."""

    id: str
    available_cents: int
    expires_at: dt.datetime
    product_codes: frozenset[str]
