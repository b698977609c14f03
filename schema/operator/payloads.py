"""What changes answer: a success, or one of the refusals that the verb has."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from schema.fields import sources
from schema.operator import accounts, monitoring, orders
from schema.operator import errors as operator_errors
from schema.shared import errors
from schema.shared import vouchers as shared_vouchers

_RowRefusal = operator_errors.RowRefusal


@strawberry.type
class AccountChanged:
    """What the verbs about an account answer alike."""

    account_id: strawberry.Private[str]

    @strawberry.field
    async def account(self) -> accounts.Account:
        found = await accounts.find_account(self.account_id)
        assert found is not None
        return found


@strawberry.type
class CreateAccountSuccess(AccountChanged):
    pass


@strawberry.type
class UpdateAccountSuccess(AccountChanged):
    pass


@strawberry.type
class TopUpSuccess(AccountChanged):
    entry_id: strawberry.ID = strawberry.field(description="The ledger entry, as the customer sees it.")


@strawberry.type
class IssueVouchersSuccess(AccountChanged):
    voucher_ids: strawberry.Private[list[str]]

    @strawberry.field
    async def vouchers(self) -> list[shared_vouchers.Voucher]:
        found: Any = await accounts_queries.fetch_vouchers_by_id(
            database.pool(), self.account_id, self.voucher_ids
        )
        return [found[voucher_id] for voucher_id in self.voucher_ids]


@strawberry.type
class ApiKeyChanged:
    """What the verbs about a key answer alike."""

    key_id: strawberry.Private[str]

    @strawberry.field
    async def api_key(self) -> accounts.ApiKey:
        return await accounts.find_key(self.key_id)


@strawberry.type
class CreateApiKeySuccess(ApiKeyChanged):
    secret: str | None = strawberry.field(
        description=(
            "The key itself, shown this once. Null when an idempotency key is repeated: if the first answer was lost, "
            "revoke the key and make another."
        )
    )


@strawberry.type
class RevokeApiKeySuccess(ApiKeyChanged):
    pass


CreateAccountResult = Annotated[
    CreateAccountSuccess | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("CreateAccountResult"),
]
UpdateAccountResult = Annotated[
    UpdateAccountSuccess | operator_errors.NotFound | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("UpdateAccountResult"),
]
TopUpResult = Annotated[
    TopUpSuccess | operator_errors.NotFound | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("TopUpResult"),
]
IssueVouchersResult = Annotated[
    IssueVouchersSuccess | operator_errors.NotFound | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("IssueVouchersResult"),
]
CreateApiKeyResult = Annotated[
    CreateApiKeySuccess | operator_errors.NotFound | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("CreateApiKeyResult"),
]
RevokeApiKeyResult = Annotated[
    RevokeApiKeySuccess | operator_errors.NotFound | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("RevokeApiKeyResult"),
]


@strawberry.type
class RowsPut:
    """What the verbs about the catalogue answer alike."""

    created_count: int
    changed_count: int
    unchanged_count: int


@strawberry.type
class PutProductsSuccess(RowsPut):
    pass


@strawberry.type
class PutDataCentersSuccess(RowsPut):
    pass


@strawberry.type
class RowsDone:
    """What the verbs that decide each row alone answer alike."""

    changed_count: int
    unchanged_count: int
    refused: strawberry.Private[Sequence[Mapping[str, str]]]
    refusals: list[_RowRefusal] = sources.sliced("refused")
    refusal_count: int = sources.counted("refused")


_HELD = strawberry.field(
    description="How many of the changed ones the worker leaves until the customer agrees to their price."
)


@strawberry.type
class RegisterInstancesSuccess(RowsDone):
    created_count: int
    held_count: int = _HELD


@strawberry.type
class ChangePricesSuccess(RowsDone):
    held_count: int = _HELD


@strawberry.type
class ConfirmPricesSuccess(RowsDone):
    pass


@strawberry.type
class MakeFormalSuccess(RowsDone):
    pass


@strawberry.type
class ReleaseInstancesSuccess(RowsDone):
    pass


@strawberry.type
class RetryParkedSuccess:
    run_id: strawberry.Private[int]

    @strawberry.field
    async def run(self) -> monitoring.RenewalRun:
        return await monitoring.find_run(self.run_id)


@strawberry.type(description="What was refunded; refusals are the lines that were asked for and were not.")
class RefundOrderSuccess(AccountChanged):
    refund_id: strawberry.Private[str]
    refused: strawberry.Private[Sequence[Mapping[str, str]]]
    refusals: list[_RowRefusal] = sources.sliced("refused")
    refusal_count: int = sources.counted("refused")

    @strawberry.field
    async def refund(self) -> orders.Refund:
        return await orders.find_refund(self.refund_id)


PutProductsResult = Annotated[
    PutProductsSuccess | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("PutProductsResult"),
]
PutDataCentersResult = Annotated[
    PutDataCentersSuccess | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("PutDataCentersResult"),
]
RegisterInstancesResult = Annotated[
    RegisterInstancesSuccess | operator_errors.NotFound | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("RegisterInstancesResult"),
]
ChangePricesResult = Annotated[
    ChangePricesSuccess | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("ChangePricesResult"),
]
ConfirmPricesResult = Annotated[
    ConfirmPricesSuccess | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("ConfirmPricesResult"),
]
MakeFormalResult = Annotated[
    MakeFormalSuccess | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("MakeFormalResult"),
]
ReleaseInstancesResult = Annotated[
    ReleaseInstancesSuccess | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("ReleaseInstancesResult"),
]
RetryParkedResult = Annotated[
    RetryParkedSuccess | operator_errors.NotFound | errors.IdempotencyKeyReused | errors.InvalidInput,
    strawberry.union("RetryParkedResult"),
]
RefundOrderResult = Annotated[
    RefundOrderSuccess
    | operator_errors.NotRefundable
    | operator_errors.NotFound
    | errors.IdempotencyKeyReused
    | errors.InvalidInput,
    strawberry.union("RefundOrderResult"),
]
