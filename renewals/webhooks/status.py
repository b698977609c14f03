"""The delivery status of webhook endpoints, and their waiting and parked deliveries, for the API and the CLI."""

import datetime as dt
import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from renewals.db import connection as database
from renewals.domain import errors, limits, stored_messages, validation
from renewals.domain.messages import Message
from renewals.events import webhook_cursors
from renewals.webhooks import endpoints as webhooks_endpoints


class DeliveryState(StrEnum):
    """The state of an undelivered event: waiting for an attempt, or parked until it is replayed."""

    WAITING = "WAITING"
    PARKED = "PARKED"


class EndpointStatus(NamedTuple):
    """An endpoint and its delivery status; `behind_count` is the number of events that its cursors have not passed."""

    id: uuid.UUID
    account_id: str | None
    url: str
    event_types: tuple[str, ...]
    enabled: bool
    disabled_reason: Message | None
    created_at: dt.datetime
    changed_at: dt.datetime
    delivered_count: int = 0
    last_delivered_at: dt.datetime | None = None
    last_attempted_at: dt.datetime | None = None
    last_status: int | None = None
    last_error: Message | None = None
    last_response: str | None = None
    failure_count: int = 0
    paused_until: dt.datetime | None = None
    waiting_count: int = 0
    parked_count: int = 0
    behind_count: int = 0


class Delivery(NamedTuple):
    """A waiting or parked event of an endpoint, and the result of the last attempt, if there was one."""

    account_id: str
    sequence: int
    type: str
    occurred_at: dt.datetime
    instance_id: str | None
    state: DeliveryState
    attempts: int
    last_attempted_at: dt.datetime | None
    next_attempt_at: dt.datetime | None
    last_status: int | None
    last_error: Message | None
    last_response: str | None


async def read_status(endpoints: Sequence[webhooks_endpoints.Endpoint]) -> list[EndpointStatus]:
    """Return the status of each endpoint, in the same order."""
    ids = [endpoint.id for endpoint in endpoints]
    rows = await database.fetch(
        database.pool(),
        """SELECT i.id, coalesce(s.delivered_count, 0) AS delivered_count, s.last_delivered_at,
             s.last_attempted_at, s.last_status, s.last_error, s.last_response,
             coalesce(s.failure_count, 0) AS failure_count, s.paused_until,
             (SELECT count(*) FROM webhook_deliveries
              WHERE endpoint_id = i.id AND parked_at IS NULL) AS waiting_count,
             (SELECT count(*) FROM webhook_deliveries
              WHERE endpoint_id = i.id AND parked_at IS NOT NULL) AS parked_count
           FROM unnest($1::uuid[]) AS i(id) LEFT JOIN webhook_states s ON s.endpoint_id = i.id""",
        ids,
    )
    behind = await webhook_cursors.count_behind(ids)
    rows_by_id = {row["id"]: row for row in rows}
    return [
        EndpointStatus(
            **{name: getattr(endpoint, name) for name in _ENDPOINT_COLUMNS},
            enabled=endpoint.is_enabled,
            behind_count=behind.get(endpoint.id, 0),
            **_with_error(rows_by_id[endpoint.id]),
        )
        for endpoint in endpoints
    ]


_ENDPOINT_COLUMNS = ("account_id", "url", "event_types", "disabled_reason", "created_at", "changed_at")


async def read_deliveries(
    endpoint_id: uuid.UUID,
    state: DeliveryState | None = None,
    *,
    count: int,
    after: tuple[str, int] = ("", 0),
    account_id: str | None = None,
) -> list[Delivery]:
    """Return at most `count` waiting or parked events of an endpoint after `after`, sorted by account and sequence.

    If `account_id` is given, return the events of this account only; if `state` is given, those in this state only.
    Raises InvalidInputError for a count out of bounds (rule 26).
    """
    count_max = limits.PAGE_ROWS_MAX
    if not 1 <= count <= count_max:
        raise errors.InvalidInputError("first", validation.between(count, 1, count_max))
    conditions = {
        None: "",
        DeliveryState.WAITING: "AND d.parked_at IS NULL",
        DeliveryState.PARKED: "AND d.parked_at IS NOT NULL",
    }
    rows = await database.fetch(
        database.pool(),
        f"""SELECT d.account_id, d.sequence, e.type, e.occurred_at, e.instance_id,
              CASE WHEN d.parked_at IS NULL THEN 'WAITING' ELSE 'PARKED' END AS state, d.attempts, d.last_attempted_at,
              d.next_attempt_at, d.last_status, d.last_error, d.last_response
            FROM webhook_deliveries d JOIN events e ON e.account_id = d.account_id AND e.sequence = d.sequence
            WHERE d.endpoint_id = $1 AND (d.account_id, d.sequence) > ($2, $3)
              AND ($5::text IS NULL OR d.account_id = $5) {conditions[state]}
            ORDER BY d.account_id, d.sequence LIMIT $4""",
        endpoint_id,
        *after,
        count,
        account_id,
    )
    return [Delivery(**(_with_error(row) | {"state": DeliveryState(row["state"])})) for row in rows]


def _with_error(row: database.Row) -> dict[str, Any]:
    """Return the columns of a row, with the stored error as a message."""
    return dict(row) | {"last_error": stored_messages.loads(row["last_error"])}
