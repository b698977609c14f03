"""The provider's own webhook endpoints, which receive the events of all accounts."""

import datetime as dt

from renewals.db.connection import Connection
from renewals.domain import errors, validation
from renewals.domain.messages import Message
from renewals.operators import accounts, audit_log
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest
from renewals.webhooks import (
    backoff,
    endpoint_requests,
    endpoint_tests,
    endpoints,
    http_client,
    replays,
    secrets,
)


async def create_endpoint(
    call: OperatorRequest, request: endpoint_requests.EndpointRequest
) -> IdempotentResult:
    """Create an endpoint; return its `endpoint_id`, and its signing secret if the result is new.

    Raises InvalidInputError.
    """
    endpoint_requests.check_request(request)
    stored_request = {"url": request.url, "event_types": request.event_types}
    return await audit_log.run_once(
        call, Action.CREATE_WEBHOOK_ENDPOINT, stored_request, _create_endpoint_in, request
    )


async def _create_endpoint_in(
    connection: Connection, call: OperatorRequest, request: endpoint_requests.EndpointRequest
) -> AuditedChange:
    await endpoints.lock_provider_in(connection)
    endpoint, secret = await endpoints.create_in(connection, None, request, call.clock())
    return AuditedChange({"endpoint_id": endpoint.id}, after=endpoint, secret=secret)


async def update_endpoint(
    call: OperatorRequest, endpoint_id: str, change: endpoint_requests.EndpointUpdate
) -> IdempotentResult:
    """Update an endpoint; return its `endpoint_id`.

    Raises InvalidInputError and NotFoundError.
    """
    endpoint_requests.check_update(change)
    request = {"endpoint_id": endpoint_id, "change": change}
    return await audit_log.run_once(
        call, Action.UPDATE_WEBHOOK_ENDPOINT, request, _update_endpoint_in, endpoint_id, change
    )


async def _update_endpoint_in(
    connection: Connection, call: OperatorRequest, endpoint_id: str, change: endpoint_requests.EndpointUpdate
) -> AuditedChange:
    await endpoints.lock_provider_in(connection)
    before = await _get_endpoint(connection, endpoint_id)
    after = await endpoints.update_in(connection, before, change, call.clock())
    return AuditedChange({"endpoint_id": after.id}, before=before, after=after)


async def rotate_secret(call: OperatorRequest, endpoint_id: str, overlap_hours: int) -> IdempotentResult:
    """Give an endpoint a new secret; return its `endpoint_id`, and the secret if the result is new.

    Raises InvalidInputError and NotFoundError.
    """
    overlap = endpoint_requests.parse_overlap(overlap_hours)
    request = {"endpoint_id": endpoint_id, "overlap_hours": overlap_hours}
    return await audit_log.run_once(
        call, Action.ROTATE_WEBHOOK_SECRET, request, _rotate_secret_in, endpoint_id, overlap
    )


async def _rotate_secret_in(
    connection: Connection, call: OperatorRequest, endpoint_id: str, overlap: dt.timedelta
) -> AuditedChange:
    await endpoints.lock_provider_in(connection)
    endpoint, now = await _get_endpoint(connection, endpoint_id), call.clock()
    secret = await secrets.rotate_in(connection, endpoint.id, call.idempotency_key, overlap, now)
    after = {"earlier_secrets_end_by": now + overlap}
    return AuditedChange({"endpoint_id": endpoint.id}, after=after, secret=secret)


async def delete_endpoint(call: OperatorRequest, endpoint_id: str) -> IdempotentResult:
    """Delete an endpoint with its secrets; return its `id`.

    The worker deletes the endpoint's deliveries later. Raises NotFoundError.
    """
    request = {"endpoint_id": endpoint_id}
    return await audit_log.run_once(
        call, Action.DELETE_WEBHOOK_ENDPOINT, request, _delete_endpoint_in, endpoint_id
    )


async def _delete_endpoint_in(
    connection: Connection, call: OperatorRequest, endpoint_id: str
) -> AuditedChange:
    await endpoints.lock_provider_in(connection)
    endpoint = await _get_endpoint(connection, endpoint_id)
    await endpoints.delete_in(connection, endpoint)
    return AuditedChange({"id": endpoint.id}, before=endpoint)


async def replay_delivery(
    call: OperatorRequest, endpoint_id: str, account_id: str, sequence: int, *, and_all_after: bool
) -> IdempotentResult:
    """Retry a parked delivery, or send an event and all later events of its account again; return the `endpoint_id`.

    `webhooks.replays.replay` describes `and_all_after`. Raises InvalidInputError and NotFoundError.
    """
    request = {
        "endpoint_id": endpoint_id,
        "account_id": account_id,
        "sequence": sequence,
        "and_all_after": and_all_after,
    }
    return await audit_log.run_once(
        call,
        Action.REPLAY_WEBHOOK_DELIVERY,
        request,
        _replay_delivery_in,
        endpoint_id,
        account_id,
        sequence,
        and_all_after=and_all_after,
    )


async def _replay_delivery_in(
    connection: Connection,
    call: OperatorRequest,
    endpoint_id: str,
    account_id: str,
    sequence: int,
    *,
    and_all_after: bool,
) -> AuditedChange:
    await accounts.lock_account(connection, account_id)
    endpoint = await _get_endpoint(connection, endpoint_id)
    await replays.replay_in(
        connection, endpoint, account_id, sequence, call.clock, and_all_after=and_all_after
    )
    return AuditedChange({"endpoint_id": endpoint.id}, [account_id])


async def send_test_message(
    call: OperatorRequest, endpoint_id: str, resolver: http_client.Resolver = http_client.resolve
) -> IdempotentResult:
    """Send a test message to an endpoint; return the outcome of the delivery.

    The message is sent inside the transaction, so that a request with a repeated key sends nothing. A process sends one
    test message of the provider at a time. It refuses others before they take connections and could exhaust the pool.
    Raises InvalidInputError and NotFoundError.
    """
    request = {"endpoint_id": endpoint_id}
    with endpoint_tests.limit_tests(None):
        return await audit_log.run_once(
            call, Action.SEND_TEST_WEBHOOK, request, _send_test_message_in, endpoint_id, resolver
        )


async def _send_test_message_in(
    connection: Connection, call: OperatorRequest, endpoint_id: str, resolver: http_client.Resolver
) -> AuditedChange:
    endpoint = await _get_endpoint(connection, endpoint_id)
    response = await endpoint_tests.send_to(endpoint, call.clock, resolver)
    outcome = {
        "delivered": backoff.is_delivered(response.status),
        "status": response.status,
        "error": response.error,
        "response": response.excerpt,
    }
    return AuditedChange(outcome, after=outcome)


async def _get_endpoint(connection: Connection, endpoint_id: str) -> endpoints.Endpoint:
    try:
        return await endpoints.get_in(connection, None, endpoint_id)
    except errors.InvalidInputError:
        reason = Message("the provider has no endpoint {id!r}", id=validation.truncate(endpoint_id))
        raise errors.NotFoundError("input.id", reason) from None
