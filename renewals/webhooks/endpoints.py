"""This module alone writes `webhook_endpoints`: who is told of events, and where.

An owner is an account, or None for the provider, whose endpoints are told of all accounts. Nobody sees or
changes an endpoint of another owner: it is as if it were not there.
"""

import contextlib
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from renewals import config, idempotency
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db.advisory_locks import AdvisoryLock, lock_in
from renewals.domain import errors
from renewals.domain.clock import Clock
from renewals.events import event_log
from renewals.webhooks import claims, secrets, url_policy

OVERLAP_HOURS_DEFAULT = 24
OVERLAP_HOURS_MAX = 168
DISABLED_BY_OWNER = "disabled by its owner"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an owner is told of events; no types mean all, no reason means enabled."""

    id: uuid.UUID
    account_id: str | None
    url: str
    event_types: tuple[str, ...]
    disabled_reason: str | None
    created_at: dt.datetime
    changed_at: dt.datetime

    @property
    def is_enabled(self) -> bool:
        return self.disabled_reason is None

    def asks_for(self, event_type: str) -> bool:
        return not self.event_types or event_type in self.event_types


class CreatedEndpoint(NamedTuple):
    """An endpoint with the secret that its owner is shown now."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """Tell me of these types of events at this URL; without types, of all."""

    url: str
    event_types: Sequence[str] = ()
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What of an endpoint is to be different; None leaves it as it is."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    is_enabled: bool | None = None


@database.retry_on_conflict
async def create(owner: str | None, request: EndpointRequest, clock: Clock) -> CreatedEndpoint:
    """Makes an endpoint and its secret, or raises DomainError; the same key and request: the first answer again."""
    check_request(request)
    async with _locked(owner) as connection:
        return await add(connection, owner, request, clock())


async def add(
    connection: database.Connection, owner: str | None, request: EndpointRequest, now: dt.datetime
) -> CreatedEndpoint:
    """Does what `create` does in the transaction of a caller, who checked the request and locked the owner."""
    request_hash = idempotency.fingerprint(
        "CREATE_ENDPOINT", idempotency.canonical_json([request.url, sorted(set(request.event_types))])
    )
    rows = await database.fetch(
        connection,
        """SELECT id, request_hash FROM webhook_endpoints
           WHERE account_id IS NOT DISTINCT FROM $1 AND idempotency_key = $2""",
        owner,
        request.idempotency_key,
    )
    if rows:
        idempotency.check_same_request(request.idempotency_key, rows[0]["request_hash"], request_hash)
        endpoint = await find(connection, owner, str(rows[0]["id"]))
        return CreatedEndpoint(
            endpoint, await secrets.read_of(connection, endpoint.id, request.idempotency_key)
        )
    await _refuse_too_many(connection, owner)
    endpoint_id = database.new_id()
    await database.execute(
        connection,
        """INSERT INTO webhook_endpoints
             (id, account_id, url, event_types, created_at, changed_at, idempotency_key, request_hash)
           VALUES ($1, $2, $3, $4, $5, $5, $6, $7)""",
        endpoint_id,
        owner,
        request.url,
        sorted(set(request.event_types)),
        now,
        request.idempotency_key,
        request_hash,
    )
    secret = await secrets.issue(connection, endpoint_id, request.idempotency_key, now)
    return CreatedEndpoint(await find(connection, owner, str(endpoint_id)), secret)


@database.retry_on_conflict
async def update(owner: str | None, endpoint_id: str, change: EndpointChange, clock: Clock) -> Endpoint:
    """Changes an endpoint; it goes on where it stopped, and what waits is tried at once if it is enabled."""
    check_change(change)
    async with _locked(owner) as connection:
        return await alter(connection, await find(connection, owner, endpoint_id), change, clock())


async def alter(
    connection: database.Connection, before: Endpoint, change: EndpointChange, now: dt.datetime
) -> Endpoint:
    """Does what `update` does in the transaction of a caller, who checked the change and locked the owner."""
    types = before.event_types if change.event_types is None else tuple(sorted(set(change.event_types)))
    # The next turn knows it by `changed_at`, which must be later than the last one, whichever clock that was by.
    await claims.lock_claim(connection, before.id)
    rows = await database.fetch(
        connection,
        f"""UPDATE webhook_endpoints SET url = $2, event_types = $3, disabled_reason = CASE $4::boolean
               WHEN true THEN NULL WHEN false THEN coalesce(disabled_reason, $5) ELSE disabled_reason END,
             changed_at = greatest($6, (
               SELECT last_turn_at + interval '1 microsecond' FROM webhook_states WHERE endpoint_id = $1))
           WHERE id = $1 RETURNING {_COLUMNS}""",
        before.id,
        before.url if change.url is None else change.url,
        types,
        change.is_enabled,
        DISABLED_BY_OWNER,
        now,
    )
    return _endpoint(rows[0])


@database.retry_on_conflict
async def rotate(
    owner: str | None,
    endpoint_id: str,
    idempotency_key: str,
    clock: Clock,
    *,
    overlap_hours: int = OVERLAP_HOURS_DEFAULT,
) -> CreatedEndpoint:
    """Gives an endpoint a new secret; the old one signs as well for so many hours."""
    idempotency.check_idempotency_key(idempotency_key)
    overlap = parse_overlap(overlap_hours)
    async with _locked(owner) as connection:
        endpoint = await find(connection, owner, endpoint_id)
        secret = await secrets.replace(connection, endpoint.id, idempotency_key, overlap, clock())
    return CreatedEndpoint(endpoint, secret)


@database.retry_on_conflict
async def delete(owner: str | None, endpoint_id: str) -> None:
    """Deletes an endpoint with its secrets; the worker sweeps up what waited for it."""
    async with _locked(owner) as connection:
        await remove(connection, await find(connection, owner, endpoint_id))


async def remove(connection: database.Connection, endpoint: Endpoint) -> None:
    """Does what `delete` does in the transaction of a caller, who locked the owner."""
    await database.execute(connection, "DELETE FROM webhook_endpoints WHERE id = $1", endpoint.id)


async def read_all(owner: str | None) -> list[Endpoint]:
    """The endpoints of an owner, the oldest first."""
    rows = await database.fetch(
        database.pool(),
        f"{_SELECT} WHERE account_id IS NOT DISTINCT FROM $1 ORDER BY created_at, id",
        owner,
    )
    return [_endpoint(row) for row in rows]


async def list_all() -> list[Endpoint]:
    """All endpoints there are, the provider's first."""
    rows = await database.fetch(database.pool(), f"{_SELECT} ORDER BY account_id NULLS FIRST, created_at, id")
    return [_endpoint(row) for row in rows]


async def find(connection: database.Connection, owner: str | None, endpoint_id: str) -> Endpoint:
    """One endpoint of an owner; raises InvalidInputError alike where there is none and where it is another's."""
    with contextlib.suppress(ValueError):
        rows = await database.fetch(
            connection,
            f"{_SELECT} WHERE id = $1 AND account_id IS NOT DISTINCT FROM $2",
            uuid.UUID(endpoint_id),
            owner,
        )
        if rows:
            return _endpoint(rows[0])
    raise errors.InvalidInputError("input.id", "there is no such endpoint")


async def read(endpoint_id: uuid.UUID) -> Endpoint | None:
    """An endpoint, for the worker; None if it was deleted."""
    rows = await database.fetch(database.pool(), f"{_SELECT} WHERE id = $1", endpoint_id)
    return _endpoint(rows[0]) if rows else None


async def disable(
    connection: database.Connection, endpoint_id: uuid.UUID, reason: str, now: dt.datetime
) -> None:
    """Stops all deliveries to an endpoint, for a reason that its owner is shown."""
    await database.execute(
        connection,
        """UPDATE webhook_endpoints SET disabled_reason = $2, changed_at = $3
           WHERE id = $1 AND disabled_reason IS NULL""",
        endpoint_id,
        reason,
        now,
    )


def check_request(request: EndpointRequest) -> None:
    """Raises InvalidInputError for a request that no owner may make."""
    check_url(request.url)
    check_types(request.event_types)
    idempotency.check_idempotency_key(request.idempotency_key)


def check_change(change: EndpointChange) -> None:
    """Raises InvalidInputError for a change that no owner may make."""
    if change.url is not None:
        check_url(change.url)
    if change.event_types is not None:
        check_types(change.event_types)


def check_url(url: str) -> None:
    """Raises InvalidInputError for a URL that nothing would be sent to; its host is looked up when something is."""
    settings = config.get_settings()
    try:
        url_policy.parse_webhook_url(
            url,
            allows_http=settings.webhook_http,
            ports=settings.webhook_ports,
            networks=settings.webhook_networks,
        )
    except ValueError as problem:
        raise errors.InvalidInputError("input.url", str(problem)) from None


def check_types(event_types: Sequence[str]) -> None:
    """Raises InvalidInputError for a type that no event has."""
    if unknown := sorted(set(event_types) - set(event_log.EventType)):
        raise errors.InvalidInputError("input.eventTypes", f"there are no events {unknown[0][:64]!r}")


def parse_overlap(hours: int) -> dt.timedelta:
    """How long the secrets before a new one sign as well; raises InvalidInputError for what is out of bounds."""
    if not 0 <= hours <= OVERLAP_HOURS_MAX:
        raise errors.InvalidInputError("input.overlapHours", f"must be 0 to {OVERLAP_HOURS_MAX}")
    return dt.timedelta(hours=hours)


_COLUMNS = "id, account_id, url, event_types, disabled_reason, created_at, changed_at"
_SELECT = f"SELECT {_COLUMNS} FROM webhook_endpoints"


def _endpoint(row: database.Row) -> Endpoint:
    return Endpoint(**(dict(row) | {"event_types": tuple(row["event_types"])}))


@contextlib.asynccontextmanager
async def _locked(owner: str | None) -> AsyncIterator[database.Connection]:
    """A transaction that has the endpoints of one owner to itself."""
    if owner is not None:
        async with accounts_repository.locked_account(owner) as (connection, _):
            yield connection
        return
    async with database.transaction() as connection:
        await lock_provider(connection)
        yield connection


async def lock_provider(connection: database.Connection) -> None:
    """Has the transaction of a caller have the provider's endpoints to itself."""
    await lock_in(connection, AdvisoryLock.PROVIDER_WEBHOOKS)


async def _refuse_too_many(connection: database.Connection, owner: str | None) -> None:
    count_max = config.get_settings().webhook_endpoints_max
    rows = await database.fetch(
        connection,
        "SELECT count(*) FROM webhook_endpoints WHERE account_id IS NOT DISTINCT FROM $1",
        owner,
    )
    if rows[0][0] >= count_max:
        raise errors.InvalidInputError(
            "input", f"there may be {count_max} endpoints at most; delete one first"
        )
