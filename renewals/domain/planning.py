"""The one engine: account, instances and vouchers in, a plan out. Pure; only a writer stores a plan.

Quote, manual renewal, unify and auto-renewal all come through here, so that what was quoted is what
is charged and what the worker does is what was foretold.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain import dates, errors, model, money, pricing
from renewals.domain import payment as domain_payment
from renewals.domain.errors import Refusal, RefusalCode
from renewals.domain.selection import (
    RenewalUnit,
    Selection,
    group_units,
    member_ids,
    refuse_unit,
    refuse_unmanageable,
    split_into_units,
)


class RenewalLine(NamedTuple):
    """A new period of one instance: it starts at the old expiry; prices in cents."""

    instance: model.Instance
    starts_at: dt.datetime
    expires_at: dt.datetime
    anchor_day: int
    months: int
    days: int
    price: pricing.Price


@dataclass(frozen=True, slots=True)
class RenewFor:
    """Extend by whole months on the anchor day (rule 6)."""

    months: int


@dataclass(frozen=True, slots=True)
class RenewAuto:
    """Extend each by its own autoRenewMonths (rule 20)."""


@dataclass(frozen=True, slots=True)
class UnifyToDate:
    """Extend to the end of one date, the same for all (rule 14)."""

    date: dt.date


@dataclass(frozen=True, slots=True)
class UnifyToDayOfMonth:
    """Extend to the first such day that is a month or more after the expiry (rule 14)."""

    day_of_month: int


Extension = RenewFor | RenewAuto | UnifyToDate | UnifyToDayOfMonth


@dataclass(frozen=True, slots=True)
class Plan:
    """What one order would hold: its lines, what is refused, and how the total is paid."""

    lines: tuple[RenewalLine, ...]
    refusals: tuple[Refusal, ...]
    payment: domain_payment.Payment

    @property
    def list_cents(self) -> int:
        return sum(line.price.list_cents for line in self.lines)

    @property
    def total_cents(self) -> int:
        return sum(line.price.price_cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan is judged by: the products by code, the account's time zone, the instant, its cap on price rises."""

    products: Mapping[str, model.Product]
    zone: ZoneInfo
    now: dt.datetime
    price_rise_cap_bps: int | None = None


def plan(
    *,
    selection: Selection,
    handling: model.BundleHandling,
    extension: Extension,
    context: PlanContext,
    balance_cents: int,
    vouchers: Iterable[model.Voucher],
) -> Plan:
    """Plans one order over a selection: every line, every refusal, and the payment or its shortfall."""
    units, refusals = split_into_units(selection, handling, context.products)
    lines, more = plan_lines(units, extension, context)
    payment = domain_payment.Wallet(balance_cents, vouchers, context.now).pay(charges_of(lines))
    return Plan(tuple(lines), tuple(refusals + more), payment)


def plan_lines(
    units: Iterable[RenewalUnit], extension: Extension, context: PlanContext
) -> tuple[list[RenewalLine], list[Refusal]]:
    """Gives every unit its lines, or the reasons why it has none."""
    lines: list[RenewalLine] = []
    refusals: list[Refusal] = []
    for unit in units:
        own, reasons = _plan_unit(unit, extension, context)
        lines += own
        refusals += reasons
    return lines, refusals


class PricedUnit(NamedTuple):
    """One unit with its lines and what each costs, or a refusal for each member; money plays no part in it."""

    unit: RenewalUnit
    lines: tuple[RenewalLine, ...]
    refusals: tuple[Refusal, ...]
    charges: tuple[domain_payment.Charge, ...]


class UnitResult(NamedTuple):
    """What a run does with one unit: an order with its payment, or a refusal for each member.

    `price_cents` is what it costs, or would have cost had there been the money.
    """

    unit: RenewalUnit
    lines: tuple[RenewalLine, ...]
    refusals: tuple[Refusal, ...]
    payment: domain_payment.Payment | None
    price_cents: int


def plan_run(
    *,
    instances: Iterable[model.Instance],
    context: PlanContext,
    wallet: domain_payment.Wallet,
) -> list[UnitResult]:
    """Plans one account's due instances: earliest expiry first, what cannot be paid passed over (rule 21).

    The wallet is left with what the plan does not spend.
    """
    extended = price_units(instances, context)
    return list(map(unit_result, extended, pay_units(extended, wallet)))


def price_units(instances: Iterable[model.Instance], context: PlanContext) -> list[PricedUnit]:
    """Gives each unit of what is due its lines, in paying order."""
    extension = RenewAuto()
    extended = []
    for unit in group_units(instances):
        lines, refusals = _plan_unit(unit, extension, context)
        if (
            lines
            and context.price_rise_cap_bps is not None
            and (held := {each.id: _held(each) for each in unit if is_held(each, context.price_rise_cap_bps)})
        ):
            lines, refusals = [], refuse_unit(unit, held)
        extended.append(PricedUnit(unit, tuple(lines), tuple(refusals), tuple(charges_of(lines))))
    return extended


def pay_units(
    extended: Iterable[PricedUnit], wallet: domain_payment.Wallet
) -> list[domain_payment.Payment | None]:
    """Pays unit after unit what the wallet can pay; None for a unit with nothing to pay, whose members are refused."""
    return [wallet.pay(each.charges) if each.lines else None for each in extended]


def unit_result(extended: PricedUnit, payment: domain_payment.Payment | None) -> UnitResult:
    """What becomes of a unit with its payment, which may be a picture only."""
    price_cents = sum([charge.cents for charge in extended.charges])
    if payment is not None and payment.shortfall_cents:
        refusals = tuple([_unpaid(line, extended.lines, payment) for line in extended.lines])
        return UnitResult(extended.unit, (), refusals, None, price_cents)
    return UnitResult(extended.unit, extended.lines, extended.refusals, payment, price_cents)


def is_held(instance: model.Instance, price_rise_cap_bps: int | None) -> bool:
    """Whether the worker leaves an AUTO instance because its price rose too much since the customer agreed to one."""
    if instance.agreed_price_cents is None or instance.renewal_mode != model.RenewalMode.AUTO:
        return False
    return pricing.exceeds_cap(instance.agreed_price_cents, instance.monthly_price_cents, price_rise_cap_bps)


def charges_of(lines: Iterable[RenewalLine]) -> list[domain_payment.Charge]:
    """What the lines cost, instance by instance in their order."""
    return [domain_payment.Charge(line.instance.product_code, line.price.price_cents) for line in lines]


def _plan_unit(
    unit: RenewalUnit, extension: Extension, context: PlanContext
) -> tuple[list[RenewalLine], list[Refusal]]:
    """The lines of a unit or, where one member is refused, the reasons why it has none."""
    lines: list[RenewalLine] = []
    own: dict[str, Refusal] = {}
    for instance in unit:
        outcome = _line(instance, extension, context)
        if isinstance(outcome, RenewalLine):
            lines.append(outcome)
        else:
            own[instance.id] = outcome
    return ([], refuse_unit(unit, own)) if own else (lines, [])


def _line(instance: model.Instance, extension: Extension, context: PlanContext) -> RenewalLine | Refusal:
    if refusal := refuse_unmanageable(instance, context.products):
        return refusal
    if isinstance(extension, RenewAuto) and instance.status_at(context.now) is model.InstanceStatus.EXPIRED:
        return Refusal(
            instance.id, RefusalCode.EXPIRED, "It has expired; only a renewal by hand restores it."
        )
    assert instance.expires_at is not None and instance.anchor_day is not None
    old = dates.last_day(instance.expires_at, context.zone)
    new, anchor_day = _new_last_day(instance, instance.anchor_day, old, extension)
    product = context.products[instance.product_code]
    if refusal := _refuse_period(instance, old, new, extension, product, context):
        return refusal
    span = dates.period_between(instance.anchor_day, old, new)
    price = pricing.price_period(instance.monthly_price_cents, *span, product.tiers)
    expires_at = dates.end_of_day(new, context.zone)
    return RenewalLine(instance, instance.expires_at, expires_at, anchor_day, span.months, span.days, price)


def _new_last_day(
    instance: model.Instance, anchor_day: int, old: dt.date, extension: Extension
) -> tuple[dt.date, int]:
    """The last day that the extension asks for, and the anchor day from then on."""
    match extension:
        case RenewFor(months):
            return dates.add_months(anchor_day, old, months), anchor_day
        case RenewAuto():
            return dates.add_months(anchor_day, old, instance.auto_renew_months), anchor_day
        case UnifyToDate(date):
            return date, date.day
        case UnifyToDayOfMonth(day_of_month):
            month_later = dates.add_months(anchor_day, old, 1)
            return dates.first_on_day_of_month(day_of_month, month_later), day_of_month


def _refuse_period(
    instance: model.Instance,
    old: dt.date,
    new: dt.date,
    extension: Extension,
    product: model.Product,
    context: PlanContext,
) -> Refusal | None:
    """Rules 7 and 14: the new expiry is later, in the future, and within the product's longest term."""
    today = dates.current_day(context.now, context.zone)
    if isinstance(extension, UnifyToDate | UnifyToDayOfMonth):
        if new <= old:
            message = f"It already expires on {old}, which is not before {new}."
            return Refusal(instance.id, RefusalCode.TARGET_NOT_LATER, message)
        if new < today:
            message = f"{new} has passed; choose a date in the future."
            return Refusal(instance.id, RefusalCode.TARGET_NOT_LATER, message)
    elif new < today:
        assert instance.anchor_day is not None
        least = dates.min_months_to_reach(instance.anchor_day, old, today)
        message = f"It expired on {old}; renew it for {least} months at least."
        return Refusal(instance.id, RefusalCode.PERIOD_TOO_SHORT, message)
    # The worker may come some lead days early; that must not cost an instance its longest term.
    measured_from = max(today, old) if isinstance(extension, RenewAuto) else today
    furthest = dates.max_expiry_date(measured_from, product.max_term_months)
    if new > furthest:
        message = f"It would expire on {new}; {product.max_term_months} months from now is {furthest}."
        return Refusal(instance.id, RefusalCode.MAX_TERM_EXCEEDED, message)
    return None


def _held(instance: model.Instance) -> Refusal:
    assert instance.agreed_price_cents is not None
    agreed, price = map(money.format_cents, (instance.agreed_price_cents, instance.monthly_price_cents))
    message = (
        f"Its price rose from {agreed} to {price} a month; renew it by hand or set it to AUTO again to agree."
    )
    return Refusal(instance.id, RefusalCode.PRICE_HELD, message)


def _unpaid(line: RenewalLine, lines: Sequence[RenewalLine], payment: domain_payment.Payment) -> Refusal:
    required_cents = sum(each.price.price_cents for each in lines)
    funds = errors.InsufficientFundsError(required_cents, required_cents - payment.shortfall_cents)
    members = member_ids(each.instance for each in lines) if len(lines) > 1 else ()
    return Refusal(line.instance.id, RefusalCode.INSUFFICIENT_FUNDS, str(funds), members)
