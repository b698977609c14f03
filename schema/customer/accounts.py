"""The account, its vouchers and its ledger."""

import datetime as dt
from typing import Annotated, cast

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db.connection import Row
from renewals.domain import limits, model, pricing
from schema.context import Info
from schema.customer import history_filters
from schema.fields import sources
from schema.shared import connections, scalars
from schema.shared.vouchers import Voucher


async def _read_vouchers(
    info: Info,
    usable: Annotated[
        bool | None,
        strawberry.argument(
            description="True: vouchers that can pay now. False: used up or expired vouchers. Null: all vouchers."
        ),
    ] = True,
) -> list[Voucher]:
    context = info.context
    vouchers = await accounts_queries.fetch_vouchers(
        database.pool(), context.account_id, usable=usable, now=context.now
    )
    return cast("list[Voucher]", list(vouchers))


def _format_cap(row: strawberry.Parent[Row]) -> str | None:
    cap_bps: int | None = sources.read(row, "price_rise_cap_bps")
    return None if cap_bps is None else pricing.format_percent(cap_bps)


@strawberry.type(description="A customer's account: it owns instances and pays for them.")
class Account:
    id: strawberry.ID = strawberry.field(description="The provider's id of the account.")
    name: str = strawberry.field(description="The account's display name.")
    currency: str = strawberry.field(
        description="Currency code of all the account's amounts: three capital letters, such as CNY."
    )
    time_zone: str = strawberry.field(
        description="IANA time zone of the account's dates, such as Asia/Shanghai. Never changes."
    )
    balance: scalars.Money = sources.column(
        "balance_cents", description="Prepaid money, without vouchers. Never below zero."
    )
    auto_renew_from: dt.datetime = strawberry.field(
        description=(
            "Automatic renewals begin at this instant. The worker does not renew an instance that was due earlier."
        )
    )
    lead_days: int = strawberry.field(
        description=(
            "Number of days from the automatic renewal of an AUTO instance to its last day: "
            f"0 to {limits.LEAD_DAYS_MAX}."
        )
    )
    auto_renew_time: str = strawberry.field(
        description=(
            'Time of day at which automatic renewals start, as HH:MM in the account\'s time zone, such as "00:30".'
        )
    )
    price_rise_cap_percent: str | None = sources.computed(
        _format_cap,
        "price_rise_cap_bps",
        description=(
            "The largest price increase at which the worker still renews an instance, in percent of the agreed price, "
            'such as "10" or "12.5". Null: no limit.'
        ),
    )
    language: model.Language = strawberry.field(
        description="The language of texts that are the same for all callers, such as calendar entries."
    )
    test_clock: dt.datetime | None = strawberry.field(
        description=(
            "The current time of a test account, which advanceTestClock moves. All reads and changes of the account "
            "use this time, except those of webhook endpoints and keys. Null: the account runs in real time."
        )
    )
    vouchers = strawberry.field(
        resolver=_read_vouchers, description="The account's vouchers, in the order in which they pay."
    )


async def resolve_account(info: Info) -> Account:
    """Return the caller's account."""
    return cast("Account", await accounts_queries.fetch_account(database.pool(), info.context.account_id))


@strawberry.type(
    description=(
        "A change of the balance, or of a voucher if `voucher` is set. Entries are never changed, and only a reset of "
        "the demo account deletes entries."
    )
)
class LedgerEntry:
    id: strawberry.ID = sources.column(
        "number", description="The entry's number. A later entry has a greater number."
    )
    kind: model.LedgerEntryKind = strawberry.field(description="Why the amount changed.")
    amount: scalars.Money = sources.column(
        "amount_cents", description="The change: positive is money in, negative is money out."
    )
    balance_after: scalars.Money = sources.column(
        "balance_after_cents",
        description="The account's balance after the entry. An entry of a voucher does not change the balance.",
    )
    voucher: Voucher | None = sources.loaded(
        lambda load: load.voucher,
        "voucher_id",
        description="The voucher that the entry changed. Null if the entry changed the balance.",
    )
    available_after: scalars.Money | None = sources.column(
        "available_after_cents",
        description="The amount left on the voucher after the entry. Null if the entry changed the balance.",
    )
    created_at: dt.datetime = strawberry.field(description="When the entry was written.")
    order_id: strawberry.ID | None = strawberry.field(
        description="The order that was paid or refunded. Null for an entry without an order."
    )
    memo: str = strawberry.field(
        description=(
            "For a top-up of the balance, the provider's note, such as a payment reference; it can be empty. For other "
            "entries, a short text in the account's language."
        )
    )


def query_ledger(
    info: Info,
    filter: Annotated[  # noqa: A002
        history_filters.LedgerFilter | None,
        strawberry.argument(description="Conditions on the entries. Null: all entries."),
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with the account's ledger entries."""
    account_id, ledger_filter = info.context.account_id, history_filters.to_ledger_filter(filter)
    return connections.ConnectionQuery(
        accounts_queries.LEDGER,
        lambda page, requested: accounts_queries.fetch_ledger(
            database.pool(), account_id, ledger_filter, page, counted=requested.count
        ),
        lambda: accounts_queries.count_ledger(database.pool(), account_id, ledger_filter),
    )
