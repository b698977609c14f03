"""The endpoints that the provider itself is told at, of all accounts: made and changed by its operators."""

from renewals.db.connection import Connection
from renewals.domain import errors
from renewals.operators import accounts, audit_log
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest
from renewals.webhooks import deliveries, dispatcher, endpoints, http_client, retry_policy, secrets


async def create(
    call: OperatorRequest, request: endpoints.EndpointRequest
) -> tuple[IdempotentResult, str | None]:
    """Makes an endpoint; answers its `endpoint_id`, and the secret the first time alone."""
    endpoints.check_request(request)
    secret: str | None = None

    async def work(connection: Connection) -> AuditedChange:
        nonlocal secret
        await endpoints.lock_provider(connection)
        made, secret = await endpoints.add(connection, None, request, call.clock())
        return AuditedChange({"endpoint_id": made.id}, after=made)

    sent = {"url": request.url, "event_types": request.event_types}
    result = await audit_log.run_once(call, Action.CREATE_WEBHOOK_ENDPOINT, sent, work)
    return result, secret if result.is_new else None


async def update(
    call: OperatorRequest, endpoint_id: str, change: endpoints.EndpointChange
) -> IdempotentResult:
    """Changes an endpoint; answers its `endpoint_id`."""
    endpoints.check_change(change)

    async def work(connection: Connection) -> AuditedChange:
        await endpoints.lock_provider(connection)
        before = await _find(connection, endpoint_id)
        after = await endpoints.alter(connection, before, change, call.clock())
        return AuditedChange({"endpoint_id": after.id}, before=before, after=after)

    request = {"endpoint_id": endpoint_id, "change": change}
    return await audit_log.run_once(call, Action.UPDATE_WEBHOOK_ENDPOINT, request, work)


async def rotate(
    call: OperatorRequest, endpoint_id: str, overlap_hours: int
) -> tuple[IdempotentResult, str | None]:
    """Gives an endpoint a new secret; answers its `endpoint_id`, and the secret the first time alone."""
    overlap = endpoints.parse_overlap(overlap_hours)
    secret: str | None = None

    async def work(connection: Connection) -> AuditedChange:
        nonlocal secret
        await endpoints.lock_provider(connection)
        endpoint, now = await _find(connection, endpoint_id), call.clock()
        secret = await secrets.replace(connection, endpoint.id, call.idempotency_key, overlap, now)
        return AuditedChange({"endpoint_id": endpoint.id}, after={"earlier_secrets_end_by": now + overlap})

    request = {"endpoint_id": endpoint_id, "overlap_hours": overlap_hours}
    result = await audit_log.run_once(call, Action.ROTATE_WEBHOOK_SECRET, request, work)
    return result, secret if result.is_new else None


async def delete(call: OperatorRequest, endpoint_id: str) -> IdempotentResult:
    """Deletes an endpoint with its secrets and all that waits for it; answers its `endpoint_id`."""

    async def work(connection: Connection) -> AuditedChange:
        await endpoints.lock_provider(connection)
        before = await _find(connection, endpoint_id)
        await endpoints.remove(connection, before)
        return AuditedChange({"endpoint_id": before.id}, before=before)

    return await audit_log.run_once(call, Action.DELETE_WEBHOOK_ENDPOINT, {"endpoint_id": endpoint_id}, work)


async def replay(
    call: OperatorRequest, endpoint_id: str, account_id: str, sequence: int, *, and_all_after: bool
) -> IdempotentResult:
    """Has a parked delivery tried again, or an event of an account and all after it; answers the `endpoint_id`."""

    async def work(connection: Connection) -> AuditedChange:
        await accounts.lock_account(connection, account_id)
        endpoint = await _find(connection, endpoint_id)
        await deliveries.replay_in(
            connection, endpoint, account_id, sequence, call.clock, and_all_after=and_all_after
        )
        return AuditedChange({"endpoint_id": endpoint.id}, [account_id])

    request = {
        "endpoint_id": endpoint_id,
        "account_id": account_id,
        "sequence": sequence,
        "and_all_after": and_all_after,
    }
    return await audit_log.run_once(call, Action.REPLAY_WEBHOOK_DELIVERY, request, work)


async def send_test(
    call: OperatorRequest, endpoint_id: str, resolver: http_client.Resolver = http_client.resolve
) -> IdempotentResult:
    """Sends an endpoint a message that is no event; answers what came back.

    It is sent within the transaction, so that a repeated key sends nothing. A process sends one at a time, and refuses
    another before that takes a connection: the pool is left to the others.
    """

    async def work(connection: Connection) -> AuditedChange:
        endpoint = await _find(connection, endpoint_id)
        answer = await dispatcher.send_test_in(endpoint, call.clock, resolver)
        told = {
            "delivered": retry_policy.is_delivered(answer.status),
            "status": answer.status,
            "error": answer.error,
            "response": answer.excerpt,
        }
        return AuditedChange(told, after=told)

    with dispatcher.limit_tests(None):
        return await audit_log.run_once(call, Action.SEND_TEST_WEBHOOK, {"endpoint_id": endpoint_id}, work)


async def _find(connection: Connection, endpoint_id: str) -> endpoints.Endpoint:
    try:
        return await endpoints.find(connection, None, endpoint_id)
    except errors.InvalidInputError:
        raise errors.NotFoundError("input.id", "endpoint of the provider") from None
