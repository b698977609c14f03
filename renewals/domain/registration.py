"""What becomes of the instances that the provider reports: new, changed, as they were, or refused. Pure.

Each is decided alone, but a bundle as a whole: its members share expiry, anchor and policy (rule 11).
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain import dates, errors, model, registration_report, validation
from renewals.domain.errors import RowError


class InstanceRow(NamedTuple):
    """An instance as its row has it."""

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

    @property
    def shared(self) -> tuple[object, ...]:
        """What the members of a bundle have in common (rule 11)."""
        return self.expires_at, self.anchor_day, self.renewal_mode, self.auto_renew_months


class BundleRow(NamedTuple):
    """A bundle that is there, and whose it is."""

    id: str
    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class RegistrationContext:
    """What is there already of what is reported: the instances with all members of their bundles, by id."""

    account_id: str
    zone: ZoneInfo
    now: dt.datetime
    rows: Mapping[str, InstanceRow]
    paid_ids: frozenset[str]
    """Those that have a period which was paid for; their expiry is what was paid (rule 16)."""
    bundles: Mapping[str, BundleRow]
    product_codes: frozenset[str]
    data_center_codes: frozenset[str]
    members: Mapping[str, Sequence[InstanceRow]]
    """Those of the rows that belong to a bundle, by its id."""
    is_part: bool = False
    """Whether more of the same source is still to come, so that a bundle is known by those that name it alone."""


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    """What is to be written, in the order in which it was reported, and what is refused."""

    created: tuple[InstanceRow, ...]
    changed: tuple[tuple[InstanceRow, InstanceRow], ...]
    """Each as it was and as it will be."""
    unchanged_count: int
    refusals: tuple[RowError, ...]
    new_bundles: tuple[BundleRow, ...]
    renamed_bundles: tuple[BundleRow, ...]


class _Problem(NamedTuple):
    field: str
    message: str


def require_all(registered: RegistrationResult) -> None:
    """Raises InvalidInputError for a refusal, if there is one: for a row's own rather than for its bundle's."""
    for refusal in sorted(registered.refusals, key=lambda each: each.field == "bundleId"):
        raise errors.InvalidInputError(f"instances.{refusal.field}", f"{refusal.id} {refusal.message}")


def plan_registration(
    reported: Sequence[registration_report.ReportedInstance],
    bundles: Mapping[str, str],
    inventory: RegistrationContext,
) -> RegistrationResult:
    """Decides each instance alone and each bundle as a whole; `bundles` are names by id."""
    used = {each.bundle_id for each in reported}
    wrong_bundles = {
        bundle_id: problem
        for bundle_id, name in bundles.items()
        if (problem := _judge_bundle(bundle_id, name, inventory, is_used=bundle_id in used))
    }
    times = Counter(each.id for each in reported)
    judged: list[InstanceRow | _Problem] = [
        _Problem("id", "is more than once in this call")
        if times[each.id] > 1
        else _judge(each, bundles, wrong_bundles, inventory)
        for each in reported
    ]
    _keep_bundles_whole(reported, judged, inventory)
    return _collect(reported, judged, bundles, wrong_bundles, inventory)


def _judge_bundle(
    bundle_id: str, name: str, inventory: RegistrationContext, *, is_used: bool
) -> _Problem | None:
    if problem := validation.identifier(bundle_id):
        return _Problem("bundles.id", problem)
    if problem := validation.name(name):
        return _Problem("bundles.name", problem)
    known = inventory.bundles.get(bundle_id)
    if known is not None and known.account_id != inventory.account_id:
        return _Problem("bundles.id", "is the id of a bundle of another account")
    if known is None and not is_used:
        return _Problem("bundles.id", "no instance of this call belongs to it")
    return None


def _judge(
    reported: registration_report.ReportedInstance,
    bundles: Mapping[str, str],
    wrong_bundles: Mapping[str, _Problem],
    inventory: RegistrationContext,
) -> InstanceRow | _Problem:
    """The instance's row as it is to be, or what is wrong with it."""
    known = inventory.rows.get(reported.id)
    if known is not None and known.account_id != inventory.account_id:
        return _Problem("id", "is the id of an instance of another account")
    has_expiry = known is not None and known.expires_at is not None
    for name, problem in registration_report.validate_reported_instance(
        reported,
        product_codes=inventory.product_codes,
        data_center_codes=inventory.data_center_codes,
        has_expiry_already=has_expiry,
    ):
        if problem:
            return _Problem(name, problem)
    if known is not None:
        return _changed(reported, known, inventory)
    if reported.bundle_id is not None:
        bundle = inventory.bundles.get(reported.bundle_id)
        if bundle is not None and bundle.account_id != inventory.account_id:
            return _Problem("bundleId", "is the id of a bundle of another account")
        if bundle is None and (reported.bundle_id not in bundles or reported.bundle_id in wrong_bundles):
            return _Problem(
                "bundleId", "names no bundle of the account, nor one of this call that is in order"
            )
    return _new(reported, inventory)


def _new(reported: registration_report.ReportedInstance, inventory: RegistrationContext) -> InstanceRow:
    day = reported.last_day
    return InstanceRow(
        account_id=inventory.account_id,
        id=reported.id,
        name=reported.name,
        product_code=reported.product_code,
        data_center_code=reported.data_center_code,
        configuration=registration_report.configuration_of(reported),
        billing_mode=reported.billing_mode.value,
        is_trial=reported.is_trial,
        status=reported.status.value,
        renewal_mode=reported.renewal_mode.value,
        auto_renew_months=reported.auto_renew_months,
        expires_at=dates.end_of_day(day, inventory.zone) if day else None,
        anchor_day=reported.anchor,
        monthly_price_cents=reported.monthly_price_cents,
        agreed_price_cents=None,
        bundle_id=reported.bundle_id,
        created_at=reported.created_at or inventory.now,
    )


def _changed(
    reported: registration_report.ReportedInstance, known: InstanceRow, inventory: RegistrationContext
) -> InstanceRow | _Problem:
    """A known instance with what registration may change of it; its policy is the customer's."""
    if reported.product_code != known.product_code:
        return _Problem("productCode", f"is {known.product_code} for good")
    if reported.billing_mode != known.billing_mode:
        return _Problem("billingMode", f"is {known.billing_mode} for good")
    if reported.is_trial != known.is_trial:
        is_what = "a trial; makeFormal changes that" if known.is_trial else "formal for good"
        return _Problem("isTrial", f"the instance is {is_what}")
    if reported.bundle_id not in (None, known.bundle_id):
        return _Problem("bundleId", f"is {known.bundle_id or 'none'} for good")
    expires_at, anchor_day = _expiry(reported, known, inventory.zone)
    priced = with_price(known, reported.monthly_price_cents)
    changed = priced._replace(
        name=reported.name,
        data_center_code=reported.data_center_code,
        configuration=registration_report.configuration_of(reported),
        expires_at=expires_at,
        anchor_day=anchor_day,
    )
    if changed.shared != known.shared:
        if inventory.is_part and reported.bundle_id is None and known.bundle_id is not None:
            return _Problem(
                "bundleId", f"must be given, as {known.bundle_id}: a bundle's expiry changes as a whole"
            )
        if known.id in inventory.paid_ids:
            day = known.expires_at and dates.last_day(known.expires_at, inventory.zone)
            message = f"the instance is paid until {day}, on anchor day {known.anchor_day}; renewals alone change that"
            return _Problem("expiresOn", message)
        if changed.expires_at is None or changed.expires_at >= inventory.now:
            changed = changed._replace(status=model.InstanceStatus.RUNNING.value)
    if known.status == model.InstanceStatus.RELEASED and not is_unchanged(changed, known):
        return _Problem("id", "is the id of an instance that was released and cannot come back")
    return changed


def _expiry(
    reported: registration_report.ReportedInstance, known: InstanceRow, zone: ZoneInfo
) -> tuple[dt.datetime | None, int | None]:
    """The reported expiry and anchor; what is not said stays, the anchor as long as the expiry does."""
    if reported.last_day is None:
        return known.expires_at, known.anchor_day
    expires_at = dates.end_of_day(reported.last_day, zone)
    is_kept = expires_at == known.expires_at and reported.anchor_day is None
    return expires_at, known.anchor_day if is_kept else reported.anchor


def with_price(row: InstanceRow, monthly_price_cents: int) -> InstanceRow:
    """The instance at another price; what the customer last agreed to is kept for as long as it differs."""
    agreed_cents = row.monthly_price_cents if row.agreed_price_cents is None else row.agreed_price_cents
    return row._replace(
        monthly_price_cents=monthly_price_cents,
        agreed_price_cents=None if agreed_cents == monthly_price_cents else agreed_cents,
    )


def is_unchanged(one: InstanceRow, other: InstanceRow) -> bool:
    """Whether two rows say the same, however their configuration is written."""
    if one.configuration == other.configuration:
        return one == other
    is_configured_alike = json.loads(one.configuration) == json.loads(other.configuration)
    return is_configured_alike and one._replace(configuration=other.configuration) == other


def _keep_bundles_whole(
    reported: Sequence[registration_report.ReportedInstance],
    judged: list[InstanceRow | _Problem],
    inventory: RegistrationContext,
) -> None:
    """Refuses the other rows of a bundle of which one is refused, and all that would not be alike."""
    places: dict[str, list[int]] = {}
    for place, each in enumerate(reported):
        known = inventory.rows.get(each.id)
        if bundle_id := known.bundle_id if known else each.bundle_id:
            places.setdefault(bundle_id, []).append(place)
    in_call = {each.id for each in reported}
    for bundle_id, members in places.items():
        others = [row for row in inventory.members.get(bundle_id, ()) if row.id not in in_call]
        refused = [reported[place].id for place in members if isinstance(judged[place], _Problem)]
        if refused:
            problem = _Problem(
                "bundleId", f"its bundle is registered as a whole, and {refused[0]} is refused"
            )
        else:
            rows = [each for each in (judged[place] for place in members) if isinstance(each, InstanceRow)]
            of_bundle = (others or rows)[0].shared
            is_joining = any(reported[place].id not in inventory.rows for place in members)
            there = inventory.members.get(bundle_id, ())
            if is_joining and any(row.status == model.InstanceStatus.RELEASED for row in there):
                problem = _Problem("bundleId", f"its bundle {bundle_id} was released and cannot come back")
            elif all(row.shared == of_bundle for row in rows):
                continue
            else:
                problem = _Problem(
                    "bundleId", f"does not share expiry, anchor and policy with its bundle {bundle_id}"
                )
        for place in members:
            if isinstance(judged[place], InstanceRow):
                judged[place] = problem


def _collect(
    reported: Sequence[registration_report.ReportedInstance],
    judged: Sequence[InstanceRow | _Problem],
    bundles: Mapping[str, str],
    wrong_bundles: Mapping[str, _Problem],
    inventory: RegistrationContext,
) -> RegistrationResult:
    refusals = [RowError(bundle_id, *problem) for bundle_id, problem in wrong_bundles.items()]
    created: list[InstanceRow] = []
    changed: list[tuple[InstanceRow, InstanceRow]] = []
    unchanged_count = 0
    for each, outcome in zip(reported, judged, strict=True):
        known = inventory.rows.get(each.id)
        if isinstance(outcome, _Problem):
            refusals.append(RowError(each.id, *outcome))
        elif known is None:
            created.append(outcome)
        elif is_unchanged(outcome, known):
            unchanged_count += 1
        else:
            changed.append((known, outcome))
    used = {row.bundle_id for row in created}
    sound = [
        BundleRow(bundle_id, inventory.account_id, name)
        for bundle_id, name in bundles.items()
        if bundle_id not in wrong_bundles
    ]
    return RegistrationResult(
        created=tuple(created),
        changed=tuple(changed),
        unchanged_count=unchanged_count,
        refusals=tuple(refusals),
        new_bundles=tuple(each for each in sound if each.id not in inventory.bundles and each.id in used),
        renamed_bundles=tuple(
            each for each in sound if each.id in inventory.bundles and inventory.bundles[each.id] != each
        ),
    )
