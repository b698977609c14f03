"""Endpoints that are told of events, what waits for them, and what their owner may do about it."""

import datetime as dt
import uuid
from typing import Annotated, Any

import strawberry

from renewals.webhooks import deliveries, dispatcher, retry_policy, status
from renewals.webhooks import endpoints as domain
from schema.context import Context, Info
from schema.shared import inputs

strawberry.enum(
    status.DeliveryState,
    name="WebhookDeliveryState",
    description="WAITING: it is tried again, or waits for an earlier one of its instance. PARKED: it is not.",
)


@strawberry.type(description="An event that an endpoint has not taken yet.")
class WebhookDelivery:
    sequence: int
    type: str
    occurred_at: dt.datetime
    instance_id: strawberry.ID | None
    state: status.DeliveryState
    attempts: int
    last_attempted_at: dt.datetime | None
    next_attempt_at: dt.datetime | None = strawberry.field(
        description="Null: it waits for an earlier one, or is parked."
    )
    last_status: int | None
    last_error: str | None
    last_response: str | None = strawberry.field(description="The beginning of the answer's body.")


@strawberry.type
class WebhookEndpoint:
    account_id: strawberry.Private[str | None]
    id: strawberry.ID
    url: str
    event_types: list[str] = strawberry.field(description="Empty: all types.")
    enabled: bool
    disabled_reason: str | None
    created_at: dt.datetime
    changed_at: dt.datetime
    last_delivered_at: dt.datetime | None
    last_attempted_at: dt.datetime | None
    last_status: int | None
    last_error: str | None
    last_response: str | None = strawberry.field(description="The beginning of the last answer's body.")
    failure_count: int = strawberry.field(description="Failures since the last success.")
    paused_until: dt.datetime | None = strawberry.field(
        description="It failed too often, and gets nothing until then."
    )
    waiting_count: int = strawberry.field(
        description="Deliveries that are to be tried again, or wait for one that is."
    )
    parked_count: int = strawberry.field(description="Deliveries that were given up, and can be replayed.")
    behind_count: int = strawberry.field(description="Events that were not looked at for it yet.")

    @strawberry.field
    async def deliveries(
        self,
        state: status.DeliveryState | None = strawberry.UNSET,
        first: int = 10,
        after: Annotated[int, strawberry.argument(description="Only those with a greater sequence.")] = 0,
    ) -> list[WebhookDelivery]:
        account_id = self.account_id or ""
        found: Any = await status.read_deliveries(
            uuid.UUID(str(self.id)),
            inputs.unset_to_none(state),
            count=first,
            after=(account_id, after),
            account_id=account_id,
        )
        return list(found)


@strawberry.input
class CreateWebhookEndpointInput:
    url: str
    event_types: list[str] = strawberry.field(default_factory=list, description="Empty: all types.")
    idempotency_key: str = strawberry.field(description="Same key, same request: the first answer again.")

    def to_request(self) -> domain.EndpointRequest:
        return domain.EndpointRequest(self.url, self.event_types, self.idempotency_key)


@strawberry.input(description="What is left out stays as it is.")
class UpdateWebhookEndpointInput:
    id: strawberry.ID
    url: str | None = strawberry.UNSET
    event_types: list[str] | None = strawberry.UNSET
    enabled: bool | None = strawberry.UNSET

    def to_change(self) -> domain.EndpointChange:
        given = inputs.unset_to_none
        return domain.EndpointChange(given(self.url), given(self.event_types), given(self.enabled))


@strawberry.input
class RotateWebhookSecretInput:
    id: strawberry.ID
    overlap_hours: int = strawberry.field(
        default=domain.OVERLAP_HOURS_DEFAULT, description="So long the old secret signs as well."
    )
    idempotency_key: str = strawberry.field(
        description="Same key, same overlap: the first answer again, or the newest secret if that one has ended."
    )


@strawberry.input
class DeleteWebhookEndpointInput:
    id: strawberry.ID


@strawberry.input
class ReplayWebhookDeliveryInput:
    id: strawberry.ID = strawberry.field(description="The endpoint's.")
    sequence: int
    and_all_after: bool = strawberry.field(
        default=False,
        description=(
            "False: the parked delivery of this event. True: this event and all after it, whatever became of them."
        ),
    )


@strawberry.input
class SendTestWebhookInput:
    id: strawberry.ID


@strawberry.type
class EndpointChanged:
    """What every change of an endpoint answers."""

    changed: strawberry.Private[domain.Endpoint]

    @strawberry.field
    async def endpoint(self) -> WebhookEndpoint:
        found: Any = await status.read_status([self.changed])
        return found[0]  # type: ignore[no-any-return]


@strawberry.type
class CreateWebhookEndpointSuccess(EndpointChanged):
    secret: str = strawberry.field(description="Shown now and not again.")


@strawberry.type
class UpdateWebhookEndpointSuccess(EndpointChanged):
    pass


@strawberry.type
class RotateWebhookSecretSuccess(EndpointChanged):
    secret: str = strawberry.field(description="Shown now and not again.")


@strawberry.type
class DeleteWebhookEndpointSuccess:
    id: strawberry.ID


@strawberry.type
class ReplayWebhookDeliverySuccess(EndpointChanged):
    pass


@strawberry.type(description="What came back; delivered, if it was 2xx.")
class SendTestWebhookSuccess:
    delivered: bool
    status: int | None
    error: str | None
    response: str = strawberry.field(description="The beginning of the answer's body.")


async def resolve_endpoints(info: Info) -> list[WebhookEndpoint]:
    endpoints = await domain.read_all(info.context.account_id)
    found: Any = await status.read_status(endpoints)
    return list(found)


async def create(context: Context, request: CreateWebhookEndpointInput) -> CreateWebhookEndpointSuccess:
    created = await domain.create(context.account_id, request.to_request(), context.clock)
    return CreateWebhookEndpointSuccess(changed=created.endpoint, secret=created.secret)


async def update(context: Context, request: UpdateWebhookEndpointInput) -> UpdateWebhookEndpointSuccess:
    changed = await domain.update(context.account_id, request.id, request.to_change(), context.clock)
    return UpdateWebhookEndpointSuccess(changed=changed)


async def rotate(context: Context, request: RotateWebhookSecretInput) -> RotateWebhookSecretSuccess:
    created = await domain.rotate(
        context.account_id,
        request.id,
        request.idempotency_key,
        context.clock,
        overlap_hours=request.overlap_hours,
    )
    return RotateWebhookSecretSuccess(changed=created.endpoint, secret=created.secret)


async def delete(context: Context, request: DeleteWebhookEndpointInput) -> DeleteWebhookEndpointSuccess:
    await domain.delete(context.account_id, request.id)
    return DeleteWebhookEndpointSuccess(id=request.id)


async def replay(context: Context, request: ReplayWebhookDeliveryInput) -> ReplayWebhookDeliverySuccess:
    account_id = context.account_id
    endpoint = await deliveries.replay(
        account_id,
        request.id,
        account_id,
        request.sequence,
        context.clock,
        and_all_after=request.and_all_after,
    )
    return ReplayWebhookDeliverySuccess(changed=endpoint)


async def send_test(context: Context, request: SendTestWebhookInput) -> SendTestWebhookSuccess:
    answer = await dispatcher.send_test(context.account_id, request.id, context.clock)
    return SendTestWebhookSuccess(
        delivered=retry_policy.is_delivered(answer.status),
        status=answer.status,
        error=answer.error,
        response=answer.excerpt,
    )
