"""The provider's endpoints, which operators look after, and those of accounts, which they see."""

import uuid
from typing import Annotated, Any

import strawberry

from renewals.db import sql
from renewals.domain import errors
from renewals.operators import webhooks
from renewals.webhooks import endpoints, status
from schema.customer import webhooks as customers
from schema.operator.context import Info
from schema.operator.errors import NotFound
from schema.operator.inputs import IdempotentInput
from schema.shared import errors as shared_errors
from schema.shared import inputs

_SECRET = strawberry.field(
    description=(
        "Shown this once. Null when an idempotency key is repeated: if the first answer was lost, rotate the secret."
    )
)


@strawberry.type(name="WebhookDelivery", description="An event that an endpoint has not taken yet.")
class Delivery(customers.WebhookDelivery):
    account_id: strawberry.ID


@strawberry.input
class WebhookDeliveryKey:
    account_id: strawberry.ID
    sequence: int


@strawberry.type(name="WebhookEndpoint")
class Endpoint(customers.WebhookEndpoint):
    account_id: strawberry.ID | None = strawberry.field(
        description="Null: the provider's, which is told of all accounts."
    )

    @strawberry.field
    async def deliveries(
        self,
        state: status.DeliveryState | None = strawberry.UNSET,
        first: int = 10,
        after: Annotated[
            WebhookDeliveryKey | None,
            strawberry.argument(description="Only those that come later, by account and sequence."),
        ] = strawberry.UNSET,
    ) -> list[Delivery]:
        key = (after.account_id, after.sequence) if after else ("", 0)
        if not sql.is_storable(key[0]):
            raise errors.InvalidInputError("after.accountId", "is no account's id")
        found: Any = await status.read_deliveries(
            uuid.UUID(str(self.id)), inputs.unset_to_none(state), count=first, after=key
        )
        return list(found)


@strawberry.input
class CreateWebhookEndpointInput(IdempotentInput, customers.CreateWebhookEndpointInput):
    pass


@strawberry.input(description="What is left out stays as it is.")
class UpdateWebhookEndpointInput(IdempotentInput, customers.UpdateWebhookEndpointInput):
    pass


@strawberry.input
class RotateWebhookSecretInput(IdempotentInput, customers.RotateWebhookSecretInput):
    pass


@strawberry.input
class DeleteWebhookEndpointInput(IdempotentInput, customers.DeleteWebhookEndpointInput):
    pass


@strawberry.input
class ReplayWebhookDeliveryInput(IdempotentInput, customers.ReplayWebhookDeliveryInput):
    account_id: strawberry.ID = strawberry.field(description="Whose event it is.")


@strawberry.input
class SendTestWebhookInput(IdempotentInput, customers.SendTestWebhookInput):
    pass


async def _read_changed(changed: strawberry.Parent[Any]) -> Endpoint | None:
    found = await endpoints.read(uuid.UUID(changed.endpoint_id))
    reported: Any = await status.read_status([found] if found else [])
    return reported[0] if reported else None


@strawberry.type
class EndpointChanged:
    """What every change of an endpoint answers."""

    endpoint_id: strawberry.Private[str]

    endpoint: Endpoint | None = strawberry.field(
        resolver=_read_changed,
        description="As it is now. Null where an idempotency key is repeated and it was deleted since.",
    )


@strawberry.type
class CreateWebhookEndpointSuccess(EndpointChanged):
    secret: str | None = _SECRET


@strawberry.type
class UpdateWebhookEndpointSuccess(EndpointChanged):
    pass


@strawberry.type
class RotateWebhookSecretSuccess(EndpointChanged):
    secret: str | None = _SECRET


@strawberry.type
class ReplayWebhookDeliverySuccess(EndpointChanged):
    pass


CreateWebhookEndpointResult = Annotated[
    CreateWebhookEndpointSuccess | shared_errors.IdempotencyKeyReused | shared_errors.InvalidInput,
    strawberry.union("CreateWebhookEndpointResult"),
]
UpdateWebhookEndpointResult = Annotated[
    UpdateWebhookEndpointSuccess | NotFound | shared_errors.IdempotencyKeyReused | shared_errors.InvalidInput,
    strawberry.union("UpdateWebhookEndpointResult"),
]
RotateWebhookSecretResult = Annotated[
    RotateWebhookSecretSuccess | NotFound | shared_errors.IdempotencyKeyReused | shared_errors.InvalidInput,
    strawberry.union("RotateWebhookSecretResult"),
]
DeleteWebhookEndpointResult = Annotated[
    customers.DeleteWebhookEndpointSuccess
    | NotFound
    | shared_errors.IdempotencyKeyReused
    | shared_errors.InvalidInput,
    strawberry.union("DeleteWebhookEndpointResult"),
]
ReplayWebhookDeliveryResult = Annotated[
    ReplayWebhookDeliverySuccess | NotFound | shared_errors.IdempotencyKeyReused | shared_errors.InvalidInput,
    strawberry.union("ReplayWebhookDeliveryResult"),
]
SendTestWebhookResult = Annotated[
    customers.SendTestWebhookSuccess
    | NotFound
    | shared_errors.IdempotencyKeyReused
    | shared_errors.InvalidInput,
    strawberry.union("SendTestWebhookResult"),
]
_Input = strawberry.argument(name="input")


async def resolve_endpoints(
    account_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(
            description="Null: the provider's. Those of an account are to be looked at alone."
        ),
    ] = strawberry.UNSET,
) -> list[Endpoint]:
    owner = inputs.unset_to_none(account_id)
    if owner is not None and not sql.is_storable(owner):
        return []
    found: Any = await status.read_status(await endpoints.read_all(owner))
    return list(found)


async def create(
    info: Info, request: Annotated[CreateWebhookEndpointInput, _Input]
) -> CreateWebhookEndpointResult:
    call = info.context.call(request.idempotency_key)
    told, secret = await webhooks.create(call, request.to_request())
    return CreateWebhookEndpointSuccess(**told.answer, secret=secret)


async def update(
    info: Info, request: Annotated[UpdateWebhookEndpointInput, _Input]
) -> UpdateWebhookEndpointResult:
    call = info.context.call(request.idempotency_key)
    told = await webhooks.update(call, request.id, request.to_change())
    return UpdateWebhookEndpointSuccess(**told.answer)


async def rotate(
    info: Info, request: Annotated[RotateWebhookSecretInput, _Input]
) -> RotateWebhookSecretResult:
    call = info.context.call(request.idempotency_key)
    told, secret = await webhooks.rotate(call, request.id, request.overlap_hours)
    return RotateWebhookSecretSuccess(**told.answer, secret=secret)


async def delete(
    info: Info, request: Annotated[DeleteWebhookEndpointInput, _Input]
) -> DeleteWebhookEndpointResult:
    told = await webhooks.delete(info.context.call(request.idempotency_key), request.id)
    return customers.DeleteWebhookEndpointSuccess(id=told.answer["endpoint_id"])


async def replay(
    info: Info, request: Annotated[ReplayWebhookDeliveryInput, _Input]
) -> ReplayWebhookDeliveryResult:
    told = await webhooks.replay(
        info.context.call(request.idempotency_key),
        request.id,
        request.account_id,
        request.sequence,
        and_all_after=request.and_all_after,
    )
    return ReplayWebhookDeliverySuccess(**told.answer)


async def send_test(info: Info, request: Annotated[SendTestWebhookInput, _Input]) -> SendTestWebhookResult:
    told = await webhooks.send_test(info.context.call(request.idempotency_key), request.id)
    return customers.SendTestWebhookSuccess(**told.answer)
