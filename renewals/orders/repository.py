"""This module alone writes `orders` and `order_lines`: insert them, and find one by its idempotency key."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from renewals.accounts import ledger, vouchers
from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import errors, model, planning
from renewals.domain import payment as domain_payment
from renewals.events import event_log, factories
from renewals.instances import repository as instances_repository


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """A stored order, its instances in the order of its lines, and what a best-effort call refused beside it."""

    order_id: uuid.UUID
    instance_ids: tuple[str, ...]
    refusals: tuple[errors.Refusal, ...]


class NewOrder(NamedTuple):
    """An order to be stored: its lines and their payment; a key where a client asked for it."""

    id: uuid.UUID
    account_id: str
    kind: model.OrderKind
    lines: Sequence[planning.RenewalLine]
    payment: domain_payment.Payment
    memo: str
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    refusals: Sequence[errors.Refusal] = ()


async def insert_orders(
    connection: database.Connection,
    accounts: Mapping[str, model.Account],
    drafts: Sequence[NewOrder],
    now: dt.datetime,
) -> None:
    """Writes orders with all that belongs to them, in a fixed number of statements.

    The accounts must be as `repository.lock_accounts` read them in this transaction, the drafts planned after it.
    """
    orders = [
        (
            d.id,
            d.account_id,
            d.kind,
            d.payment.voucher_cents + d.payment.balance_cents,
            d.payment.voucher_cents,
            d.payment.balance_cents,
            d.idempotency_key,
            d.request_hash,
            orjson.dumps(d.refusals).decode(),
        )
        for d in drafts
    ]
    await database.execute(
        connection,
        """INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents,
             idempotency_key, request_hash, refusals, created_at)
           SELECT o.*, $10 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
             $6::bigint[], $7::text[], $8::bytea[], $9::json[]) AS o""",
        *sql.transpose(orders, 9),
        now,
    )
    await _store_lines(connection, drafts)
    await ledger.post_entries(
        connection, accounts, [entry for draft in drafts for entry in _entries(draft)], now
    )
    await vouchers.update_remaining(connection, [use for draft in drafts for use in draft.payment.uses])
    happened = await _order_events(connection, drafts, now)
    await instances_repository.apply_renewals(connection, [line for draft in drafts for line in draft.lines])
    await event_log.append_events(connection, happened, now)


async def _store_lines(connection: database.Connection, drafts: Sequence[NewOrder]) -> None:
    rows = [
        (
            draft.id,
            line.instance.id,
            line.starts_at,
            line.expires_at,
            line.months,
            line.days,
            line.price.list_cents,
            line.price.price_cents,
            line.instance.anchor_day,
            line.instance.refund_count,
        )
        for draft in drafts
        for line in draft.lines
    ]
    await database.execute(
        connection,
        """INSERT INTO order_lines
             (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents,
              anchor_day_before, refund_count)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::int[],
             $6::int[], $7::bigint[], $8::bigint[], $9::smallint[], $10::int[])""",
        *sql.transpose(rows, 10),
    )


async def _order_events(
    connection: database.Connection, drafts: Sequence[NewOrder], now: dt.datetime
) -> list[event_log.NewEvent]:
    """What the drafts bring about; of what is restored it is told first that it expired, if nobody has yet."""
    lines = [line for draft in drafts for line in draft.lines]
    expired_ids = [
        line.instance.id for line in lines if line.instance.status_at(now) is model.InstanceStatus.EXPIRED
    ]
    unnoted = await instances_repository.find_running(connection, expired_ids) if expired_ids else frozenset()
    restored = frozenset(expired_ids)
    happened: list[event_log.NewEvent] = []
    for draft in drafts:
        for line in draft.lines:
            if line.instance.id in unnoted:
                happened.append(factories.instance_event(event_log.EventType.INSTANCE_EXPIRED, line.instance))
            happened.append(factories.renewal_event(draft.id, draft.kind, line))
            if line.instance.id in restored:
                later = line.instance._replace(expires_at=line.expires_at)
                happened.append(factories.instance_event(event_log.EventType.INSTANCE_RESTORED, later))
    return happened


def _entries(draft: NewOrder) -> list[ledger.NewLedgerEntry]:
    """The ledger entries of an order: each voucher used, then the balance (rule 15)."""
    kind = model.LedgerEntryKind.RENEWAL
    entries = [
        ledger.NewLedgerEntry(
            draft.account_id,
            kind,
            -use.amount_cents,
            use.available_after_cents,
            draft.id,
            use.voucher_id,
            draft.memo,
        )
        for use in draft.payment.uses
    ]
    if draft.payment.balance_cents:
        payment = draft.payment
        after_cents = payment.balance_after_cents
        entries.append(
            ledger.NewLedgerEntry(
                draft.account_id, kind, -payment.balance_cents, after_cents, draft.id, None, draft.memo
            )
        )
    return entries


async def find_by_idempotency_key(
    connection: database.Connection, account_id: str, key: str, request_hash: bytes
) -> PlacedOrder | None:
    """The answer that the key was first given, if it was; raises where the request was another."""
    rows = await database.fetch(
        connection,
        """SELECT o.id, o.request_hash, o.refusals,
             array(SELECT l.instance_id FROM order_lines l WHERE l.order_id = o.id ORDER BY l.starts_at, l.instance_id)
           FROM orders o WHERE o.account_id = $1 AND o.idempotency_key = $2""",
        account_id,
        key,
    )
    if not rows:
        return None
    order_id, earlier_hash, refusals, instance_ids = tuple(rows[0])
    if earlier_hash != request_hash:
        raise errors.IdempotencyKeyReusedError(key)
    return PlacedOrder(order_id, tuple(instance_ids), tuple(map(_read_refusal, orjson.loads(refusals))))


def _read_refusal(stored: dict[str, object]) -> errors.Refusal:
    return errors.Refusal(
        str(stored["instance_id"]),
        errors.RefusalCode(str(stored["code"])),
        str(stored["message"]),
        tuple(map(str, stored["bundle_instance_ids"])),  # type: ignore[call-overload]
    )
