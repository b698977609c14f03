"""The preview of `setRenewalPolicy`: the changes, each with its first charge, and the refusals (rule 8).

The planner of the worker's runs computes the first charges, regardless of the balance and the vouchers.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import due
from renewals.db import connection as database
from renewals.domain import dates, errors, model, planning, selection
from renewals.instances import policy
from renewals.instances import selection as instances_selection


class FirstCharge(NamedTuple):
    """The instant of the first run that will renew an instance, and the price of that renewal in cents."""

    at: dt.datetime
    price_cents: int


class PreviewedChange(NamedTuple):
    """A change of a policy; `first_charge` is None if the worker will not charge the instance."""

    before: model.Instance
    after: model.Instance
    first_charge: FirstCharge | None


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """The effects that `setRenewalPolicy` would have now."""

    changes: Sequence[PreviewedChange]
    unchanged_count: int
    refusals: Sequence[errors.Refusal]


async def preview_policy(account_id: str, request: policy.PolicyRequest, now: dt.datetime) -> PolicyPreview:
    """Return the effects that a request would have; write nothing. Raises InvalidInputError for an invalid request."""
    policy.check_request(request)
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        plan = await policy.plan_request(connection, account, request, now)
        products = await catalog.read_products(connection)
    instances = [*(change.after for change in plan.changes), *plan.unchanged]
    context = planning.PlanContext(products, account.zone, now, account.price_rise_cap_bps)
    charges = await instances_selection.plan_without_blocking(
        selection.Selection(instances, {}), find_first_charges, instances, account, context
    )
    changes = [PreviewedChange(*change, charges.get(change.after.id)) for change in plan.changes]
    return PolicyPreview(changes, len(plan.unchanged), plan.refusals)


def find_first_charges(
    instances: Iterable[model.Instance], account: model.Account, context: planning.PlanContext
) -> Mapping[str, FirstCharge]:
    """Return the first charge, by id, of each AUTO instance that the worker will renew if there is enough money.

    The instances must already have the new policy, and must include all members of their bundles.
    """
    charges: dict[str, FirstCharge] = {}
    for unit in selection.group_units(_running_autos(instances, context.now)):
        if due.refuse_left(unit[0], account):
            continue
        at = _first_run(unit[0], account, context.now)
        at_run = planning.PlanContext(context.products, account.zone, at, context.price_rise_cap_bps)
        for priced in planning.price_units(unit, at_run):
            charges |= {line.instance.id: FirstCharge(at, line.price.price_cents) for line in priced.lines}
    return charges


def _running_autos(instances: Iterable[model.Instance], now: dt.datetime) -> Iterable[model.Instance]:
    return (
        instance
        for instance in instances
        if instance.renewal_mode == model.RenewalMode.AUTO
        and instance.status_at(now) is model.InstanceStatus.RUNNING
    )


def _first_run(instance: model.Instance, account: model.Account, now: dt.datetime) -> dt.datetime:
    """Return the time of the first coming hourly run at which the instance is due."""
    due_at = due.due_at(instance, account)
    first = dates.next_scheduled_at(due_at, account.auto_renew_time.minute)
    return max(first, due.next_run_at(account, now))
