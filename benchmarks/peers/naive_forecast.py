"""A naive forecast: for each day, read the due instances with Tortoise's models, then price and pay them.

The required top-up is found by a second computation with more money than needed. It is correct for accounts
without bundles and for periods that the products allow.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from renewals import config
from renewals.auto_renewal import schedule
from renewals.db import models
from renewals.domain import dates, model, pricing
from renewals.forecasts import simulation

ENOUGH_CENTS = 10**15


async def read(account_id: str, days: int, now: dt.datetime) -> simulation.Forecast:
    """Return the same numbers as the project's forecast."""
    account = await models.Account.get(id=account_id)
    forecast_days = await _simulate(account, account.balance_cents, days, now)
    if not any(day.shortfall_cents for day in forecast_days):
        return simulation.Forecast(tuple(forecast_days), 0)
    spent = await _simulate(account, ENOUGH_CENTS, days, now)
    needed_cents = sum(day.balance_cents for day in spent)
    return simulation.Forecast(tuple(forecast_days), needed_cents - account.balance_cents)


async def _simulate(
    account: models.Account, balance_cents: int, days: int, now: dt.datetime
) -> list[simulation.Day]:
    zone = ZoneInfo(account.time_zone)
    today = now.astimezone(zone).date()
    vouchers = await models.Voucher.filter(account_id=account.id, available_cents__gt=0, expires_at__gte=now)
    renewed: dict[dt.date, list[models.Instance]] = {}
    forecast_days = []
    for date in (today + dt.timedelta(days=number) for number in range(days)):
        starts_at = dates.due_at(date, zone, time=config.get_settings().auto_renew_time, lead_days=0)
        run_at = schedule.next_scheduled_at(max(starts_at, now))
        instances = models.Instance.filter(
            account_id=account.id,
            renewal_mode=model.RenewalMode.AUTO,
            status=model.InstanceStatus.RUNNING,
            expires_at__gt=dates.end_of_day(date - dt.timedelta(days=1), zone),
            expires_at__lte=dates.end_of_day(date, zone),
        )
        due = await instances.prefetch_related("product__tiers") + renewed.pop(date, [])
        due.sort(key=lambda instance: (instance.expires_at, instance.id))
        usable = [voucher for voucher in vouchers if voucher.available_cents and voucher.expires_at >= run_at]
        usable.sort(key=lambda voucher: (voucher.expires_at, -voucher.available_cents, str(voucher.id)))
        day, paid = _plan(date, due, usable, balance_cents)
        balance_cents = day.balance_after_cents
        forecast_days.append(day)
        for instance in paid:
            new = _step(instance, zone)
            instance.expires_at = dates.end_of_day(new, zone)
            renewed.setdefault(new, []).append(instance)
    return forecast_days


def _plan(
    date: dt.date, due: Sequence[models.Instance], vouchers: Sequence[models.Voucher], balance_cents: int
) -> tuple[simulation.Day, list[models.Instance]]:
    """Plan a day's instances and return the paid ones; subtract the payments from the vouchers."""
    prices = [_price(instance) for instance in due]
    available = {voucher.id: voucher.available_cents for voucher in vouchers}
    wanted_cents = sum(
        cents - sum(_take(instance, cents, vouchers, available).values())
        for instance, cents in zip(due, prices, strict=True)
    )
    shortfall_cents = max(0, wanted_cents - balance_cents)
    available = {voucher.id: voucher.available_cents for voucher in vouchers}
    before_cents, voucher_cents = balance_cents, 0
    paid, at_risk_ids = [], []
    for instance, cents in zip(due, prices, strict=True):
        payments = _take(instance, cents, vouchers, available)
        rest_cents = cents - sum(payments.values())
        if rest_cents > balance_cents:
            for voucher_id, amount in payments.items():
                available[voucher_id] += amount
            at_risk_ids.append(instance.id)
        else:
            balance_cents -= rest_cents
            voucher_cents += cents - rest_cents
            paid.append(instance)
    for voucher in vouchers:
        voucher.available_cents = available[voucher.id]
    day = simulation.Day(
        date=date,
        due_count=len(due),
        total_cents=sum(prices),
        voucher_cents=voucher_cents,
        balance_cents=before_cents - balance_cents,
        balance_after_cents=balance_cents,
        shortfall_cents=shortfall_cents,
        at_risk_ids=tuple(at_risk_ids),
        due_ids=tuple(instance.id for instance in due),
        due_cents=tuple(prices),
    )
    return day, paid


def _take(
    instance: models.Instance,
    cents: int,
    vouchers: Sequence[models.Voucher],
    available: dict[uuid.UUID, int],
) -> Mapping[uuid.UUID, int]:
    """Subtract each voucher's payment from `available`."""
    payments: dict[uuid.UUID, int] = {}
    for voucher in vouchers:
        if not voucher.product_codes or instance.product_id in voucher.product_codes:
            amount = min(cents - sum(payments.values()), available[voucher.id])
            if amount:
                available[voucher.id] -= amount
                payments[voucher.id] = amount
    return payments


def _price(instance: models.Instance) -> int:
    tiers = [pricing.DiscountTier(tier.months, tier.discount_bps) for tier in instance.product.tiers]
    months = instance.auto_renew_months
    return pricing.price_period(instance.monthly_price_cents, months, 0, 1, tiers).price_cents


def _step(instance: models.Instance, zone: ZoneInfo) -> dt.date:
    assert instance.expires_at is not None and instance.anchor_day is not None
    day = dates.last_day(instance.expires_at, zone)
    return dates.add_months(instance.anchor_day, day, instance.auto_renew_months)
