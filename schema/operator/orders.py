"""Orders of whatever account, with what was refunded of them."""

import datetime as dt
import uuid
from typing import Any

import strawberry

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import model
from renewals.operators import queries as operators_queries
from renewals.orders import queries as orders_queries
from schema.customer import orders
from schema.fields import sources
from schema.operator.context import Info
from schema.shared import connections, scalars


@strawberry.type(description="What was given back of an order, to its vouchers and to the balance.")
class Refund(orders.Refund):
    order_id: strawberry.ID
    reason: str


@strawberry.type
class RenewOrder:
    id: strawberry.ID
    account_id: strawberry.ID
    kind: model.OrderKind
    created_at: dt.datetime
    total: scalars.Money = sources.column("total_cents")
    voucher_total: scalars.Money = sources.column("voucher_cents")
    balance_total: scalars.Money = sources.column("balance_cents")
    lines: list[orders.RenewOrderLine] = sources.sliced(
        "id", loader=lambda load: load.lines, of_owner=True, description="The earliest start first."
    )
    line_count: int = sources.loaded(lambda load: load.line_count, "id", is_count=True)
    refunds: list[Refund] = sources.loaded(lambda load: load.refunds, "id")


async def find_refund(refund_id: str) -> Refund:
    found: Any = await orders_queries.fetch_refund(database.pool(), refund_id)
    return found  # type: ignore[no-any-return]


async def resolve_order(id: strawberry.ID) -> RenewOrder | None:  # noqa: A002
    try:
        order_id = uuid.UUID(id)
    except ValueError:
        return None
    found: Any = await operators_queries.fetch_order(database.pool(), order_id)
    return found  # type: ignore[no-any-return]


def query_orders(info: Info, account_id: strawberry.ID) -> connections.ConnectionQuery:
    """Return the reads of an account's orders."""
    known_id = account_id if sql.is_storable(account_id) else ""
    return connections.ConnectionQuery(
        orders_queries.ORDERS,
        lambda page, requested: orders_queries.fetch_orders(
            database.pool(), known_id, page, counted=requested.count
        ),
        lambda: orders_queries.count_orders(database.pool(), known_id),
    )
