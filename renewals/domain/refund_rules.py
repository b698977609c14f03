"""The refundable lines of an order, and the split of a refund between vouchers and balance."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from renewals.domain import model
from renewals.domain import payment as domain_payment
from renewals.domain.errors import RowError
from renewals.domain.messages import Message


class RefundableLine(NamedTuple):
    """A line of an order, with the current state of its instance."""

    id: int
    starts_at: dt.datetime
    expires_at: dt.datetime
    anchor_day_before: int
    price_cents: int
    is_refunded: bool
    instance: model.Instance


class RedeemedVoucher(NamedTuple):
    """The cents that an order took from a voucher, and the current state of the voucher."""

    cents: int
    voucher: model.Voucher


@dataclass(frozen=True, slots=True)
class RefundableOrder:
    """A paid order: its lines, and its vouchers in the order of redemption."""

    id: uuid.UUID
    account_id: str
    balance_cents: int
    lines: Sequence[RefundableLine]
    redeemed: Sequence[RedeemedVoucher]
    members: Mapping[str, frozenset[str]]
    """The current members of the lines' bundles, by bundle id."""


class RefundAmounts(NamedTuple):
    """The refund to vouchers and to the balance, in cents; the share of expired vouchers goes to the balance."""

    uses: tuple[domain_payment.VoucherRedemption, ...]
    voucher_cents: int
    balance_cents: int


def select_refundable(
    order: RefundableOrder, instance_ids: Iterable[str] | None, now: dt.datetime
) -> tuple[tuple[RefundableLine, ...], tuple[RowError, ...]]:
    """Return the lines to refund and the requested instances that are refused.

    If `instance_ids` is None, all lines are requested.
    """
    lines = {line.instance.id: line for line in order.lines}
    requested = dict.fromkeys(lines if instance_ids is None else instance_ids)
    problems = {
        instance_id: problem
        for instance_id in requested
        if (problem := _line_problem(lines.get(instance_id), now))
    }
    bundles = {
        bundle_id: problem
        for bundle_id, members in order.members.items()
        if (problem := _bundle_problem(members, lines, requested, problems))
    }
    for instance_id in requested.keys() - problems.keys():
        if problem := bundles.get(lines[instance_id].instance.bundle_id or ""):
            problems[instance_id] = problem
    refusals = tuple(
        RowError(instance_id, "instanceIds", problems[instance_id])
        for instance_id in requested
        if instance_id in problems
    )
    refunded_ids = requested.keys() - problems.keys()
    return tuple(line for line in order.lines if line.instance.id in refunded_ids), refusals


def _line_problem(line: RefundableLine | None, now: dt.datetime) -> Message | None:
    if line is None:
        return Message("has no line in this order")
    if line.is_refunded:
        return Message("was already refunded")
    if line.starts_at < now:
        return Message("its period has begun")
    if line.expires_at != line.instance.expires_at:
        return Message("was renewed again; refund the later order first")
    return None


def _bundle_problem(
    members: frozenset[str],
    lines: Mapping[str, RefundableLine],
    requested: Mapping[str, None],
    problems: Mapping[str, Message],
) -> Message | None:
    """Return the reason why a bundle cannot be refunded as a whole, or None (rule 11)."""
    if outside := sorted(members - lines.keys()):
        return Message(
            "{id} joined the bundle after the order, so the expiries in the bundle would differ after "
            "the refund",
            id=outside[0],
        )
    if lacking := sorted(members - requested.keys()):
        return Message("its bundle is refunded as a whole; also send {ids}", ids=tuple(lacking))
    if refused := sorted(members & problems.keys()):
        return Message("its bundle is refunded as a whole, and {id} cannot be refunded", id=refused[0])
    return None


def compute_refund(
    order: RefundableOrder, lines: Sequence[RefundableLine], now: dt.datetime
) -> RefundAmounts:
    """Return the refund of some lines: to the unexpired vouchers that paid for them, and the rest to the balance."""
    charges = [domain_payment.Charge(line.instance.product_code, line.price_cents) for line in order.lines]
    redeemed = [voucher._replace(available_cents=cents) for cents, voucher in order.redeemed]
    payments = domain_payment.reconstruct_payments(charges, redeemed, order.balance_cents)
    refunded_line_ids = {line.id for line in lines}
    cents_by_voucher: dict[str, int] = {}
    balance_cents = 0
    for line, payment in zip(order.lines, payments, strict=True):
        if line.id in refunded_line_ids:
            balance_cents += payment.balance_cents
            for use in payment.uses:
                previous = cents_by_voucher.get(use.voucher_id, 0)
                cents_by_voucher[use.voucher_id] = previous + use.amount_cents
    uses = []
    for _, voucher in order.redeemed:
        cents = cents_by_voucher.get(voucher.id, 0)
        if voucher.expires_at < now:
            balance_cents += cents
        elif cents:
            uses.append(domain_payment.VoucherRedemption(voucher.id, cents, voucher.available_cents + cents))
    return RefundAmounts(tuple(uses), sum(use.amount_cents for use in uses), balance_cents)


def revert_instance(line: RefundableLine) -> model.Instance:
    """Return the line's instance with its earlier expiry and anchor day, and with its refund count increased by 1."""
    count = line.instance.refund_count + 1
    return line.instance._replace(
        expires_at=line.starts_at, anchor_day=line.anchor_day_before, refund_count=count
    )
