"""The root of all changes that operators make: each answers what was done, or a typed refusal and nothing was."""

from typing import Annotated, Any

import strawberry

from renewals import accounts as domain
from renewals import audit, listings, provisioning, refunds, retries
from schema.operator import answers, inputs, webhooks
from schema.operator.context import Info

_Input = strawberry.argument(name="input")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def create_account(
        self, info: Info, request: Annotated[inputs.CreateAccountInput, _Input]
    ) -> answers.CreateAccountResult:
        told = await domain.create(info.context.call(request.idempotency_key), request.to_request())
        return answers.CreateAccountSuccess(account_id=told.answer["account_id"])

    @strawberry.mutation
    async def update_account(
        self, info: Info, request: Annotated[inputs.UpdateAccountInput, _Input]
    ) -> answers.UpdateAccountResult:
        told = await domain.update(info.context.call(request.idempotency_key), request.to_request())
        return answers.UpdateAccountSuccess(account_id=told.answer["account_id"])

    @strawberry.mutation
    async def top_up(self, info: Info, request: Annotated[inputs.TopUpInput, _Input]) -> answers.TopUpResult:
        told = await domain.top_up(info.context.call(request.idempotency_key), request.to_request())
        return answers.TopUpSuccess(
            account_id=told.answer["account_id"], entry_id=strawberry.ID(str(told.answer["number"]))
        )

    @strawberry.mutation
    async def issue_vouchers(
        self, info: Info, request: Annotated[inputs.IssueVouchersInput, _Input]
    ) -> answers.IssueVouchersResult:
        call = info.context.call(request.idempotency_key)
        told = await domain.issue_vouchers(
            call, request.account_id, [each.to_issue() for each in request.vouchers]
        )
        return answers.IssueVouchersSuccess(**told.answer)

    @strawberry.mutation
    async def create_api_key(
        self, info: Info, request: Annotated[inputs.CreateApiKeyInput, _Input]
    ) -> answers.CreateApiKeyResult:
        call = info.context.call(request.idempotency_key)
        told, secret = await domain.create_key(call, request.to_request())
        return answers.CreateApiKeySuccess(key_id=told.answer["key_id"], secret=secret)

    @strawberry.mutation
    async def revoke_api_key(
        self, info: Info, request: Annotated[inputs.RevokeApiKeyInput, _Input]
    ) -> answers.RevokeApiKeyResult:
        told = await domain.revoke_key(info.context.call(request.idempotency_key), request.key_id)
        return answers.RevokeApiKeySuccess(key_id=told.answer["key_id"])

    @strawberry.mutation
    async def put_products(
        self, info: Info, request: Annotated[inputs.PutProductsInput, _Input]
    ) -> answers.PutProductsResult:
        call = info.context.call(request.idempotency_key)
        told = await listings.put_products(call, [each.to_entry() for each in request.products])
        return answers.PutProductsSuccess(**told.answer)

    @strawberry.mutation
    async def put_data_centers(
        self, info: Info, request: Annotated[inputs.PutDataCentersInput, _Input]
    ) -> answers.PutDataCentersResult:
        call = info.context.call(request.idempotency_key)
        told = await listings.put_data_centers(call, [each.to_entry() for each in request.data_centers])
        return answers.PutDataCentersSuccess(**told.answer)

    @strawberry.mutation
    async def register_instances(
        self, info: Info, request: Annotated[inputs.RegisterInstancesInput, _Input]
    ) -> answers.RegisterInstancesResult:
        told = await provisioning.register(info.context.call(request.idempotency_key), request.to_report())
        return answers.RegisterInstancesSuccess(**_rows(told, "created_count", "held_count"))

    @strawberry.mutation
    async def change_prices(
        self, info: Info, request: Annotated[inputs.ChangePricesInput, _Input]
    ) -> answers.ChangePricesResult:
        call = info.context.call(request.idempotency_key)
        told = await provisioning.change_prices(call, request.to_prices())
        return answers.ChangePricesSuccess(**_rows(told, "held_count"))

    @strawberry.mutation
    async def confirm_prices(
        self, info: Info, request: Annotated[inputs.ConfirmPricesInput, _Input]
    ) -> answers.ConfirmPricesResult:
        call = info.context.call(request.idempotency_key)
        return answers.ConfirmPricesSuccess(
            **_rows(await provisioning.confirm_prices(call, request.instance_ids))
        )

    @strawberry.mutation
    async def make_formal(
        self, info: Info, request: Annotated[inputs.MakeFormalInput, _Input]
    ) -> answers.MakeFormalResult:
        call = info.context.call(request.idempotency_key)
        return answers.MakeFormalSuccess(**_rows(await provisioning.make_formal(call, request.instance_ids)))

    @strawberry.mutation
    async def release_instances(
        self, info: Info, request: Annotated[inputs.ReleaseInstancesInput, _Input]
    ) -> answers.ReleaseInstancesResult:
        call = info.context.call(request.idempotency_key)
        return answers.ReleaseInstancesSuccess(
            **_rows(await provisioning.release(call, request.instance_ids))
        )

    create_webhook_endpoint = strawberry.mutation(resolver=webhooks.create)
    update_webhook_endpoint = strawberry.mutation(resolver=webhooks.update)
    rotate_webhook_secret = strawberry.mutation(resolver=webhooks.rotate)
    delete_webhook_endpoint = strawberry.mutation(resolver=webhooks.delete)
    replay_webhook_delivery = strawberry.mutation(resolver=webhooks.replay)
    send_test_webhook = strawberry.mutation(resolver=webhooks.send_test)

    @strawberry.mutation
    async def retry_parked(
        self, info: Info, request: Annotated[inputs.RetryParkedInput, _Input]
    ) -> answers.RetryParkedResult:
        told = await retries.retry_parked(info.context.call(request.idempotency_key), request.run_id)
        return answers.RetryParkedSuccess(run_id=told.answer["run_id"])

    @strawberry.mutation
    async def refund_order(
        self, info: Info, request: Annotated[inputs.RefundOrderInput, _Input]
    ) -> answers.RefundOrderResult:
        told = await refunds.refund(info.context.call(request.idempotency_key), request.to_request())
        return answers.RefundOrderSuccess(
            account_id=told.answer["account_id"],
            refund_id=told.answer["refund_id"],
            refused=told.answer["refusals"],
        )


def _rows(told: audit.Told, *more: str) -> dict[str, Any]:
    """The counts and the refused rows of an answer."""
    names = ("changed_count", "unchanged_count", *more)
    return {name: told.answer[name] for name in names} | {"refused": told.answer["refusals"]}
