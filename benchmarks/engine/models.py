"""A contender: one transaction an instance (or bundle), written with Tortoise's models as its documentation shows.

It is correct: it locks the account's row before it reads the due instances, pays with vouchers before the
balance, and writes the ledger and the attempts. Its end state is compared with the product's, row by row.
"""

import asyncio
import uuid
from collections.abc import Iterator, Sequence

from tortoise.transactions import in_transaction

from benchmarks.engine import night
from renewals.db import models
from renewals.domain import dates, model, pricing


async def renew(account_ids: Sequence[str], at_once: int) -> int:
    """Renew the due instances of some accounts, several accounts at a time; return the number of tried instances."""
    run = await models.RenewalRun.create(
        trigger="OPERATOR", scheduled_at=night.NOW, clock_at=night.NOW, started_at=night.NOW
    )
    units_by_account = await _units(account_ids)
    accounts = iter(account_ids)
    await asyncio.gather(*(_renew_accounts(run, accounts, units_by_account) for _ in range(at_once)))
    return sum(len(ids) for units in units_by_account.values() for ids in units)


async def _renew_accounts(
    run: models.RenewalRun, account_ids: Iterator[str], units_by_account: dict[str, list[list[str]]]
) -> None:
    for account_id in account_ids:
        for instance_ids in units_by_account.get(account_id, ()):
            await _renew(run, account_id, instance_ids)


async def _units(account_ids: Sequence[str]) -> dict[str, list[list[str]]]:
    """Return the due instances by account, in order of expiry and id, bundle members together."""
    instances = models.Instance.filter(
        account_id__in=account_ids,
        status=model.InstanceStatus.RUNNING,
        renewal_mode=model.RenewalMode.AUTO,
        expires_at__gte=night.NOW,
        expires_at__lte=night.EXPIRES_AT,
    )
    units_by_account: dict[str, dict[str, list[str]]] = {}
    for instance in await instances.order_by("expires_at", "id"):
        units = units_by_account.setdefault(instance.account_id, {})
        units.setdefault(instance.bundle_id or instance.id, []).append(instance.id)
    return {account_id: list(units.values()) for account_id, units in units_by_account.items()}


async def _renew(run: models.RenewalRun, account_id: str, instance_ids: Sequence[str]) -> None:
    async with in_transaction():
        account = await models.Account.select_for_update().get(id=account_id)
        instances = await (
            models.Instance.filter(id__in=instance_ids, expires_at__lte=night.EXPIRES_AT)
            .order_by("id")
            .prefetch_related("product__tiers")
        )
        if len(instances) < len(instance_ids):
            return
        vouchers = await models.Voucher.filter(
            account_id=account_id, available_cents__gt=0, expires_at__gte=night.NOW
        ).order_by("expires_at", "-available_cents", "id")
        prices = [_price(instance) for instance in instances]
        payments, rest_cents = _take(vouchers, instances, prices)
        if rest_cents > account.balance_cents:
            for instance in instances:
                await _note(run, account, instance, None)
            return
        order = await _pay(account, payments, rest_cents)
        for instance, price in zip(instances, prices, strict=True):
            await _extend(order, instance, price)
            await _note(run, account, instance, order)


def _price(instance: models.Instance) -> pricing.Price:
    tiers = [pricing.DiscountTier(tier.months, tier.discount_bps) for tier in instance.product.tiers]
    return pricing.price_period(instance.monthly_price_cents, instance.auto_renew_months, 0, 1, tiers)


def _take(
    vouchers: Sequence[models.Voucher], instances: Sequence[models.Instance], prices: Sequence[pricing.Price]
) -> tuple[list[tuple[models.Voucher, int]], int]:
    """Subtract a price from the vouchers; return each voucher's share and the rest for the balance."""
    amounts: dict[uuid.UUID, int] = {}
    rest_cents = 0
    for instance, price in zip(instances, prices, strict=True):
        need_cents = price.price_cents
        for voucher in vouchers:
            if voucher.product_codes and instance.product_id not in voucher.product_codes:
                continue
            amount = min(need_cents, voucher.available_cents)
            if amount:
                voucher.available_cents -= amount
                amounts[voucher.id] = amounts.get(voucher.id, 0) + amount
                need_cents -= amount
        rest_cents += need_cents
    return [(voucher, amounts[voucher.id]) for voucher in vouchers if voucher.id in amounts], rest_cents


async def _pay(
    account: models.Account, payments: Sequence[tuple[models.Voucher, int]], rest_cents: int
) -> models.Order:
    voucher_cents = sum(amount for _, amount in payments)
    order = await models.Order.create(
        id=uuid.uuid4(),
        account=account,
        kind=model.OrderKind.AUTO_RENEWAL,
        total_cents=voucher_cents + rest_cents,
        voucher_cents=voucher_cents,
        balance_cents=rest_cents,
        refusals=[],
        created_at=night.NOW,
    )
    for voucher, amount in payments:
        await voucher.save(update_fields=["available_cents"])
        await _enter(account, order, amount, voucher.available_cents, voucher)
    if rest_cents:
        account.balance_cents -= rest_cents
        await _enter(account, order, rest_cents, account.balance_cents, None)
    await account.save(update_fields=["balance_cents", "ledger_number"])
    return order


async def _enter(
    account: models.Account, order: models.Order, cents: int, after_cents: int, voucher: models.Voucher | None
) -> None:
    account.ledger_number += 1
    await models.LedgerEntry.create(
        account=account,
        number=account.ledger_number,
        kind=model.LedgerEntryKind.RENEWAL,
        amount_cents=-cents,
        balance_after_cents=after_cents,
        order=order,
        voucher=voucher,
        memo="Renewed automatically",
        created_at=night.NOW,
    )


async def _extend(order: models.Order, instance: models.Instance, price: pricing.Price) -> None:
    assert instance.expires_at is not None and instance.anchor_day is not None
    day = dates.last_day(instance.expires_at, night.ZONE)
    new = dates.add_months(instance.anchor_day, day, instance.auto_renew_months)
    expires_at = dates.end_of_day(new, night.ZONE)
    await models.OrderLine.create(
        order=order,
        instance=instance,
        starts_at=instance.expires_at,
        expires_at=expires_at,
        months=instance.auto_renew_months,
        days=0,
        list_cents=price.list_cents,
        price_cents=price.price_cents,
    )
    instance.expires_at = expires_at
    await instance.save(update_fields=["expires_at"])


async def _note(
    run: models.RenewalRun, account: models.Account, instance: models.Instance, order: models.Order | None
) -> None:
    await models.RenewalAttempt.create(
        run=run,
        instance=instance,
        due_at=night.DUE_AT,
        attempted_at=night.NOW,
        succeeded=order is not None,
        code=None if order else "INSUFFICIENT_FUNDS",
        message=None if order else "Vouchers and balance together do not cover the total.",
        order=order,
    )
