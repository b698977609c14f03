"""What becomes of single instances: will the worker renew one, when, for how much, and if not, why not.

The answer comes from the run of its day in the forecast, so that all that is due before it has been paid.
"""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renewals import (
    allocation,
    database,
    due,
    errors,
    filters,
    forecast,
    inventory,
    ledger,
    limits,
    planning,
    terms,
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """`due_at` is None for what the worker leaves alone, `price_cents` for what cannot be renewed at all."""

    will_renew: bool
    due_at: dt.datetime | None
    price_cents: int | None
    refusals: tuple[errors.Refusal, ...]


async def read(account_id: str, instance_ids: Sequence[str], now: dt.datetime) -> dict[str, Outlook]:
    """The outlook of those of the instances that the account has."""
    async with database.snapshot() as connection:
        account = await ledger.read(connection, account_id)
        rows = await database.fetch(
            connection,
            f"""SELECT {inventory.columns_at("$3")} FROM instances i WHERE i.account_id = $1 AND i.id IN (
                  SELECT unnest($2::text[]) UNION SELECT m.id FROM instances b
                  JOIN instances m ON m.bundle_id = b.bundle_id WHERE b.account_id = $1 AND b.id = ANY($2))""",
            account_id,
            filters.storable(instance_ids),
            now,
        )
        asked = [terms.Instance._make(row) for row in rows]
        days = _days(asked, account, now)
        held = await forecast.read_holdings(connection, account, days, now)
    return await asyncio.to_thread(look, held, asked, days, now)


def _days(asked: Sequence[terms.Instance], account: terms.Account, now: dt.datetime) -> int:
    """How many days must be foreseen until the last of the instances is due, as many as a forecast may have."""
    today = now.astimezone(account.zone).date()
    is_auto = [each for each in asked if each.renewal_mode == terms.RenewalMode.AUTO and each.expires_at]
    days = [(due.due_day(each, account) - today).days + 1 for each in is_auto]
    return min(max([1, *days]), limits.FORECAST_DAYS_MAX)


def look(
    held: forecast.Holdings, asked: Sequence[terms.Instance], days: int, now: dt.datetime
) -> dict[str, Outlook]:
    """The outlook of instances, whole bundles of them; pure."""
    basis = planning.Basis(held.products, held.account.zone, now)
    units = planning.group_units(asked)
    found: dict[str, Outlook] = {}
    for unit in units:
        found |= _today(unit, held.account, basis)
    waiting = {instance_id for instance_id, each in found.items() if each.due_at is not None}
    for run in forecast.run_days(held, held.account.balance_cents, days, now):
        for outcome in run.outcomes:
            _note(outcome, found, waiting)
    # Of what is due after the days that are foreseen, nothing more is known than what is left then.
    for unit in units:
        if not waiting.isdisjoint(each.id for each in unit):
            at = due.due_at(unit[0], held.account)
            purse = allocation.Purse(run.purse.balance_cents, run.purse.left(), at)
            late = planning.Basis(held.products, held.account.zone, at, held.account.price_rise_cap_bps)
            for outcome in planning.plan_run(instances=unit, basis=late, purse=purse):
                _note(outcome, found, waiting)
    return found


def _today(unit: planning.Unit, account: terms.Account, basis: planning.Basis) -> dict[str, Outlook]:
    """What can be said without the money: what blocks it, or its price and, for AUTO, when it is due."""
    lines, refusals = planning.extend([unit], planning.RenewAuto(), basis)
    found = {each.instance_id: Outlook(False, None, None, (each,)) for each in refusals}
    for line in lines:
        is_auto = line.instance.renewal_mode == terms.RenewalMode.AUTO
        left = due.refuse_left(line.instance, account) if is_auto else None
        due_at = due.due_at(line.instance, account) if is_auto and left is None else None
        found[line.instance.id] = Outlook(False, due_at, line.price.price_cents, (left,) if left else ())
    return found


def _note(outcome: planning.Outcome, found: dict[str, Outlook], waiting: set[str]) -> None:
    """Keeps what the first run of an instance does with it."""
    for instance in outcome.unit:
        if instance.id in waiting:
            waiting.discard(instance.id)
            found[instance.id] = dataclasses.replace(
                found[instance.id],
                will_renew=outcome.payment is not None,
                refusals=tuple(each for each in outcome.refusals if each.instance_id == instance.id),
            )
