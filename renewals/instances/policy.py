"""Setting the renewal policy of a batch; each instance is decided alone (rule 8), a bundle as a whole."""

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
    """Give these instances this mode; `auto_renew_months` matters to AUTO alone, and None keeps each one's own."""

    pick: instances_selection.InstanceSelector
    mode: model.RenewalMode
    auto_renew_months: int | None = None
    handling: model.BundleHandling = model.BundleHandling.REFUSE
    batch_mode: model.BatchMode = model.BatchMode.BEST_EFFORT


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """Which instances, as they were, have a new policy, which had it already, which are refused."""

    changed: tuple[model.Instance, ...]
    unchanged_ids: tuple[str, ...]
    refusals: tuple[Refusal, ...]

    @property
    def changed_ids(self) -> tuple[str, ...]:
        return tuple(instance.id for instance in self.changed)


@database.retry_on_conflict
async def set_policy(account_id: str, request: PolicyRequest, clock: Clock) -> PolicyOutcome:
    """Sets the policy of a batch, or raises DomainError and changes nothing."""
    check(request)
    async with accounts_repository.locked_account(account_id) as (connection, account):
        now = clock()
        selection = await instances_selection.resolve_selection(
            connection, account_id, request.pick, request.handling, now
        )
        products = await catalog.read_products(connection)
        context = planning.PlanContext(products, account.zone, now)
        outcome = await instances_selection.plan_aside(selection, plan_policy, selection, request, context)
        if outcome.refusals and request.batch_mode is model.BatchMode.ALL_OR_NOTHING:
            raise errors.NotRenewableError(outcome.refusals)
        months = request.auto_renew_months if request.mode is model.RenewalMode.AUTO else None
        await repository.set_policy(connection, outcome.changed_ids, request.mode, months)
        await event_log.append_events(
            connection, [_event(each, request.mode, months) for each in outcome.changed], now
        )
    return outcome


def check(request: PolicyRequest) -> None:
    """Raises InvalidInputError for what is malformed or out of bounds."""
    instances_selection.check_selector(request.pick)
    months_max = limits.MONTHS_MAX
    if request.auto_renew_months is not None and not 1 <= request.auto_renew_months <= months_max:
        raise errors.InvalidInputError("input.autoRenewMonths", f"must be 1 to {months_max}")


def plan_policy(
    selection: domain_selection.Selection, request: PolicyRequest, context: planning.PlanContext
) -> PolicyOutcome:
    """Decides each instance of a selection; pure."""
    units, refusals = domain_selection.split_into_units(selection, request.handling, context.products)
    kept, more = domain_selection.partition_units(units, lambda instance: _refuse(instance, request, context))
    instances = [instance for unit in kept for instance in unit]
    return PolicyOutcome(
        tuple(instance for instance in instances if not _has_policy(instance, request)),
        tuple(instance.id for instance in instances if _has_policy(instance, request)),
        tuple(refusals + more),
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
        message = "It has expired and cannot be set to AUTO; renew it by hand first."
        return Refusal(instance.id, RefusalCode.EXPIRED, message)
    product = context.products[instance.product_code]
    if _months(instance, request) > product.max_term_months:
        message = f"Its product is renewed for {product.max_term_months} months at most."
        return Refusal(instance.id, RefusalCode.MAX_TERM_EXCEEDED, message)
    return None


def _has_policy(instance: model.Instance, request: PolicyRequest) -> bool:
    if instance.renewal_mode != request.mode:
        return False
    if request.mode is not model.RenewalMode.AUTO:
        return True
    # Whoever sets AUTO again agrees to the price, if it has become another.
    return instance.auto_renew_months == _months(instance, request) and instance.agreed_price_cents is None


def _months(instance: model.Instance, request: PolicyRequest) -> int:
    """Return the months that the instance is to have: its own, where the request names none (rule 8)."""
    asked = request.auto_renew_months
    return instance.auto_renew_months if asked is None else asked
