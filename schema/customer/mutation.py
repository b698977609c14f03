"""The root of all changes: each answers what was done, or a typed refusal and nothing was."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Self

import strawberry

from renewals.domain import errors
from renewals.instances import policy
from renewals.orders import place_order
from renewals.orders import repository as orders_repository
from schema.context import Info
from schema.customer import accounts, calendar_token, inputs, instances, orders, webhooks
from schema.fields import sources
from schema.shared import errors as shared_errors

_Instance = instances.Instance
_Refusal = shared_errors.InstanceRefusal


@strawberry.type
class BatchDone:
    """What the verbs that take a selection answer alike."""

    instance_ids: strawberry.Private[Sequence[str]]
    refused: strawberry.Private[Sequence[errors.Refusal]]

    instances: list[_Instance] = sources.sliced("instance_ids", loader=lambda load: load.instance)
    instance_count: int = sources.counted("instance_ids")
    refusals: list[_Refusal] = sources.sliced("refused")
    refusal_count: int = sources.counted("refused")


@strawberry.type
class SetRenewalPolicySuccess(BatchDone):
    changed_count: int
    unchanged_count: int

    @classmethod
    def of(cls, outcome: policy.PolicyOutcome) -> Self:
        return cls(
            instance_ids=[*outcome.changed_ids, *outcome.unchanged_ids],
            refused=outcome.refusals,
            changed_count=len(outcome.changed),
            unchanged_count=len(outcome.unchanged_ids),
        )


@strawberry.type
class OrderPlaced(BatchDone):
    """What renewing and unifying answer alike."""

    order_id: strawberry.Private[uuid.UUID]

    @classmethod
    def of(cls, placed: orders_repository.PlacedOrder) -> Self:
        return cls(order_id=placed.order_id, instance_ids=placed.instance_ids, refused=placed.refusals)

    @strawberry.field
    async def order(self, info: Info) -> orders.RenewOrder:
        row: orders.RenewOrder = await info.context.load.order.load(self.order_id)
        return row

    @strawberry.field
    async def account(self, info: Info) -> accounts.Account:
        return await accounts.resolve_account(info)


@strawberry.type
class RenewInstancesSuccess(OrderPlaced):
    pass


@strawberry.type
class UnifyExpirySuccess(OrderPlaced):
    pass


SetRenewalPolicyResult = Annotated[
    SetRenewalPolicySuccess | shared_errors.NotRenewable | shared_errors.InvalidInput,
    strawberry.union("SetRenewalPolicyResult"),
]
RenewInstancesResult = Annotated[
    RenewInstancesSuccess
    | shared_errors.NotRenewable
    | shared_errors.InsufficientFunds
    | shared_errors.PriceChanged
    | shared_errors.IdempotencyKeyReused
    | shared_errors.InvalidInput,
    strawberry.union("RenewInstancesResult"),
]
UnifyExpiryResult = Annotated[
    UnifyExpirySuccess
    | shared_errors.NotRenewable
    | shared_errors.InsufficientFunds
    | shared_errors.PriceChanged
    | shared_errors.IdempotencyKeyReused
    | shared_errors.InvalidInput,
    strawberry.union("UnifyExpiryResult"),
]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def set_renewal_policy(
        self, info: Info, request: Annotated[inputs.SetRenewalPolicyInput, strawberry.argument(name="input")]
    ) -> SetRenewalPolicyResult:
        context = info.context
        outcome = await policy.set_policy(context.account_id, request.to_request(), context.clock)
        context.refresh()
        return SetRenewalPolicySuccess.of(outcome)

    @strawberry.mutation
    async def renew_instances(
        self, info: Info, request: Annotated[inputs.RenewInstancesInput, strawberry.argument(name="input")]
    ) -> RenewInstancesResult:
        context = info.context
        placed = await place_order.place_order(context.account_id, request.to_request(), context.clock)
        context.refresh()
        return RenewInstancesSuccess.of(placed)

    @strawberry.mutation
    async def unify_expiry(
        self, info: Info, request: Annotated[inputs.UnifyExpiryInput, strawberry.argument(name="input")]
    ) -> UnifyExpiryResult:
        context = info.context
        placed = await place_order.place_order(context.account_id, request.to_request(), context.clock)
        context.refresh()
        return UnifyExpirySuccess.of(placed)

    reset_calendar_token = strawberry.mutation(
        resolver=calendar_token.reset_calendar_token,
        description="Makes the token of the account's calendar anew; the one before opens it no more.",
    )
    create_webhook_endpoint = strawberry.mutation(resolver=webhooks.create)
    update_webhook_endpoint = strawberry.mutation(resolver=webhooks.update)
    rotate_webhook_secret = strawberry.mutation(resolver=webhooks.rotate)
    delete_webhook_endpoint = strawberry.mutation(resolver=webhooks.delete)
    replay_webhook_delivery = strawberry.mutation(resolver=webhooks.replay)
    send_test_webhook = strawberry.mutation(resolver=webhooks.send_test)
