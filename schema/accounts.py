"""The account, its vouchers and its ledger."""

import datetime as dt
from typing import Annotated, Self

import strawberry

from renewals import database, details, queries, terms
from renewals.database import Row
from schema import connections, scalars
from schema.context import Info


@strawberry.type
class Voucher:
    id: strawberry.ID
    face_value: scalars.Money
    available: scalars.Money
    expires_at: dt.datetime
    products: list[strawberry.ID]

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=strawberry.ID(str(row["id"])),
            face_value=row["face_cents"],
            available=row["available_cents"],
            expires_at=row["expires_at"],
            products=row["product_codes"],
        )


@strawberry.type
class VoucherUse:
    voucher: Voucher
    amount: scalars.Money


async def voucher_uses(amounts: list[tuple[str, int]], info: Info) -> list[VoucherUse]:
    """Uses with their vouchers as they are now, given (voucher id, cents)."""
    rows = await info.context.load.voucher.load_many([voucher_id for voucher_id, _ in amounts])
    return [
        VoucherUse(voucher=Voucher.of(row), amount=scalars.Money(cents))
        for row, (_, cents) in zip(rows, amounts, strict=True)
    ]


@strawberry.type
class Account:
    id: strawberry.ID
    name: str
    currency: str
    time_zone: str
    balance: scalars.Money

    @strawberry.field
    async def vouchers(
        self,
        info: Info,
        usable: Annotated[
            bool | None,
            strawberry.argument(
                description="True: those that count now. False: used up or expired. Null: all."
            ),
        ] = True,
    ) -> list[Voucher]:
        context = info.context
        rows = await details.fetch_vouchers(
            database.pool(), context.account_id, usable=usable, now=context.now
        )
        return [Voucher.of(row) for row in rows]


async def resolve_account(info: Info) -> Account:
    row = await details.fetch_account(database.pool(), info.context.account_id)
    return Account(
        id=row["id"],
        name=row["name"],
        currency=row["currency"],
        time_zone=row["time_zone"],
        balance=row["balance_cents"],
    )


@strawberry.type
class LedgerEntry:
    id: strawberry.ID
    kind: terms.LedgerEntryKind
    amount: scalars.Money
    balance_after: scalars.Money
    created_at: dt.datetime
    order_id: strawberry.ID | None
    memo: str

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=strawberry.ID(str(row["number"])),
            kind=terms.LedgerEntryKind(row["kind"]),
            amount=row["amount_cents"],
            balance_after=row["balance_after_cents"],
            created_at=row["created_at"],
            order_id=row["order_id"] and strawberry.ID(str(row["order_id"])),
            memo=row["memo"],
        )


async def resolve_ledger(
    info: Info,
    first: int | None = strawberry.UNSET,
    after: str | None = strawberry.UNSET,
    last: int | None = strawberry.UNSET,
    before: str | None = strawberry.UNSET,
) -> connections.Connection[LedgerEntry]:
    request = connections.page_request(queries.LEDGER, first=first, after=after, last=last, before=before)
    account_id = info.context.account_id
    return connections.Connection(
        page=connections.Once(lambda: queries.fetch_ledger(database.pool(), account_id, request)),
        count=lambda: queries.count_ledger(database.pool(), account_id),
        node_of=LedgerEntry.of,
    )
