"""The division of a selection into units that are renewed together, and the refusals of the other instances."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from renewals.domain import model
from renewals.domain.errors import Refusal, RefusalCode
from renewals.domain.messages import Message, ProvidedText

_TRIAL = Message("A trial instance cannot be renewed.")
_ONE_OFF = Message("A one-off purchase cannot be renewed.")
_NO_EXPIRY = Message("It has no expiry, so there is nothing to renew.")
_RELEASED = Message("It was released and cannot be restored.")
_NOT_FOUND = Message("There is no such instance.")
_BUNDLED = Message(
    "It belongs to a bundle and cannot take part in a batch; send its bundle alone, or use bundles: WHOLE."
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected instances, all members of their bundles, the missing ids, and the ids that the caller excludes."""

    instances: Sequence[model.Instance]
    bundle_members: Mapping[str, Sequence[model.Instance]]
    missing_ids: Sequence[str] = ()
    excepted_ids: frozenset[str] = frozenset()


RenewalUnit = tuple[model.Instance, ...]
"""Instances that are renewed or refused together: one instance, or all members of a bundle (rule 10)."""


InstanceCheck = Callable[[model.Instance], Refusal | None]
"""A function that returns the refusal of an instance, or None."""


def split_into_units(
    selection: Selection, handling: model.BundleHandling, products: Mapping[str, model.Product]
) -> tuple[list[RenewalUnit], list[Refusal]]:
    """Return the units of a selection, ordered by expiry and id, and its refusals (rule 10).

    A bundle member that cannot be renewed is refused for its own reason, not with BUNDLED or BUNDLE_INCOMPLETE, because
    selecting the whole bundle would not help.
    """
    refusals = refuse_missing(selection)
    units: list[RenewalUnit] = [(instance,) for instance in selection.instances if instance.bundle_id is None]
    size = len(selection.instances) + len(selection.missing_ids)
    selected_by_bundle: dict[str, list[model.Instance]] = {}
    for instance in selection.instances:
        if instance.bundle_id is not None:
            selected_by_bundle.setdefault(instance.bundle_id, []).append(instance)
    for bundle_id, selected in selected_by_bundle.items():
        members = selection.bundle_members[bundle_id]
        is_widened = handling is model.BundleHandling.WHOLE and selection.excepted_ids.isdisjoint(
            member_ids(members)
        )
        if is_widened or len(selected) == len(members) == size:
            units.append(_unit(members))
        elif len(selected) < size and handling is model.BundleHandling.REFUSE:
            refusals += [refuse_unmanageable(i, products) or _bundled(i, members) for i in selected]
        else:
            refusals += [
                refuse_unmanageable(i, products) or _incomplete(i, selected, members) for i in selected
            ]
    return sorted(units, key=_paying_order), refusals


def refuse_missing(selection: Selection) -> list[Refusal]:
    """Return the refusals of the selected ids that the account does not have."""
    return [_not_found(instance_id) for instance_id in selection.missing_ids]


def partition_units(
    units: Iterable[RenewalUnit], refuse: InstanceCheck
) -> tuple[list[RenewalUnit], list[Refusal]]:
    """Return the units without a refused member, and the refusals of all members of the other units."""
    accepted: list[RenewalUnit] = []
    refusals: list[Refusal] = []
    for unit in units:
        member_refusals = {instance.id: refusal for instance in unit if (refusal := refuse(instance))}
        if member_refusals:
            refusals += refuse_unit(unit, member_refusals)
        else:
            accepted.append(unit)
    return accepted, refusals


def group_units(instances: Iterable[model.Instance]) -> list[RenewalUnit]:
    """Return single instances and whole bundles as units, ordered by expiry and id."""
    units: list[RenewalUnit] = []
    bundles: dict[str, list[model.Instance]] = {}
    for instance in instances:
        if instance.bundle_id is None:
            units.append((instance,))
        else:
            bundles.setdefault(instance.bundle_id, []).append(instance)
    units += map(_unit, bundles.values())
    return sorted(units, key=_paying_order)


def refuse_unmanageable(instance: model.Instance, products: Mapping[str, model.Product]) -> Refusal | None:
    """Return the refusal of an instance that renewal management does not accept, or None (rules 1, 2, 3 and 22)."""
    product = products[instance.product_code]
    if not product.renewable:
        return Refusal(instance.id, RefusalCode.UNSUPPORTED_PRODUCT, unsupported_reason(product))
    if instance.is_trial:
        return Refusal(instance.id, RefusalCode.TRIAL, _TRIAL)
    if instance.billing_mode == model.BillingMode.ONE_OFF:
        return Refusal(instance.id, RefusalCode.ONE_OFF, _ONE_OFF)
    if instance.expires_at is None:
        return Refusal(instance.id, RefusalCode.NO_EXPIRY, _NO_EXPIRY)
    return refuse_released(instance)


def refuse_released(instance: model.Instance) -> Refusal | None:
    """Return the refusal of a released instance, or None for any other instance (rule 22)."""
    if instance.status == model.InstanceStatus.RELEASED:
        return Refusal(instance.id, RefusalCode.RELEASED, _RELEASED)
    return None


def unsupported_reason(product: model.Product) -> Message:
    """Return the provider's reason why instances of a product cannot be renewed."""
    return ProvidedText(product.unsupported_reason, product.unsupported_reason_zh)


def refuse_unit(unit: RenewalUnit, member_refusals: Mapping[str, Refusal]) -> list[Refusal]:
    """Return a refusal for every member: its own, or BUNDLED because other members are refused."""
    return [
        member_refusals.get(instance.id) or _bundle_refused(instance, unit, member_refusals)
        for instance in unit
    ]


def _unit(members: Iterable[model.Instance]) -> RenewalUnit:
    """Return the members of a bundle sorted by id. Their order determines which lines the vouchers pay for."""
    return tuple(sorted(members, key=lambda instance: instance.id))


def _paying_order(unit: RenewalUnit) -> tuple[dt.datetime, str]:
    return min([(instance.expires_at or _NEVER, instance.id) for instance in unit])


_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def _not_found(instance_id: str) -> Refusal:
    return Refusal(instance_id, RefusalCode.NOT_FOUND, _NOT_FOUND)


def _bundled(instance: model.Instance, members: Sequence[model.Instance]) -> Refusal:
    return Refusal(instance.id, RefusalCode.BUNDLED, _BUNDLED, member_ids(members))


def _incomplete(
    instance: model.Instance, selected: Sequence[model.Instance], members: Sequence[model.Instance]
) -> Refusal:
    lacking = tuple(sorted(set(member_ids(members)) - set(member_ids(selected))))
    message = Message("Its bundle must be selected as a whole; also select {ids}.", ids=lacking)
    return Refusal(instance.id, RefusalCode.BUNDLE_INCOMPLETE, message, member_ids(members))


def _bundle_refused(
    instance: model.Instance, unit: RenewalUnit, member_refusals: Mapping[str, Refusal]
) -> Refusal:
    message = Message("Its bundle is refused as a whole because of {ids}.", ids=tuple(member_refusals))
    return Refusal(instance.id, RefusalCode.BUNDLED, message, member_ids(unit))


def member_ids(instances: Iterable[model.Instance]) -> tuple[str, ...]:
    """Return the ids of instances in the same order."""
    return tuple(instance.id for instance in instances)
