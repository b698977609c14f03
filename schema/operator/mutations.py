"""The root of all changes that operators make: each answers what was done, or a typed refusal and nothing was."""

from typing import Annotated, Any

import strawberry

from renewals import accounts as domain
from renewals import audit, database, details, listings, provisioning, retries
from schema import accounts as customers
from schema import refusals as shared
from schema.operator import accounts, inputs, refusals, watching
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
    refusals: list[refusals.RowRefusal]


_HELD = strawberry.field(
    description="Of those that were done, how many the worker leaves until the customer agrees to the price."
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

    @strawberry.mutation
    async def put_products(
        self, info: Info, request: Annotated[inputs.PutProductsInput, _Input]
    ) -> PutProductsResult:
        call = info.context.call(request.idempotency_key)
        told = await listings.put_products(call, [each.to_entry() for each in request.products])
        return PutProductsSuccess(**told.answer)

    @strawberry.mutation
    async def put_data_centers(
        self, info: Info, request: Annotated[inputs.PutDataCentersInput, _Input]
    ) -> PutDataCentersResult:
        call = info.context.call(request.idempotency_key)
        told = await listings.put_data_centers(call, [each.to_entry() for each in request.data_centers])
        return PutDataCentersSuccess(**told.answer)

    @strawberry.mutation
    async def register_instances(
        self, info: Info, request: Annotated[inputs.RegisterInstancesInput, _Input]
    ) -> RegisterInstancesResult:
        told = await provisioning.register(info.context.call(request.idempotency_key), request.to_report())
        return RegisterInstancesSuccess(**_rows(told, "created_count", "held_count"))

    @strawberry.mutation
    async def change_prices(
        self, info: Info, request: Annotated[inputs.ChangePricesInput, _Input]
    ) -> ChangePricesResult:
        call = info.context.call(request.idempotency_key)
        told = await provisioning.change_prices(call, request.to_prices())
        return ChangePricesSuccess(**_rows(told, "held_count"))

    @strawberry.mutation
    async def confirm_prices(
        self, info: Info, request: Annotated[inputs.ConfirmPricesInput, _Input]
    ) -> ConfirmPricesResult:
        call = info.context.call(request.idempotency_key)
        return ConfirmPricesSuccess(**_rows(await provisioning.confirm_prices(call, request.instance_ids)))

    @strawberry.mutation
    async def make_formal(
        self, info: Info, request: Annotated[inputs.MakeFormalInput, _Input]
    ) -> MakeFormalResult:
        call = info.context.call(request.idempotency_key)
        return MakeFormalSuccess(**_rows(await provisioning.make_formal(call, request.instance_ids)))

    @strawberry.mutation
    async def release_instances(
        self, info: Info, request: Annotated[inputs.ReleaseInstancesInput, _Input]
    ) -> ReleaseInstancesResult:
        call = info.context.call(request.idempotency_key)
        return ReleaseInstancesSuccess(**_rows(await provisioning.release(call, request.instance_ids)))

    @strawberry.mutation
    async def retry_parked(
        self, info: Info, request: Annotated[inputs.RetryParkedInput, _Input]
    ) -> RetryParkedResult:
        told = await retries.retry_parked(info.context.call(request.idempotency_key), request.run_id)
        return RetryParkedSuccess(run_id=told.answer["run_id"])


def _rows(told: audit.Told, *more: str) -> dict[str, Any]:
    """The counts and the refused rows of an answer."""
    names = ("changed_count", "unchanged_count", *more)
    return {name: told.answer[name] for name in names} | {"refusals": refusals.rows_of(told.answer)}
