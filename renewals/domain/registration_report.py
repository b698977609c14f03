"""What the provider reports of an instance, and what may be wrong with it by itself. Pure."""

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from renewals.domain import dates, limits, model, validation

LABEL_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class ReportedInstance:
    """An instance as the provider reports it; without a last day it has no expiry, or keeps the one it has."""

    id: str
    name: str
    product_code: str
    data_center_code: str
    monthly_price_cents: int
    created_at: dt.datetime | None
    """None: now."""
    last_day: dt.date | None
    anchor_day: int | None = None
    billing_mode: model.BillingMode = model.BillingMode.PREPAID
    is_trial: bool = False
    status: model.InstanceStatus = model.InstanceStatus.RUNNING
    renewal_mode: model.RenewalMode = model.RenewalMode.MANUAL
    auto_renew_months: int = 1
    bundle_id: str | None = None
    configuration: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)

    @property
    def anchor(self) -> int | None:
        """The anchor day that registration sets: the given one, else the last day's (rule 6)."""
        return self.last_day.day if self.anchor_day is None and self.last_day else self.anchor_day

    @property
    def items(self) -> Sequence[tuple[str, str]]:
        """The configuration as labels and values."""
        if isinstance(self.configuration, Mapping):
            return list(self.configuration.items())
        return self.configuration


def configuration_of(reported: ReportedInstance) -> str:
    """The configuration as its column has it."""
    items = [{"label": label, "value": value} for label, value in reported.items]
    return json.dumps(items, ensure_ascii=False)


def validate_reported_instance(
    reported: ReportedInstance,
    *,
    product_codes: Collection[str],
    data_center_codes: Collection[str],
    has_expiry_already: bool,
) -> Iterator[tuple[str, str | None]]:
    """What may be wrong with each field by itself, one after the other: its name, and the problem or None."""
    has_expiry = has_expiry_already or reported.last_day is not None
    yield "id", validation.identifier(reported.id)
    yield "name", validation.name(reported.name)
    yield "productCode", _unknown(reported.product_code, product_codes, "product")
    yield "dataCenterCode", _unknown(reported.data_center_code, data_center_codes, "data centre")
    yield "monthlyPrice", validation.monthly_price(reported.monthly_price_cents)
    if reported.created_at is not None:
        yield "createdAt", validation.day(reported.created_at.date())
    yield "configuration", _wrong_configuration(reported.items)
    yield "autoRenewMonths", validation.check_range(reported.auto_renew_months, 1, limits.MONTHS_MAX)
    if reported.last_day is not None:
        yield "expiresOn", validation.day(reported.last_day)
    if reported.billing_mode is model.BillingMode.PREPAID and not has_expiry:
        yield "expiresOn", "is missing: what is prepaid expires"
    if reported.billing_mode is model.BillingMode.PAY_AS_YOU_GO and reported.last_day is not None:
        yield "expiresOn", "must be left out: what is paid as you go has no expiry"
    yield "anchorDay", _wrong_anchor(reported)


def _unknown(code: str, known: Collection[str], what: str) -> str | None:
    return None if code in known else f"there is no {what} of the code {code!r}"


def _wrong_configuration(items: Sequence[tuple[str, str]]) -> str | None:
    if len(items) > validation.CONFIGURATION_ITEMS_MAX:
        return f"must have {validation.CONFIGURATION_ITEMS_MAX} items at most"
    labels = [label for label, _ in items]
    if len(set(labels)) < len(labels):
        return "has a label more than once"
    for label, value in items:
        if problem := validation.text(label, 1, LABEL_LENGTH_MAX) or validation.text(value):
            return f"{label!r}: {problem}"
    return None


def _wrong_anchor(reported: ReportedInstance) -> str | None:
    day, anchor = reported.last_day, reported.anchor
    if anchor is None:
        return None
    if day is None:
        return "needs an expiry to anchor"
    if not 1 <= anchor <= 31 or dates.anchor_date(anchor, day.year, day.month) != day:
        return f"must be a day that {day} is on, not {anchor}"
    return None
