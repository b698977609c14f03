"""The success types of the operators' mutations, except those about webhooks."""

from collections.abc import Mapping, Sequence
from typing import cast

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from schema.fields import sources
from schema.operator import accounts, monitoring, orders
from schema.operator.errors import RowRefusal
from schema.shared import vouchers as shared_vouchers


async def _read_account(success: strawberry.Parent["AccountChanged"]) -> accounts.Account:
    account = await accounts.find_account(success.account_id)
    assert account is not None
    return account


@strawberry.type
class AccountChanged:
    """The field shared by the successes of mutations that change an account."""

    account_id: strawberry.Private[str]
    account: accounts.Account = strawberry.field(
        resolver=_read_account,
        description="The account after the change. If the idempotency key is repeated, the account as it is now.",
    )


@strawberry.type(description="The account was created.")
class CreateAccountSuccess(AccountChanged):
    pass


@strawberry.type(description="The account was changed.")
class UpdateAccountSuccess(AccountChanged):
    pass


@strawberry.type(description="The amount was added to the balance.")
class TopUpSuccess(AccountChanged):
    number: strawberry.Private[int]
    entry_id: strawberry.ID = sources.column(
        "number", description="The id of the entry in the account's ledger."
    )


async def _read_vouchers(success: strawberry.Parent["IssueVouchersSuccess"]) -> list[shared_vouchers.Voucher]:
    vouchers = await accounts_queries.fetch_vouchers_by_id(
        database.pool(), success.account_id, success.voucher_ids
    )
    return cast("list[shared_vouchers.Voucher]", [vouchers[voucher_id] for voucher_id in success.voucher_ids])


@strawberry.type(description="All of the vouchers were issued.")
class IssueVouchersSuccess(AccountChanged):
    voucher_ids: strawberry.Private[list[str]]
    vouchers: list[shared_vouchers.Voucher] = strawberry.field(
        resolver=_read_vouchers, description="The vouchers, in the order of the request."
    )


async def _read_key(success: strawberry.Parent["ApiKeyChanged"]) -> accounts.ApiKey:
    return await accounts.get_key(success.key_id)


@strawberry.type
class ApiKeyChanged:
    """The field shared by the successes of mutations that change an API key."""

    key_id: strawberry.Private[str]
    api_key: accounts.ApiKey = strawberry.field(
        resolver=_read_key, description="The key after the change, without its secret."
    )


@strawberry.type(description="The API key was created.")
class CreateApiKeySuccess(ApiKeyChanged):
    secret: str | None = strawberry.field(
        description=(
            "The key itself, returned only once because it is not stored. Null if the idempotency key is repeated. If "
            "the first response was lost, revoke the key and create another."
        )
    )


@strawberry.type(description="The API key is revoked.")
class RevokeApiKeySuccess(ApiKeyChanged):
    pass


@strawberry.type
class RowsPut:
    """The counts shared by the successes of mutations that change the catalog."""

    created_count: int = strawberry.field(description="Number of entries with new codes.")
    changed_count: int = strawberry.field(
        description="Number of entries that were replaced by different ones."
    )
    unchanged_count: int = strawberry.field(description="Number of entries that were already the same.")


@strawberry.type(description="All of the products are in the catalog.")
class PutProductsSuccess(RowsPut):
    pass


@strawberry.type(description="All of the types of data centers are in the catalog.")
class PutDataCenterTypesSuccess(RowsPut):
    pass


@strawberry.type(description="All of the data centers are in the catalog.")
class PutDataCentersSuccess(RowsPut):
    pass


@strawberry.type
class Refusals:
    """The refused rows of a change in which each row is accepted or refused separately."""

    refused: strawberry.Private[Sequence[Mapping[str, str]]]
    refusals: list[RowRefusal] = sources.sliced(
        "refused", description="Refused rows, in the order of the request, but refused bundles first."
    )
    refusal_count: int = sources.counted("refused", description="Number of all refused rows.")


@strawberry.type
class RowCounts:
    """The counts shared by the successes of mutations that change instances."""

    changed_count: int = strawberry.field(description="Number of instances that were changed.")
    unchanged_count: int = strawberry.field(
        description="Number of instances that already had the requested values."
    )


@strawberry.type
class RowsDone(RowCounts, Refusals):
    """The counts and refusals shared by the successes of mutations that change instances."""


_HELD_COUNT = strawberry.field(
    description="Number of changed instances that the worker does not renew until the customer agrees to their price."
)


@strawberry.type(description="The instances that are not in `refusals` are registered.")
class RegisterInstancesSuccess(RowsDone):
    created_count: int = strawberry.field(description="Number of instances with new ids.")
    held_count: int = _HELD_COUNT


@strawberry.type(description="The instances that are not in `refusals` have their new prices.")
class ChangePricesSuccess(RowsDone):
    held_count: int = _HELD_COUNT


@strawberry.type(
    description="The customers' agreement is recorded for all instances that are not in `refusals`."
)
class ConfirmPricesSuccess(RowsDone):
    pass


@strawberry.type(description="The instances that are not in `refusals` are formal.")
class MakeFormalSuccess(RowsDone):
    pass


@strawberry.type(description="The instances that are not in `refusals` are released.")
class ReleaseInstancesSuccess(RowsDone):
    pass


async def _read_run(success: strawberry.Parent["RetryParkedSuccess"]) -> monitoring.RenewalRun:
    return await monitoring.get_run(success.run_id)


@strawberry.type(description="A run for the parked accounts was started.")
class RetryParkedSuccess:
    run_id: strawberry.Private[int]
    run: monitoring.RenewalRun = strawberry.field(
        resolver=_read_run,
        description="The new run. It contains the parked accounts with instances that are still due.",
    )


async def _read_refund(success: strawberry.Parent["RefundOrderSuccess"]) -> orders.Refund:
    return await orders.get_refund(success.refund_id)


@strawberry.type(
    description="At least one line was refunded. `refusals` lists the requested lines that were not."
)
class RefundOrderSuccess(AccountChanged, Refusals):
    refund_id: strawberry.Private[str]
    refund: orders.Refund = strawberry.field(
        resolver=_read_refund, description="The refund, with its lines and vouchers."
    )
