"""What the worker will do with the money on hand: the one engine on the clocks of the coming days.

Nothing is written and nothing is locked. What cannot be paid when its day comes is taken for lost: money
only gets less, so no later try of the same day would find what the first has not.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar, cast

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.auto_renewal import due
from renewals.compute import process_pool
from renewals.db import connection as database
from renewals.db import pool
from renewals.domain import dates, errors, limits, model, payment, planning, selection
from renewals.forecasts import cache
from renewals.instances import filters
from renewals.instances import repository as instances_repository

Value = TypeVar("Value")

HORIZONS = (31, 92, 183, limits.FORECAST_DAYS_MAX)
"""As many days are computed as the next of these has, so that what is kept serves for fewer days, too."""
RENEWALS_IN_PLACE_MAX = 300
"""So many renewals are foreseen in some 10 ms, in which the process that serves answers nobody else."""
_ENOUGH_CENTS = 10**18
"""More than any account will ever be asked for."""


class Day(NamedTuple):
    """What is due on one day in the account's zone, and what becomes of it; amounts in cents.

    `shortfall_cents` is what lacked that morning for all of the day's renewals.
    """

    date: dt.date
    due_count: int
    total_cents: int
    voucher_cents: int
    balance_cents: int
    balance_after_cents: int
    shortfall_cents: int
    at_risk_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Each coming day, today first; `top_up_cents` is the least that, added today, leaves nothing unpaid."""

    days: tuple[Day, ...]
    required_top_up_cents: int

    @property
    def total_cents(self) -> int:
        """What all renewals of the days cost, whether they can be paid or not."""
        return sum(day.total_cents for day in self.days)

    @property
    def first_shortfall_on(self) -> dt.date | None:
        return next((day.date for day in self.days if day.shortfall_cents), None)


class Ahead(NamedTuple):
    """Coming days, today first, what the balance needs to pay all up to each of them, and the balance there is."""

    days: tuple[Day, ...]
    needed_cents: tuple[int, ...]
    balance_cents: int

    def until(self, days: int) -> Forecast:
        """Return the forecast of so many of the days."""
        return Forecast(self.days[:days], max(0, self.needed_cents[days - 1] - self.balance_cents))


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """What an account has and what the rules judge it by, as it was at one moment."""

    account: model.Account
    products: Mapping[str, model.Product]
    instances: Sequence[model.Instance]
    vouchers: Sequence[model.Voucher]

    @property
    def remaining_vouchers(self) -> list[model.Instance]:
        """The instances that the worker leaves to the owner: they were due before the cut-over (rule 38)."""
        until = due.left_until(self.account)
        return [each for each in self.instances if each.expires_at and each.expires_at <= until]


class SimulatedRun(NamedTuple):
    """One day's run: its instant, what was there to pay with, what is due, what is done, what is left.

    `wanted` is what would be due had all before it been paid.
    """

    date: dt.date
    context: planning.PlanContext
    balance_cents: int
    vouchers: Sequence[model.Voucher]
    all_due: Sequence[planning.PricedUnit]
    extended: Sequence[planning.PricedUnit]
    payments: Sequence[payment.Payment | None]
    wallet: payment.Wallet

    @property
    def due(self) -> list[model.Instance]:
        return [instance for each in self.extended for instance in each.unit]

    @property
    def outcomes(self) -> list[planning.UnitResult]:
        """With a refusal in words for each that is not done, made anew when asked for."""
        return list(map(planning.unit_result, self.extended, self.payments))

    @property
    def unpaid_units(self) -> list[selection.RenewalUnit]:
        """What is not renewed."""
        return [
            each.unit
            for each, payment in zip(self.extended, self.payments, strict=True)
            if payment is None or payment.shortfall_cents
        ]


async def read_forecast(account_id: str, days: int, now: dt.datetime) -> Forecast:
    """The account's forecast; raises InvalidInputError for a number of days out of bounds (rule 26)."""
    if not 1 <= days <= limits.FORECAST_DAYS_MAX:
        raise errors.InvalidInputError("days", f"must be 1 to {limits.FORECAST_DAYS_MAX}")
    async with pool.computing():
        found = await _read(account_id, days, now, renewals_max=in_place_max())
        return (
            await process_pool.run(account_id, read_whole_forecast, account_id, days, now)
            if found is None
            else found
        )


async def read_whole_forecast(account_id: str, days: int, now: dt.datetime) -> Forecast:
    """Return the account's forecast, however much there is to compute."""
    found = await _read(account_id, days, now, renewals_max=None)
    assert found is not None
    return found


async def _read(account_id: str, days: int, now: dt.datetime, *, renewals_max: int | None) -> Forecast | None:
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        ahead = await find_or_compute(connection, account, look_ahead, days, now, renewals_max=renewals_max)
    return None if ahead is None else ahead.value.until(days)


def in_place_max() -> int | None:
    """Return how many renewals may be foreseen in this process; None: any number, for there is no other."""
    return RENEWALS_IN_PLACE_MAX if process_pool.is_open() else None


class SnapshotKey(NamedTuple):
    """All that the coming days of an account are computed from, its instances as their count and a hash.

    Of the instant there is the day, for which dates are asked, and the next hourly run, which is the first of the days.
    """

    account: model.Account
    today: dt.date
    first_run_at: dt.datetime
    products: Mapping[str, model.Product]
    vouchers: tuple[model.Voucher, ...]
    instance_count: int
    instances_hash: str


class Computed(NamedTuple, Generic[Value]):
    """What was computed, and the products that there were."""

    products: Mapping[str, model.Product]
    value: Value


_kept: cache.ForecastCache[SnapshotKey] = cache.ForecastCache()


async def find_or_compute(
    connection: database.Connection,
    account: model.Account,
    work: Callable[[AccountSnapshot, int, dt.datetime], Value],
    days: int,
    now: dt.datetime,
    *,
    renewals_max: int | None,
) -> Computed[Value] | None:
    """Return what a pure function computes of so many days and some more, or has computed from the same.

    None if more renewals would have to be computed than may be. The connection must have a snapshot.
    """
    horizon = next(each for each in HORIZONS if each >= days)
    instances_max = None if renewals_max is None else renewals_max // -(-horizon // HORIZONS[0])
    mark = await _read_key(connection, account, horizon, now, instances_max=instances_max)
    if mark is None:
        return None
    key = (work.__qualname__, account.id, horizon)
    found = _kept.find(key, mark)
    if found is None:
        instances = await _read_instances(connection, account, horizon, now)
        found = work(AccountSnapshot(account, mark.products, instances, mark.vouchers), horizon, now)
        _kept.keep(key, mark, mark.instance_count, found)
    return Computed(mark.products, cast(Value, found))


async def _read_key(
    connection: database.Connection,
    account: model.Account,
    days: int,
    now: dt.datetime,
    *,
    instances_max: int | None,
) -> SnapshotKey | None:
    """Return the mark, None if there are more instances than may be: no more of them are hashed to find that out."""
    [row] = await database.fetch(
        connection,
        f"""SELECT count(*), coalesce(sum(hash_record_extended(ROW({instances_repository.COLUMNS}), 0)), 0)::text
            FROM (SELECT * FROM instances i WHERE {_COMING} LIMIT $4) i""",
        account.id,
        now,
        _last_expiry(account, days, now),
        None if instances_max is None else instances_max + 1,
    )
    if instances_max is not None and row[0] > instances_max:
        return None
    usable = await vouchers.read_usable(connection, [account.id], now)
    return SnapshotKey(
        account,
        now.astimezone(account.zone).date(),
        dates.next_scheduled_at(now, account.auto_renew_time.minute),
        await catalog.read_products(connection),
        tuple(sorted(usable[account.id], key=lambda voucher: voucher.id)),
        *row,
    )


async def read_snapshot(
    connection: database.Connection, account: model.Account, days: int, now: dt.datetime
) -> AccountSnapshot:
    """What is needed to foresee so many days."""
    instances = await _read_instances(connection, account, days, now)
    products = await catalog.read_products(connection)
    usable = await vouchers.read_usable(connection, [account.id], now)
    return AccountSnapshot(account, products, instances, usable[account.id])


_COMING = f"""i.account_id = $1 AND i.renewal_mode = 'AUTO' AND i.status = 'RUNNING'
  AND {filters.EXPIRY} BETWEEN $2 AND $3"""
"""The instances of an account that are to be renewed from one instant to another."""


async def _read_instances(
    connection: database.Connection, account: model.Account, days: int, now: dt.datetime
) -> list[model.Instance]:
    rows = await database.fetch(
        connection,
        f"SELECT {instances_repository.COLUMNS} FROM instances i WHERE {_COMING}",
        account.id,
        now,
        _last_expiry(account, days, now),
    )
    return [model.Instance._make(row) for row in rows]


def _last_expiry(account: model.Account, days: int, now: dt.datetime) -> dt.datetime:
    """The latest expiry that is due within so many days."""
    last = now.astimezone(account.zone).date() + dt.timedelta(days=days - 1 + due.lead_days(account))
    return dates.end_of_day(last, account.zone)


def simulate(held: AccountSnapshot, days: int, now: dt.datetime) -> Forecast:
    """What the coming days bring; pure."""
    return look_ahead(held, days, now).until(days)


def look_ahead(held: AccountSnapshot, days: int, now: dt.datetime) -> Ahead:
    """Return so many coming days, of which each smaller number is a forecast, too; pure."""
    found: list[Day] = []
    # What vouchers pay does not hang on the balance, so all that is needed is what they leave of what is wanted.
    needed: list[int] = []
    needed_cents, left = 0, held.vouchers
    for run in simulate_days(held, held.account.balance_cents, days, now):
        found.append(_day_of(run))
        wallet = payment.Wallet(_ENOUGH_CENTS, left, run.context.now)
        needed_cents += wallet.pay(_charges(run.all_due)).balance_cents
        needed.append(needed_cents)
        left = wallet.remaining_vouchers()
    return Ahead(tuple(found), tuple(needed), held.account.balance_cents)


def simulate_days(
    held: AccountSnapshot, balance_cents: int, days: int, now: dt.datetime
) -> Iterator[SimulatedRun]:
    """The worker's run of each day, the first of them the next one from now."""
    left: Sequence[model.Voucher] = held.vouchers
    lost: set[str] = set()
    for date, context, wanted in _extend_days(held, days, now):
        extended = [each for each in wanted if each.unit[0].id not in lost] if lost else wanted
        wallet = payment.Wallet(balance_cents, left, context.now)
        payments = planning.pay_units(extended, wallet)
        run = SimulatedRun(date, context, balance_cents, left, wanted, extended, payments, wallet)
        yield run
        balance_cents, left = wallet.balance_cents, wallet.remaining_vouchers()
        lost.update([unit[0].id for unit in run.unpaid_units])


def _extend_days(
    held: AccountSnapshot, days: int, now: dt.datetime
) -> Iterator[tuple[dt.date, planning.PlanContext, list[planning.PricedUnit]]]:
    """What each day's run is asked for if all before it is paid: it does not hang on the money."""
    account, zone, time = held.account, held.account.zone, held.account.auto_renew_time
    today, last_expiry = now.astimezone(zone).date(), _last_expiry(account, days, now)
    coming: dict[dt.date, list[model.Instance]] = {}
    left_until = due.left_until(account)
    for instance in held.instances:
        if instance.expires_at and instance.expires_at <= left_until:
            continue
        coming.setdefault(max(today, due.due_day(instance, account)), []).append(instance)
    for date in (today + dt.timedelta(days=number) for number in range(days)):
        starts_at = dates.due_at(date, zone, time=time, lead_days=0)
        tick = dates.next_scheduled_at(max(starts_at, now), time.minute)
        context = planning.PlanContext(held.products, zone, tick, account.price_rise_cap_bps)
        extended = planning.price_units(coming.pop(date, ()), context)
        yield date, context, extended
        for line in [line for each in extended for line in each.lines if line.expires_at <= last_expiry]:
            later = line.instance._replace(expires_at=line.expires_at, anchor_day=line.anchor_day)
            coming.setdefault(due.due_day(later, account), []).append(later)


def _day_of(run: SimulatedRun) -> Day:
    charges = _charges(run.extended)
    paid = [payment for payment in run.payments if payment is not None and not payment.shortfall_cents]
    # What lacked before the run is what all of it at once would have lacked.
    at_once = payment.Wallet(run.balance_cents, run.vouchers, run.context.now).pay(charges)
    return Day(
        date=run.date,
        due_count=sum([len(each.unit) for each in run.extended]),
        total_cents=sum([charge.cents for charge in charges]),
        voucher_cents=sum([payment.voucher_cents for payment in paid]),
        balance_cents=run.balance_cents - run.wallet.balance_cents,
        balance_after_cents=run.wallet.balance_cents,
        shortfall_cents=at_once.shortfall_cents,
        at_risk_ids=tuple([instance.id for unit in run.unpaid_units for instance in unit]),
    )


def _charges(extended: Iterable[planning.PricedUnit]) -> list[payment.Charge]:
    return [charge for each in extended for charge in each.charges]
