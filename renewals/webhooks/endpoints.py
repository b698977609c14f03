"""The only writer of `webhook_endpoints`, which holds the URLs to which events are delivered, and their owners.

The owner of an endpoint is an account, or None for the provider. The provider's endpoints receive the events of all
accounts. A function with the argument `owner` treats an endpoint of another owner as if it did not exist.
"""

import contextlib
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple, cast

from renewals import config, idempotency
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db.advisory_locks import AdvisoryLock, lock_in
from renewals.db.models import WebhookEndpoint
from renewals.domain import errors, stored_messages, validation
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.webhooks import claims, secrets
from renewals.webhooks.endpoint_requests import (
    OVERLAP_HOURS_DEFAULT,
    EndpointRequest,
    EndpointUpdate,
    check_request,
    check_update,
    parse_overlap,
)

DISABLED_BY_OWNER = Message("disabled by its owner")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as a value: unlike two models of one row, two endpoints with equal fields are equal.

    An endpoint without event types receives all types. An enabled endpoint has no `disabled_reason`.
    """

    id: uuid.UUID
    account_id: str | None
    url: str
    event_types: tuple[str, ...]
    disabled_reason: Message | None
    created_at: dt.datetime
    changed_at: dt.datetime

    @property
    def is_enabled(self) -> bool:
        """Whether events are delivered to the endpoint."""
        return self.disabled_reason is None

    def wants(self, event_type: str) -> bool:
        """Return whether the endpoint receives events of this type."""
        return not self.event_types or event_type in self.event_types


class CreatedEndpoint(NamedTuple):
    """An endpoint with its new secret, which no query returns later."""

    endpoint: Endpoint
    secret: str


@database.retry_on_conflict
async def create(owner: str | None, request: EndpointRequest, clock: Clock) -> CreatedEndpoint:
    """Create an endpoint and its secret; a repeated request with the same key returns the existing endpoint (rule 18).

    Raises DomainError.
    """
    check_request(request)
    async with _locked_owner(owner) as connection:
        return await create_in(connection, owner, request, clock())


async def create_in(
    connection: database.Connection, owner: str | None, request: EndpointRequest, now: dt.datetime
) -> CreatedEndpoint:
    """Create an endpoint; the caller has validated the request and locked the owner."""
    event_types = sorted(set(request.event_types))
    request_hash = idempotency.fingerprint(
        "CREATE_ENDPOINT", idempotency.canonical_json([request.url, event_types])
    )
    key = request.idempotency_key
    existing = await WebhookEndpoint.get_or_none(account_id=owner, idempotency_key=key, using_db=connection)
    if existing is not None:
        idempotency.check_same_request(key, existing.request_hash, request_hash)
        secret = await secrets.read_issued_in(connection, existing.id, key)
        return CreatedEndpoint(_endpoint(existing), secret)
    await _check_count_in(connection, owner)
    row = await WebhookEndpoint.create(
        using_db=connection,
        id=database.new_id(),
        account_id=owner,
        url=request.url,
        event_types=event_types,
        created_at=now,
        changed_at=now,
        idempotency_key=key,
        request_hash=request_hash,
    )
    return CreatedEndpoint(_endpoint(row), await secrets.issue_in(connection, row.id, key, now))


@database.retry_on_conflict
async def update(owner: str | None, endpoint_id: str, change: EndpointUpdate, clock: Clock) -> Endpoint:
    """Change an endpoint. If it is enabled afterwards, delivery continues, and waiting events are retried immediately.

    Raises InvalidInputError for an invalid change or an unknown id.
    """
    check_update(change)
    async with _locked_owner(owner) as connection:
        return await update_in(connection, await get_in(connection, owner, endpoint_id), change, clock())


async def update_in(
    connection: database.Connection, endpoint: Endpoint, change: EndpointUpdate, now: dt.datetime
) -> Endpoint:
    """Change an endpoint; the caller has validated the change and locked the owner."""
    last_turn_at = await claims.lock_claim_in(connection, endpoint.id)
    row = await WebhookEndpoint.filter(id=endpoint.id).using_db(connection).get()
    if change.url is not None:
        row.url = change.url
    if change.event_types is not None:
        row.event_types = sorted(set(change.event_types))
    if change.is_enabled is not None:
        row.disabled_reason = (
            None
            if change.is_enabled
            else row.disabled_reason or dict(stored_messages.to_json(DISABLED_BY_OWNER))
        )
    # The next turn recognizes the change by `changed_at`, which must be after the last turn even if clocks differ.
    row.changed_at = max(now, last_turn_at + dt.timedelta(microseconds=1)) if last_turn_at else now
    await row.save(using_db=connection, update_fields=["url", "event_types", "disabled_reason", "changed_at"])
    return _endpoint(row)


@database.retry_on_conflict
async def rotate(
    owner: str | None,
    endpoint_id: str,
    idempotency_key: str,
    clock: Clock,
    *,
    overlap_hours: int = OVERLAP_HOURS_DEFAULT,
) -> CreatedEndpoint:
    """Give an endpoint a new secret; messages are also signed with its older secrets for at most `overlap_hours`.

    Raises InvalidInputError and IdempotencyKeyReusedError.
    """
    idempotency.check_idempotency_key(idempotency_key)
    overlap = parse_overlap(overlap_hours)
    async with _locked_owner(owner) as connection:
        endpoint = await get_in(connection, owner, endpoint_id)
        secret = await secrets.rotate_in(connection, endpoint.id, idempotency_key, overlap, clock())
    return CreatedEndpoint(endpoint, secret)


@database.retry_on_conflict
async def delete(owner: str | None, endpoint_id: str) -> None:
    """Delete an endpoint; the worker deletes its deliveries later. Raises InvalidInputError for an unknown id."""
    async with _locked_owner(owner) as connection:
        await delete_in(connection, await get_in(connection, owner, endpoint_id))


async def delete_in(connection: database.Connection, endpoint: Endpoint) -> None:
    """Delete an endpoint; the caller has locked the owner."""
    await WebhookEndpoint.filter(id=endpoint.id).using_db(connection).delete()


async def list_endpoints(owner: str | None) -> list[Endpoint]:
    """Return the endpoints of an owner, oldest first."""
    rows = WebhookEndpoint.filter(account_id=owner).using_db(database.pool())
    return [_endpoint(row) for row in await rows.order_by("created_at", "id")]


async def list_all() -> list[Endpoint]:
    """Return the endpoints of all owners, the provider's first."""
    rows = await WebhookEndpoint.all(using_db=database.pool()).order_by("created_at", "id")
    return sorted(map(_endpoint, rows), key=lambda endpoint: endpoint.account_id or "")


async def get_in(connection: database.Connection, owner: str | None, endpoint_id: str) -> Endpoint:
    """Return an endpoint of an owner.

    Raises InvalidInputError, with the same message for an unknown id and for an endpoint of another owner.
    """
    with contextlib.suppress(ValueError):
        if row := await WebhookEndpoint.get_or_none(
            id=uuid.UUID(endpoint_id), account_id=owner, using_db=connection
        ):
            return _endpoint(row)
    reason = Message("there is no endpoint {id!r}", id=validation.truncate(endpoint_id))
    raise errors.InvalidInputError("input.id", reason)


async def find(endpoint_id: uuid.UUID) -> Endpoint | None:
    """Return an endpoint of any owner, for the worker and for operators, or None if the endpoint was deleted."""
    row = await WebhookEndpoint.get_or_none(id=endpoint_id, using_db=database.pool())
    return None if row is None else _endpoint(row)


async def disable_in(
    connection: database.Connection, endpoint_id: uuid.UUID, reason: Message, now: dt.datetime
) -> None:
    """Disable an endpoint with a reason for its owner; an endpoint that is already disabled keeps its reason."""
    enabled = WebhookEndpoint.filter(id=endpoint_id, disabled_reason__isnull=True)
    stored = stored_messages.to_json(reason)
    await enabled.using_db(connection).update(disabled_reason=stored, changed_at=now)


async def lock_provider_in(connection: database.Connection) -> None:
    """Lock the provider's endpoints for the transaction. The lock on an account's row locks the account's endpoints."""
    await lock_in(connection, AdvisoryLock.PROVIDER_WEBHOOKS)


def _endpoint(row: WebhookEndpoint) -> Endpoint:
    return Endpoint(
        row.id,
        row.account_id,
        row.url,
        tuple(row.event_types),
        None
        if row.disabled_reason is None
        else stored_messages.from_json(cast(stored_messages.StoredMessage, row.disabled_reason)),
        row.created_at,
        row.changed_at,
    )


@contextlib.asynccontextmanager
async def _locked_owner(owner: str | None) -> AsyncIterator[database.Connection]:
    """Open a transaction that holds the lock on the endpoints of one owner."""
    if owner is not None:
        async with accounts_repository.locked_account(owner) as (connection, _):
            yield connection
        return
    async with database.transaction() as connection:
        await lock_provider_in(connection)
        yield connection


async def _check_count_in(connection: database.Connection, owner: str | None) -> None:
    count_max = config.get_settings().webhook_endpoints_max
    if await WebhookEndpoint.filter(account_id=owner).using_db(connection).count() >= count_max:
        raise errors.InvalidInputError(
            "input", Message("at most {count} endpoints are allowed; delete one first", count=count_max)
        )
