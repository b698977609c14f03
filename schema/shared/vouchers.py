"""Vouchers, as both APIs show them."""

import datetime as dt

import strawberry

from schema.fields import sources
from schema.shared import scalars


@strawberry.type
class Voucher:
    id: strawberry.ID
    face_value: scalars.Money = sources.column("face_cents")
    available: scalars.Money = sources.column("available_cents")
    expires_at: dt.datetime
    products: list[strawberry.ID] = sources.column("product_codes")


@strawberry.type
class VoucherUse:
    voucher: Voucher = sources.loaded(lambda load: load.voucher, "voucher_id")
    amount: scalars.Money = sources.column("amount_cents")
