"""Types of webhook endpoints and deliveries, and the inputs and successes of their mutations."""

import datetime as dt
import uuid
from typing import Annotated, Any, cast

import strawberry

from renewals.domain import limits
from renewals.domain.messages import Message
from renewals.webhooks import endpoint_requests, status
from renewals.webhooks import endpoints as domain
from schema.context import Info
from schema.customer import inputs as customer_inputs
from schema.fields import messages
from schema.shared import inputs

URL = "An https URL whose host has a public address."
EVENT_TYPES = "Types of events to send. Empty: all types, including future ones."
_ENDPOINT_ID = "The endpoint's id."
_SECRET = strawberry.field(
    description="The signing secret. Only a repeated request with the same idempotency key returns it again."
)
_LAST_STATUS = "HTTP status of the response to the last attempt. Null if there was none."
_LAST_ERROR = (
    "Why the last attempt had no response, or a note that a redirect was not followed. "
    "Null after any other response."
)
_LAST_RESPONSE = (
    "The first 500 bytes of the last attempt's response body, as text. Empty: no response, or no body. "
    "Null: no attempt."
)


@strawberry.type(description="An event that an endpoint has not accepted yet.")
class WebhookDelivery:
    sequence: int = strawberry.field(description="The event's number in the account.")
    type: str = strawberry.field(description="The event's type, such as instance.renewed.")
    occurred_at: dt.datetime = strawberry.field(description="When the event happened.")
    instance_id: strawberry.ID | None = strawberry.field(
        description="The event's instance. Null for an event of the account."
    )
    state: status.DeliveryState = strawberry.field(
        description="Whether the delivery will be attempted again."
    )
    attempts: int = strawberry.field(description="Number of attempts so far, or since the last replay.")
    last_attempted_at: dt.datetime | None = strawberry.field(
        description="When the delivery was last attempted. Null: not yet."
    )
    next_attempt_at: dt.datetime | None = strawberry.field(
        description="When the delivery will be attempted again. Null if it waits for an earlier delivery or is parked."
    )
    last_status: int | None = strawberry.field(description=_LAST_STATUS)
    last_error: str | None = messages.message("last_error", description=_LAST_ERROR)
    last_response: str | None = strawberry.field(description=_LAST_RESPONSE)


async def _read_deliveries(
    endpoint: strawberry.Parent[Any],
    state: Annotated[
        status.DeliveryState | None,
        strawberry.argument(description="Only deliveries in this state. Null: both states."),
    ] = strawberry.UNSET,
    first: Annotated[
        int, strawberry.argument(description=f"Number of rows: 1 to {limits.PAGE_ROWS_MAX:,}.")
    ] = 10,
    after: Annotated[int, strawberry.argument(description="Only deliveries with a greater sequence.")] = 0,
) -> list[WebhookDelivery]:
    account_id = endpoint.account_id or ""
    rows = await status.read_deliveries(
        uuid.UUID(str(endpoint.id)),
        inputs.unset_to_none(state),
        count=first,
        after=(account_id, after),
        account_id=account_id,
    )
    return cast("list[WebhookDelivery]", rows)


@strawberry.type(description="A URL that receives events by HTTP POST, with the status of its deliveries.")
class WebhookEndpoint:
    account_id: strawberry.Private[str | None]
    id: strawberry.ID = strawberry.field(description="The endpoint's own id.")
    url: str = strawberry.field(description="Where events are sent.")
    event_types: list[str] = strawberry.field(description=EVENT_TYPES)
    enabled: bool = strawberry.field(description="Whether events are sent.")
    disabled_reason: str | None = messages.message(
        "disabled_reason",
        description="Why the owner or the service disabled the endpoint. Null if the endpoint is enabled.",
    )
    created_at: dt.datetime = strawberry.field(description="When the endpoint was created.")
    changed_at: dt.datetime = strawberry.field(
        description="When the owner created or last changed the endpoint, or the service disabled it."
    )
    last_delivered_at: dt.datetime | None = strawberry.field(
        description="When a delivery last succeeded. Null: never."
    )
    last_attempted_at: dt.datetime | None = strawberry.field(
        description="When a delivery was last attempted. Null: never."
    )
    last_status: int | None = strawberry.field(description=_LAST_STATUS)
    last_error: str | None = messages.message("last_error", description=_LAST_ERROR)
    last_response: str | None = strawberry.field(description=_LAST_RESPONSE)
    failure_count: int = strawberry.field(description="Number of failed attempts since the last success.")
    paused_until: dt.datetime | None = strawberry.field(
        description="Because too many attempts failed or the endpoint sent Retry-After, no event is sent until this "
        "instant. A change of the endpoint ends the pause. Null: not paused."
    )
    waiting_count: int = strawberry.field(
        description="Number of deliveries that failed and will be retried, or that wait for such a delivery."
    )
    parked_count: int = strawberry.field(
        description="Number of deliveries that are no longer retried. They can be replayed."
    )
    behind_count: int = strawberry.field(
        description="Number of events that have not been processed for the endpoint yet."
    )

    deliveries = strawberry.field(
        resolver=_read_deliveries, description="Deliveries that have not succeeded, ordered by sequence."
    )


@strawberry.input(description="The arguments of createWebhookEndpoint.")
class CreateWebhookEndpointInput:
    url: str = strawberry.field(description=URL)
    event_types: list[str] = strawberry.field(default_factory=list, description=EVENT_TYPES)
    idempotency_key: str = strawberry.field(description=customer_inputs.IDEMPOTENCY_KEY)

    def to_request(self) -> endpoint_requests.EndpointRequest:
        """Return the input as an `EndpointRequest` of `renewals`."""
        return endpoint_requests.EndpointRequest(self.url, self.event_types, self.idempotency_key)


@strawberry.input(description="The arguments of updateWebhookEndpoint. Null leaves a value as it is.")
class UpdateWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description=_ENDPOINT_ID)
    url: str | None = strawberry.field(default=strawberry.UNSET, description=URL)
    event_types: list[str] | None = strawberry.field(default=strawberry.UNSET, description=EVENT_TYPES)
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="False stops deliveries. True resumes them where they stopped."
    )

    def to_change(self) -> endpoint_requests.EndpointUpdate:
        """Return the input as an `EndpointUpdate` of `renewals`."""
        return endpoint_requests.EndpointUpdate(
            inputs.unset_to_none(self.url),
            inputs.unset_to_none(self.event_types),
            inputs.unset_to_none(self.enabled),
        )


@strawberry.input(description="The arguments of rotateWebhookSecret.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description=_ENDPOINT_ID)
    overlap_hours: int = strawberry.field(
        default=endpoint_requests.OVERLAP_HOURS_DEFAULT,
        description="Number of hours for which deliveries are also signed with the older secrets: "
        f"0 to {endpoint_requests.OVERLAP_HOURS_MAX}.",
    )
    idempotency_key: str = strawberry.field(
        description="Repeating a request with the same key and overlap returns the secret of the first request or, "
        "if that was erased after its expiry, the newest secret."
    )


@strawberry.input(description="The arguments of deleteWebhookEndpoint.")
class DeleteWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description=_ENDPOINT_ID)


@strawberry.input(description="The arguments of replayWebhookDelivery.")
class ReplayWebhookDeliveryInput:
    id: strawberry.ID = strawberry.field(description=_ENDPOINT_ID)
    sequence: int = strawberry.field(description="The event's number in the account.")
    and_all_after: bool = strawberry.field(
        default=False,
        description=(
            "False: send only the parked delivery of this event. True: send this event and all later ones, even if "
            "they were delivered."
        ),
    )


@strawberry.input(description="The arguments of sendTestWebhook.")
class SendTestWebhookInput:
    id: strawberry.ID = strawberry.field(description=_ENDPOINT_ID)


async def _read_endpoint(success: strawberry.Parent["EndpointChanged"]) -> WebhookEndpoint:
    [row] = await status.read_status([success.changed])
    return cast("WebhookEndpoint", row)


@strawberry.type
class EndpointChanged:
    """The field shared by the successes of most mutations that change an endpoint."""

    changed: strawberry.Private[domain.Endpoint]

    endpoint = strawberry.field(resolver=_read_endpoint, description="The endpoint after the change.")


@strawberry.type(description="The endpoint was created.")
class CreateWebhookEndpointSuccess(EndpointChanged):
    secret: str = _SECRET


@strawberry.type(description="The endpoint was changed.")
class UpdateWebhookEndpointSuccess(EndpointChanged):
    pass


@strawberry.type(description="The endpoint has a new signing secret.")
class RotateWebhookSecretSuccess(EndpointChanged):
    secret: str = _SECRET


@strawberry.type(description="The endpoint was deleted.")
class DeleteWebhookEndpointSuccess:
    id: strawberry.ID = strawberry.field(description="The id of the deleted endpoint.")


@strawberry.type(description="The deliveries are waiting to be sent.")
class ReplayWebhookDeliverySuccess(EndpointChanged):
    pass


@strawberry.type(description="The endpoint's response to a test request.")
class SendTestWebhookSuccess:
    delivered: bool = strawberry.field(description="Whether the status was 2xx.")
    status: int | None = strawberry.field(description="The HTTP status. Null if there was no response.")
    error: str | None = messages.message(
        "reason",
        description=(
            "Why there was no response, or a note that a redirect was not followed. Null after any other response."
        ),
    )
    reason: strawberry.Private[Message | None]
    response: str = strawberry.field(
        description="The first 500 bytes of the response's body, as text. Empty if there was no response."
    )


async def resolve_endpoints(info: Info) -> list[WebhookEndpoint]:
    """Return the account's endpoints with their status."""
    endpoints = await domain.list_endpoints(info.context.account_id)
    return cast("list[WebhookEndpoint]", await status.read_status(endpoints))
