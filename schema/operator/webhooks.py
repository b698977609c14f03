"""Webhook endpoints: operators manage the provider's endpoints, and read the accounts' endpoints."""

import uuid
from typing import Annotated, cast

import strawberry

from renewals.db import sql
from renewals.domain import errors, validation
from renewals.domain.messages import Message
from renewals.webhooks import endpoints, status
from schema.customer import webhooks as customers
from schema.operator.inputs import IdempotentInput
from schema.shared import inputs

_SECRET = strawberry.field(
    description=(
        "The signing secret, returned only once. Null if the idempotency key is repeated. If the first response was "
        "lost, rotate the secret."
    )
)


@strawberry.type(description="An event that an endpoint has not accepted yet.")
class WebhookDelivery(customers.WebhookDelivery):
    account_id: strawberry.ID = strawberry.field(description="The account of the event.")


@strawberry.input(description="The position of a delivery in the list of an endpoint.")
class WebhookDeliveryKey:
    account_id: strawberry.ID = strawberry.field(description="The account of the event.")
    sequence: int = strawberry.field(description="The number of the event in its account.")


async def _read_deliveries(
    endpoint: strawberry.Parent[status.EndpointStatus],
    state: Annotated[
        status.DeliveryState | None,
        strawberry.argument(description="Only deliveries in this state. Null: both states."),
    ] = strawberry.UNSET,
    first: Annotated[int, strawberry.argument(description="Number of deliveries, 1 to 1,000.")] = 10,
    after: Annotated[
        WebhookDeliveryKey | None,
        strawberry.argument(description="Only deliveries after this one. Null: from the first."),
    ] = strawberry.UNSET,
) -> list[WebhookDelivery]:
    key = (after.account_id, after.sequence) if after else ("", 0)
    if not sql.is_storable(key[0]):
        raise errors.InvalidInputError(
            "after.accountId", Message("there is no account {id!r}", id=validation.truncate(key[0]))
        )
    rows = await status.read_deliveries(
        uuid.UUID(str(endpoint.id)), inputs.unset_to_none(state), count=first, after=key
    )
    return cast("list[WebhookDelivery]", rows)


@strawberry.type(description="A URL that receives events by HTTP POST, with the status of its deliveries.")
class WebhookEndpoint(customers.WebhookEndpoint):
    account_id: strawberry.ID | None = strawberry.field(
        description="The owner. Null: the provider, whose endpoints receive the events of all accounts."
    )
    deliveries: list[WebhookDelivery] = strawberry.field(
        resolver=_read_deliveries,
        description="Deliveries that have not succeeded, ordered by account and sequence.",
    )


@strawberry.input(description="A new endpoint of the provider.")
class CreateWebhookEndpointInput(IdempotentInput, customers.CreateWebhookEndpointInput):
    pass


@strawberry.input(description="Fields that are left out or null do not change.")
class UpdateWebhookEndpointInput(IdempotentInput, customers.UpdateWebhookEndpointInput):
    pass


@strawberry.input(description="The provider's endpoint that gets a new signing secret.")
class RotateWebhookSecretInput(IdempotentInput, customers.RotateWebhookSecretInput):
    pass


@strawberry.input(description="The provider's endpoint to be deleted.")
class DeleteWebhookEndpointInput(IdempotentInput, customers.DeleteWebhookEndpointInput):
    pass


@strawberry.input(description="The event to be sent again to one of the provider's endpoints.")
class ReplayWebhookDeliveryInput(IdempotentInput, customers.ReplayWebhookDeliveryInput):
    account_id: strawberry.ID = strawberry.field(description="The account of the event.")


@strawberry.input(description="The provider's endpoint that gets a test message.")
class SendTestWebhookInput(IdempotentInput, customers.SendTestWebhookInput):
    pass


async def _read_endpoint(changed: strawberry.Parent["ProviderEndpointChanged"]) -> WebhookEndpoint | None:
    endpoint = await endpoints.find(uuid.UUID(changed.endpoint_id))
    rows = await status.read_status([endpoint] if endpoint else [])
    return cast("WebhookEndpoint", rows[0]) if rows else None


@strawberry.type
class ProviderEndpointChanged:
    """The field shared by the successes of most mutations that change an endpoint."""

    endpoint_id: strawberry.Private[str]

    endpoint: WebhookEndpoint | None = strawberry.field(
        resolver=_read_endpoint,
        description=(
            "The endpoint as it is now. Null if the idempotency key is repeated and the endpoint has been deleted "
            "since."
        ),
    )


@strawberry.type(description="The endpoint was created.")
class CreateWebhookEndpointSuccess(ProviderEndpointChanged):
    secret: str | None = _SECRET


@strawberry.type(description="The endpoint was changed.")
class UpdateWebhookEndpointSuccess(ProviderEndpointChanged):
    pass


@strawberry.type(description="The endpoint has a new signing secret.")
class RotateWebhookSecretSuccess(ProviderEndpointChanged):
    secret: str | None = _SECRET


DeleteWebhookEndpointSuccess = customers.DeleteWebhookEndpointSuccess


@strawberry.type(description="The events will be sent again.")
class ReplayWebhookDeliverySuccess(ProviderEndpointChanged):
    pass


SendTestWebhookSuccess = customers.SendTestWebhookSuccess


async def resolve_endpoints(
    account_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(
            description=(
                "The account that owns the endpoints. Null: the provider. Operators cannot change the endpoints of an "
                "account."
            )
        ),
    ] = strawberry.UNSET,
) -> list[WebhookEndpoint]:
    """Return the endpoints of an account, or those of the provider if `account_id` is null."""
    owner = inputs.unset_to_none(account_id)
    if owner is not None and not sql.is_storable(owner):
        return []
    return cast("list[WebhookEndpoint]", await status.read_status(await endpoints.list_endpoints(owner)))
