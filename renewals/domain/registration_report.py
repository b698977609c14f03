"""Instances as the provider reports them, and the validation of single instances."""

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from renewals.domain import dates, limits, model, tags, validation
from renewals.domain.messages import Message

LABEL_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class ReportedInstance:
    """A reported instance. Without a last day, a new instance has no expiry, and a stored instance keeps its expiry."""

    id: str
    name: str
    product_code: str
    data_center_code: str
    monthly_price_cents: int
    created_at: dt.datetime | None
    """None means the time of registration."""
    last_day: dt.date | None
    anchor_day: int | None = None
    billing_mode: model.BillingMode = model.BillingMode.PREPAID
    is_trial: bool = False
    status: model.InstanceStatus = model.InstanceStatus.RUNNING
    renewal_mode: model.RenewalMode = model.RenewalMode.MANUAL
    auto_renew_months: int = 1
    bundle_id: str | None = None
    configuration: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)
    tags: Sequence[tuple[str, str]] = ()
    """Pairs of key and value. Only a new instance receives them; from then on, the customer sets its tags (rule 36)."""

    @property
    def anchor(self) -> int | None:
        """The reported anchor day, else the day of the month of the reported last day, else None (rule 6)."""
        return self.last_day.day if self.anchor_day is None and self.last_day else self.anchor_day

    @property
    def items(self) -> Sequence[tuple[str, str]]:
        """The configuration as pairs of label and value."""
        if isinstance(self.configuration, Mapping):
            return list(self.configuration.items())
        return self.configuration


def format_configuration(reported: ReportedInstance) -> str:
    """Return the configuration as the JSON that its column stores."""
    items = [{"label": label, "value": value} for label, value in reported.items]
    return json.dumps(items, ensure_ascii=False)


def validate_reported_instance(
    reported: ReportedInstance,
    *,
    product_codes: Collection[str],
    data_center_codes: Collection[str],
    has_expiry_already: bool,
) -> Iterator[tuple[str, Message | None]]:
    """Yield the names of fields, each with its problem or None; a name can occur several times."""
    has_expiry = has_expiry_already or reported.last_day is not None
    yield "id", validation.identifier(reported.id)
    yield "name", validation.name(reported.name)
    if reported.product_code not in product_codes:
        yield "productCode", unknown_product(reported.product_code)
    if (code := reported.data_center_code) not in data_center_codes:
        yield (
            "dataCenterCode",
            Message("unknown data center {code!r}; add it to the catalog first", code=code),
        )
    yield "monthlyPrice", validation.monthly_price(reported.monthly_price_cents)
    if reported.created_at is not None:
        yield "createdAt", validation.day(reported.created_at.date())
    yield "configuration", _configuration_problem(reported.items)
    yield "tags", tags.find_problem(reported.tags)
    yield "autoRenewMonths", validation.check_range(reported.auto_renew_months, 1, limits.MONTHS_MAX)
    if reported.last_day is not None:
        yield "expiresOn", validation.day(reported.last_day)
    if reported.billing_mode is model.BillingMode.PREPAID and not has_expiry:
        yield "expiresOn", Message("is required for a prepaid instance")
    if reported.billing_mode is model.BillingMode.PAY_AS_YOU_GO and reported.last_day is not None:
        yield "expiresOn", Message("must be omitted for a pay-as-you-go instance")
    yield "anchorDay", _anchor_problem(reported)


def unknown_product(code: str) -> Message:
    """Return the message for a product code that is not in the catalog."""
    return Message("unknown product {code!r}; add it to the catalog first", code=code)


def _configuration_problem(items: Sequence[tuple[str, str]]) -> Message | None:
    if len(items) > validation.CONFIGURATION_ITEMS_MAX:
        return validation.at_most_items(validation.CONFIGURATION_ITEMS_MAX, items)
    repeated = validation.find_repeated(label for label, _ in items)
    if repeated is not None:
        return Message("has the label {label!r} more than once", label=repeated)
    for label, value in items:
        if problem := validation.text(label, 1, LABEL_LENGTH_MAX) or validation.text(value):
            return Message("{label!r}: {problem}", label=label, problem=problem)
    return None


def _anchor_problem(reported: ReportedInstance) -> Message | None:
    day, anchor = reported.last_day, reported.anchor
    if anchor is None:
        return None
    if day is None:
        return Message("requires expiresOn")
    if not 1 <= anchor <= 31 or dates.anchor_date(anchor, day.year, day.month) != day:
        return Message("{anchor_day} does not match expiresOn {date}", date=day, anchor_day=anchor)
    return None
