"""The state of the model and of the database in one form, so that both can be compared."""

import uuid
from typing import Any

import orjson

from renewals.db import connection as database
from tests.model_based.model import Model
from tests.model_based.records import Values

Picture = dict[str, Any]


def of_model(model: Model) -> Picture:
    """Return the state that the database must have."""
    return {
        "balances": {name: account.balance for name, account in model.accounts.items()},
        "vouchers": {voucher.id: voucher.available for voucher in model.vouchers.values()},
        "instances": {
            i.id: (i.account, model.expiry(i), i.anchor, i.mode, i.months, i.status, i.refunds)
            for i in model.instances.values()
        },
        "orders": sorted(model.orders, key=_first_line),
        "refunds": sorted(model.refunds),
        "entries": {name: account.entries for name, account in model.accounts.items()},
        "attempts": sorted(model.attempts, key=repr),
    }


async def of_database() -> Picture:
    """Return the state of the database."""
    entries: dict[str, list[Values]] = {}
    for name, kind, cents, after, voucher in await _rows(
        """SELECT a.id, e.kind, e.amount_cents, e.balance_after_cents, e.voucher_id
           FROM accounts a LEFT JOIN ledger_entries e ON e.account_id = a.id ORDER BY a.id, e.number"""
    ):
        entries.setdefault(name, []).extend([(kind, cents, after, _uuid(voucher))] if kind else [])
    lines: dict[uuid.UUID, list[Values]] = {}
    for order_id, *line in await _rows(
        """SELECT order_id, starts_at, instance_id, refund_count, anchor_day_before, expires_at, months, days,
             list_cents, price_cents
           FROM order_lines ORDER BY starts_at, instance_id"""
    ):
        lines.setdefault(order_id, []).append(tuple(line))
    refunded: dict[uuid.UUID, list[Values]] = {}
    for refund_id, *line in await _rows(
        """SELECT f.refund_id, l.starts_at, l.instance_id, l.refund_count, f.cents
           FROM refund_lines f JOIN order_lines l ON l.id = f.order_line_id ORDER BY l.starts_at, l.instance_id"""
    ):
        refunded.setdefault(refund_id, []).append(tuple(line))
    returned: dict[uuid.UUID, list[Values]] = {}
    for refund_id, voucher, cents in await _rows(
        """SELECT refund_id, voucher_id, amount_cents FROM ledger_entries
           WHERE refund_id IS NOT NULL AND voucher_id IS NOT NULL"""
    ):
        returned.setdefault(refund_id, []).append((_uuid(voucher), cents))
    refunds = [
        (*refund, refunded[id_], sorted(returned.get(id_, [])))
        for id_, *refund in await _rows(
            "SELECT id, account_id, total_cents, voucher_cents, balance_cents, created_at FROM refunds"
        )
    ]
    orders = [
        (*order, {refusal["instance_id"]: refusal["code"] for refusal in orjson.loads(refusals)}, lines[id_])
        for id_, refusals, *order in await _rows(
            """SELECT id, refusals, account_id, kind, idempotency_key, total_cents, voucher_cents, balance_cents,
                 created_at FROM orders"""
        )
    ]
    return {
        "balances": dict(await _rows("SELECT id, balance_cents FROM accounts")),
        "vouchers": {_uuid(i): cents for i, cents in await _rows("SELECT id, available_cents FROM vouchers")},
        "instances": {
            instance_id: tuple(rest)
            for instance_id, *rest in await _rows(
                """SELECT id, account_id, expires_at, anchor_day, renewal_mode, auto_renew_months, status,
                     refund_count
                   FROM instances"""
            )
        },
        "orders": sorted(orders, key=_first_line),
        "refunds": sorted(refunds),
        "entries": entries,
        "attempts": sorted(
            await _rows("SELECT instance_id, due_at, attempted_at, code FROM renewal_attempts"), key=repr
        ),
    }


def _first_line(order: Values) -> Values:
    line: Values = order[-1][0]
    return line


def _uuid(value: object) -> uuid.UUID | None:
    return uuid.UUID(str(value)) if value else None


async def _rows(sql: str) -> list[Values]:
    return [tuple(row) for row in await database.fetch(database.pool(), sql)]
