"""Accounts, their vouchers, and the keys that open the API."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import model
from renewals.operators import queries as operators_queries
from schema.fields import sources
from schema.operator.context import Info
from schema.operator.scalars import Percent
from schema.shared import connections, scalars, vouchers


@strawberry.type
class Account:
    id: strawberry.ID
    name: str
    currency: str
    time_zone: str
    balance: scalars.Money = sources.column("balance_cents")
    lead_days: int | None = strawberry.field(
        description="So many days before the day of expiry the worker renews; null: as is set for all."
    )
    price_rise_cap_percent: Percent | None = sources.column(
        "price_rise_cap_bps",
        description=(
            "An AUTO instance whose price rose by more since the customer last paid or agreed is held; null: none is."
        ),
    )
    auto_renew_from: dt.datetime = strawberry.field(
        description="The cut-over: an AUTO instance that was due before this instant is left to the account's owner."
    )
    created_at: dt.datetime


@strawberry.type
class ApiKey:
    id: strawberry.ID
    account_id: strawberry.ID | None = strawberry.field(description="Null: a key of an operator.")
    role: model.Role
    name: str
    prefix: str = strawberry.field(description="What the key has after rk_, to know it by.")
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None = strawberry.field(
        description="To within some minutes; null: never, or not yet written down."
    )


async def find_account(account_id: str) -> Account | None:
    found: Any = await operators_queries.fetch_accounts_by_id(database.pool(), [account_id])
    return found.get(account_id)  # type: ignore[no-any-return]


async def resolve_account(id: strawberry.ID) -> Account | None:  # noqa: A002
    return await find_account(id)


def query_accounts(
    info: Info,
    search: Annotated[
        str | None, strawberry.argument(description="A part of the id or the name, case-insensitive.")
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the reads of all accounts."""
    return connections.ConnectionQuery(
        operators_queries.ACCOUNTS,
        lambda page, requested: operators_queries.fetch_accounts(
            database.pool(), page, search=search or None, counted=requested.count
        ),
        lambda: operators_queries.count_accounts(database.pool(), search=search or None),
    )


async def resolve_api_keys(
    account_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(description="Null: the keys of operators, or with a prefix of whomever."),
    ] = strawberry.UNSET,
    prefix: Annotated[
        str | None,
        strawberry.argument(description="What a key has after rk_, to find one that leaked."),
    ] = strawberry.UNSET,
) -> list[ApiKey]:
    found: Any = await operators_queries.fetch_keys(
        database.pool(), account_id=account_id or None, prefix=prefix or None
    )
    return list(found)


async def find_key(key_id: str) -> ApiKey:
    found: Any = await operators_queries.fetch_key(database.pool(), key_id)
    return found  # type: ignore[no-any-return]


async def resolve_vouchers(info: Info, account_id: strawberry.ID) -> list[vouchers.Voucher]:
    if not sql.is_storable(account_id):
        return []
    vouchers: Any = await accounts_queries.fetch_vouchers(database.pool(), account_id, info.context.now)
    return list(vouchers)
