"""The root of all changes that operators make: each answers what was done, or a typed refusal and nothing was."""

from typing import Annotated, Any

import strawberry

from renewals import accounts as domain
from renewals import database, details
from schema import accounts as customers
from schema import refusals as shared
from schema.operator import accounts, inputs, refusals
from schema.operator.context import Info


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

_Input = strawberry.argument(name="input")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def create_account(
        self, info: Info, request: Annotated[inputs.CreateAccountInput, _Input]
    ) -> CreateAccountResult:
        told = await domain.create(info.context.call(request.idempotency_key), request.to_request())
        return CreateAccountSuccess(account_id=told.answer["account_id"])

    @strawberry.mutation
    async def update_account(
        self, info: Info, request: Annotated[inputs.UpdateAccountInput, _Input]
    ) -> UpdateAccountResult:
        told = await domain.update(info.context.call(request.idempotency_key), request.to_request())
        return UpdateAccountSuccess(account_id=told.answer["account_id"])

    @strawberry.mutation
    async def top_up(self, info: Info, request: Annotated[inputs.TopUpInput, _Input]) -> TopUpResult:
        told = await domain.top_up(info.context.call(request.idempotency_key), request.to_request())
        return TopUpSuccess(
            account_id=told.answer["account_id"], entry_id=strawberry.ID(str(told.answer["number"]))
        )

    @strawberry.mutation
    async def issue_vouchers(
        self, info: Info, request: Annotated[inputs.IssueVouchersInput, _Input]
    ) -> IssueVouchersResult:
        call = info.context.call(request.idempotency_key)
        told = await domain.issue_vouchers(
            call, request.account_id, [each.to_issue() for each in request.vouchers]
        )
        return IssueVouchersSuccess(**told.answer)

    @strawberry.mutation
    async def create_api_key(
        self, info: Info, request: Annotated[inputs.CreateApiKeyInput, _Input]
    ) -> CreateApiKeyResult:
        call = info.context.call(request.idempotency_key)
        told, secret = await domain.create_key(call, request.to_request())
        return CreateApiKeySuccess(key_id=told.answer["key_id"], secret=secret)

    @strawberry.mutation
    async def revoke_api_key(
        self, info: Info, request: Annotated[inputs.RevokeApiKeyInput, _Input]
    ) -> RevokeApiKeyResult:
        told = await domain.revoke_key(info.context.call(request.idempotency_key), request.key_id)
        return RevokeApiKeySuccess(key_id=told.answer["key_id"])
