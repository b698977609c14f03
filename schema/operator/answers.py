"""What changes answer: a success, or one of the refusals that the verb has."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from renewals import database, details
from schema import accounts as customers
from schema import refusals as shared
from schema import rows
from schema.operator import accounts, orders, refusals, watching

_RowRefusal = refusals.RowRefusal


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
    async def vouchers(self) -> list[customers.Voucher]:
        found: Any = await details.fetch_vouchers_by_id(database.pool(), self.account_id, self.voucher_ids)
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
    CreateAccountSuccess | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("CreateAccountResult"),
]
UpdateAccountResult = Annotated[
    UpdateAccountSuccess | refusals.NotFound | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("UpdateAccountResult"),
]
TopUpResult = Annotated[
    TopUpSuccess | refusals.NotFound | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("TopUpResult"),
]
IssueVouchersResult = Annotated[
    IssueVouchersSuccess | refusals.NotFound | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("IssueVouchersResult"),
]
CreateApiKeyResult = Annotated[
    CreateApiKeySuccess | refusals.NotFound | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("CreateApiKeyResult"),
]
RevokeApiKeyResult = Annotated[
    RevokeApiKeySuccess | refusals.NotFound | shared.IdempotencyKeyReused | shared.InvalidInput,
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
    refusals: list[_RowRefusal] = rows.sliced("refused")
    refusal_count: int = rows.counted("refused")


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
    async def run(self) -> watching.RenewalRun:
        return await watching.find_run(self.run_id)


@strawberry.type(description="What was refunded; refusals are the lines that were asked for and were not.")
class RefundOrderSuccess(AccountChanged):
    refund_id: strawberry.Private[str]
    refused: strawberry.Private[Sequence[Mapping[str, str]]]
    refusals: list[_RowRefusal] = rows.sliced("refused")
    refusal_count: int = rows.counted("refused")

    @strawberry.field
    async def refund(self) -> orders.Refund:
        return await orders.find_refund(self.refund_id)


PutProductsResult = Annotated[
    PutProductsSuccess | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("PutProductsResult"),
]
PutDataCentersResult = Annotated[
    PutDataCentersSuccess | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("PutDataCentersResult"),
]
RegisterInstancesResult = Annotated[
    RegisterInstancesSuccess | refusals.NotFound | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("RegisterInstancesResult"),
]
ChangePricesResult = Annotated[
    ChangePricesSuccess | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("ChangePricesResult"),
]
ConfirmPricesResult = Annotated[
    ConfirmPricesSuccess | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("ConfirmPricesResult"),
]
MakeFormalResult = Annotated[
    MakeFormalSuccess | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("MakeFormalResult"),
]
ReleaseInstancesResult = Annotated[
    ReleaseInstancesSuccess | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("ReleaseInstancesResult"),
]
RetryParkedResult = Annotated[
    RetryParkedSuccess | refusals.NotFound | shared.IdempotencyKeyReused | shared.InvalidInput,
    strawberry.union("RetryParkedResult"),
]
RefundOrderResult = Annotated[
    RefundOrderSuccess
    | refusals.NotRefundable
    | refusals.NotFound
    | shared.IdempotencyKeyReused
    | shared.InvalidInput,
    strawberry.union("RefundOrderResult"),
]
