"""Orders with their lines and refunds, shared by both APIs."""

import datetime as dt

import strawberry

from renewals.domain import model
from schema.fields import sources
from schema.shared import scalars
from schema.shared import vouchers as shared_vouchers

MONTHS = (
    "Number of whole months in the new period. They end on the anchor day that the instance had before or, in a "
    "shorter month, on the last day."
)
DAYS = "Number of days in the new period after its whole months. Always 0 except for unifyExpiry."


@strawberry.type
class RenewOrder:
    """The fields of an order that are the same in both APIs."""

    id: strawberry.ID = strawberry.field(description="The order's own id.")
    kind: model.OrderKind = strawberry.field(description="Which operation made the order.")
    created_at: dt.datetime = strawberry.field(description="When the order was made and paid.")
    total: scalars.Money = sources.column("total_cents", description="Sum of the prices of all lines.")
    voucher_total: scalars.Money = sources.column("voucher_cents", description="The part paid by vouchers.")
    balance_total: scalars.Money = sources.column(
        "balance_cents", description="The part paid by the balance."
    )
    line_count: int = sources.loaded(
        lambda load: load.line_count, "id", is_count=True, description="Number of lines."
    )


@strawberry.type(description="The renewal of one instance in an order.")
class RenewOrderLine:
    instance_id: strawberry.ID = strawberry.field(description="The instance that was renewed.")
    starts_at: dt.datetime = strawberry.field(description="Start of the new period: the old expiry.")
    expires_at: dt.datetime = strawberry.field(description="The new expiry.")
    months: int = strawberry.field(description=MONTHS)
    days: int = strawberry.field(description=DAYS)
    list_price: scalars.Money = sources.column("list_cents", description="Price of the line before discount.")
    discount: scalars.Money = sources.column("discount_cents", description="Amount of the discount.")
    price: scalars.Money = sources.column("price_cents", description="Price of the line, after discount.")


@strawberry.type(description="A refunded line of an order.")
class RefundLine:
    instance_id: strawberry.ID = strawberry.field(description="The line's instance.")
    amount: scalars.Money = sources.column("cents", description="The refunded amount: the price of the line.")


@strawberry.type
class Refund:
    """The fields of a refund that are the same in both APIs."""

    id: strawberry.ID = strawberry.field(description="The refund's own id.")
    created_at: dt.datetime = strawberry.field(description="When the money was returned.")
    total: scalars.Money = sources.column("total_cents", description="The amount returned in all.")
    voucher_total: scalars.Money = sources.column(
        "voucher_cents", description="The part returned to vouchers."
    )
    balance_total: scalars.Money = sources.column(
        "balance_cents", description="The part returned to the balance."
    )
    vouchers: list[shared_vouchers.VoucherUse] = sources.loaded(
        lambda load: load.refund_vouchers,
        "id",
        description=(
            "The amount returned to each voucher. The part that an expired voucher paid goes to the balance."
        ),
    )
    line_count: int = sources.loaded(
        lambda load: load.refund_line_count, "id", is_count=True, description="Number of refunded lines."
    )
