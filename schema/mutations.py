"""The root of all changes: each answers what was done, or a typed refusal and nothing was."""

from typing import Annotated

import strawberry

from renewals import orders as domain
from renewals import policies
from schema import accounts, calendars, inputs, instances, orders, refusals, webhooks
from schema.context import Info


@strawberry.type
class SetRenewalPolicySuccess:
    outcome: strawberry.Private[policies.PolicyOutcome]

    @strawberry.field
    def changed_count(self) -> int:
        return len(self.outcome.changed_ids)

    @strawberry.field
    def unchanged_count(self) -> int:
        return len(self.outcome.unchanged_ids)

    @strawberry.field
    async def instances(self, info: Info) -> list[instances.Instance]:
        return await instances.load_instances([*self.outcome.changed_ids, *self.outcome.unchanged_ids], info)

    @strawberry.field
    def refusals(self) -> list[refusals.InstanceRefusal]:
        return refusals.of(self.outcome.refusals)


@strawberry.type
class OrderPlaced:
    """What renewing and unifying answer alike."""

    placed: strawberry.Private[domain.Placed]

    @strawberry.field
    async def order(self, info: Info) -> orders.RenewOrder:
        row: orders.RenewOrder = await info.context.load.order.load(self.placed.order_id)
        return row

    @strawberry.field
    async def instances(self, info: Info) -> list[instances.Instance]:
        return await instances.load_instances(list(self.placed.instance_ids), info)

    @strawberry.field
    def refusals(self) -> list[refusals.InstanceRefusal]:
        return refusals.of(self.placed.refusals)

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
    SetRenewalPolicySuccess | refusals.NotRenewable | refusals.InvalidInput,
    strawberry.union("SetRenewalPolicyResult"),
]
RenewInstancesResult = Annotated[
    RenewInstancesSuccess
    | refusals.NotRenewable
    | refusals.InsufficientFunds
    | refusals.PriceChanged
    | refusals.IdempotencyKeyReused
    | refusals.InvalidInput,
    strawberry.union("RenewInstancesResult"),
]
UnifyExpiryResult = Annotated[
    UnifyExpirySuccess
    | refusals.NotRenewable
    | refusals.InsufficientFunds
    | refusals.PriceChanged
    | refusals.IdempotencyKeyReused
    | refusals.InvalidInput,
    strawberry.union("UnifyExpiryResult"),
]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def set_renewal_policy(
        self, info: Info, request: Annotated[inputs.SetRenewalPolicyInput, strawberry.argument(name="input")]
    ) -> SetRenewalPolicyResult:
        context = info.context
        outcome = await policies.set_policy(context.account_id, request.to_request(), context.clock)
        context.forget()
        return SetRenewalPolicySuccess(outcome=outcome)

    @strawberry.mutation
    async def renew_instances(
        self, info: Info, request: Annotated[inputs.RenewInstancesInput, strawberry.argument(name="input")]
    ) -> RenewInstancesResult:
        context = info.context
        placed = await domain.place(context.account_id, request.to_request(), context.clock)
        context.forget()
        return RenewInstancesSuccess(placed=placed)

    @strawberry.mutation
    async def unify_expiry(
        self, info: Info, request: Annotated[inputs.UnifyExpiryInput, strawberry.argument(name="input")]
    ) -> UnifyExpiryResult:
        context = info.context
        placed = await domain.place(context.account_id, request.to_request(), context.clock)
        context.forget()
        return UnifyExpirySuccess(placed=placed)

    reset_calendar_token = strawberry.mutation(
        resolver=calendars.reset_calendar_token,
        description="Makes the token of the account's calendar anew; the one before opens it no more.",
    )
    create_webhook_endpoint = strawberry.mutation(resolver=webhooks.create)
    update_webhook_endpoint = strawberry.mutation(resolver=webhooks.update)
    rotate_webhook_secret = strawberry.mutation(resolver=webhooks.rotate)
    delete_webhook_endpoint = strawberry.mutation(resolver=webhooks.delete)
    replay_webhook_delivery = strawberry.mutation(resolver=webhooks.replay)
    send_test_webhook = strawberry.mutation(resolver=webhooks.send_test)
