"""The model's accounts, instances, vouchers and requests, and the rules that concern only one of them."""

import dataclasses as dc
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

Values = tuple[Any, ...]
"""A row or a result, which must be equal in the model and in the tested code."""


@dc.dataclass
class Product:
    percent_off: dict[int, int] = dc.field(default_factory=dict)
    max_term_months: int = 36
    retention_days: int = 7
    renewable: bool = True


PRODUCTS = {
    "eip": Product({12: 17}),
    "kec": Product({3: 5, 6: 9, 12: 15}, max_term_months=24, retention_days=45),
    "ebs": Product(max_term_months=13, retention_days=1),
    "ddos": Product(renewable=False),
}


@dc.dataclass
class Account:
    zone: ZoneInfo
    lead_days: int
    auto_renew_from: dt.datetime
    balance: int = 0
    entries: list[Values] = dc.field(default_factory=list)


@dc.dataclass
class Instance:
    id: str
    account: str
    product: str
    price: int
    last_day: dt.date | None
    anchor: int | None
    mode: str = "MANUAL"
    months: int = 1
    bundle: str | None = None
    billing: str = "PREPAID"
    trial: bool = False
    status: str = "RUNNING"
    refunds: int = 0

    def period(self) -> tuple[dt.date, int]:
        """Return the last day and the anchor day. Instances without an expiry have neither."""
        assert self.last_day is not None and self.anchor is not None
        return self.last_day, self.anchor


@dc.dataclass
class Voucher:
    id: uuid.UUID
    account: str
    available: int
    expires_at: dt.datetime
    products: frozenset[str]


@dc.dataclass(frozen=True)
class Request:
    """A selection and an action: ("renew", months), ("date", day), ("day", of month) or ("policy", mode, months)."""

    account: str
    ids: tuple[str, ...]
    wish: Values
    bundles: str = "REFUSE"
    batch: str = "ALL_OR_NOTHING"
    expected: int | None = None
    key: str = ""

    def same_as(self, other: "Request") -> bool:
        """Return whether two requests are the same (rule 18). The order of the ids does not matter."""
        return dc.replace(self, ids=()) == dc.replace(other, ids=()) and set(self.ids) == set(other.ids)


@dc.dataclass
class Line:
    instance: Instance
    last_day: dt.date
    anchor: int
    months: int
    days: int
    list_price: int
    price: int


@dc.dataclass
class Payment:
    uses: dict[uuid.UUID, int]
    balance: int
    shortfall: int
    shares: list[dict[uuid.UUID, int]]
    """For each line, the cents that each voucher pays. The balance pays the rest of the price."""


@dc.dataclass
class PaidLine:
    """A period bought for an instance, with the instance's previous values and whether the period was refunded."""

    instance: Instance
    start: dt.date
    end: dt.date
    anchor_before: int
    refunds_before: int
    price: int
    shares: dict[uuid.UUID, int]
    is_refunded: bool = False


@dc.dataclass(frozen=True)
class RefundRequest:
    """A refund of the order with a number, which may not exist. If `ids` is None, it covers all refundable lines."""

    order: int
    ids: tuple[str, ...] | None
    key: str


class Refused(Exception):
    """A refusal of a request. `args` is the result in the model's terms."""


def shared(i: Instance) -> Values:
    return i.account, i.last_day, i.anchor, i.mode, i.months


def unserved(i: Instance, status: str) -> str | None:
    """Return the refusal of an instance that is not served (rules 1 to 3 and 22)."""
    reasons = {
        "UNSUPPORTED_PRODUCT": not PRODUCTS[i.product].renewable,
        "TRIAL": i.trial,
        "ONE_OFF": i.billing == "ONE_OFF",
        "NO_EXPIRY": i.last_day is None,
        "RELEASED": status == "RELEASED",
    }
    return next((code for code, holds in reasons.items() if holds), None)


def malformed(request: Request) -> str | None:
    """Return the path of the field that makes a request invalid, or None (rule 26)."""
    kind, wanted, *_ = request.wish
    if not request.ids:
        return "input.selection.ids"
    if kind == "renew" and not 1 <= wanted <= 36:
        return "input.months"
    if kind == "day" and not 1 <= wanted <= 31:
        return "input.target.dayOfMonth"
    return None


def malformed_key(key: str) -> str | None:
    """Return the path of the key's field if the key is invalid, or None (rule 26)."""
    return None if 1 <= len(key) <= 64 and key.isprintable() else "input.idempotencyKey"


def keep(
    units: Iterable[Sequence[Instance]], results: Mapping[str, object], refusals: dict[str, str]
) -> list[Instance]:
    """Return the instances of units without a refusal. One refused member refuses its whole bundle (rule 10)."""
    accepted: list[Instance] = []
    for unit in units:
        own_codes = {i.id: code for i in unit if isinstance(code := results[i.id], str)}
        refusals |= {i.id: own_codes.get(i.id, "BUNDLED") for i in unit if own_codes}
        accepted += [] if own_codes else unit
    return accepted
