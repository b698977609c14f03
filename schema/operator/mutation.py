"""The root of all changes that operators make: each answers what was done, or a typed refusal and nothing was."""

from typing import Annotated, Any

import strawberry

from renewals.operators import accounts, audit_log, catalog, instances, refunds, runs
from schema.operator import inputs, payloads, webhooks
from schema.operator.context import Info

_Input = strawberry.argument(name="input")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def create_account(
        self, info: Info, request: Annotated[inputs.CreateAccountInput, _Input]
    ) -> payloads.CreateAccountResult:
        told = await accounts.create(info.context.call(request.idempotency_key), request.to_request())
        return payloads.CreateAccountSuccess(account_id=told.answer["account_id"])

    @strawberry.mutation
    async def update_account(
        self, info: Info, request: Annotated[inputs.UpdateAccountInput, _Input]
    ) -> payloads.UpdateAccountResult:
        told = await accounts.update(info.context.call(request.idempotency_key), request.to_request())
        return payloads.UpdateAccountSuccess(account_id=told.answer["account_id"])

    @strawberry.mutation
    async def top_up(self, info: Info, request: Annotated[inputs.TopUpInput, _Input]) -> payloads.TopUpResult:
        told = await accounts.top_up(info.context.call(request.idempotency_key), request.to_request())
        return payloads.TopUpSuccess(
            account_id=told.answer["account_id"], entry_id=strawberry.ID(str(told.answer["number"]))
        )

    @strawberry.mutation
    async def issue_vouchers(
        self, info: Info, request: Annotated[inputs.IssueVouchersInput, _Input]
    ) -> payloads.IssueVouchersResult:
        call = info.context.call(request.idempotency_key)
        told = await accounts.issue_vouchers(
            call, request.account_id, [each.to_issue() for each in request.vouchers]
        )
        return payloads.IssueVouchersSuccess(**told.answer)

    @strawberry.mutation
    async def create_api_key(
        self, info: Info, request: Annotated[inputs.CreateApiKeyInput, _Input]
    ) -> payloads.CreateApiKeyResult:
        call = info.context.call(request.idempotency_key)
        told, secret = await accounts.create_key(call, request.to_request())
        return payloads.CreateApiKeySuccess(key_id=told.answer["key_id"], secret=secret)

    @strawberry.mutation
    async def revoke_api_key(
        self, info: Info, request: Annotated[inputs.RevokeApiKeyInput, _Input]
    ) -> payloads.RevokeApiKeyResult:
        told = await accounts.revoke_key(info.context.call(request.idempotency_key), request.key_id)
        return payloads.RevokeApiKeySuccess(key_id=told.answer["key_id"])

    @strawberry.mutation
    async def put_products(
        self, info: Info, request: Annotated[inputs.PutProductsInput, _Input]
    ) -> payloads.PutProductsResult:
        call = info.context.call(request.idempotency_key)
        told = await catalog.put_products(call, [each.to_entry() for each in request.products])
        return payloads.PutProductsSuccess(**told.answer)

    @strawberry.mutation
    async def put_data_centers(
        self, info: Info, request: Annotated[inputs.PutDataCentersInput, _Input]
    ) -> payloads.PutDataCentersResult:
        call = info.context.call(request.idempotency_key)
        told = await catalog.put_data_centers(call, [each.to_entry() for each in request.data_centers])
        return payloads.PutDataCentersSuccess(**told.answer)

    @strawberry.mutation
    async def register_instances(
        self, info: Info, request: Annotated[inputs.RegisterInstancesInput, _Input]
    ) -> payloads.RegisterInstancesResult:
        told = await instances.register(info.context.call(request.idempotency_key), request.to_report())
        return payloads.RegisterInstancesSuccess(**_rows(told, "created_count", "held_count"))

    @strawberry.mutation
    async def change_prices(
        self, info: Info, request: Annotated[inputs.ChangePricesInput, _Input]
    ) -> payloads.ChangePricesResult:
        call = info.context.call(request.idempotency_key)
        told = await instances.change_prices(call, request.to_prices())
        return payloads.ChangePricesSuccess(**_rows(told, "held_count"))

    @strawberry.mutation
    async def confirm_prices(
        self, info: Info, request: Annotated[inputs.ConfirmPricesInput, _Input]
    ) -> payloads.ConfirmPricesResult:
        call = info.context.call(request.idempotency_key)
        return payloads.ConfirmPricesSuccess(
            **_rows(await instances.approve_prices(call, request.instance_ids))
        )

    @strawberry.mutation
    async def make_formal(
        self, info: Info, request: Annotated[inputs.MakeFormalInput, _Input]
    ) -> payloads.MakeFormalResult:
        call = info.context.call(request.idempotency_key)
        return payloads.MakeFormalSuccess(**_rows(await instances.convert_trials(call, request.instance_ids)))

    @strawberry.mutation
    async def release_instances(
        self, info: Info, request: Annotated[inputs.ReleaseInstancesInput, _Input]
    ) -> payloads.ReleaseInstancesResult:
        call = info.context.call(request.idempotency_key)
        return payloads.ReleaseInstancesSuccess(**_rows(await instances.release(call, request.instance_ids)))

    create_webhook_endpoint = strawberry.mutation(resolver=webhooks.create)
    update_webhook_endpoint = strawberry.mutation(resolver=webhooks.update)
    rotate_webhook_secret = strawberry.mutation(resolver=webhooks.rotate)
    delete_webhook_endpoint = strawberry.mutation(resolver=webhooks.delete)
    replay_webhook_delivery = strawberry.mutation(resolver=webhooks.replay)
    send_test_webhook = strawberry.mutation(resolver=webhooks.send_test)

    @strawberry.mutation
    async def retry_parked(
        self, info: Info, request: Annotated[inputs.RetryParkedInput, _Input]
    ) -> payloads.RetryParkedResult:
        told = await runs.retry_parked(info.context.call(request.idempotency_key), request.run_id)
        return payloads.RetryParkedSuccess(run_id=told.answer["run_id"])

    @strawberry.mutation
    async def refund_order(
        self, info: Info, request: Annotated[inputs.RefundOrderInput, _Input]
    ) -> payloads.RefundOrderResult:
        told = await refunds.refund(info.context.call(request.idempotency_key), request.to_request())
        return payloads.RefundOrderSuccess(
            account_id=told.answer["account_id"],
            refund_id=told.answer["refund_id"],
            refused=told.answer["refusals"],
        )


def _rows(told: audit_log.IdempotentResult, *more: str) -> dict[str, Any]:
    """The counts and the refused rows of an answer."""
    names = ("changed_count", "unchanged_count", *more)
    return {name: told.answer[name] for name in names} | {"refused": told.answer["refusals"]}
