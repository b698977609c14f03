"""Orders and quotes."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Self

import strawberry

from renewals.db import connection as database
from renewals.domain import errors, model, planning
from renewals.orders import place_order, requests
from renewals.orders import queries as orders_queries
from schema.context import Info
from schema.customer import inputs
from schema.fields import sources
from schema.shared import connections, scalars
from schema.shared import errors as shared_errors
from schema.shared import vouchers as shared_vouchers


@strawberry.type
class RenewOrderLine:
    instance_id: strawberry.ID
    starts_at: dt.datetime
    expires_at: dt.datetime
    months: int
    days: int
    price: scalars.Money = sources.column("price_cents")


@strawberry.type(description="A line that was refunded.")
class RefundLine:
    instance_id: strawberry.ID
    amount: scalars.Money = sources.column("cents")


@strawberry.type(description="What was given back of an order, to its vouchers and to the balance.")
class Refund:
    id: strawberry.ID
    created_at: dt.datetime
    total: scalars.Money = sources.column("total_cents")
    voucher_total: scalars.Money = sources.column("voucher_cents")
    balance_total: scalars.Money = sources.column("balance_cents")
    vouchers: list[shared_vouchers.VoucherUse] = sources.loaded(
        lambda load: load.refund_vouchers,
        "id",
        description="What each voucher got back. The part of an expired voucher went to the balance.",
    )
    lines: list[RefundLine] = sources.sliced("id", loader=lambda load: load.refund_lines, of_owner=True)
    line_count: int = sources.loaded(lambda load: load.refund_line_count, "id", is_count=True)


@strawberry.type
class RenewOrder:
    id: strawberry.ID
    kind: model.OrderKind
    created_at: dt.datetime
    total: scalars.Money = sources.column("total_cents")
    voucher_total: scalars.Money = sources.column("voucher_cents")
    balance_total: scalars.Money = sources.column("balance_cents")
    vouchers: list[shared_vouchers.VoucherUse] = sources.loaded(lambda load: load.voucher_uses, "id")
    lines: list[RenewOrderLine] = sources.sliced(
        "id", loader=lambda load: load.lines, of_owner=True, description="The earliest start first."
    )
    line_count: int = sources.loaded(lambda load: load.line_count, "id", is_count=True)
    refunds: list[Refund] = sources.loaded(lambda load: load.refunds, "id")


async def resolve_order(info: Info, id: strawberry.ID) -> RenewOrder | None:  # noqa: A002
    try:
        order_id = uuid.UUID(id)
    except ValueError:
        return None
    row: RenewOrder | None = await info.context.load.order.load(order_id)
    return row


def query_orders(info: Info) -> connections.ConnectionQuery:
    """Return the reads of the account's orders."""
    account_id = info.context.account_id
    return connections.ConnectionQuery(
        orders_queries.ORDERS,
        lambda page, requested: orders_queries.fetch_orders(
            database.pool(), account_id, page, counted=requested.count
        ),
        lambda: orders_queries.count_orders(database.pool(), account_id),
    )


@strawberry.type
class QuoteLine:
    instance_id: strawberry.ID
    starts_at: dt.datetime = strawberry.field(description="Where the new period starts: the old expiry.")
    expires_at: dt.datetime
    months: int
    days: int
    list_price: scalars.Money
    discount: scalars.Money
    price: scalars.Money

    @classmethod
    def of(cls, line: planning.RenewalLine) -> Self:
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


_Refusal = shared_errors.InstanceRefusal


@strawberry.type
class Quote:
    planned: strawberry.Private[Sequence[planning.RenewalLine]]
    refused: strawberry.Private[Sequence[errors.Refusal]]
    lines: list[QuoteLine] = sources.sliced("planned", make=QuoteLine.of)
    line_count: int = sources.counted("planned")
    refusals: list[_Refusal] = sources.sliced("refused")
    refusal_count: int = sources.counted("refused")
    list_total: scalars.Money
    discount_total: scalars.Money
    total: scalars.Money
    vouchers: list[shared_vouchers.VoucherUse]
    voucher_total: scalars.Money
    balance_total: scalars.Money
    balance_after: scalars.Money
    shortfall: scalars.Money


async def resolve_quote_renewal(
    info: Info, request: Annotated[inputs.QuoteRenewalInput, strawberry.argument(name="input")]
) -> Quote:
    return await _quote(request.to_request(), info)


async def resolve_quote_unify_expiry(
    info: Info, request: Annotated[inputs.QuoteUnifyExpiryInput, strawberry.argument(name="input")]
) -> Quote:
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
