"""This module alone writes `refunds` and `refund_lines`: an operator gives back what has not begun of an order.

Nothing is edited: vouchers and balance get back by new ledger entries what each line took of them (rule 16), and
the instances what they had before it.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from renewals.accounts import ledger, vouchers
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import errors, model, money, refund_rules
from renewals.domain import validation as domain_validation
from renewals.domain.refund_rules import RedeemedVoucher, RefundableLine, RefundableOrder, RefundAmounts
from renewals.events import event_log
from renewals.instances import repository as instances_repository
from renewals.operators import audit_log, validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Which order is refunded and why; without ids, all of it that can be."""

    order_id: str
    instance_ids: tuple[str, ...] | None
    reason: str


async def refund(call: OperatorRequest, request: RefundRequest) -> IdempotentResult:
    """Refunds lines of an order; answers its `account_id`, the `refund_id`, and `refusals` of the other lines."""
    if request.instance_ids is not None:
        validation.require_rows("instanceIds", request.instance_ids)
    domain_validation.raise_if_invalid(
        "reason", domain_validation.text(request.reason, 1, domain_validation.NAME_LENGTH_MAX)
    )
    order_id = _parse(request.order_id)

    async def work(connection: Connection) -> AuditedChange:
        account_id = await _find_account(connection, order_id)
        account = (await accounts_repository.lock_accounts(connection, [account_id]))[account_id]
        now = call.clock()
        order = await _read(connection, order_id)
        lines, refusals = refund_rules.select_refundable(order, request.instance_ids, now)
        if not lines:
            raise errors.NotRefundableError(refusals)
        refund_id, given_back = database.new_id(), refund_rules.compute_refund(order, lines, now)
        instances = [refund_rules.revert_instance(line, order.kind, account.zone) for line in lines]
        await _store(connection, order, refund_id, request.reason, lines, given_back, now)
        await ledger.post_entries(
            connection, {account_id: account}, _entries(order, account, refund_id, lines, given_back), now
        )
        await vouchers.update_remaining(connection, given_back.uses)
        await instances_repository.revert_renewals(connection, instances)
        await event_log.append_events(connection, [_event(order, refund_id, line) for line in lines], now)
        return AuditedChange(
            {"account_id": account_id, "refund_id": refund_id, "refusals": refusals},
            [account_id],
            before=_state(account.balance_cents, [line.instance for line in lines]),
            after=_state(account.balance_cents + given_back.balance_cents, instances),
        )

    sent = {"order_id": order_id, "instance_ids": request.instance_ids, "reason": request.reason}
    return await audit_log.run_once(call, Action.REFUND_ORDER, sent, work)


def _parse(order_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(order_id)
    except ValueError:
        raise errors.NotFoundError("input.orderId", "order") from None


async def _find_account(connection: Connection, order_id: uuid.UUID) -> str:
    rows = await database.fetch(connection, "SELECT account_id FROM orders WHERE id = $1", order_id)
    if not rows:
        raise errors.NotFoundError("input.orderId", "order")
    return str(rows[0]["account_id"])


async def _read(connection: Connection, order_id: uuid.UUID) -> RefundableOrder:
    """The order of a locked account; its lines in the order in which they were paid, which is that of their ids."""
    [order] = await database.fetch(
        connection, "SELECT account_id, kind, balance_cents FROM orders WHERE id = $1", order_id
    )
    lines = await database.fetch(
        connection,
        f"""SELECT l.id, l.starts_at, l.expires_at, l.anchor_day_before, l.price_cents, f.cents IS NOT NULL,
              {instances_repository.COLUMNS}
            FROM order_lines l JOIN instances i ON i.id = l.instance_id
            LEFT JOIN refund_lines f ON f.order_line_id = l.id WHERE l.order_id = $1 ORDER BY l.id""",
        order_id,
    )
    taken = await database.fetch(
        connection,
        """SELECT -e.amount_cents, v.id::text, v.available_cents, v.expires_at, v.product_codes
           FROM ledger_entries e JOIN vouchers v ON v.id = e.voucher_id
           WHERE e.order_id = $1 AND e.kind = 'RENEWAL' ORDER BY e.number""",
        order_id,
    )
    members = await database.fetch(
        connection,
        """SELECT m.bundle_id, array_agg(m.id) AS ids FROM instances m WHERE m.bundle_id IN (
             SELECT i.bundle_id FROM order_lines l JOIN instances i ON i.id = l.instance_id WHERE l.order_id = $1)
           GROUP BY m.bundle_id""",
        order_id,
    )
    return RefundableOrder(
        id=order_id,
        account_id=order["account_id"],
        kind=model.OrderKind(order["kind"]),
        balance_cents=order["balance_cents"],
        lines=[
            RefundableLine._make((*row[:_OF_LINE], model.Instance._make(row[_OF_LINE:])))
            for row in map(tuple, lines)
        ],
        redeemed=[
            RedeemedVoucher(cents, model.Voucher(voucher_id, available_cents, expires_at, frozenset(codes)))
            for cents, voucher_id, available_cents, expires_at, codes in map(tuple, taken)
        ],
        members={row["bundle_id"]: frozenset(row["ids"]) for row in members},
    )


async def _store(
    connection: Connection,
    order: RefundableOrder,
    refund_id: uuid.UUID,
    reason: str,
    lines: Sequence[RefundableLine],
    given_back: RefundAmounts,
    now: dt.datetime,
) -> None:
    await database.execute(
        connection,
        """INSERT INTO refunds (id, order_id, account_id, total_cents, voucher_cents, balance_cents, reason, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        refund_id,
        order.id,
        order.account_id,
        given_back.voucher_cents + given_back.balance_cents,
        given_back.voucher_cents,
        given_back.balance_cents,
        reason,
        now,
    )
    await database.execute(
        connection,
        """INSERT INTO refund_lines (refund_id, order_line_id, cents)
           SELECT $1, * FROM unnest($2::bigint[], $3::bigint[])""",
        refund_id,
        [line.id for line in lines],
        [line.price_cents for line in lines],
    )


_OF_LINE = len(RefundableLine._fields) - 1
"""So many columns of the line itself come before those of its instance."""


def _entries(
    order: RefundableOrder,
    account: model.Account,
    refund_id: uuid.UUID,
    lines: Sequence[RefundableLine],
    given_back: RefundAmounts,
) -> list[ledger.NewLedgerEntry]:
    """Build the ledger entries of a refund: one for each voucher that gets money back, then one for the balance."""
    kind, memo = model.LedgerEntryKind.REFUND, f"Instances refunded: {len(lines)}"
    changes: list[tuple[str | None, int, int]] = list(given_back.uses)
    if cents := given_back.balance_cents:
        changes.append((None, cents, account.balance_cents + cents))
    return [
        ledger.NewLedgerEntry(account.id, kind, cents, after_cents, order.id, voucher_id, memo, refund_id)
        for voucher_id, cents, after_cents in changes
    ]


def _event(order: RefundableOrder, refund_id: uuid.UUID, line: RefundableLine) -> event_log.NewEvent:
    payload = {
        "orderId": str(order.id),
        "refundId": str(refund_id),
        "expiresAt": line.starts_at,
        "amount": money.format_cents(line.price_cents),
    }
    return event_log.NewEvent(
        order.account_id, event_log.EventType.INSTANCE_REFUNDED, line.instance.id, payload
    )


def _state(balance_cents: int, instances: Iterable[model.Instance]) -> dict[str, Any]:
    """What a refund changes of an account, for the log."""
    changed = {i.id: {"expires_at": i.expires_at, "anchor_day": i.anchor_day} for i in instances}
    return {"balance_cents": balance_cents, "instances": changed}
