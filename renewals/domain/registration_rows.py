"""Rows of instances and bundles, and their new values after a report of the provider."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain import dates, model, registration_report
from renewals.domain.messages import Message
from renewals.domain.registration_report import ReportedInstance


class InstanceRow(NamedTuple):
    """A row of `instances` with the columns that registration writes; `configuration` and `tags` are JSON."""

    account_id: str
    id: str
    name: str
    product_code: str
    data_center_code: str
    configuration: str
    billing_mode: str
    is_trial: bool
    status: str
    renewal_mode: str
    auto_renew_months: int
    expires_at: dt.datetime | None
    anchor_day: int | None
    monthly_price_cents: int
    agreed_price_cents: int | None
    bundle_id: str | None
    created_at: dt.datetime
    tags: str

    @property
    def shared(self) -> tuple[object, ...]:
        """The values that the members of a bundle have in common (rule 11)."""
        return self.expires_at, self.anchor_day, self.renewal_mode, self.auto_renew_months


class BundleRow(NamedTuple):
    """A row of `bundles`."""

    id: str
    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class RegistrationContext:
    """The stored rows for a report: its instances, the bundles that it names, and all members of its bundles."""

    account_id: str
    zone: ZoneInfo
    now: dt.datetime
    rows: Mapping[str, InstanceRow]
    paid_ids: frozenset[str]
    """The ids of instances with an order line, even a refunded one.

    A report cannot change their expiry or anchor day.
    """
    bundles: Mapping[str, BundleRow]
    product_codes: frozenset[str]
    data_center_codes: frozenset[str]
    members: Mapping[str, Sequence[InstanceRow]]
    """The rows that belong to a bundle, by bundle id."""
    is_part: bool = False
    """Whether the report is part of an import, where a member must name its bundle to change expiry or anchor day."""


class RowProblem(NamedTuple):
    """An invalid field of a row, with the reason."""

    field: str
    message: Message


def build_row(reported: ReportedInstance, context: RegistrationContext) -> InstanceRow:
    """Return the row of a new instance."""
    day = reported.last_day
    return InstanceRow(
        account_id=context.account_id,
        id=reported.id,
        name=reported.name,
        product_code=reported.product_code,
        data_center_code=reported.data_center_code,
        configuration=registration_report.format_configuration(reported),
        billing_mode=reported.billing_mode.value,
        is_trial=reported.is_trial,
        status=reported.status.value,
        renewal_mode=reported.renewal_mode.value,
        auto_renew_months=reported.auto_renew_months,
        expires_at=dates.end_of_day(day, context.zone) if day else None,
        anchor_day=reported.anchor,
        monthly_price_cents=reported.monthly_price_cents,
        agreed_price_cents=None,
        bundle_id=reported.bundle_id,
        created_at=reported.created_at or context.now,
        tags=json.dumps(dict(reported.tags), ensure_ascii=False),
    )


def update_row(
    reported: ReportedInstance, stored: InstanceRow, context: RegistrationContext
) -> InstanceRow | RowProblem:
    """Return the stored row with the reported values, or the first problem.

    The policy, the tags and the time of creation do not change, and the reported status has no effect. A change of the
    expiry or anchor day makes the instance RUNNING, unless the expiry has passed.
    """
    if problem := _fixed_value_problem(reported, stored):
        return problem
    expires_at, anchor_day = _expiry(reported, stored, context.zone)
    updated = with_price(stored, reported.monthly_price_cents)._replace(
        name=reported.name,
        data_center_code=reported.data_center_code,
        configuration=registration_report.format_configuration(reported),
        expires_at=expires_at,
        anchor_day=anchor_day,
    )
    if updated.shared != stored.shared:
        if context.is_part and reported.bundle_id is None and stored.bundle_id is not None:
            message = Message(
                "must be {id}, because the members of a bundle change their expiry and anchor day together",
                id=stored.bundle_id,
            )
            return RowProblem("bundleId", message)
        if stored.id in context.paid_ids:
            assert stored.expires_at is not None and stored.anchor_day is not None
            message = Message(
                "cannot be changed, because the instance is paid for until {date} (anchor day {anchor_day}); omit it "
                "to keep this expiry",
                date=dates.last_day(stored.expires_at, context.zone),
                anchor_day=stored.anchor_day,
            )
            return RowProblem("expiresOn", message)
        if updated.expires_at is None or updated.expires_at >= context.now:
            updated = updated._replace(status=model.InstanceStatus.RUNNING.value)
    if stored.status == model.InstanceStatus.RELEASED and not is_unchanged(updated, stored):
        return RowProblem("id", Message("was released and cannot be restored"))
    return updated


def fixed(value: str | Message) -> Message:
    """Return the message for a reported value that differs from the stored `value`, which never changes."""
    return Message("must be {value}; it cannot be changed", value=value)


def _fixed_value_problem(reported: ReportedInstance, stored: InstanceRow) -> RowProblem | None:
    """Return the problem with the first reported value that differs from a column that no report changes, or None."""
    if reported.product_code != stored.product_code:
        return RowProblem("productCode", fixed(stored.product_code))
    if reported.billing_mode != stored.billing_mode:
        return RowProblem("billingMode", fixed(stored.billing_mode))
    if reported.is_trial != stored.is_trial:
        message = (
            Message("must be true; only makeFormal can change it") if stored.is_trial else fixed("false")
        )
        return RowProblem("isTrial", message)
    if reported.bundle_id not in (None, stored.bundle_id):
        return RowProblem("bundleId", fixed(stored.bundle_id or Message("empty")))
    return None


def _expiry(
    reported: ReportedInstance, stored: InstanceRow, zone: ZoneInfo
) -> tuple[dt.datetime | None, int | None]:
    """Return the new expiry and anchor day; both stay the same if no last day is reported.

    If no anchor day is reported, a new expiry also sets the anchor day.
    """
    if reported.last_day is None:
        return stored.expires_at, stored.anchor_day
    expires_at = dates.end_of_day(reported.last_day, zone)
    is_same = expires_at == stored.expires_at and reported.anchor_day is None
    return expires_at, stored.anchor_day if is_same else reported.anchor


def with_price(row: InstanceRow, monthly_price_cents: int) -> InstanceRow:
    """Return the row with a new monthly price.

    An agreed price of None first becomes the old monthly price. An agreed price that equals the new monthly price
    becomes None.
    """
    agreed_cents = row.monthly_price_cents if row.agreed_price_cents is None else row.agreed_price_cents
    return row._replace(
        monthly_price_cents=monthly_price_cents,
        agreed_price_cents=None if agreed_cents == monthly_price_cents else agreed_cents,
    )


def is_unchanged(row: InstanceRow, other: InstanceRow) -> bool:
    """Return whether two rows are equal; their configurations are compared as JSON values."""
    if row.configuration == other.configuration:
        return row == other
    is_configuration_equal = json.loads(row.configuration) == json.loads(other.configuration)
    return is_configuration_equal and row._replace(configuration=other.configuration) == other
