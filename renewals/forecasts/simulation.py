"""Simulation of an account's coming runs with the planner of the worker. No function performs I/O.

An instance that is not renewed by the run of its due day counts as lost. A simulation has no top-ups, so no later run
can pay for the instance.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from renewals.auto_renewal import due
from renewals.domain import dates, model, payment, planning, selection

_ENOUGH_CENTS = 10**18
"""A balance in cents that exceeds every possible amount due."""


class Day(NamedTuple):
    """The renewals of one day in the account's zone; amounts in cents.

    `shortfall_cents` is the amount that the account lacks, before the run of the day, to pay all renewals of the day.
    """

    date: dt.date
    due_count: int
    total_cents: int
    voucher_cents: int
    balance_cents: int
    balance_after_cents: int
    shortfall_cents: int
    at_risk_ids: tuple[str, ...]
    due_ids: tuple[str, ...]
    due_cents: tuple[int, ...]
    """The price of each instance of `due_ids`; 0 for an instance that cannot be renewed."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The coming days, today first; `required_top_up_cents` is the least top-up today that pays for all renewals."""

    days: tuple[Day, ...]
    required_top_up_cents: int

    @property
    def total_cents(self) -> int:
        """The price of all renewals in cents, paid or not, without the later renewals of lost instances."""
        return sum(day.total_cents for day in self.days)

    def due_by_instance(self) -> dict[str, tuple[int, int]]:
        """Return the number of renewals and their total price in cents, by the id of the due instance."""
        due: dict[str, tuple[int, int]] = {}
        for day in self.days:
            for instance_id, cents in zip(day.due_ids, day.due_cents, strict=True):
                count, total_cents = due.get(instance_id, (0, 0))
                due[instance_id] = count + 1, total_cents + cents
        return due

    @property
    def first_shortfall_on(self) -> dt.date | None:
        """The first day with a shortfall, or None if no day has one."""
        return next((day.date for day in self.days if day.shortfall_cents), None)


class DaysAhead(NamedTuple):
    """The coming days, today first; a forecast of fewer days consists of the first of these days.

    `needed_cents` has an entry for each day: the balance needed today to pay for everything until the end of that day.
    """

    days: tuple[Day, ...]
    needed_cents: tuple[int, ...]
    balance_cents: int

    def until(self, days: int) -> Forecast:
        """Return the forecast of the first `days` days."""
        return Forecast(self.days[:days], max(0, self.needed_cents[days - 1] - self.balance_cents))


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """The state of an account at one moment, as far as the planner needs it."""

    account: model.Account
    products: Mapping[str, model.Product]
    instances: Sequence[model.Instance]
    vouchers: Sequence[model.Voucher]

    @property
    def instances_left_to_owner(self) -> list[model.Instance]:
        """The instances that were due before the cut-over, which the worker does not renew (rule 38)."""
        until = due.left_until(self.account)
        return [
            instance for instance in self.instances if instance.expires_at and instance.expires_at <= until
        ]


class SimulatedRun(NamedTuple):
    """The run of one day: the balance and vouchers before the run, the priced units, and the wallet after the run.

    `all_due` contains all due units, as if none had been lost; `priced` omits the units that were lost on earlier days.
    """

    date: dt.date
    context: planning.PlanContext
    balance_cents: int
    vouchers: Sequence[model.Voucher]
    all_due: Sequence[planning.PricedUnit]
    priced: Sequence[planning.PricedUnit]
    payments: Sequence[payment.Payment | None]
    wallet: payment.Wallet

    @property
    def due(self) -> list[model.Instance]:
        """The instances that are due, without those lost on earlier days."""
        return [instance for priced_unit in self.priced for instance in priced_unit.unit]

    @property
    def outcomes(self) -> list[planning.UnitResult]:
        """The result of each unit; each access builds the refusal messages again."""
        return list(map(planning.unit_result, self.priced, self.payments))

    @property
    def unpaid_units(self) -> list[selection.RenewalUnit]:
        """The units that are not renewed, because they are refused or because the money is insufficient."""
        return [
            priced_unit.unit
            for priced_unit, payment in zip(self.priced, self.payments, strict=True)
            if payment is None or payment.shortfall_cents
        ]


def simulate(snapshot: AccountSnapshot, days: int, now: dt.datetime) -> Forecast:
    """Return the forecast of the next `days` days."""
    return look_ahead(snapshot, days, now).until(days)


def look_ahead(snapshot: AccountSnapshot, days: int, now: dt.datetime) -> DaysAhead:
    """Simulate the next `days` days and return them."""
    simulated: list[Day] = []
    # Payments by vouchers do not depend on the balance. The needed balance is the part that the vouchers do not pay.
    needed: list[int] = []
    needed_cents, vouchers = 0, snapshot.vouchers
    for run in simulate_days(snapshot, snapshot.account.balance_cents, days, now):
        simulated.append(_build_day(run))
        wallet = payment.Wallet(_ENOUGH_CENTS, vouchers, run.context.now)
        needed_cents += wallet.pay(_charges(run.all_due)).balance_cents
        needed.append(needed_cents)
        vouchers = wallet.remaining_vouchers()
    return DaysAhead(tuple(simulated), tuple(needed), snapshot.account.balance_cents)


def simulate_days(
    snapshot: AccountSnapshot, balance_cents: int, days: int, now: dt.datetime
) -> Iterator[SimulatedRun]:
    """Yield the worker's simulated run of each of the next `days` days, today first."""
    vouchers: Sequence[model.Voucher] = snapshot.vouchers
    lost_ids: set[str] = set()
    for date, context, all_due in _price_days(snapshot, days, now):
        priced = [unit for unit in all_due if unit.unit[0].id not in lost_ids] if lost_ids else all_due
        wallet = payment.Wallet(balance_cents, vouchers, context.now)
        payments = planning.pay_units(priced, wallet)
        run = SimulatedRun(date, context, balance_cents, vouchers, all_due, priced, payments, wallet)
        yield run
        balance_cents, vouchers = wallet.balance_cents, wallet.remaining_vouchers()
        lost_ids.update([unit[0].id for unit in run.unpaid_units])


def _price_days(
    snapshot: AccountSnapshot, days: int, now: dt.datetime
) -> Iterator[tuple[dt.date, planning.PlanContext, list[planning.PricedUnit]]]:
    """Yield each day with its context and due units, as if all earlier units were paid, whatever the balance."""
    account, zone, time = snapshot.account, snapshot.account.zone, snapshot.account.auto_renew_time
    today, end = now.astimezone(zone).date(), last_expiry(account, days, now)
    due_by_day: dict[dt.date, list[model.Instance]] = {}
    left_until, first_run = due.left_until(account), due.next_run_at(account, now)
    for instance in snapshot.instances:
        if instance.expires_at and instance.expires_at <= left_until:
            continue
        due_by_day.setdefault(max(today, due.due_day(instance, account)), []).append(instance)
    for date in (today + dt.timedelta(days=number) for number in range(days)):
        starts_at = dates.due_at(date, zone, time=time, lead_days=0)
        tick = max(dates.next_scheduled_at(starts_at, time.minute), first_run)
        context = planning.PlanContext(snapshot.products, zone, tick, account.price_rise_cap_bps)
        priced = planning.price_units(due_by_day.pop(date, ()), context)
        yield date, context, priced
        for line in [line for unit in priced for line in unit.lines if line.expires_at <= end]:
            renewed = line.instance._replace(expires_at=line.expires_at, anchor_day=line.anchor_day)
            due_by_day.setdefault(due.due_day(renewed, account), []).append(renewed)


def last_expiry(account: model.Account, days: int, now: dt.datetime) -> dt.datetime:
    """Return the latest expiry with which an instance is due within `days` days, today included."""
    last = now.astimezone(account.zone).date() + dt.timedelta(days=days - 1 + due.lead_days(account))
    return dates.end_of_day(last, account.zone)


def _build_day(run: SimulatedRun) -> Day:
    charges = _charges(run.priced)
    paid = [payment for payment in run.payments if payment is not None and not payment.shortfall_cents]
    # The shortfall of the day is that of one payment for all its renewals, from the money before the run.
    total = payment.Wallet(run.balance_cents, run.vouchers, run.context.now).pay(charges)
    prices = {line.instance.id: line.price.price_cents for unit in run.priced for line in unit.lines}
    due_ids = tuple([instance.id for unit in run.priced for instance in unit.unit])
    return Day(
        date=run.date,
        due_count=len(due_ids),
        total_cents=sum([charge.cents for charge in charges]),
        voucher_cents=sum([payment.voucher_cents for payment in paid]),
        balance_cents=run.balance_cents - run.wallet.balance_cents,
        balance_after_cents=run.wallet.balance_cents,
        shortfall_cents=total.shortfall_cents,
        at_risk_ids=tuple([instance.id for unit in run.unpaid_units for instance in unit]),
        due_ids=due_ids,
        due_cents=tuple([prices.get(instance_id, 0) for instance_id in due_ids]),
    )


def _charges(priced: Iterable[planning.PricedUnit]) -> list[payment.Charge]:
    return [charge for unit in priced for charge in unit.charges]
