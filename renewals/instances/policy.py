"""Setting the renewal policy of a batch (rule 8)."""

import datetime as dt
from dataclasses import dataclass

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db import statements
from renewals.domain import errors, limits, model, planning, validation
from renewals.domain import policy as domain_policy
from renewals.domain.clock import Clock
from renewals.events import event_log
from renewals.instances import repository
from renewals.instances import selection as instances_selection


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """The renewal mode to set for a selection of instances, and for AUTO the new `auto_renew_months`.

    If `auto_renew_months` is None or the mode is not AUTO, the stored months remain.
    """

    selector: instances_selection.InstanceSelector
    mode: model.RenewalMode
    auto_renew_months: int | None = None
    handling: model.BundleHandling = model.BundleHandling.REFUSE
    batch_mode: model.BatchMode = model.BatchMode.BEST_EFFORT

    @property
    def policy(self) -> domain_policy.NewPolicy:
        """The policy to set."""
        return domain_policy.NewPolicy(self.mode, self.auto_renew_months)


@database.retry_on_conflict
async def set_policy(
    account_id: str,
    request: PolicyRequest,
    clock: Clock,
    actor: model.Actor = model.UNNAMED_CUSTOMER,
) -> domain_policy.PolicyPlan:
    """Set the policy of a batch and return the plan, or raise DomainError and change nothing."""
    check_request(request)
    async with accounts_repository.locked_account(account_id) as (connection, account):
        now = account.instant(clock())
        plan = await plan_request(connection, account, request, now)
        if plan.refusals and request.batch_mode is model.BatchMode.ALL_OR_NOTHING:
            raise errors.NotRenewableError(plan.refusals)
        if plan.changes:
            events = list(map(_event, plan.changes))
            await statements.execute_together(
                connection,
                repository.build_policy(plan.changed_ids, request.policy),
                event_log.build_events(events, now, actor),
            )
            event_log.notify_after_commit(connection, events)
    return plan


def check_request(request: PolicyRequest) -> None:
    """Raise InvalidInputError if an argument is malformed or out of bounds."""
    instances_selection.check_selector(request.selector)
    validation.raise_if_invalid(
        "autoRenewMonths", validation.check_range(request.auto_renew_months, 1, limits.MONTHS_MAX)
    )


async def plan_request(
    connection: database.Connection, account: model.Account, request: PolicyRequest, now: dt.datetime
) -> domain_policy.PolicyPlan:
    """Return the plan of a checked request and write nothing; `setRenewalPolicy` and its preview use this function."""
    instances, products = await statements.fetch_together(
        connection, instances_selection.select_instances(account.id, request.selector, now), catalog.PRODUCTS
    )
    selection = await instances_selection.complete_selection(
        connection, account.id, request.selector, instances, request.handling, now
    )
    return await instances_selection.plan_without_blocking(
        selection,
        domain_policy.plan_policy,
        selection,
        request.policy,
        planning.PlanContext(products, account.zone, now),
        handling=request.handling,
        batch_mode=request.batch_mode,
    )


def _event(change: domain_policy.PolicyChange) -> event_log.NewEvent:
    before, after = change
    payload = {
        "before": {"renewalMode": before.renewal_mode, "autoRenewMonths": before.auto_renew_months},
        "after": {"renewalMode": after.renewal_mode, "autoRenewMonths": after.auto_renew_months},
    }
    return event_log.NewEvent(before.account_id, event_log.EventType.POLICY_CHANGED, before.id, payload)
