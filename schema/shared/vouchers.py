"""Vouchers, shared by both APIs."""

import datetime as dt

import strawberry

from schema.fields import sources
from schema.shared import scalars


@strawberry.type(description="A voucher (代金券), which pays before the balance and can be used in parts.")
class Voucher:
    id: strawberry.ID = strawberry.field(description="The voucher's id, a UUID.")
    face_value: scalars.Money = sources.column(
        "face_cents", description="The amount when the voucher was issued."
    )
    available: scalars.Money = sources.column(
        "available_cents", description="The unused amount, even if the voucher has expired."
    )
    expires_at: dt.datetime = strawberry.field(description="The last instant at which the voucher can pay.")
    products: list[strawberry.ID] = sources.column(
        "product_codes",
        description="Codes of the products that the voucher can pay for. Empty: all products.",
    )


@strawberry.type(description="An amount that a voucher pays, or that is returned to it.")
class VoucherUse:
    voucher: Voucher = sources.loaded(
        lambda load: load.voucher, "voucher_id", description="The voucher, as it is now."
    )
    amount: scalars.Money = sources.column("amount_cents", description="The amount paid or returned.")
