"""Queries of orders and refunds for the API.

A function for a nested field reads the rows for any number of keys in one statement, and returns them by key to a data
loader.

Although the keys come from rows of the account, every statement except that of `fetch_refund` restricts its rows to the
account. If `account_id` is None, the caller is an operator, who can read every account.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from renewals.db import connection as database
from renewals.db import pagination, sql
from renewals.db.connection import Connection, Row
from renewals.db.sql import IS_OF_ACCOUNT, group_by_column
from renewals.domain import model
from renewals.orders.repository import NewOrder

ORDER_COLUMNS = "o.id, o.account_id, o.kind, o.created_at, o.total_cents, o.voucher_cents, o.balance_cents"


def build_row(order: NewOrder, kind: model.OrderKind, now: dt.datetime) -> dict[str, object]:
    """Return the row, with ORDER_COLUMNS, of an order that was inserted at `now`."""
    payment = order.payment
    return {
        "id": order.id,
        "account_id": order.account_id,
        "kind": kind.value,
        "created_at": now,
        "total_cents": payment.voucher_cents + payment.balance_cents,
        "voucher_cents": payment.voucher_cents,
        "balance_cents": payment.balance_cents,
    }


async def fetch_orders_by_id(
    connection: Connection, account_id: str | None, order_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Row]:
    """Return the orders with these ids, by id; if `account_id` is given, only the orders of that account."""
    rows = await database.fetch(
        connection,
        f"SELECT {ORDER_COLUMNS} FROM orders o WHERE {IS_OF_ACCOUNT.format('o')} AND o.id = ANY($2)",
        account_id,
        order_ids,
    )
    return {row["id"]: row for row in rows}


async def fetch_lines(
    connection: Connection, account_id: str | None, order_ids: Sequence[uuid.UUID], first: int, offset: int
) -> dict[uuid.UUID, list[Row]]:
    """Return a slice of the lines of each order, the earliest start first, by order id."""
    rows = await database.fetch(
        connection,
        f"""SELECT s.* FROM orders o CROSS JOIN LATERAL (
              SELECT l.order_id, l.instance_id, l.starts_at, l.expires_at, l.months, l.days, l.list_cents,
                l.list_cents - l.price_cents AS discount_cents, l.price_cents
              FROM order_lines l WHERE l.order_id = o.id ORDER BY l.starts_at, l.instance_id LIMIT $3 OFFSET $4) AS s
            WHERE {IS_OF_ACCOUNT.format("o")} AND o.id = ANY($2)""",
        account_id,
        order_ids,
        first,
        offset,
    )
    return group_by_column(rows, "order_id")


async def count_lines(
    connection: Connection, account_id: str | None, order_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Return the number of lines of each order, by order id."""
    statement = f"""SELECT o.id, (SELECT count(*) FROM order_lines l WHERE l.order_id = o.id)
              FROM orders o WHERE {IS_OF_ACCOUNT.format("o")} AND o.id = ANY($2)"""
    return dict(map(tuple, await database.fetch(connection, statement, account_id, order_ids)))


async def fetch_voucher_uses(
    connection: Connection, account_id: str, order_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[Row]]:
    """Return the voucher redemptions by order id, sorted by their number in the ledger."""
    rows = await database.fetch(
        connection,
        """SELECT order_id, voucher_id::text, -amount_cents AS amount_cents FROM ledger_entries
           WHERE account_id = $1 AND order_id = ANY($2) AND voucher_id IS NOT NULL AND kind = 'RENEWAL'
           ORDER BY number""",
        account_id,
        order_ids,
    )
    return group_by_column(rows, "order_id")


_REFUND = "r.id, r.order_id, r.created_at, r.total_cents, r.voucher_cents, r.balance_cents, r.reason"


async def fetch_refunds(
    connection: Connection, account_id: str | None, order_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[Row]]:
    """Return the refunds of each order, the oldest first, by order id."""
    statement = f"""SELECT {_REFUND} FROM refunds r WHERE {IS_OF_ACCOUNT.format("r")} AND r.order_id = ANY($2)
              ORDER BY r.created_at, r.id"""
    return group_by_column(await database.fetch(connection, statement, account_id, order_ids), "order_id")


async def fetch_refund(connection: Connection, refund_id: str) -> Row:
    """Return the refund with this id, for an operator. Raises IndexError if it does not exist."""
    statement = f"SELECT {_REFUND} FROM refunds r WHERE r.id = $1"
    return (await database.fetch(connection, statement, refund_id))[0]


async def fetch_refund_lines(
    connection: Connection, account_id: str | None, refund_ids: Sequence[uuid.UUID], first: int, offset: int
) -> dict[uuid.UUID, list[Row]]:
    """Return a slice of the lines of each refund, the earliest start first, by refund id."""
    rows = await database.fetch(
        connection,
        f"""SELECT s.* FROM refunds r CROSS JOIN LATERAL (
              SELECT f.refund_id, l.instance_id, f.cents
              FROM refund_lines f JOIN order_lines l ON l.id = f.order_line_id
              WHERE f.refund_id = r.id ORDER BY l.starts_at, l.instance_id LIMIT $3 OFFSET $4) AS s
            WHERE {IS_OF_ACCOUNT.format("r")} AND r.id = ANY($2)""",
        account_id,
        refund_ids,
        first,
        offset,
    )
    return group_by_column(rows, "refund_id")


async def count_refund_lines(
    connection: Connection, account_id: str | None, refund_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Return the number of lines of each refund, by refund id."""
    statement = f"""SELECT r.id, (SELECT count(*) FROM refund_lines f WHERE f.refund_id = r.id)
              FROM refunds r WHERE {IS_OF_ACCOUNT.format("r")} AND r.id = ANY($2)"""
    return dict(map(tuple, await database.fetch(connection, statement, account_id, refund_ids)))


async def fetch_refund_vouchers(
    connection: Connection, account_id: str | None, refund_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[Row]]:
    """Return the amounts that each refund returned to vouchers, in the order of the ledger, by refund id."""
    rows = await database.fetch(
        connection,
        f"""SELECT e.refund_id, e.voucher_id::text, e.amount_cents FROM ledger_entries e
            WHERE {IS_OF_ACCOUNT.format("e")} AND e.refund_id = ANY($2) AND e.voucher_id IS NOT NULL
            ORDER BY e.number""",
        account_id,
        refund_ids,
    )
    return group_by_column(rows, "refund_id")


async def fetch_instance_orders(
    connection: Connection, account_id: str, instance_ids: Sequence[str], first: int
) -> dict[str, list[Row]]:
    """Return at most `first` orders of each instance, from the newest to the oldest, by instance id."""
    rows = await database.fetch(
        connection,
        f"""SELECT a.* FROM instances i CROSS JOIN LATERAL (
             SELECT l.instance_id, {ORDER_COLUMNS}
             FROM order_lines l JOIN orders o ON o.id = l.order_id
             WHERE l.instance_id = i.id ORDER BY o.created_at DESC, l.id DESC LIMIT $3) AS a
            WHERE i.account_id = $1 AND i.id = ANY($2)""",
        account_id,
        instance_ids,
        first,
    )
    return group_by_column(rows, "instance_id")


ORDERS = pagination.SortOrder(
    "orders",
    (pagination.timestamp_column("created_at", "o.created_at"), pagination.identifier_column("id", "o.id")),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Conditions on orders that must all hold; a None field sets no condition, and an empty list matches nothing."""

    kinds: Sequence[model.OrderKind] | None = None
    instance_id: str | None = None
    created_from: dt.datetime | None = None
    created_before: dt.datetime | None = None


ALL_ORDERS = OrderFilter()


def _order_conditions(account_id: str, order_filter: OrderFilter) -> sql.WhereClause:
    """Return the filter as conditions on `orders o` of one account."""
    conditions = sql.WhereClause()
    conditions.add("o.account_id = {}", account_id)
    if order_filter.kinds is not None:
        conditions.add("o.kind = ANY({})", sorted(set(order_filter.kinds)))
        if model.OrderKind.AUTO_RENEWAL not in order_filter.kinds:
            conditions.add("o.kind <> 'AUTO_RENEWAL'")  # the condition of a partial index
    if order_filter.instance_id is not None:
        conditions.add(
            "o.id = ANY(ARRAY(SELECT l.order_id FROM order_lines l WHERE l.instance_id = ANY({})))",
            sql.storable_texts([order_filter.instance_id]),
        )
    conditions.add_range("o.created_at", order_filter.created_from, order_filter.created_before)
    return conditions


async def fetch_orders(
    connection: Connection,
    account_id: str,
    order_filter: OrderFilter,
    request: pagination.PageRequest,
    *,
    counted: bool,
) -> pagination.Page:
    """Return one page of the account's orders that match a filter, the newest first."""
    return await pagination.fetch_page(
        connection,
        select=ORDER_COLUMNS,
        source="orders o",
        conditions=_order_conditions(account_id, order_filter),
        ordering=ORDERS,
        request=request,
        counted=counted,
    )


async def count_orders(connection: Connection, account_id: str, order_filter: OrderFilter) -> int:
    """Return the number of the account's orders that match a filter."""
    return await pagination.count_rows(connection, "orders o", _order_conditions(account_id, order_filter))
