"""Actions on an instance: whether each is allowed now, and the reason if it is not.

Each refusal comes from the planner of the operation, so actions and operations agree. Prices, the balance and vouchers
have no effect. A page can show the actions of 1,000 instances. To keep this fast, only comparisons decide whether an
action is allowed, and instances with equal facts share their actions if all actions are allowed.
"""

import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from renewals.domain import dates, limits, model, planning, policy, selection
from renewals.domain.errors import Refusal

_SET_AUTO = policy.NewPolicy(model.RenewalMode.AUTO)


class InstanceActionKind(StrEnum):
    """An operation that a console offers for an instance."""

    RENEW = "RENEW"
    SET_AUTO = "SET_AUTO"
    UNIFY = "UNIFY"


class InstanceAction(NamedTuple):
    """An action, whether it is allowed, and the refusal if it is not.

    `months_min` and `months_max` are set only for an allowed RENEW.
    """

    action: InstanceActionKind
    allowed: bool
    refusal: Refusal | None = None
    months_min: int | None = None
    months_max: int | None = None


InstanceActions = tuple[InstanceAction, ...]
"""The actions of one instance, one of each kind."""


class ActionFacts(NamedTuple):
    """The columns of an instance on which its actions depend; `status` is the status at the time of the decision."""

    id: str
    bundle_id: str | None
    auto_renew_months: int
    product_code: str
    billing_mode: str
    is_trial: bool
    status: str
    expires_at: dt.datetime | None
    anchor_day: int | None

    def to_instance(self) -> model.Instance:
        """Return an instance for the planner; its mode and price are arbitrary, because no action depends on them."""
        return model.Instance(
            self.id, "", self.product_code, self.billing_mode, self.is_trial, self.status, model.RenewalMode.MANUAL,
            self.auto_renew_months, self.expires_at, self.anchor_day, 0, self.bundle_id,
        )  # fmt: skip


def list_actions(
    rows: Iterable[ActionFacts],
    bundle_members: Mapping[str, Sequence[model.Instance]],
    context: planning.PlanContext,
) -> list[InstanceActions]:
    """Return the actions of each instance, in the order of `rows`; a bundle is decided as a whole."""
    bundles: dict[str, Mapping[str, InstanceActions]] = {}
    allowed: dict[tuple[object, ...], InstanceActions | None] = {}
    result = []
    for row in rows:
        if row.bundle_id is not None:
            if row.bundle_id not in bundles:
                bundles[row.bundle_id] = _decide_unit(tuple(bundle_members[row.bundle_id]), context)
            result.append(bundles[row.bundle_id][row.id])
            continue
        key = (row[3:], row.auto_renew_months > context.products[row.product_code].max_term_months)
        if key not in allowed:
            allowed[key] = _allow_all((row.to_instance(),), context)
        result.append(allowed[key] or _decide_unit((row.to_instance(),), context)[row.id])
    return result


def _decide_unit(unit: selection.RenewalUnit, context: planning.PlanContext) -> Mapping[str, InstanceActions]:
    """Return the actions of each member of a unit, by id."""
    if actions := _allow_all(unit, context):
        return {instance.id: actions for instance in unit}
    by_kind = (_renew(unit, context), _set_auto(unit, context), _unify(unit, context))
    return {instance.id: tuple(actions[instance.id] for actions in by_kind) for instance in unit}


def _allow_all(unit: selection.RenewalUnit, context: planning.PlanContext) -> InstanceActions | None:
    """Return the actions of a unit if all of them are allowed; otherwise None."""
    if not _is_manageable(unit, context):
        return None
    if any(policy.refuse_policy(instance, _SET_AUTO, context) for instance in unit):
        return None
    least, most = _bound_months(unit, context)
    return _all_allowed(least, most) if least <= most and _is_unifiable(unit, context) else None


@functools.cache  # at most 36 x 36 results
def _all_allowed(months_min: int, months_max: int) -> InstanceActions:
    return (
        InstanceAction(InstanceActionKind.RENEW, True, None, months_min, months_max),
        InstanceAction(InstanceActionKind.SET_AUTO, True),
        InstanceAction(InstanceActionKind.UNIFY, True),
    )


def _renew(unit: selection.RenewalUnit, context: planning.PlanContext) -> Mapping[str, InstanceAction]:
    """Return RENEW for each member, by id; it is allowed if some number of months is accepted for all members."""
    kind, least, most = InstanceActionKind.RENEW, 1, limits.MONTHS_MAX
    if _is_manageable(unit, context):
        least, most = _bound_months(unit, context)
        if least <= most:
            return _for_all(unit, InstanceAction(kind, True, None, least, most))
    return _refused(unit, kind, planning.RenewFor(min(least, limits.MONTHS_MAX)), context)


def _set_auto(unit: selection.RenewalUnit, context: planning.PlanContext) -> Mapping[str, InstanceAction]:
    """Return SET_AUTO for each member, by id. It is allowed if AUTO with their present months is accepted for all."""
    kind = InstanceActionKind.SET_AUTO
    accepted, refusals = selection.partition_units(
        [unit], lambda instance: policy.refuse_policy(instance, _SET_AUTO, context)
    )
    if accepted:
        return _for_all(unit, InstanceAction(kind, True))
    return {refusal.instance_id: InstanceAction(kind, False, refusal) for refusal in refusals}


def _unify(unit: selection.RenewalUnit, context: planning.PlanContext) -> Mapping[str, InstanceAction]:
    """Return UNIFY for each member, by id; it is allowed if the earliest target is accepted for all members."""
    kind = InstanceActionKind.UNIFY
    if _is_manageable(unit, context) and _is_unifiable(unit, context):
        return _for_all(unit, InstanceAction(kind, True))
    return _refused(unit, kind, planning.UnifyToDate(_earliest_target(unit, context)), context)


def _is_manageable(unit: selection.RenewalUnit, context: planning.PlanContext) -> bool:
    return not any(selection.refuse_unmanageable(instance, context.products) for instance in unit)


def _is_unifiable(unit: selection.RenewalUnit, context: planning.PlanContext) -> bool:
    target = _earliest_target(unit, context)
    return all(target <= _furthest(instance, context) for instance in unit)


def _earliest_target(unit: selection.RenewalUnit, context: planning.PlanContext) -> dt.date:
    """Return the first date that has not ended and is after the last day of every member (rule 14)."""
    earliest = dates.current_day(context.now, context.zone)
    last_days = [dates.last_day(i.expires_at, context.zone) for i in unit if i.expires_at is not None]
    return max([earliest, *(day + dt.timedelta(days=1) for day in last_days)])


def _bound_months(unit: selection.RenewalUnit, context: planning.PlanContext) -> tuple[int, int]:
    """Return the least and the most months for which a unit can be renewed (rule 7).

    If it cannot be renewed, the first number exceeds the second.
    """
    earliest = dates.current_day(context.now, context.zone)
    least, most = 1, limits.MONTHS_MAX
    for instance in unit:
        assert instance.expires_at is not None and instance.anchor_day is not None
        old, furthest = dates.last_day(instance.expires_at, context.zone), _furthest(instance, context)
        if old < earliest:
            least = max(least, dates.min_months_to_reach(instance.anchor_day, old, earliest))
        most = min(most, dates.months_between(instance.anchor_day, old, furthest) if furthest > old else 0)
    return least, most


def _furthest(instance: model.Instance, context: planning.PlanContext) -> dt.date:
    today = dates.today(context.now, context.zone)
    return dates.max_expiry_date(today, context.products[instance.product_code].max_term_months)


def _refused(
    unit: selection.RenewalUnit,
    kind: InstanceActionKind,
    extension: planning.Extension,
    context: planning.PlanContext,
) -> Mapping[str, InstanceAction]:
    """Return the refused action for each member, by id, with the planner's refusal."""
    _, refusals = planning.plan_lines([unit], extension, context)
    return {refusal.instance_id: InstanceAction(kind, False, refusal) for refusal in refusals}


def _for_all(unit: selection.RenewalUnit, action: InstanceAction) -> Mapping[str, InstanceAction]:
    return {instance.id: action for instance in unit}
