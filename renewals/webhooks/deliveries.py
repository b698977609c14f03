"""The only writer of `webhook_deliveries`, the table of waiting and parked deliveries.

The messages of an endpoint are read from the events after its cursors. An event has a row only if its delivery failed,
if it waits behind another event with a row, or if a later event of its account was tried first. A lane holds the events
that must keep their order: those of one instance, or those of the account itself. Only the first waiting event of a
lane has a time for its next attempt.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from renewals.db import connection as database
from renewals.db import sql

DELETED_ROWS_MAX = 10_000
"""The maximum number of rows that one statement of `delete_orphans` deletes."""


async def delete_in(
    connection: database.Connection, endpoint_id: uuid.UUID, keys: Iterable[tuple[str, int]]
) -> None:
    """Delete an endpoint's deliveries of the events `keys`, each of which is an account id and a sequence."""
    await database.execute(
        connection,
        """DELETE FROM webhook_deliveries d USING unnest($2::text[], $3::bigint[]) AS u(account_id, sequence)
           WHERE d.endpoint_id = $1 AND d.account_id = u.account_id AND d.sequence = u.sequence""",
        endpoint_id,
        *sql.transpose(keys, 2),
    )


async def delete_from_in(
    connection: database.Connection, endpoint_id: uuid.UUID, account_id: str, sequence: int
) -> None:
    """Delete an endpoint's deliveries of an account's events from `sequence` on."""
    await database.execute(
        connection,
        "DELETE FROM webhook_deliveries WHERE endpoint_id = $1 AND account_id = $2 AND sequence >= $3",
        endpoint_id,
        account_id,
        sequence,
    )


async def update_failed_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    rows: Sequence[Sequence[object]],
    now: dt.datetime,
) -> None:
    """Store the latest failed attempt of each given delivery, with its next attempt or its parking.

    A row holds account id, sequence, attempts, next attempt, parking time, status, error and response.
    """
    await database.execute(
        connection,
        """UPDATE webhook_deliveries d SET attempts = u.attempts, last_attempted_at = $10,
             next_attempt_at = u.next_attempt_at, parked_at = u.parked_at, last_status = u.status,
             last_error = u.error, last_response = u.response
           FROM unnest($2::text[], $3::bigint[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::smallint[],
             $8::json[], $9::text[]) AS u(account_id, sequence, attempts, next_attempt_at, parked_at, status,
             error, response)
           WHERE d.endpoint_id = $1 AND d.account_id = u.account_id AND d.sequence = u.sequence""",
        endpoint_id,
        *sql.transpose(rows, 8),
        now,
    )


async def insert_undelivered_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    rows: Sequence[Sequence[object]],
    now: dt.datetime,
) -> None:
    """Insert the deliveries of undelivered events that the endpoint's cursors have passed.

    A row holds account id, sequence, lane, attempts, next attempt, parking time, status, error and response.
    """
    await database.execute(
        connection,
        """INSERT INTO webhook_deliveries (endpoint_id, last_attempted_at, account_id, sequence, lane, attempts,
             next_attempt_at, parked_at, last_status, last_error, last_response)
           SELECT $1, CASE WHEN u.attempts > 0 THEN $11::timestamptz END, u.*
           FROM unnest($2::text[], $3::bigint[], $4::text[], $5::int[], $6::timestamptz[], $7::timestamptz[],
             $8::smallint[], $9::json[], $10::text[])
             AS u(account_id, sequence, lane, attempts, next_attempt_at, parked_at, status, error, response)
           ON CONFLICT (endpoint_id, account_id, sequence) DO NOTHING""",
        endpoint_id,
        *sql.transpose(rows, 9),
        now,
    )


async def schedule_lane_heads_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    lanes: Iterable[tuple[str, str]],
    now: dt.datetime,
) -> None:
    """Schedule the first waiting event of each lane for `now`, unless it already has a time.

    The times of the later waiting events of the lane are cleared.
    """
    await database.execute(
        connection,
        """UPDATE webhook_deliveries d
           SET next_attempt_at = CASE WHEN d.sequence = l.head THEN $4::timestamptz END
           FROM (SELECT u.account_id, u.lane, (
                   SELECT f.sequence FROM webhook_deliveries f WHERE f.endpoint_id = $1
                     AND f.account_id = u.account_id AND f.lane = u.lane AND f.parked_at IS NULL
                   ORDER BY f.sequence LIMIT 1) AS head
                 FROM unnest($2::text[], $3::text[]) AS u(account_id, lane)) AS l
           WHERE d.endpoint_id = $1 AND d.account_id = l.account_id AND d.lane = l.lane AND d.parked_at IS NULL
             AND (d.next_attempt_at IS NULL) = (d.sequence = l.head)""",
        endpoint_id,
        *sql.transpose(lanes, 2),
        now,
    )


async def retry_now_in(
    connection: database.Connection, endpoint_ids: Sequence[uuid.UUID], now: dt.datetime
) -> None:
    """Schedule all future retries of the endpoints for `now`, because the endpoints may work again."""
    if endpoint_ids:
        await database.execute(
            connection,
            """UPDATE webhook_deliveries SET next_attempt_at = $2
               WHERE endpoint_id = ANY($1) AND next_attempt_at > $2""",
            endpoint_ids,
            now,
        )


async def unpark_in(
    connection: database.Connection, endpoint_id: uuid.UUID, account_id: str, sequence: int
) -> tuple[str, str] | None:
    """Unpark a delivery, reset its attempts to 0, and return its lane and event type, or None if it is not parked."""
    rows = await database.fetch(
        connection,
        """UPDATE webhook_deliveries d SET parked_at = NULL, attempts = 0 FROM events e
           WHERE d.endpoint_id = $1 AND d.account_id = $2 AND d.sequence = $3 AND d.parked_at IS NOT NULL
             AND e.account_id = $2 AND e.sequence = $3
           RETURNING d.lane, e.type""",
        endpoint_id,
        account_id,
        sequence,
    )
    return (rows[0]["lane"], rows[0]["type"]) if rows else None


async def delete_orphans() -> None:
    """Delete deliveries, cursors and states of deleted endpoints, except rows that another transaction has locked."""
    for table in ("webhook_deliveries", "webhook_cursors", "webhook_states"):
        deleted_count = DELETED_ROWS_MAX
        while deleted_count == DELETED_ROWS_MAX:
            deleted_count = await database.execute(
                database.pool(),
                f"""DELETE FROM {table} WHERE ctid = ANY(ARRAY(
                      SELECT t.ctid FROM {table} t
                      WHERE NOT EXISTS (SELECT FROM webhook_endpoints e WHERE e.id = t.endpoint_id)
                      LIMIT {DELETED_ROWS_MAX} FOR UPDATE SKIP LOCKED))""",
            )
