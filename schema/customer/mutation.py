"""The root of the customers' mutations. Most of them return a success type, or a typed error if they are refused."""

from collections.abc import Sequence
from typing import Self, cast

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.domain import errors
from renewals.domain import policy as domain_policy
from renewals.instances import policy, set_tags
from renewals.orders import place_order, requests
from renewals.orders import repository as orders_repository
from schema.context import Context, Info
from schema.customer import (
    accounts,
    calendar_token,
    instances,
    operation_inputs,
    orders,
    refusals,
    test_clocks,
    webhook_mutations,
)
from schema.fields import sources
from schema.loaders import Loaders
from schema.shared import errors as shared_errors
from schema.shared.mutations import mutation_field

_Instance = instances.Instance
_Refusal = refusals.InstanceRefusal


@strawberry.type
class BatchDone:
    """The fields common to the success types of all operations on a selection."""

    instance_ids: strawberry.Private[Sequence[str]]
    refused: strawberry.Private[Sequence[errors.Refusal]]

    instances: list[_Instance] = sources.sliced(
        "instance_ids",
        loader=lambda load: load.instance,
        description="The instances that took part, as they are after the change.",
    )
    instance_count: int = sources.counted("instance_ids", description="Number of instances that took part.")
    refusals: list[_Refusal] = sources.sliced(
        "refused",
        description="The instances that were refused, and why. Empty unless batchMode is BEST_EFFORT.",
    )
    refusal_count: int = sources.counted("refused", description="Number of refusals.")


@strawberry.type(description="The policy was set.")
class SetRenewalPolicySuccess(BatchDone):
    changed_count: int = strawberry.field(
        description="Number of instances whose mode or months changed, or whose changed price was accepted."
    )
    unchanged_count: int = strawberry.field(description="Number of instances that had the policy already.")

    @classmethod
    def of(cls, plan: domain_policy.PolicyPlan) -> Self:
        """Build the success from the plan that was carried out."""
        return cls(
            instance_ids=[*plan.changed_ids, *plan.unchanged_ids],
            refused=plan.refusals,
            changed_count=len(plan.changes),
            unchanged_count=len(plan.unchanged),
        )


@strawberry.type(description="The tags were set.")
class SetTagsSuccess(BatchDone):
    changed_count: int = strawberry.field(description="Number of instances whose tags changed.")
    unchanged_count: int = strawberry.field(description="Number of instances that had these tags already.")

    @classmethod
    def of(cls, outcome: set_tags.TagsOutcome) -> Self:
        """Build the success from the outcome of the use case."""
        return cls(
            instance_ids=[*outcome.changed, *outcome.unchanged_ids],
            refused=outcome.refusals,
            changed_count=len(outcome.changed),
            unchanged_count=len(outcome.unchanged_ids),
        )


async def _read_order(parent: strawberry.Parent["OrderPlaced"], info: Info) -> orders.RenewOrder:
    order = parent.placed.order or await info.context.load.order.load(parent.placed.order_id)
    return cast("orders.RenewOrder", order)


async def _read_account(parent: strawberry.Parent["OrderPlaced"], info: Info) -> accounts.Account:
    if parent.placed.account is None:
        return await accounts.resolve_account(info)
    return cast("accounts.Account", accounts_queries.build_row(parent.placed.account))


@strawberry.type
class OrderPlaced(BatchDone):
    """The fields common to the success types of renewInstances and unifyExpiry."""

    placed: strawberry.Private[orders_repository.PlacedOrder]

    @classmethod
    def of(cls, placed: orders_repository.PlacedOrder) -> Self:
        """Build the success from the placed order."""
        return cls(placed=placed, instance_ids=placed.instance_ids, refused=placed.refusals)

    def prime(self, load: Loaders) -> None:
        """Put the rows of the renewed instances into the instance loader, so that they are not read again."""
        load.instance.prime_many({row["id"]: row for row in self.placed.instances})

    order = strawberry.field(
        resolver=_read_order,
        description="The order. If the idempotency key is repeated, the order of the first request.",
    )
    account = strawberry.field(resolver=_read_account, description="The account after the payment.")


@strawberry.type(description="The instances were renewed and paid for with one order.")
class RenewInstancesSuccess(OrderPlaced):
    pass


@strawberry.type(description="The instances were extended and paid for with one order.")
class UnifyExpirySuccess(OrderPlaced):
    pass


async def _set_renewal_policy(
    context: Context, request: operation_inputs.SetRenewalPolicyInput
) -> SetRenewalPolicySuccess:
    plan = await policy.set_policy(context.account_id, request.to_request(), context.clock, context.actor)
    return SetRenewalPolicySuccess.of(plan)


async def _set_tags(context: Context, request: operation_inputs.SetTagsInput) -> SetTagsSuccess:
    outcome = await set_tags.set_tags(context.account_id, request.to_request(), context.clock)
    return SetTagsSuccess.of(outcome)


async def _renew_instances(
    context: Context, request: operation_inputs.RenewInstancesInput
) -> RenewInstancesSuccess:
    return RenewInstancesSuccess.of(await _place_order(context, request.to_request()))


async def _unify_expiry(context: Context, request: operation_inputs.UnifyExpiryInput) -> UnifyExpirySuccess:
    return UnifyExpirySuccess.of(await _place_order(context, request.to_request()))


async def _place_order(context: Context, request: requests.OrderRequest) -> orders_repository.PlacedOrder:
    return await place_order.place_order(context.account_id, request, context.clock, context.actor)


_ORDER_ERRORS = (
    refusals.NotRenewable,
    shared_errors.InsufficientFunds,
    shared_errors.PriceChanged,
    shared_errors.IdempotencyKeyReused,
)


@strawberry.type(
    description="Changes to the caller's own account. A caller with the role VIEWER receives FORBIDDEN."
)
class Mutation:
    set_renewal_policy = mutation_field(
        _set_renewal_policy,
        refusals.NotRenewable,
        description="Sets how instances are renewed. Nothing is charged.",
    )
    set_tags = mutation_field(
        _set_tags,
        refusals.NotRenewable,
        description=(
            "Adds, replaces and removes tags of instances, including those that cannot be renewed. Released instances "
            "are refused. A repeated request changes nothing, so there is no idempotency key."
        ),
    )
    renew_instances = mutation_field(
        _renew_instances,
        *_ORDER_ERRORS,
        description="Renews instances for a number of months, and charges the account with one order.",
    )
    unify_expiry = mutation_field(
        _unify_expiry,
        *_ORDER_ERRORS,
        description=(
            "Extends instances to a common last day or day of the month, and charges the account with one order. No "
            "expiry becomes earlier."
        ),
    )
    advance_test_clock = mutation_field(
        test_clocks.advance_test_clock,
        shared_errors.IdempotencyKeyReused,
        description=(
            "Moves the clock of a test account. For each hour that passes, the move does everything that the worker "
            "would have done. All other accounts receive FORBIDDEN. If a move outlasts the request, the error is "
            "TIMEOUT and the worker continues the move. To wait for the result, repeat the request with the same key."
        ),
    )
    reset_calendar_token = strawberry.mutation(
        resolver=calendar_token.reset_calendar_token,
        description="Rotates the account's calendar token and revokes the previous one.",
    )
    create_webhook_endpoint = mutation_field(
        webhook_mutations.create_webhook_endpoint,
        shared_errors.IdempotencyKeyReused,
        description="Registers a URL that receives the account's events.",
    )
    update_webhook_endpoint = mutation_field(
        webhook_mutations.update_webhook_endpoint,
        description="Changes an endpoint's URL or event types, or enables or disables the endpoint.",
    )
    rotate_webhook_secret = mutation_field(
        webhook_mutations.rotate_webhook_secret,
        shared_errors.IdempotencyKeyReused,
        description="Creates a new signing secret for an endpoint.",
    )
    delete_webhook_endpoint = mutation_field(
        webhook_mutations.delete_webhook_endpoint,
        description="Deletes an endpoint with its waiting and parked deliveries.",
    )
    replay_webhook_delivery = mutation_field(
        webhook_mutations.replay_webhook_delivery,
        description="Sends a parked delivery again, or an event and all later events.",
    )
    send_test_webhook = mutation_field(
        webhook_mutations.send_test_webhook,
        description="Sends one test request to an endpoint now, and returns the response.",
    )
