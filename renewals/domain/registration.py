"""Plans for the instances that the provider reports: create, change, leave unchanged, or refuse.

Each instance is first decided on its own. Each bundle is then decided as a whole, because its members share expiry,
anchor day and policy (rule 11).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from renewals.domain import errors, model, registration_report, validation
from renewals.domain.errors import RowError
from renewals.domain.messages import Message
from renewals.domain.registration_report import ReportedInstance
from renewals.domain.registration_rows import (
    BundleRow,
    InstanceRow,
    RegistrationContext,
    RowProblem,
    build_row,
    is_unchanged,
    update_row,
)

_BUNDLE_OF_ANOTHER = Message("is the id of a bundle of another account")
_BUNDLE_UNKNOWN = Message("is neither a bundle of the account nor a valid bundle of this request")


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    """The rows to write, in the order of the report, and the refusals."""

    created: tuple[InstanceRow, ...]
    changed: tuple[tuple[InstanceRow, InstanceRow], ...]
    """Pairs of the stored row and the new row."""
    unchanged_count: int
    refusals: tuple[RowError, ...]
    new_bundles: tuple[BundleRow, ...]
    renamed_bundles: tuple[tuple[BundleRow, BundleRow], ...]
    """Pairs of the stored bundle and the renamed bundle."""


def raise_if_refused(result: RegistrationResult) -> None:
    """Raise InvalidInputError for the first refusal, if there is one; refusals of the field `bundleId` come last."""
    for refusal in sorted(result.refusals, key=lambda refusal: refusal.field == "bundleId"):
        reason = Message("{id}: {problem}", id=refusal.id, problem=refusal.message)
        raise errors.InvalidInputError(f"instances.{refusal.field}", reason)


def plan_registration(
    reported: Sequence[ReportedInstance], bundles: Mapping[str, str], context: RegistrationContext
) -> RegistrationResult:
    """Return the plan for the reported instances; `bundles` maps the ids of the reported bundles to their names."""
    used_bundle_ids = {instance.bundle_id for instance in reported}
    bundle_problems = {
        bundle_id: problem
        for bundle_id, name in bundles.items()
        if (problem := _bundle_problem(bundle_id, name, context, is_used=bundle_id in used_bundle_ids))
    }
    counts = Counter(instance.id for instance in reported)
    results: list[InstanceRow | RowProblem] = [
        RowProblem("id", validation.REPEATED)
        if counts[instance.id] > 1
        else _plan_instance(instance, bundles, bundle_problems, context)
        for instance in reported
    ]
    _refuse_partial_bundles(reported, results, context)
    return _collect(reported, results, bundles, bundle_problems, context)


def _bundle_problem(
    bundle_id: str, name: str, context: RegistrationContext, *, is_used: bool
) -> RowProblem | None:
    if problem := validation.identifier(bundle_id):
        return RowProblem("bundles.id", problem)
    if problem := validation.name(name):
        return RowProblem("bundles.name", problem)
    stored = context.bundles.get(bundle_id)
    if stored is not None and stored.account_id != context.account_id:
        return RowProblem("bundles.id", _BUNDLE_OF_ANOTHER)
    if stored is None and not is_used:
        return RowProblem("bundles.id", Message("has no instance in this request"))
    return None


def _plan_instance(
    reported: ReportedInstance,
    bundles: Mapping[str, str],
    bundle_problems: Mapping[str, RowProblem],
    context: RegistrationContext,
) -> InstanceRow | RowProblem:
    """Return the new row of an instance, or its first problem."""
    stored = context.rows.get(reported.id)
    if stored is not None and stored.account_id != context.account_id:
        return RowProblem("id", Message("is the id of an instance of another account"))
    has_expiry = stored is not None and stored.expires_at is not None
    for name, problem in registration_report.validate_reported_instance(
        reported,
        product_codes=context.product_codes,
        data_center_codes=context.data_center_codes,
        has_expiry_already=has_expiry,
    ):
        if problem:
            return RowProblem(name, problem)
    if stored is not None:
        return update_row(reported, stored, context)
    if reported.bundle_id is not None:
        bundle = context.bundles.get(reported.bundle_id)
        if bundle is not None and bundle.account_id != context.account_id:
            return RowProblem("bundleId", _BUNDLE_OF_ANOTHER)
        if bundle is None and (reported.bundle_id not in bundles or reported.bundle_id in bundle_problems):
            return RowProblem("bundleId", _BUNDLE_UNKNOWN)
    return build_row(reported, context)


def _refuse_partial_bundles(
    reported: Sequence[ReportedInstance],
    results: list[InstanceRow | RowProblem],
    context: RegistrationContext,
) -> None:
    """Refuse all reported rows of each bundle in which `_members_problem` finds a problem."""
    indexes: dict[str, list[int]] = {}
    for index, instance in enumerate(reported):
        stored = context.rows.get(instance.id)
        if bundle_id := stored.bundle_id if stored else instance.bundle_id:
            indexes.setdefault(bundle_id, []).append(index)
    reported_ids = {instance.id for instance in reported}
    for bundle_id, member_indexes in indexes.items():
        members = {reported[index].id: results[index] for index in member_indexes}
        problem = _members_problem(bundle_id, members, reported_ids, context)
        if problem is None:
            continue
        for index in member_indexes:
            if isinstance(results[index], InstanceRow):
                results[index] = problem


def _members_problem(
    bundle_id: str,
    members: Mapping[str, InstanceRow | RowProblem],
    reported_ids: Collection[str],
    context: RegistrationContext,
) -> RowProblem | None:
    """Return the reason why the members of a bundle, by instance id, are refused as a whole, or None."""
    rows = [row for row in members.values() if isinstance(row, InstanceRow)]
    if len(rows) < len(members):
        refused_id = next(key for key, result in members.items() if isinstance(result, RowProblem))
        message = Message("its bundle is registered as a whole, and {id} is refused", id=refused_id)
        return RowProblem("bundleId", message)
    stored = context.members.get(bundle_id, ())
    is_joined = any(instance_id not in context.rows for instance_id in members)
    if is_joined and any(row.status == model.InstanceStatus.RELEASED for row in stored):
        message = Message("its bundle {id} was released and cannot be restored", id=bundle_id)
        return RowProblem("bundleId", message)
    others = [row for row in stored if row.id not in reported_ids]
    if any(row.shared != (others or rows)[0].shared for row in rows):
        message = Message(
            "must have the same expiry, anchor day and policy as the other members of bundle {id}",
            id=bundle_id,
        )
        return RowProblem("bundleId", message)
    return None


def _collect(
    reported: Sequence[ReportedInstance],
    results: Sequence[InstanceRow | RowProblem],
    bundles: Mapping[str, str],
    bundle_problems: Mapping[str, RowProblem],
    context: RegistrationContext,
) -> RegistrationResult:
    refusals = [RowError(bundle_id, *problem) for bundle_id, problem in bundle_problems.items()]
    created: list[InstanceRow] = []
    changed: list[tuple[InstanceRow, InstanceRow]] = []
    unchanged_count = 0
    for instance, result in zip(reported, results, strict=True):
        row = context.rows.get(instance.id)
        if isinstance(result, RowProblem):
            refusals.append(RowError(instance.id, *result))
        elif row is None:
            created.append(result)
        elif is_unchanged(result, row):
            unchanged_count += 1
        else:
            changed.append((row, result))
    valid_bundles = [
        BundleRow(bundle_id, context.account_id, name)
        for bundle_id, name in bundles.items()
        if bundle_id not in bundle_problems
    ]
    used_bundle_ids = {row.bundle_id for row in created}
    stored = context.bundles
    return RegistrationResult(
        created=tuple(created),
        changed=tuple(changed),
        unchanged_count=unchanged_count,
        refusals=tuple(refusals),
        new_bundles=tuple(b for b in valid_bundles if b.id not in stored and b.id in used_bundle_ids),
        renamed_bundles=tuple((stored[b.id], b) for b in valid_bundles if stored.get(b.id, b) != b),
    )
