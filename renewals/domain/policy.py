"""The decision on a new renewal policy for a selection, for `setRenewalPolicy` and its preview (rule 8)."""

from dataclasses import dataclass
from typing import NamedTuple

from renewals.domain import model, planning
from renewals.domain import selection as domain_selection
from renewals.domain.errors import Refusal, RefusalCode
from renewals.domain.messages import CountedMessage, Message

_EXPIRED = Message("It has expired and cannot be set to AUTO; renew it manually first.")


@dataclass(frozen=True, slots=True)
class NewPolicy:
    """The mode to set, and the months for AUTO; if `auto_renew_months` is None, each instance keeps its own months."""

    mode: model.RenewalMode
    auto_renew_months: int | None = None

    @property
    def months_to_set(self) -> int | None:
        """The months to store, or None if the stored months remain, as they do with every mode except AUTO."""
        return self.auto_renew_months if self.mode is model.RenewalMode.AUTO else None

    def apply(self, instance: model.Instance) -> model.Instance:
        """Return the instance with the policy; AUTO clears the agreed price and so accepts the current price."""
        is_auto = self.mode is model.RenewalMode.AUTO
        return instance._replace(
            renewal_mode=self.mode,
            auto_renew_months=self.months_to_set or instance.auto_renew_months,
            agreed_price_cents=None if is_auto else instance.agreed_price_cents,
        )


class PolicyChange(NamedTuple):
    """An instance whose policy changes, before and after the change."""

    before: model.Instance
    after: model.Instance


@dataclass(frozen=True, slots=True)
class PolicyPlan:
    """The instances that change, those that already have the policy, and the refusals."""

    changes: tuple[PolicyChange, ...]
    unchanged: tuple[model.Instance, ...]
    refusals: tuple[Refusal, ...]

    @property
    def changed_ids(self) -> tuple[str, ...]:
        """The ids of the instances that change."""
        return tuple(change.before.id for change in self.changes)

    @property
    def unchanged_ids(self) -> tuple[str, ...]:
        """The ids of the instances that already have the policy."""
        return domain_selection.member_ids(self.unchanged)


def plan_policy(
    selection: domain_selection.Selection,
    policy: NewPolicy,
    context: planning.PlanContext,
    *,
    handling: model.BundleHandling,
    batch_mode: model.BatchMode,
) -> PolicyPlan:
    """Return the plan for a selection; with ALL_OR_NOTHING, one refusal prevents all changes.

    The members of a bundle are accepted or refused together.
    """
    units, refusals = domain_selection.split_into_units(selection, handling, context.products)
    accepted, unit_refusals = domain_selection.partition_units(
        units, lambda instance: refuse_policy(instance, policy, context)
    )
    refusals += unit_refusals
    if refusals and batch_mode is model.BatchMode.ALL_OR_NOTHING:
        return PolicyPlan((), (), tuple(refusals))
    instances = [instance for unit in accepted for instance in unit]
    return PolicyPlan(
        tuple(PolicyChange(i, policy.apply(i)) for i in instances if not _has_policy(i, policy)),
        tuple(i for i in instances if _has_policy(i, policy)),
        tuple(refusals),
    )


def refuse_policy(
    instance: model.Instance, policy: NewPolicy, context: planning.PlanContext
) -> Refusal | None:
    """Return the refusal of one instance, or None (rules 1, 2, 3, 8 and 22)."""
    if refusal := domain_selection.refuse_unmanageable(instance, context.products):
        return refusal
    if policy.mode is not model.RenewalMode.AUTO:
        return None
    if instance.status_at(context.now) is model.InstanceStatus.EXPIRED:
        return Refusal(instance.id, RefusalCode.EXPIRED, _EXPIRED)
    product = context.products[instance.product_code]
    months = policy.apply(instance).auto_renew_months
    if months > product.max_term_months:
        message = CountedMessage(
            "Its product allows renewals of at most {count} month, not {months}.",
            "Its product allows renewals of at most {count} months, not {months}.",
            count=product.max_term_months,
            months=months,
        )
        return Refusal(instance.id, RefusalCode.MAX_TERM_EXCEEDED, message)
    return None


def _has_policy(instance: model.Instance, policy: NewPolicy) -> bool:
    # Setting AUTO again accepts the current price, so an AUTO instance with an agreed price counts as changed.
    return policy.apply(instance) == instance
