"""The planner of quotes, manual renewals, unified expiries, automatic renewals and forecasts.

All of them use this module, so a quote matches its order and a forecast matches its run. No function performs I/O.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain import dates, errors, limits, model, pricing
from renewals.domain import payment as domain_payment
from renewals.domain.errors import Refusal, RefusalCode, RefusalFacts
from renewals.domain.messages import CountedMessage, Message
from renewals.domain.money import Cents
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
    """A new period of one instance, which starts at the old expiry; prices are in cents."""

    instance: model.Instance
    starts_at: dt.datetime
    expires_at: dt.datetime
    anchor_day: int
    months: int
    days: int
    price: pricing.Price


@dataclass(frozen=True, slots=True)
class RenewFor:
    """Extension by a number of whole months, which ends on the anchor day (rule 6)."""

    months: int


@dataclass(frozen=True, slots=True)
class RenewAuto:
    """Extension of each instance by its own autoRenewMonths (rule 20)."""


@dataclass(frozen=True, slots=True)
class UnifyToDate:
    """Extension of all instances to the end of one date (rule 14)."""

    date: dt.date


@dataclass(frozen=True, slots=True)
class UnifyToDayOfMonth:
    """Extension to the first date that is on `day_of_month` and at least one month after the old last day (rule 14).

    In a shorter month, the last day of the month counts as this day.
    """

    day_of_month: int


_EXPIRED = Message("It is not renewed automatically after its expiry. Renew it manually.")

Extension = RenewFor | RenewAuto | UnifyToDate | UnifyToDayOfMonth


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines of one order, the refusals, and the payment of the total."""

    lines: tuple[RenewalLine, ...]
    refusals: tuple[Refusal, ...]
    payment: domain_payment.Payment

    @property
    def list_cents(self) -> int:
        """The sum of the lines before discounts, in cents."""
        return sum(line.price.list_cents for line in self.lines)

    @property
    def total_cents(self) -> int:
        """The sum of the lines after discounts, in cents (rule 13)."""
        return sum(line.price.price_cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class PlanContext:
    """Products by code, the account's time zone, the current instant, and the account's cap on price rises."""

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
    """Return the plan of one order for a selection; the payment of the plan can have a shortfall."""
    units, refusals = split_into_units(selection, handling, context.products)
    lines, line_refusals = plan_lines(units, extension, context)
    payment = domain_payment.Wallet(balance_cents, vouchers, context.now).pay(build_charges(lines))
    return Plan(tuple(lines), tuple(refusals + line_refusals), payment)


def plan_lines(
    units: Iterable[RenewalUnit], extension: Extension, context: PlanContext
) -> tuple[list[RenewalLine], list[Refusal]]:
    """Return the lines of the accepted units and the refusals of the other units."""
    lines: list[RenewalLine] = []
    refusals: list[Refusal] = []
    for unit in units:
        unit_lines, unit_refusals = _plan_unit(unit, extension, context)
        lines += unit_lines
        refusals += unit_refusals
    return lines, refusals


class PricedUnit(NamedTuple):
    """A unit with its lines and charges, or with a refusal for each member, before any payment."""

    unit: RenewalUnit
    lines: tuple[RenewalLine, ...]
    refusals: tuple[Refusal, ...]
    charges: tuple[domain_payment.Charge, ...]


class UnitResult(NamedTuple):
    """The result of a run for one unit: its lines with their payment, or a refusal for each member.

    `price_cents` is the price of the unit, even if the wallet could not pay it; 0 if the unit is refused for another
    reason.
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
    """Plan an account's due instances in order of expiry, and refuse units that the wallet cannot pay for (rule 21).

    The planned payments are taken from the wallet. Return the result of each unit.
    """
    units = price_units(instances, context)
    return list(map(unit_result, units, pay_units(units, wallet)))


def price_units(instances: Iterable[model.Instance], context: PlanContext) -> list[PricedUnit]:
    """Return the units of the due instances with their lines or refusals, in order of payment."""
    extension = RenewAuto()
    units = []
    for unit in group_units(instances):
        lines, refusals = _plan_unit(unit, extension, context)
        if (
            lines
            and context.price_rise_cap_bps is not None
            and (price_refusals := _price_refusals(unit, context.price_rise_cap_bps))
        ):
            lines, refusals = [], refuse_unit(unit, price_refusals)
        units.append(PricedUnit(unit, tuple(lines), tuple(refusals), tuple(build_charges(lines))))
    return units


def pay_units(
    units: Iterable[PricedUnit], wallet: domain_payment.Wallet
) -> list[domain_payment.Payment | None]:
    """Pay the units from the wallet, and return their payments in the same order.

    A unit that the wallet cannot pay for has a payment with a shortfall; a unit without lines has None.
    """
    return [wallet.pay(unit.charges) if unit.lines else None for unit in units]


def unit_result(priced: PricedUnit, payment: domain_payment.Payment | None) -> UnitResult:
    """Return the result of a unit; if its payment has a shortfall, every member is refused."""
    price_cents = sum([charge.cents for charge in priced.charges])
    if payment is not None and payment.shortfall_cents:
        refusals = tuple([_unpaid(line, priced.lines, payment) for line in priced.lines])
        return UnitResult(priced.unit, (), refusals, None, price_cents)
    return UnitResult(priced.unit, priced.lines, priced.refusals, payment, price_cents)


def is_held(instance: model.Instance, price_rise_cap_bps: int | None) -> bool:
    """Return whether an instance is AUTO and its price exceeds the agreed price by more than the cap.

    Automatic renewals refuse such an instance.
    """
    if instance.agreed_price_cents is None or instance.renewal_mode != model.RenewalMode.AUTO:
        return False
    return pricing.exceeds_cap(instance.agreed_price_cents, instance.monthly_price_cents, price_rise_cap_bps)


def build_charges(lines: Iterable[RenewalLine]) -> list[domain_payment.Charge]:
    """Return a charge for each line, in the same order."""
    return [domain_payment.Charge(line.instance.product_code, line.price.price_cents) for line in lines]


def _plan_unit(
    unit: RenewalUnit, extension: Extension, context: PlanContext
) -> tuple[list[RenewalLine], list[Refusal]]:
    """Return the lines of a unit, or a refusal for every member if any member is refused."""
    lines: list[RenewalLine] = []
    member_refusals: dict[str, Refusal] = {}
    for instance in unit:
        result = _plan_line(instance, extension, context)
        if isinstance(result, RenewalLine):
            lines.append(result)
        else:
            member_refusals[instance.id] = result
    return ([], refuse_unit(unit, member_refusals)) if member_refusals else (lines, [])


def _plan_line(instance: model.Instance, extension: Extension, context: PlanContext) -> RenewalLine | Refusal:
    if refusal := refuse_unmanageable(instance, context.products):
        return refusal
    if isinstance(extension, RenewAuto) and instance.status_at(context.now) is model.InstanceStatus.EXPIRED:
        return Refusal(instance.id, RefusalCode.EXPIRED, _EXPIRED)
    assert instance.expires_at is not None and instance.anchor_day is not None
    old = dates.last_day(instance.expires_at, context.zone)
    new, anchor_day = _new_last_day(instance, instance.anchor_day, old, extension)
    product = context.products[instance.product_code]
    if refusal := _refuse_period(instance, old, new, extension, product, context):
        return refusal
    period = dates.period_between(instance.anchor_day, old, new)
    price = pricing.price_period(instance.monthly_price_cents, *period, product.tiers)
    expires_at = dates.end_of_day(new, context.zone)
    return RenewalLine(
        instance, instance.expires_at, expires_at, anchor_day, period.months, period.days, price
    )


def _new_last_day(
    instance: model.Instance, anchor_day: int, old: dt.date, extension: Extension
) -> tuple[dt.date, int]:
    """Return the last day and the anchor day after the extension."""
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
    """Refuse a last day `new` that has passed, is not after `old`, or exceeds the longest term (rules 7 and 14)."""
    earliest = dates.current_day(context.now, context.zone)
    if isinstance(extension, UnifyToDate | UnifyToDayOfMonth):
        message: Message
        if new <= old:
            message = Message(
                "{new} is not after its expiry on {old}; choose a later date.", old=old, new=new
            )
            return Refusal(instance.id, RefusalCode.TARGET_NOT_LATER, message)
        if new < earliest:
            message = Message(
                "{new} has passed; choose {earliest} or a later date.", new=new, earliest=earliest
            )
            return Refusal(instance.id, RefusalCode.TARGET_NOT_LATER, message)
    elif new < earliest:
        return _too_short(instance, old, earliest)
    # An automatic renewal precedes the last day by the lead days. They must not shorten the longest term.
    today = dates.today(context.now, context.zone)
    measured_from = max(today, old) if isinstance(extension, RenewAuto) else today
    furthest = dates.max_expiry_date(measured_from, product.max_term_months)
    if new > furthest:
        message = CountedMessage(
            "It would expire on {new}, but its longest term of {count} month ends on {furthest}.",
            "It would expire on {new}, but its longest term of {count} months ends on {furthest}.",
            new=new,
            count=product.max_term_months,
            furthest=furthest,
        )
        facts = RefusalFacts(latest_expiry=furthest)
        return Refusal(instance.id, RefusalCode.MAX_TERM_EXCEEDED, message, facts=facts)
    return None


def _too_short(instance: model.Instance, old: dt.date, earliest: dt.date) -> Refusal:
    """Return the refusal of a renewal that ends before `earliest`; unify can always reach `earliest`."""
    assert instance.anchor_day is not None
    least = dates.min_months_to_reach(instance.anchor_day, old, earliest)
    facts = RefusalFacts(least_months=least)
    if least > limits.MONTHS_MAX:
        too_long = Message(
            "It expired on {old}; a renewal would need at least {least} months, but {most} is the maximum. "
            "Unify its expiry to {earliest} or a later date.",
            old=old,
            least=least,
            most=limits.MONTHS_MAX,
            earliest=earliest,
        )
        return Refusal(instance.id, RefusalCode.PERIOD_TOO_SHORT, too_long, facts=facts)
    message = CountedMessage(
        "It expired on {old}; renew it for at least {count} month.",
        "It expired on {old}; renew it for at least {count} months.",
        old=old,
        count=least,
    )
    return Refusal(instance.id, RefusalCode.PERIOD_TOO_SHORT, message, facts=facts)


def _price_refusals(unit: RenewalUnit, price_rise_cap_bps: int) -> dict[str, Refusal]:
    """Return the refusals, by id, of the members whose price rose by more than the cap."""
    return {instance.id: _price_held(instance) for instance in unit if is_held(instance, price_rise_cap_bps)}


def _price_held(instance: model.Instance) -> Refusal:
    assert instance.agreed_price_cents is not None
    agreed_cents, price_cents = instance.agreed_price_cents, instance.monthly_price_cents
    message = Message(
        "Its monthly price rose from {agreed} to {price}; "
        "renew it manually or set it to AUTO again to accept the price.",
        agreed=Cents(agreed_cents),
        price=Cents(price_cents),
    )
    facts = RefusalFacts(agreed_price_cents=agreed_cents, monthly_price_cents=price_cents)
    return Refusal(instance.id, RefusalCode.PRICE_HELD, message, facts=facts)


def _unpaid(line: RenewalLine, lines: Sequence[RenewalLine], payment: domain_payment.Payment) -> Refusal:
    required_cents = sum(other.price.price_cents for other in lines)
    available_cents = required_cents - payment.shortfall_cents
    funds = errors.InsufficientFundsError(required_cents, available_cents)
    members = member_ids(other.instance for other in lines) if len(lines) > 1 else ()
    facts = RefusalFacts(required_cents=required_cents, available_cents=available_cents)
    return Refusal(line.instance.id, RefusalCode.INSUFFICIENT_FUNDS, funds.message, members, facts)
