"""What becomes of single instances: will the worker renew one, when, for how much, and if not, why not.

The answer comes from the run of its day in the forecast, so that all that is due before it has been paid.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import due
from renewals.compute import process_pool
from renewals.db import connection as database
from renewals.db import pool, sql
from renewals.domain import errors, limits, model, payment, planning, selection
from renewals.forecasts import forecast
from renewals.instances import repository as instances_repository


@dataclass(frozen=True, slots=True)
class InstanceForecast:
    """`due_at` is None for what the worker leaves alone, `price_cents` for what cannot be renewed at all."""

    will_renew: bool
    due_at: dt.datetime | None
    price_cents: int | None
    refusals: tuple[errors.Refusal, ...]


async def read_instance_forecasts(
    account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> dict[str, InstanceForecast]:
    """The outlook of those of the instances that the account has."""
    async with pool.computing():
        found = await _read(account_id, instance_ids, now, renewals_max=forecast.in_place_max())
        if found is None:
            return await process_pool.run(account_id, read_whole, account_id, instance_ids, now)
        return found


async def read_whole(
    account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> dict[str, InstanceForecast]:
    """Return the outlook of instances, however much there is to compute."""
    found = await _read(account_id, instance_ids, now, renewals_max=None)
    assert found is not None
    return found


async def _read(
    account_id: str, instance_ids: Sequence[str], now: dt.datetime, *, renewals_max: int | None
) -> dict[str, InstanceForecast] | None:
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        rows = await database.fetch(
            connection,
            f"""SELECT {instances_repository.columns_with_status("$3")} FROM instances i
                WHERE i.account_id = $1 AND i.id IN (
                  SELECT unnest($2::text[]) UNION SELECT m.id FROM instances b
                  JOIN instances m ON m.bundle_id = b.bundle_id WHERE b.account_id = $1 AND b.id = ANY($2))""",
            account_id,
            sql.storable_texts(instance_ids),
            now,
        )
        asked = [model.Instance._make(row) for row in rows]
        days = _days(asked, account, now)
        first = await forecast.find_or_compute(
            connection, account, find_first, days, now, renewals_max=renewals_max
        )
    if first is None:
        return None
    return simulate_instances(
        first.value, asked, planning.PlanContext(first.products, account.zone, now), account
    )


def _days(asked: Sequence[model.Instance], account: model.Account, now: dt.datetime) -> int:
    """How many days must be foreseen until the last of the instances is due, as many as a forecast may have."""
    today = now.astimezone(account.zone).date()
    is_auto = [each for each in asked if each.renewal_mode == model.RenewalMode.AUTO and each.expires_at]
    days = [(due.due_day(each, account) - today).days + 1 for each in is_auto]
    return min(max([1, *days]), limits.FORECAST_DAYS_MAX)


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the first run of each instance does with it: its refusals, none if it is renewed; and what is left then."""

    refusals: Mapping[str, tuple[errors.Refusal, ...]]
    balance_cents: int
    vouchers: Sequence[model.Voucher]


def find_first(held: forecast.AccountSnapshot, days: int, now: dt.datetime) -> FirstRun:
    """Return what becomes of each AUTO instance in so many days when it is first due; pure."""
    found: dict[str, tuple[errors.Refusal, ...]] = {}
    for run in forecast.simulate_days(held, held.account.balance_cents, days, now):
        for outcome in run.outcomes:
            _note(outcome, found)
    return FirstRun(found, run.wallet.balance_cents, run.wallet.remaining_vouchers())


def simulate_instances(
    first: FirstRun, asked: Sequence[model.Instance], context: planning.PlanContext, account: model.Account
) -> dict[str, InstanceForecast]:
    """The outlook of instances, whole bundles of them; pure."""
    units = selection.group_units(asked)
    found: dict[str, InstanceForecast] = {}
    for unit in units:
        found |= _today(unit, account, context)
    waiting = {instance_id for instance_id, each in found.items() if each.due_at is not None}
    refusals = {instance_id: first.refusals[instance_id] for instance_id in waiting & first.refusals.keys()}
    # Of what is due after the days that are foreseen, nothing more is known than what is left then.
    for unit in units:
        if any(each.id in waiting and each.id not in first.refusals for each in unit):
            at = due.due_at(unit[0], account)
            wallet = payment.Wallet(first.balance_cents, first.vouchers, at)
            late = planning.PlanContext(context.products, account.zone, at, account.price_rise_cap_bps)
            for outcome in planning.plan_run(instances=unit, context=late, wallet=wallet):
                _note(outcome, refusals)
    for instance_id in waiting & refusals.keys():
        reasons = refusals[instance_id]
        found[instance_id] = dataclasses.replace(found[instance_id], will_renew=not reasons, refusals=reasons)
    return found


def _today(
    unit: selection.RenewalUnit, account: model.Account, context: planning.PlanContext
) -> dict[str, InstanceForecast]:
    """What can be said without the money: what blocks it, or its price and, for AUTO, when it is due."""
    lines, refusals = planning.plan_lines([unit], planning.RenewAuto(), context)
    found = {each.instance_id: InstanceForecast(False, None, None, (each,)) for each in refusals}
    for line in lines:
        is_auto = line.instance.renewal_mode == model.RenewalMode.AUTO
        left = due.refuse_left(line.instance, account) if is_auto else None
        due_at = due.due_at(line.instance, account) if is_auto and left is None else None
        found[line.instance.id] = InstanceForecast(
            False, due_at, line.price.price_cents, (left,) if left else ()
        )
    return found


def _note(outcome: planning.UnitResult, found: dict[str, tuple[errors.Refusal, ...]]) -> None:
    """Keep what the first run of an instance does with it."""
    for instance in outcome.unit:
        if instance.id not in found:
            found[instance.id] = tuple(each for each in outcome.refusals if each.instance_id == instance.id)
