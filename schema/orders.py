"""Orders and quotes."""

import datetime as dt
import uuid
from typing import Annotated, Self

import strawberry

from renewals import database, planning, queries, requests, terms
from renewals import orders as domain
from renewals.database import Row
from schema import accounts, connections, inputs, refusals, scalars
from schema.context import Info


@strawberry.type
class RenewOrderLine:
    instance_id: strawberry.ID
    starts_at: dt.datetime
    expires_at: dt.datetime
    months: int
    days: int
    price: scalars.Money

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            instance_id=row["instance_id"],
            starts_at=row["starts_at"],
            expires_at=row["expires_at"],
            months=row["months"],
            days=row["days"],
            price=row["price_cents"],
        )


@strawberry.type
class RenewOrder:
    id: strawberry.ID
    kind: terms.OrderKind
    created_at: dt.datetime
    total: scalars.Money
    voucher_total: scalars.Money
    balance_total: scalars.Money

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=strawberry.ID(str(row["id"])),
            kind=terms.OrderKind(row["kind"]),
            created_at=row["created_at"],
            total=row["total_cents"],
            voucher_total=row["voucher_cents"],
            balance_total=row["balance_cents"],
        )

    @strawberry.field
    async def vouchers(self, info: Info) -> list[accounts.VoucherUse]:
        rows = await info.context.load.voucher_uses.load(uuid.UUID(self.id)) or []
        return await accounts.voucher_uses(
            [(str(row["voucher_id"]), row["amount_cents"]) for row in rows], info
        )

    @strawberry.field
    async def lines(self, info: Info) -> list[RenewOrderLine]:
        rows = await info.context.load.lines.load(uuid.UUID(self.id)) or []
        return [RenewOrderLine.of(row) for row in rows]


async def load_order(order_id: uuid.UUID, info: Info) -> RenewOrder:
    """An order that is known to be the account's."""
    return RenewOrder.of(await info.context.load.order.load(order_id))


async def resolve_order(info: Info, id: strawberry.ID) -> RenewOrder | None:  # noqa: A002
    try:
        order_id = uuid.UUID(id)
    except ValueError:
        return None
    row = await info.context.load.order.load(order_id)
    return RenewOrder.of(row) if row else None


async def resolve_orders(
    info: Info,
    first: int | None = strawberry.UNSET,
    after: str | None = strawberry.UNSET,
    last: int | None = strawberry.UNSET,
    before: str | None = strawberry.UNSET,
) -> connections.Connection[RenewOrder]:
    request = connections.page_request(queries.ORDERS, first=first, after=after, last=last, before=before)
    account_id = info.context.account_id
    return connections.Connection(
        page=connections.Once(lambda: queries.fetch_orders(database.pool(), account_id, request)),
        count=lambda: queries.count_orders(database.pool(), account_id),
        node_of=RenewOrder.of,
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
    def of(cls, line: planning.Line) -> Self:
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


@strawberry.type
class Quote:
    lines: list[QuoteLine]
    refusals: list[refusals.InstanceRefusal]
    list_total: scalars.Money
    discount_total: scalars.Money
    total: scalars.Money
    vouchers: list[accounts.VoucherUse]
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
    plan = await domain.quote(info.context.account_id, request, info.context.now)
    payment = plan.payment
    return Quote(
        lines=[QuoteLine.of(line) for line in plan.lines],
        refusals=refusals.of(plan.refusals),
        list_total=scalars.Money(plan.list_cents),
        discount_total=scalars.Money(plan.list_cents - plan.total_cents),
        total=scalars.Money(plan.total_cents),
        vouchers=await accounts.voucher_uses(
            [(use.voucher_id, use.amount_cents) for use in payment.uses], info
        ),
        voucher_total=scalars.Money(payment.voucher_cents),
        balance_total=scalars.Money(payment.balance_cents),
        balance_after=scalars.Money(payment.balance_after_cents),
        shortfall=scalars.Money(payment.shortfall_cents),
    )
