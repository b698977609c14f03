"""Setting the renewal policy of a batch: each instance is decided alone, a bundle as a whole (rule 8)."""

from dataclasses import dataclass

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.domain import errors, limits, model, planning
from renewals.domain import selection as domain_selection
from renewals.domain.clock import Clock
from renewals.domain.errors import Refusal, RefusalCode
from renewals.events import event_log
from renewals.instances import repository
from renewals.instances import selection as instances_selection


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """The mode for a selection of instances; `auto_renew_months` applies to AUTO, and None keeps the current one."""

    selector: instances_selection.InstanceSelector
    mode: model.RenewalMode
    auto_renew_months: int | None = None
    handling: model.BundleHandling = model.BundleHandling.REFUSE
    batch_mode: model.BatchMode = model.BatchMode.BEST_EFFORT


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """The instances that changed, in their state before, the ids that had the policy already, and the refusals."""

    changed: tuple[model.Instance, ...]
    unchanged_ids: tuple[str, ...]
    refusals: tuple[Refusal, ...]

    @property
    def changed_ids(self) -> tuple[str, ...]:
        """The ids of the instances that changed."""
        return tuple(instance.id for instance in self.changed)


@database.retry_on_conflict
async def set_policy(account_id: str, request: PolicyRequest, clock: Clock) -> PolicyOutcome:
    """Set the policy of a batch, or raise DomainError and change nothing."""
    check_request(request)
    async with accounts_repository.locked_account(account_id) as (connection, account):
        now = clock()
        selection = await instances_selection.resolve_selection(
            connection, account_id, request.selector, request.handling, now
        )
        products = await catalog.read_products(connection)
        context = planning.PlanContext(products, account.zone, now)
        outcome = await instances_selection.plan_without_blocking(
            selection, plan_policy, selection, request, context
        )
        if outcome.refusals and request.batch_mode is model.BatchMode.ALL_OR_NOTHING:
            raise errors.NotRenewableError(outcome.refusals)
        months = request.auto_renew_months if request.mode is model.RenewalMode.AUTO else None
        await repository.set_policy(connection, outcome.changed_ids, request.mode, months)
        await event_log.append_events(
            connection, [_event(instance, request.mode, months) for instance in outcome.changed], now
        )
    return outcome


def check_request(request: PolicyRequest) -> None:
    """Raise InvalidInputError if an argument is malformed or out of bounds."""
    instances_selection.check_selector(request.selector)
    months_max = limits.MONTHS_MAX
    if request.auto_renew_months is not None and not 1 <= request.auto_renew_months <= months_max:
        raise errors.InvalidInputError("input.autoRenewMonths", f"must be between 1 and {months_max}")


def plan_policy(
    selection: domain_selection.Selection, request: PolicyRequest, context: planning.PlanContext
) -> PolicyOutcome:
    """Decide each instance of a selection; pure."""
    units, refusals = domain_selection.split_into_units(selection, request.handling, context.products)
    accepted, unit_refusals = domain_selection.partition_units(
        units, lambda instance: _refuse(instance, request, context)
    )
    instances = [instance for unit in accepted for instance in unit]
    return PolicyOutcome(
        tuple(instance for instance in instances if not _has_policy(instance, request)),
        tuple(instance.id for instance in instances if _has_policy(instance, request)),
        tuple(refusals + unit_refusals),
    )


def _event(before: model.Instance, mode: model.RenewalMode, months: int | None) -> event_log.NewEvent:
    payload = {
        "before": {"renewalMode": before.renewal_mode, "autoRenewMonths": before.auto_renew_months},
        "after": {"renewalMode": mode, "autoRenewMonths": months or before.auto_renew_months},
    }
    return event_log.NewEvent(before.account_id, event_log.EventType.POLICY_CHANGED, before.id, payload)


def _refuse(
    instance: model.Instance, request: PolicyRequest, context: planning.PlanContext
) -> Refusal | None:
    if refusal := domain_selection.refuse_unmanageable(instance, context.products):
        return refusal
    if request.mode is not model.RenewalMode.AUTO:
        return None
    if instance.status_at(context.now) is model.InstanceStatus.EXPIRED:
        message = "It has expired and cannot be set to AUTO; renew it manually first."
        return Refusal(instance.id, RefusalCode.EXPIRED, message)
    product = context.products[instance.product_code]
    if _months(instance, request) > product.max_term_months:
        message = f"Its product allows renewals of at most {product.max_term_months} months."
        return Refusal(instance.id, RefusalCode.MAX_TERM_EXCEEDED, message)
    return None


def _has_policy(instance: model.Instance, request: PolicyRequest) -> bool:
    if instance.renewal_mode != request.mode:
        return False
    if request.mode is not model.RenewalMode.AUTO:
        return True
    # Setting AUTO again accepts a changed price, so an instance with an agreed price has to change.
    return instance.auto_renew_months == _months(instance, request) and instance.agreed_price_cents is None


def _months(instance: model.Instance, request: PolicyRequest) -> int:
    """Return the requested autoRenewMonths, or the current ones if none are requested (rule 8)."""
    months = request.auto_renew_months
    return instance.auto_renew_months if months is None else months
