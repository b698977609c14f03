"""What of an order can be given back, and to whom: its lines and how they were paid in, a refund out. Pure."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals.domain import dates, model
from renewals.domain import payment as domain_payment
from renewals.domain.errors import RowError


class RefundableLine(NamedTuple):
    """A line of an order, with its instance as it is now."""

    id: int
    starts_at: dt.datetime
    expires_at: dt.datetime
    anchor_day_before: int | None
    price_cents: int
    is_refunded: bool
    instance: model.Instance


class RedeemedVoucher(NamedTuple):
    """What an order took of a voucher, and the voucher as it is now."""

    cents: int
    voucher: model.Voucher


@dataclass(frozen=True, slots=True)
class RefundableOrder:
    """An order as it was paid: its lines and its vouchers in the order in which they were."""

    id: uuid.UUID
    account_id: str
    kind: model.OrderKind
    balance_cents: int
    lines: Sequence[RefundableLine]
    taken: Sequence[RedeemedVoucher]
    members: Mapping[str, frozenset[str]]
    """The instances, by bundle, that belong to the bundles of its lines by now."""


class RefundAmounts(NamedTuple):
    """What goes back to whom, in cents: what vouchers gave that have run out goes to the balance."""

    uses: tuple[domain_payment.VoucherRedemption, ...]
    voucher_cents: int
    balance_cents: int


def select_refundable(
    order: RefundableOrder, instance_ids: Iterable[str] | None, now: dt.datetime
) -> tuple[tuple[RefundableLine, ...], tuple[RowError, ...]]:
    """Which lines are refunded, and which of those asked for are not, with the reason; pure."""
    lines = {line.instance.id: line for line in order.lines}
    chosen = dict.fromkeys(lines if instance_ids is None else instance_ids)
    problems = {each: problem for each in chosen if (problem := _judge(lines.get(each), now))}
    bundles = {
        bundle_id: problem
        for bundle_id, members in order.members.items()
        if (problem := _judge_bundle(members, lines, chosen, problems))
    }
    for each in chosen.keys() - problems.keys():
        if problem := bundles.get(lines[each].instance.bundle_id or ""):
            problems[each] = problem
    refusals = tuple(RowError(each, "instanceIds", problems[each]) for each in chosen if each in problems)
    kept = chosen.keys() - problems.keys()
    return tuple(line for line in order.lines if line.instance.id in kept), refusals


def _judge(line: RefundableLine | None, now: dt.datetime) -> str | None:
    if line is None:
        return "has no line in this order"
    if line.is_refunded:
        return "was refunded before"
    if line.starts_at < now:
        return "its period has begun"
    if line.expires_at != line.instance.expires_at:
        return "was renewed again since; the later order is refunded first"
    return None


def _judge_bundle(
    members: frozenset[str],
    lines: Mapping[str, RefundableLine],
    chosen: Mapping[str, None],
    problems: Mapping[str, str],
) -> str | None:
    """What keeps a bundle from being refunded as a whole (rule 11)."""
    if outside := sorted(members - lines.keys()):
        return f"its bundle has gained {outside[0]} since, which would be left with another expiry"
    if lacking := sorted(members - chosen.keys()):
        return f"its bundle is refunded as a whole; also send {', '.join(lacking)}"
    if refused := sorted(members & problems.keys()):
        return f"its bundle is refunded as a whole, and {refused[0]} is refused"
    return None


def compute_refund(
    order: RefundableOrder, lines: Sequence[RefundableLine], now: dt.datetime
) -> RefundAmounts:
    """Who gets back what the lines cost: who paid for them, by a replay of the order's payment; pure."""
    charges = [domain_payment.Charge(line.instance.product_code, line.price_cents) for line in order.lines]
    taken = [each.voucher._replace(available_cents=each.cents) for each in order.taken]
    payments = domain_payment.reconstruct_payments(charges, taken, order.balance_cents)
    refunded = {line.id for line in lines}
    back: dict[str, int] = {}
    balance_cents = 0
    for line, payment in zip(order.lines, payments, strict=True):
        if line.id in refunded:
            balance_cents += payment.balance_cents
            for use in payment.uses:
                back[use.voucher_id] = back.get(use.voucher_id, 0) + use.amount_cents
    uses = []
    for _, voucher in order.taken:
        cents = back.get(voucher.id, 0)
        if voucher.expires_at < now:
            balance_cents += cents
        elif cents:
            uses.append(domain_payment.VoucherRedemption(voucher.id, cents, voucher.available_cents + cents))
    return RefundAmounts(tuple(uses), sum(use.amount_cents for use in uses), balance_cents)


def revert_instance(line: RefundableLine, kind: model.OrderKind, zone: ZoneInfo) -> model.Instance:
    """The instance as it was before the line; pure.

    Where a line does not say which anchor there was, a renewal left it alone, unless a unify has set it since: the
    expiry is then not on it. So before a unify it is taken to have been the day of the expiry, as registration does.
    """
    anchor_day = line.anchor_day_before
    if anchor_day is None:
        day = dates.last_day(line.starts_at, zone)
        anchor_day = line.instance.anchor_day
        is_unified = kind is model.OrderKind.UNIFY_EXPIRY
        if is_unified or anchor_day is None or dates.anchor_date(anchor_day, day.year, day.month) != day:
            anchor_day = day.day
    count = line.instance.refund_count + 1
    return line.instance._replace(expires_at=line.starts_at, anchor_day=anchor_day, refund_count=count)
