"""Accounts, their vouchers and API keys."""

import datetime as dt
from typing import Annotated, cast

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


@strawberry.type(description="An account of a customer.")
class Account:
    id: strawberry.ID = strawberry.field(description="The provider's own id of the account.")
    name: str = strawberry.field(description="The display name, for customers and operators.")
    currency: str = strawberry.field(
        description="Currency code of three capital letters. It is only a label: no amount is converted."
    )
    time_zone: str = strawberry.field(description="IANA time zone of the account's dates.")
    balance: scalars.Money = sources.column("balance_cents", description="Prepaid money, without vouchers.")
    lead_days: int | None = strawberry.field(
        description="Number of days from an automatic renewal to the day of expiry. Null: the service's setting."
    )
    price_rise_cap_percent: Percent | None = sources.column(
        "price_rise_cap_bps",
        description=(
            "The worker does not renew an AUTO instance whose price has risen by more than this percentage of the "
            "price that the customer last paid or agreed to. Null: no limit."
        ),
    )
    auto_renew_from: dt.datetime = strawberry.field(
        description="The cut-over: the worker does not renew an instance that was due before this instant."
    )
    language: model.Language = strawberry.field(
        description="The language of texts that are the same for all callers, such as calendar entries."
    )
    test_clock: dt.datetime | None = strawberry.field(
        description=(
            "The current time of a test account. All reads and changes of the account use this time, except those of "
            "webhook endpoints and keys. Null: the account runs in real time."
        )
    )
    created_at: dt.datetime = strawberry.field(description="When the account was created, by its own clock.")


@strawberry.type(description="An API key, without its secret.")
class ApiKey:
    id: strawberry.ID = strawberry.field(description="Identifies the key in `revokeApiKey`.")
    account_id: strawberry.ID | None = strawberry.field(
        description="The account that the key gives access to. Null: an operator's key."
    )
    role: model.Role = strawberry.field(description="The permitted use of the key.")
    name: str = strawberry.field(
        description="The name given at creation. For an operator's key, the audit log shows this name."
    )
    prefix: str = strawberry.field(
        description="The first 8 characters of the key after `rk_`, to identify a key without its secret."
    )
    created_at: dt.datetime = strawberry.field(description="When the key was created.")
    expires_at: dt.datetime | None = strawberry.field(
        description="The key is invalid from this instant on. Null: it does not expire."
    )
    revoked_at: dt.datetime | None = strawberry.field(
        description="When the key was revoked. Null: not revoked."
    )
    last_used_at: dt.datetime | None = strawberry.field(
        description=(
            "When the key was last used. The value can be up to 6 minutes old. Null: never used, or not yet written."
        )
    )


async def find_account(account_id: str) -> Account | None:
    """Return an account, or None if it does not exist."""
    return cast("Account | None", await operators_queries.find_account(database.pool(), account_id))


async def resolve_account(
    id: Annotated[strawberry.ID, strawberry.argument(description="The account's id.")],  # noqa: A002
) -> Account | None:
    """Return an account, or None if it does not exist."""
    return await find_account(id)


def query_accounts(
    info: Info,
    search: Annotated[
        str | None,
        strawberry.argument(
            description="A part of the id or the name, case-insensitive. Null: all accounts."
        ),
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with the accounts that match the search."""
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
        strawberry.argument(
            description="Only the keys of the account. Null: the keys of operators or, with `prefix`, of all owners."
        ),
    ] = strawberry.UNSET,
    prefix: Annotated[
        str | None,
        strawberry.argument(
            description=(
                "The 8 characters that follow `rk_`: only keys with this prefix, to find the owner of a leaked key. "
                "Null: any prefix."
            )
        ),
    ] = strawberry.UNSET,
) -> list[ApiKey]:
    """Return the API keys that have the owner and the prefix; if both are null, those of operators."""
    rows = await operators_queries.list_keys(
        database.pool(), account_id=account_id or None, prefix=prefix or None
    )
    return cast("list[ApiKey]", list(rows))


async def get_key(key_id: str) -> ApiKey:
    """Return the API key with this id. Call this only for a key that exists."""
    return cast("ApiKey", await operators_queries.get_key(database.pool(), key_id))


async def resolve_vouchers(
    info: Info,
    account_id: Annotated[strawberry.ID, strawberry.argument(description="The account's id.")],
) -> list[vouchers.Voucher]:
    """Return the vouchers of an account; none if the account does not exist."""
    if not sql.is_storable(account_id):
        return []
    rows = await accounts_queries.fetch_vouchers(database.pool(), account_id, info.context.now)
    return cast("list[vouchers.Voucher]", list(rows))
