"""Refunds of orders. Apart from this module, only the reset of the demo writes `refunds` and `refund_lines`.

An operator refunds some or all lines of an order; `refund_rules.select_refundable` decides which of them can be
refunded. Existing ledger entries do not change: new entries return the money to the vouchers and the balance that paid,
and the share of expired vouchers to the balance (rule 16). The instances get the expiry and the anchor day that they
had before the order.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from renewals.accounts import ledger, vouchers
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db import models, statements
from renewals.db.connection import Connection
from renewals.domain import errors, model, money, refund_rules
from renewals.domain import validation as domain_validation
from renewals.domain.messages import Message
from renewals.domain.refund_rules import RedeemedVoucher, RefundableLine, RefundableOrder, RefundAmounts
from renewals.events import event_log
from renewals.i18n import catalogs
from renewals.instances import repository as instances_repository
from renewals.operators import audit_log, validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest

_NO_ORDER = Message("there is no order {id!r}")


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """The order to refund and the reason. If `instance_ids` is None, every line that can be refunded is refunded."""

    order_id: str
    instance_ids: tuple[str, ...] | None
    reason: str


async def refund_order(call: OperatorRequest, request: RefundRequest) -> IdempotentResult:
    """Refund lines of an order; return the `account_id`, the `refund_id` and the `refusals` of instances.

    Raises InvalidInputError, NotFoundError, and NotRefundableError if none of the requested lines can be refunded.
    """
    if request.instance_ids is not None:
        validation.require_rows("instanceIds", request.instance_ids)
    domain_validation.raise_if_invalid(
        "reason", domain_validation.text(request.reason, 1, domain_validation.NAME_LENGTH_MAX)
    )
    try:
        order_id = uuid.UUID(request.order_id)
    except ValueError:
        reason = _NO_ORDER.fill(id=domain_validation.truncate(request.order_id))
        raise errors.NotFoundError("input.orderId", reason) from None
    stored_request = {
        "order_id": order_id,
        "instance_ids": request.instance_ids,
        "reason": request.reason,
    }
    return await audit_log.run_once(
        call, Action.REFUND_ORDER, stored_request, _refund_order_in, order_id, request
    )


async def _refund_order_in(
    connection: Connection, call: OperatorRequest, order_id: uuid.UUID, request: RefundRequest
) -> AuditedChange:
    account_id = (await _get_order(connection, order_id)).account_id
    account = (await accounts_repository.lock_accounts(connection, [account_id]))[account_id]
    now = account.instant(call.clock())
    order = await _read_refundable(connection, order_id)
    lines, refusals = refund_rules.select_refundable(order, request.instance_ids, now)
    if not lines:
        raise errors.NotRefundableError(refusals)
    refund_id, amounts = database.new_id(), refund_rules.compute_refund(order, lines, now)
    instances = [refund_rules.revert_instance(line) for line in lines]
    await _insert_refund(connection, order, refund_id, request.reason, lines, amounts, now)
    entries = _build_ledger_entries(order, account, lines, amounts)
    await statements.execute_together(
        connection,
        ledger.build_entries({account_id: account}, model.LedgerEntryKind.REFUND, entries, now, refund_id),
        vouchers.build_remaining(amounts.uses),
    )
    await instances_repository.revert_renewals(connection, instances)
    events = [_build_event(order, refund_id, line) for line in lines]
    await event_log.append_events(connection, events, now, call.operator.actor)
    return AuditedChange(
        {"account_id": account_id, "refund_id": refund_id, "refusals": refusals},
        [account_id],
        before=_build_state(account.balance_cents, [line.instance for line in lines]),
        after=_build_state(account.balance_cents + amounts.balance_cents, instances),
    )


async def _get_order(connection: Connection, order_id: uuid.UUID) -> models.Order:
    order = await models.Order.get_or_none(id=order_id, using_db=connection)
    if order is None:
        raise errors.NotFoundError("input.orderId", _NO_ORDER.fill(id=str(order_id)))
    return order


async def _read_refundable(connection: Connection, order_id: uuid.UUID) -> RefundableOrder:
    """Read an order of a locked account, with its lines sorted by id, which is the sequence of payment."""
    order = await _get_order(connection, order_id)
    return RefundableOrder(
        id=order_id,
        account_id=order.account_id,
        balance_cents=order.balance_cents,
        lines=await _read_lines(connection, order_id),
        redeemed=await _read_redeemed_vouchers(connection, order_id),
        members=await _read_bundle_members(connection, order_id),
    )


async def _read_lines(connection: Connection, order_id: uuid.UUID) -> list[RefundableLine]:
    rows = await database.fetch(
        connection,
        f"""SELECT l.id, l.starts_at, l.expires_at, l.anchor_day_before, l.price_cents, f.cents IS NOT NULL,
              {instances_repository.COLUMNS}
            FROM order_lines l JOIN instances i ON i.id = l.instance_id
            LEFT JOIN refund_lines f ON f.order_line_id = l.id WHERE l.order_id = $1 ORDER BY l.id""",
        order_id,
    )
    return [
        RefundableLine._make((*row[:_LINE_COLUMN_COUNT], model.Instance._make(row[_LINE_COLUMN_COUNT:])))
        for row in map(tuple, rows)
    ]


async def _read_redeemed_vouchers(connection: Connection, order_id: uuid.UUID) -> list[RedeemedVoucher]:
    rows = await database.fetch(
        connection,
        """SELECT -e.amount_cents, v.id::text, v.available_cents, v.expires_at, v.product_codes
           FROM ledger_entries e JOIN vouchers v ON v.id = e.voucher_id
           WHERE e.order_id = $1 AND e.kind = 'RENEWAL' ORDER BY e.number""",
        order_id,
    )
    return [
        RedeemedVoucher(cents, model.Voucher(voucher_id, available_cents, expires_at, frozenset(codes)))
        for cents, voucher_id, available_cents, expires_at, codes in map(tuple, rows)
    ]


async def _read_bundle_members(connection: Connection, order_id: uuid.UUID) -> Mapping[str, frozenset[str]]:
    rows = await database.fetch(
        connection,
        """SELECT m.bundle_id, array_agg(m.id) AS ids FROM instances m WHERE m.bundle_id IN (
             SELECT i.bundle_id FROM order_lines l JOIN instances i ON i.id = l.instance_id WHERE l.order_id = $1)
           GROUP BY m.bundle_id""",
        order_id,
    )
    return {row["bundle_id"]: frozenset(row["ids"]) for row in rows}


async def _insert_refund(
    connection: Connection,
    order: RefundableOrder,
    refund_id: uuid.UUID,
    reason: str,
    lines: Sequence[RefundableLine],
    amounts: RefundAmounts,
    now: dt.datetime,
) -> None:
    await models.Refund.create(
        using_db=connection,
        id=refund_id,
        order_id=order.id,
        account_id=order.account_id,
        total_cents=amounts.voucher_cents + amounts.balance_cents,
        voucher_cents=amounts.voucher_cents,
        balance_cents=amounts.balance_cents,
        reason=reason,
        created_at=now,
    )
    await database.execute(
        connection,
        """INSERT INTO refund_lines (refund_id, order_line_id, cents)
           SELECT $1, * FROM unnest($2::bigint[], $3::bigint[])""",
        refund_id,
        [line.id for line in lines],
        [line.price_cents for line in lines],
    )


_LINE_COLUMN_COUNT = len(RefundableLine._fields) - 1
"""The number of columns of an order line in a row; the columns of its instance follow."""


def _build_ledger_entries(
    order: RefundableOrder,
    account: model.Account,
    lines: Sequence[RefundableLine],
    amounts: RefundAmounts,
) -> list[ledger.NewLedgerEntry]:
    """Return a ledger entry for each voucher that gets money back, then one for the balance if it gets money back."""
    memo = catalogs.translate(Message("Instances refunded: {count}", count=len(lines)), account.language)
    changes: list[tuple[str | None, int, int]] = list(amounts.uses)
    if cents := amounts.balance_cents:
        changes.append((None, cents, account.balance_cents + cents))
    return [
        ledger.NewLedgerEntry(account.id, cents, after_cents, voucher_id, memo, order.id)
        for voucher_id, cents, after_cents in changes
    ]


def _build_event(order: RefundableOrder, refund_id: uuid.UUID, line: RefundableLine) -> event_log.NewEvent:
    payload = {
        "orderId": str(order.id),
        "refundId": str(refund_id),
        "expiresAt": line.starts_at,
        "amount": money.format_cents(line.price_cents),
    }
    return event_log.NewEvent(
        order.account_id, event_log.EventType.INSTANCE_REFUNDED, line.instance.id, payload
    )


def _build_state(balance_cents: int, instances: Iterable[model.Instance]) -> dict[str, object]:
    """Return the balance, and the expiry and anchor day of each instance, for the audit log."""
    return {
        "balance_cents": balance_cents,
        "instances": {
            instance.id: {"expires_at": instance.expires_at, "anchor_day": instance.anchor_day}
            for instance in instances
        },
    }
