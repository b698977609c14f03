"""Orders and quotes."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Self, cast

import strawberry

from renewals.db import connection as database
from renewals.domain import errors, planning
from renewals.orders import place_order, requests
from renewals.orders import queries as orders_queries
from schema.context import Info
from schema.customer import history_filters, instance_type, operation_inputs, refusals
from schema.fields import sources
from schema.shared import connections, scalars
from schema.shared import orders as shared_orders
from schema.shared import vouchers as shared_vouchers

_INSTANCE = "The instance, as it is now."
_Refusal = refusals.InstanceRefusal


@strawberry.type(description="The renewal of one instance in an order.")
class RenewOrderLine(shared_orders.RenewOrderLine):
    instance = sources.loaded(
        lambda load: load.instance,
        "instance_id",
        graphql_type=instance_type.INSTANCE,
        description=_INSTANCE,
    )


@strawberry.type(description="A refunded line of an order.")
class RefundLine(shared_orders.RefundLine):
    instance = sources.loaded(
        lambda load: load.instance,
        "instance_id",
        graphql_type=instance_type.INSTANCE,
        description=_INSTANCE,
    )


@strawberry.type(description="A refund of lines of an order, to the vouchers and the balance that paid.")
class Refund(shared_orders.Refund):
    lines: list[RefundLine] = sources.sliced(
        "id", loader=lambda load: load.refund_lines, of_owner=True, description="The refunded lines."
    )


@strawberry.type(description="A paid order: one charge for one or more instances. It never changes.")
class RenewOrder(shared_orders.RenewOrder):
    vouchers: list[shared_vouchers.VoucherUse] = sources.loaded(
        lambda load: load.voucher_uses, "id", description="The vouchers that paid, and how much."
    )
    lines: list[RenewOrderLine] = sources.sliced(
        "id",
        loader=lambda load: load.lines,
        of_owner=True,
        description="One line for each instance, the earliest start first.",
    )
    refunds: list[Refund] = sources.loaded(
        lambda load: load.refunds, "id", description="Refunds of lines of the order. Empty if there are none."
    )


async def resolve_order(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The order's id.")],  # noqa: A002
) -> RenewOrder | None:
    """Return an order of the account; None if there is no such order."""
    try:
        order_id = uuid.UUID(id)
    except ValueError:
        return None
    return cast("RenewOrder | None", await info.context.load.order.load(order_id))


def query_orders(
    info: Info,
    filter: Annotated[  # noqa: A002
        history_filters.OrderFilter | None,
        strawberry.argument(description="Conditions on the orders. Null: all orders."),
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with the account's orders."""
    account_id, order_filter = info.context.account_id, history_filters.to_order_filter(filter)
    return connections.ConnectionQuery(
        orders_queries.ORDERS,
        lambda page, requested: orders_queries.fetch_orders(
            database.pool(), account_id, order_filter, page, counted=requested.count
        ),
        lambda: orders_queries.count_orders(database.pool(), account_id, order_filter),
    )


@strawberry.type(description="The quoted renewal of one instance.")
class QuoteLine:
    instance_id: strawberry.ID = strawberry.field(description="The instance.")
    instance = sources.loaded(
        lambda load: load.instance,
        "instance_id",
        graphql_type=instance_type.INSTANCE,
        description=_INSTANCE,
    )
    starts_at: dt.datetime = strawberry.field(description="Start of the new period: the old expiry.")
    expires_at: dt.datetime = strawberry.field(description="The new expiry.")
    months: int = strawberry.field(description=shared_orders.MONTHS)
    days: int = strawberry.field(description=shared_orders.DAYS)
    list_price: scalars.Money = strawberry.field(description="Price before discount.")
    discount: scalars.Money = strawberry.field(description="Amount of the discount.")
    price: scalars.Money = strawberry.field(description="Price after discount, rounded once.")

    @classmethod
    def of(cls, line: planning.RenewalLine) -> Self:
        """Build the line from a line of a plan."""
        price = line.price
        return cls(
            instance_id=strawberry.ID(line.instance.id),
            starts_at=line.starts_at,
            expires_at=line.expires_at,
            months=line.months,
            days=line.days,
            list_price=scalars.Money(price.list_cents),
            discount=scalars.Money(price.list_cents - price.price_cents),
            price=scalars.Money(price.price_cents),
        )


@strawberry.type(
    description="The price and the result of an operation, if it were done now. A quote changes nothing."
)
class Quote:
    planned: strawberry.Private[Sequence[planning.RenewalLine]]
    refused: strawberry.Private[Sequence[errors.Refusal]]
    lines: list[QuoteLine] = sources.sliced(
        "planned", make=QuoteLine.of, description="One line for each instance that can be renewed."
    )
    line_count: int = sources.counted("planned", description="Number of lines.")
    refusals: list[_Refusal] = sources.sliced(
        "refused", description="The instances that cannot take part, and why."
    )
    refusal_count: int = sources.counted("refused", description="Number of refusals.")
    list_total: scalars.Money = strawberry.field(description="Sum of the list prices.")
    discount_total: scalars.Money = strawberry.field(description="Sum of the discounts.")
    total: scalars.Money = strawberry.field(
        description="Sum of the prices of the lines. Send it as expectedTotal to pay no other amount."
    )
    vouchers: list[shared_vouchers.VoucherUse] = strawberry.field(
        description="The vouchers that would pay, and how much."
    )
    voucher_total: scalars.Money = strawberry.field(description="The part that vouchers would pay.")
    balance_total: scalars.Money = strawberry.field(description="The part that the balance would pay.")
    balance_after: scalars.Money = strawberry.field(
        description="The balance after the payment. 0.00 if there is a shortfall, although nothing would then be paid."
    )
    shortfall: scalars.Money = strawberry.field(
        description="Amount missing to pay the total. 0.00 if there is enough money."
    )


_INPUT = strawberry.argument(name="input", description="All arguments of the quote.")


async def resolve_quote_renewal(
    info: Info, request: Annotated[operation_inputs.QuoteRenewalInput, _INPUT]
) -> Quote:
    """Return the price and the result of a renewal, without doing it."""
    return await _quote(request.to_request(), info)


async def resolve_quote_unify_expiry(
    info: Info, request: Annotated[operation_inputs.QuoteUnifyExpiryInput, _INPUT]
) -> Quote:
    """Return the price and the result of unifying expiries, without doing it."""
    return await _quote(request.to_request(), info)


async def _quote(request: requests.QuoteRequest, info: Info) -> Quote:
    plan = await place_order.quote(info.context.account_id, request, info.context.now)
    payment = plan.payment
    uses: Any = payment.uses
    return Quote(
        planned=plan.lines,
        refused=plan.refusals,
        list_total=scalars.Money(plan.list_cents),
        discount_total=scalars.Money(plan.list_cents - plan.total_cents),
        total=scalars.Money(plan.total_cents),
        vouchers=list(uses),
        voucher_total=scalars.Money(payment.voucher_cents),
        balance_total=scalars.Money(payment.balance_cents),
        balance_after=scalars.Money(payment.balance_after_cents),
        shortfall=scalars.Money(payment.shortfall_cents),
    )
