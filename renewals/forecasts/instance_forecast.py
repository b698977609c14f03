"""Forecasts of single instances: whether the worker will renew an instance, when and at which price, or why not.

The forecast of an AUTO instance comes from the simulated run of its due day, with the money that earlier renewals
leave. If the instance is due after the last simulated day, it is planned with the money that is left on that day.
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
from renewals.forecasts import forecast, simulation
from renewals.forecasts.simulation import AccountSnapshot
from renewals.instances import repository as instances_repository


@dataclass(frozen=True, slots=True)
class InstanceForecast:
    """The forecast of an instance.

    `due_at` is None for an instance that is not AUTO or is left to its owner (rule 38). It is also None if the planner
    now refuses the renewal for a reason other than money or a price rise; only then, `price_cents` is None, too.
    """

    will_renew: bool
    due_at: dt.datetime | None
    price_cents: int | None
    refusals: tuple[errors.Refusal, ...]


async def read_instance_forecasts(
    account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> dict[str, InstanceForecast]:
    """Return the forecasts, by id, of the given instances of the account and of all members of their bundles."""
    async with pool.computing():
        result = await _read(account_id, instance_ids, now, renewals_max=forecast.in_place_max())
        if result is None:
            return await process_pool.run(account_id, read_whole, account_id, instance_ids, now)
        return result


async def read_whole(
    account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> dict[str, InstanceForecast]:
    """Compute the forecasts in this process, whatever the number of renewals, and return them by instance id."""
    result = await _read(account_id, instance_ids, now, renewals_max=None)
    assert result is not None
    return result


async def _read(
    account_id: str, instance_ids: Sequence[str], now: dt.datetime, *, renewals_max: int | None
) -> dict[str, InstanceForecast] | None:
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        rows = await database.fetch(
            connection,
            f"""SELECT {instances_repository.columns_with_status("$3")} FROM instances i
                WHERE i.account_id = $1 AND i.id IN (
                  SELECT unnest($2::text[]) UNION SELECT m.id FROM instances m WHERE m.bundle_id IN (
                    SELECT b.bundle_id FROM instances b WHERE b.account_id = $1 AND b.id = ANY($2)))""",
            account_id,
            sql.storable_texts(instance_ids),
            now,
        )
        instances = [model.Instance._make(row) for row in rows]
        days = _days_to_simulate(instances, account, now)
        first = await forecast.find_or_compute(
            connection, account, find_first, days, now, renewals_max=renewals_max
        )
    if first is None:
        return None
    return simulate_instances(
        first.value, instances, planning.PlanContext(first.products, account.zone, now), account
    )


def _days_to_simulate(instances: Sequence[model.Instance], account: model.Account, now: dt.datetime) -> int:
    """Return the number of days, today included, until all AUTO `instances` are due: 1 to FORECAST_DAYS_MAX."""
    today = now.astimezone(account.zone).date()
    days = [
        (due.due_day(instance, account) - today).days + 1
        for instance in instances
        if instance.renewal_mode == model.RenewalMode.AUTO and instance.expires_at
    ]
    return min(max([1, *days]), limits.FORECAST_DAYS_MAX)


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The refusals of each instance in its first run (empty if it is renewed), and the money left after all runs."""

    refusals: Mapping[str, tuple[errors.Refusal, ...]]
    balance_cents: int
    vouchers: Sequence[model.Voucher]


def find_first(snapshot: AccountSnapshot, days: int, now: dt.datetime) -> FirstRun:
    """Simulate the next `days` days, and return the first result of each due instance and the money that is left."""
    refusals: dict[str, tuple[errors.Refusal, ...]] = {}
    for run in simulation.simulate_days(snapshot, snapshot.account.balance_cents, days, now):
        for result in run.outcomes:
            _add_first(result, refusals)
    return FirstRun(refusals, run.wallet.balance_cents, run.wallet.remaining_vouchers())


def simulate_instances(
    first: FirstRun,
    instances: Sequence[model.Instance],
    context: planning.PlanContext,
    account: model.Account,
) -> dict[str, InstanceForecast]:
    """Return the forecasts of instances by id; `instances` must include all members of their bundles."""
    units = selection.group_units(instances)
    forecasts: dict[str, InstanceForecast] = {}
    for unit in units:
        forecasts |= _forecast_without_money(unit, account, context)
    waiting = {instance_id for instance_id, forecast in forecasts.items() if forecast.due_at is not None}
    refusals = {instance_id: first.refusals[instance_id] for instance_id in waiting & first.refusals.keys()}
    # An instance that is due after the simulated days is planned with the money left after these days.
    for unit in units:
        if any(instance.id in waiting and instance.id not in first.refusals for instance in unit):
            at = due.due_at(unit[0], account)
            wallet = payment.Wallet(first.balance_cents, first.vouchers, at)
            due_context = planning.PlanContext(context.products, account.zone, at, account.price_rise_cap_bps)
            for result in planning.plan_run(instances=unit, context=due_context, wallet=wallet):
                _add_first(result, refusals)
    for instance_id in waiting & refusals.keys():
        reasons = refusals[instance_id]
        forecasts[instance_id] = dataclasses.replace(
            forecasts[instance_id], will_renew=not reasons, refusals=reasons
        )
    return forecasts


def _forecast_without_money(
    unit: selection.RenewalUnit, account: model.Account, context: planning.PlanContext
) -> dict[str, InstanceForecast]:
    """Return the unit's forecasts without regard to money: the refusal, or the price and, for AUTO, the due time.

    An AUTO instance that is left to its owner has a refusal and a price.
    """
    lines, refusals = planning.plan_lines([unit], planning.RenewAuto(), context)
    forecasts = {refusal.instance_id: InstanceForecast(False, None, None, (refusal,)) for refusal in refusals}
    for line in lines:
        is_auto = line.instance.renewal_mode == model.RenewalMode.AUTO
        refusal = due.refuse_left(line.instance, account) if is_auto else None
        due_at = due.due_at(line.instance, account) if is_auto and refusal is None else None
        forecasts[line.instance.id] = InstanceForecast(
            False, due_at, line.price.price_cents, (refusal,) if refusal else ()
        )
    return forecasts


def _add_first(result: planning.UnitResult, refusals: dict[str, tuple[errors.Refusal, ...]]) -> None:
    """Add the refusals of each instance of the unit, unless an earlier run has added them."""
    for instance in result.unit:
        if instance.id not in refusals:
            refusals[instance.id] = tuple(
                refusal for refusal in result.refusals if refusal.instance_id == instance.id
            )
