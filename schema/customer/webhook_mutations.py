"""The functions that carry out the mutations of webhook endpoints."""

from renewals.webhooks import backoff, endpoint_tests, endpoints, replays
from schema.context import Context
from schema.customer import webhooks


async def create_webhook_endpoint(
    context: Context, request: webhooks.CreateWebhookEndpointInput
) -> webhooks.CreateWebhookEndpointSuccess:
    """Create an endpoint of the caller's account."""
    created = await endpoints.create(context.account_id, request.to_request(), context.clock)
    return webhooks.CreateWebhookEndpointSuccess(changed=created.endpoint, secret=created.secret)


async def update_webhook_endpoint(
    context: Context, request: webhooks.UpdateWebhookEndpointInput
) -> webhooks.UpdateWebhookEndpointSuccess:
    """Change an endpoint of the caller's account."""
    changed = await endpoints.update(context.account_id, request.id, request.to_change(), context.clock)
    return webhooks.UpdateWebhookEndpointSuccess(changed=changed)


async def rotate_webhook_secret(
    context: Context, request: webhooks.RotateWebhookSecretInput
) -> webhooks.RotateWebhookSecretSuccess:
    """Make a new signing secret for an endpoint."""
    created = await endpoints.rotate(
        context.account_id,
        request.id,
        request.idempotency_key,
        context.clock,
        overlap_hours=request.overlap_hours,
    )
    return webhooks.RotateWebhookSecretSuccess(changed=created.endpoint, secret=created.secret)


async def delete_webhook_endpoint(
    context: Context, request: webhooks.DeleteWebhookEndpointInput
) -> webhooks.DeleteWebhookEndpointSuccess:
    """Delete an endpoint with its deliveries."""
    await endpoints.delete(context.account_id, request.id)
    return webhooks.DeleteWebhookEndpointSuccess(id=request.id)


async def replay_webhook_delivery(
    context: Context, request: webhooks.ReplayWebhookDeliveryInput
) -> webhooks.ReplayWebhookDeliverySuccess:
    """Schedule a parked delivery, or an event and all later ones, to be sent again."""
    account_id = context.account_id
    endpoint = await replays.replay(
        account_id,
        request.id,
        account_id,
        request.sequence,
        context.clock,
        and_all_after=request.and_all_after,
    )
    return webhooks.ReplayWebhookDeliverySuccess(changed=endpoint)


async def send_test_webhook(
    context: Context, request: webhooks.SendTestWebhookInput
) -> webhooks.SendTestWebhookSuccess:
    """Send a test request to an endpoint, and return the response or why there was none."""
    response = await endpoint_tests.send_test(context.account_id, request.id, context.clock)
    return webhooks.SendTestWebhookSuccess(
        delivered=backoff.is_delivered(response.status),
        status=response.status,
        reason=response.error,
        response=response.excerpt,
    )
