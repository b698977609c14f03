"""Orders in the database: insertion, and lookup by idempotency key.

Besides this module, only the reset of the demo account writes `orders` and `order_lines`.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from renewals import idempotency
from renewals.accounts import ledger, vouchers
from renewals.db import connection as database
from renewals.db import sql, statements
from renewals.domain import errors, model, planning, stored_refusals
from renewals.domain import payment as domain_payment
from renewals.events import event_log, factories
from renewals.instances import repository as instances_repository


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """A stored order: its instances in the order of its lines, and the refusals of a best-effort call."""

    order_id: uuid.UUID
    instance_ids: tuple[str, ...]
    refusals: tuple[errors.Refusal, ...]
    order: Mapping[str, object] | None = None
    """The order's row for the API, if this call has written it."""
    account: model.Account | None = None
    """The account, if this call has written the order, with the balance after it but the `ledger_number` before it."""
    instances: Sequence[database.Row] = ()
    """The rows of the instances for the API, if this call has renewed at most INSTANCES_IN_PLACE_MAX instances."""


class NewOrder(NamedTuple):
    """An order to store, with its lines, its payment and the memo of its ledger entries."""

    id: uuid.UUID
    account_id: str
    lines: Sequence[planning.RenewalLine]
    payment: domain_payment.Payment
    memo: str


class OrderOrigin(NamedTuple):
    """The kind of orders that are inserted together, and the key, hash and refusals of the client's request, if any."""

    kind: model.OrderKind
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    refusals: Sequence[errors.Refusal] = ()


async def insert_orders(
    connection: database.Connection,
    accounts: Mapping[str, model.Account],
    orders: Sequence[NewOrder],
    origin: OrderOrigin,
    now: dt.datetime,
    actor: model.Actor,
    *,
    returns_instances: bool = False,
) -> Sequence[database.Row]:
    """Insert orders of an actor with their lines, ledger entries, voucher changes, renewals and events.

    All rows are written by one statement. The accounts must have been read by `lock_accounts` in this transaction, and
    the orders must have been planned after that. Return the instances' rows for the API if `returns_instances` is True;
    otherwise, return no rows.
    """
    if not orders:
        return ()
    events = await _order_events(connection, orders, origin.kind, now)
    rows = await statements.execute_together(
        connection,
        _build_rows(orders, origin, now),
        _build_lines(orders),
        ledger.build_entries(
            accounts,
            model.LedgerEntryKind.RENEWAL,
            [entry for order in orders for entry in _build_entries(order)],
            now,
        ),
        vouchers.build_remaining(use for order in orders for use in order.payment.uses),
        event_log.build_events(events, now, actor),
        instances_repository.build_renewals("new_lines", returns_rows=returns_instances),
    )
    event_log.notify_after_commit(connection, events)
    return rows


def _build_rows(orders: Sequence[NewOrder], origin: OrderOrigin, now: dt.datetime) -> statements.Change:
    rows = [
        (
            order.id,
            order.account_id,
            order.payment.voucher_cents + order.payment.balance_cents,
            order.payment.voucher_cents,
            order.payment.balance_cents,
        )
        for order in orders
    ]
    return statements.Change(
        {
            "orders": """
              INSERT INTO orders (id, account_id, total_cents, voucher_cents, balance_cents, kind, idempotency_key,
                request_hash, refusals, created_at)
              SELECT o.*, $6, $7, $8, $9, $10
              FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS o"""
        },
        [
            *sql.transpose(rows, 5),
            origin.kind,
            origin.idempotency_key,
            origin.request_hash,
            orjson.dumps(list(map(stored_refusals.to_json, origin.refusals))).decode(),
            now,
        ],
    )


def _build_lines(orders: Sequence[NewOrder]) -> statements.Change:
    rows = [
        (
            order.id,
            line.instance.id,
            line.starts_at,
            line.expires_at,
            line.months,
            line.days,
            line.price.list_cents,
            line.price.price_cents,
            line.instance.anchor_day,
            line.instance.refund_count,
            line.anchor_day,
        )
        for order in orders
        for line in order.lines
    ]
    return statements.Change(
        {
            "new_lines": """
              SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::int[], $6::int[],
                $7::bigint[], $8::bigint[], $9::smallint[], $10::int[], $11::smallint[])
                AS l(order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents,
                  anchor_day_before, refund_count, anchor_day)""",
            "lines": """
              INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents,
                price_cents, anchor_day_before, refund_count)
              SELECT order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents,
                anchor_day_before, refund_count FROM new_lines""",
        },
        sql.transpose(rows, 11),
    )


async def _order_events(
    connection: database.Connection, orders: Sequence[NewOrder], kind: model.OrderKind, now: dt.datetime
) -> list[event_log.NewEvent]:
    """Return the events of the orders.

    If the worker has not yet recorded the expiry of a restored instance, the event of the expiry comes first.
    """
    lines = [line for order in orders for line in order.lines]
    expired_ids = [
        line.instance.id for line in lines if line.instance.status_at(now) is model.InstanceStatus.EXPIRED
    ]
    unreported_ids = (
        await instances_repository.find_running(connection, expired_ids) if expired_ids else frozenset()
    )
    restored_ids = frozenset(expired_ids)
    events: list[event_log.NewEvent] = []
    for order in orders:
        for line in order.lines:
            if line.instance.id in unreported_ids:
                events.append(factories.instance_event(event_log.EventType.INSTANCE_EXPIRED, line.instance))
            events.append(factories.renewal_event(order.id, kind, line))
            if line.instance.id in restored_ids:
                restored = line.instance._replace(expires_at=line.expires_at)
                events.append(factories.instance_event(event_log.EventType.INSTANCE_RESTORED, restored))
    return events


def _build_entries(order: NewOrder) -> list[ledger.NewLedgerEntry]:
    """Return the ledger entries of an order: one for each voucher, then one for the balance if it pays (rule 15)."""
    payment = order.payment
    changes: list[tuple[int, int, str | None]] = [
        (-use.amount_cents, use.available_after_cents, use.voucher_id) for use in payment.uses
    ]
    if payment.balance_cents:
        changes.append((-payment.balance_cents, payment.balance_after_cents, None))
    return [ledger.NewLedgerEntry(order.account_id, *change, order.memo, order.id) for change in changes]


def select_by_idempotency_key(
    account_id: str, key: str, request_hash: bytes
) -> statements.Query[PlacedOrder | None]:
    """Return the query for the order that was placed with a key; its result is None if there is no such order.

    Building the result raises IdempotencyKeyReusedError if the key belongs to another request (rule 18).
    """

    def build(rows: statements.Rows) -> PlacedOrder | None:
        if not rows:
            return None
        [(order_id, first_hash, refusals, instance_ids)] = rows
        idempotency.check_same_request(key, first_hash, request_hash)
        return PlacedOrder(
            order_id, tuple(instance_ids), tuple(map(stored_refusals.from_json, orjson.loads(refusals)))
        )

    return statements.Query(
        """SELECT o.id, o.request_hash, o.refusals,
             array(SELECT l.instance_id FROM order_lines l WHERE l.order_id = o.id ORDER BY l.starts_at, l.instance_id)
           FROM orders o WHERE o.account_id = $1 AND o.idempotency_key = $2""",
        [account_id, key],
        build,
    )
