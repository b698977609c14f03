"""Orders of any account, with their refunds."""

import uuid
from typing import Annotated, cast

import strawberry

from renewals.db import connection as database
from renewals.db import sql
from renewals.operators import queries as operators_queries
from renewals.orders import queries as orders_queries
from schema.fields import sources
from schema.operator.context import Info
from schema.shared import connections, orders


@strawberry.type(description="A refund of lines of an order, to the vouchers and the balance that paid.")
class Refund(orders.Refund):
    lines: list[orders.RefundLine] = sources.sliced(
        "id", loader=lambda load: load.refund_lines, of_owner=True, description="The refunded lines."
    )
    order_id: strawberry.ID = strawberry.field(description="The refunded order.")
    reason: str = strawberry.field(description="The operator's reason, which customers do not see.")


@strawberry.type(description="A paid order. An order never changes; its refunds are recorded separately.")
class RenewOrder(orders.RenewOrder):
    account_id: strawberry.ID = strawberry.field(description="The account that paid.")
    lines: list[orders.RenewOrderLine] = sources.sliced(
        "id",
        loader=lambda load: load.lines,
        of_owner=True,
        description="One line for each instance, the earliest start first.",
    )
    refunds: list[Refund] = sources.loaded(
        lambda load: load.refunds, "id", description="Refunds of lines of the order. Empty if there are none."
    )


async def get_refund(refund_id: str) -> Refund:
    """Return the refund with this id. Call this only for a refund that exists."""
    return cast("Refund", await orders_queries.fetch_refund(database.pool(), refund_id))


async def resolve_order(
    id: Annotated[strawberry.ID, strawberry.argument(description="The order's id.")],  # noqa: A002
) -> RenewOrder | None:
    """Return an order of any account, or None if it does not exist."""
    try:
        order_id = uuid.UUID(id)
    except ValueError:
        return None
    return cast("RenewOrder | None", await operators_queries.find_order(database.pool(), order_id))


def query_orders(
    info: Info, account_id: Annotated[strawberry.ID, strawberry.argument(description="The account's id.")]
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with an account's orders."""
    known_id = account_id if sql.is_storable(account_id) else ""
    return connections.ConnectionQuery(
        orders_queries.ORDERS,
        lambda page, requested: orders_queries.fetch_orders(
            database.pool(), known_id, orders_queries.ALL_ORDERS, page, counted=requested.count
        ),
        lambda: orders_queries.count_orders(database.pool(), known_id, orders_queries.ALL_ORDERS),
    )
