"""The account, its vouchers and its ledger."""

import datetime as dt
from typing import Annotated

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.domain import model
from schema.context import Info
from schema.customer import inputs
from schema.fields import sources
from schema.shared import connections, scalars
from schema.shared.vouchers import Voucher


@strawberry.type
class Account:
    id: strawberry.ID
    name: str
    currency: str
    time_zone: str
    balance: scalars.Money = sources.column("balance_cents")
    auto_renew_from: dt.datetime = strawberry.field(
        description="Automatic renewals begin at this instant; what was due before it is left to the account's owner."
    )

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
        vouchers = await accounts_queries.fetch_vouchers(
            database.pool(), context.account_id, usable=usable, now=context.now
        )
        return list(vouchers)


async def resolve_account(info: Info) -> Account:
    row: Account = await accounts_queries.fetch_account(database.pool(), info.context.account_id)
    return row


@strawberry.type(
    description="A change of the balance, or of a voucher if `voucher` is set; never changed or deleted."
)
class LedgerEntry:
    id: strawberry.ID = sources.column("number")
    kind: model.LedgerEntryKind
    amount: scalars.Money = sources.column("amount_cents")
    balance_after: scalars.Money = sources.column(
        "balance_after_cents",
        description="The account's balance after the entry; an entry of a voucher leaves it as it was.",
    )
    voucher: Voucher | None = sources.loaded(
        lambda load: load.voucher,
        "voucher_id",
        description="The voucher that the entry changed; null: the entry changed the balance.",
    )
    available_after: scalars.Money | None = sources.column(
        "available_after_cents",
        description="What the entry left of the voucher; null without a voucher.",
    )
    created_at: dt.datetime
    order_id: strawberry.ID | None
    memo: str


def query_ledger(
    info: Info,
    filter: inputs.LedgerFilter | None = strawberry.UNSET,  # noqa: A002
) -> connections.ConnectionQuery:
    """Return the reads of the account's ledger; raise InvalidInputError if the filter is out of bounds."""
    account_id, ledger_filter = info.context.account_id, inputs.to_ledger_filter(filter)
    return connections.ConnectionQuery(
        accounts_queries.LEDGER,
        lambda page, requested: accounts_queries.fetch_ledger(
            database.pool(), account_id, ledger_filter, page, counted=requested.count
        ),
        lambda: accounts_queries.count_ledger(database.pool(), account_id, ledger_filter),
    )
