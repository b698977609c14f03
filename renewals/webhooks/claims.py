"""The writer of `webhook_states`, which holds the claim of a worker on each endpoint, and the health of the endpoint.

A worker claims an endpoint for `CLAIM_SECONDS` before it delivers. The worker's writes are refused once the claim is
lost. Besides this module, only `deliveries.delete_orphans` writes the table: it deletes the rows of deleted endpoints.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from renewals.db import connection as database
from renewals.webhooks import backoff, deliveries, http_client

CLAIM_SECONDS = 30
"""The time after which any worker can claim an endpoint whose claim was not renewed."""


class Claim(NamedTuple):
    """A worker's claim on an endpoint, with the endpoint's health. No other worker delivers to a claimed endpoint.

    `is_changed` is True if the owner has changed the endpoint since the last turn.
    """

    endpoint_id: uuid.UUID
    token: uuid.UUID
    health: backoff.EndpointHealth
    last_account_id: str
    is_changed: bool = False


class ClaimLostError(Exception):
    """The error of a lost claim: the endpoint was claimed again after the claim had expired, or was deleted."""


# The endpoints with undelivered events, with due retries, or with waiting retries after a change by the owner.
# The recursion reads one index entry for each endpoint; SELECT DISTINCT would read all entries.
_WORKING = """
  WITH RECURSIVE behind(id) AS (
    (SELECT endpoint_id FROM webhook_cursors WHERE sequence < last_sequence ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.endpoint_id FROM webhook_cursors c
            WHERE c.sequence < c.last_sequence AND c.endpoint_id > b.id ORDER BY c.endpoint_id LIMIT 1)
    FROM behind b WHERE b.id IS NOT NULL),
  waiting(id) AS (
    (SELECT endpoint_id FROM webhook_deliveries WHERE next_attempt_at IS NOT NULL ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM webhook_deliveries d
            WHERE d.next_attempt_at IS NOT NULL AND d.endpoint_id > w.id ORDER BY d.endpoint_id LIMIT 1)
    FROM waiting w WHERE w.id IS NOT NULL),
  working(id) AS (
    SELECT id FROM behind WHERE id IS NOT NULL
    UNION
    SELECT id FROM waiting w WHERE id IS NOT NULL AND (
      EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = w.id AND d.next_attempt_at <= $1)
      OR EXISTS (SELECT FROM webhook_states s JOIN webhook_endpoints e ON e.id = s.endpoint_id
                 WHERE s.endpoint_id = w.id AND e.changed_at > s.last_turn_at)))"""

_FREE = """(s.claimed_until IS NULL OR s.claimed_until <= clock_timestamp())
  AND (s.paused_until IS NULL OR s.paused_until <= $1 OR e.changed_at > s.last_turn_at)"""
"""SQL condition: the endpoint has no unexpired claim, and is not paused or was changed after its last turn."""


async def claim_endpoints(now: dt.datetime, *, count: int, degraded_count: int) -> list[Claim]:
    """Claim at most `count` endpoints, of which at most `degraded_count` are degraded, and return the claims.

    If the owner has changed an endpoint since its last turn, its waiting deliveries are retried
    immediately.
    """
    endpoint_ids = await _find_claimable(now, count=count, degraded_count=degraded_count)
    if not endpoint_ids:
        return []
    async with database.transaction() as connection:
        claimed = await _claim_in(connection, endpoint_ids, now)
        changed_ids = [claim.endpoint_id for claim in claimed if claim.is_changed]
        await deliveries.retry_now_in(connection, changed_ids, now)
    return claimed


async def release_claim(claim: Claim) -> None:
    """Give up a claim, so that any worker can claim the endpoint."""
    await database.execute(
        database.pool(),
        "UPDATE webhook_states SET claim = NULL, claimed_until = NULL WHERE endpoint_id = $1 AND claim = $2",
        claim.endpoint_id,
        claim.token,
    )


async def renew_claim_in(connection: database.Connection, claim: Claim) -> None:
    """Extend a claim to `CLAIM_SECONDS` from now. Raises ClaimLostError."""
    updated_count = await database.execute(
        connection,
        f"""UPDATE webhook_states SET claimed_until = clock_timestamp() + make_interval(secs => {CLAIM_SECONDS})
            WHERE endpoint_id = $1 AND claim = $2""",
        claim.endpoint_id,
        claim.token,
    )
    if not updated_count:
        raise ClaimLostError


async def record_state_in(
    connection: database.Connection,
    claim: Claim,
    *,
    delivered_count: int,
    last: http_client.WebhookResponse | None,
    now: dt.datetime,
) -> None:
    """Store a claimed endpoint's health, last account and last response, and add to its number of deliveries.

    If `last` is None, the stored response remains.
    """
    await database.execute(
        connection,
        """UPDATE webhook_states SET failure_count = $2, pause_count = $3, paused_until = $4, failing_since = $5,
             is_slow = $6, last_account_id = $7, delivered_count = delivered_count + $8,
             last_delivered_at = CASE WHEN $8 > 0 THEN $9 ELSE last_delivered_at END
           WHERE endpoint_id = $1""",
        claim.endpoint_id,
        *claim.health,
        claim.last_account_id,
        delivered_count,
        now,
    )
    if last:
        await database.execute(
            connection,
            """UPDATE webhook_states SET last_attempted_at = $2, last_status = $3, last_error = $4, last_response = $5
               WHERE endpoint_id = $1""",
            claim.endpoint_id,
            now,
            last.status,
            last.stored_error,
            last.excerpt,
        )


async def lock_claim_in(connection: database.Connection, endpoint_id: uuid.UUID) -> dt.datetime | None:
    """Until the transaction ends, block new claims on an endpoint, and the writes of the worker that has claimed it.

    Return the time of the endpoint's last turn, or None if it has had no turn.
    """
    rows = await database.fetch(
        connection,
        """INSERT INTO webhook_states (endpoint_id) VALUES ($1)
           ON CONFLICT (endpoint_id) DO UPDATE SET endpoint_id = excluded.endpoint_id
           RETURNING last_turn_at""",
        endpoint_id,
    )
    last_turn_at: dt.datetime | None = rows[0]["last_turn_at"]
    return last_turn_at


async def _find_claimable(now: dt.datetime, *, count: int, degraded_count: int) -> list[uuid.UUID]:
    """Return the ids of at most `count` free endpoints with events to send or skip, in the order of their last turns.

    At most `degraded_count` of them are degraded: failing or slow.
    """
    rows = await database.fetch(
        database.pool(),
        f"""{_WORKING}
            SELECT e.id, coalesce(s.failure_count > 0 OR s.is_slow, false) AS is_degraded FROM working w
            JOIN webhook_endpoints e ON e.id = w.id AND e.disabled_reason IS NULL
            LEFT JOIN webhook_states s ON s.endpoint_id = e.id
            WHERE s.endpoint_id IS NULL OR ({_FREE})
            ORDER BY s.last_turn_at NULLS FIRST, e.id""",
        now,
    )
    degraded = [row["id"] for row in rows if row["is_degraded"]][:degraded_count]
    return [row["id"] for row in rows if not row["is_degraded"] or row["id"] in degraded][:count]


async def _claim_in(
    connection: database.Connection, endpoint_ids: Sequence[uuid.UUID], now: dt.datetime
) -> list[Claim]:
    """Claim the endpoints that are still free, and return the claims."""
    await database.execute(
        connection,
        "INSERT INTO webhook_states (endpoint_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
        sorted(endpoint_ids),
    )
    rows = await database.fetch(
        connection,
        f"""UPDATE webhook_states s SET claim = $3, last_turn_at = greatest($1, f.changed_at),
              claimed_until = clock_timestamp() + make_interval(secs => {CLAIM_SECONDS})
            FROM (SELECT s.endpoint_id, e.changed_at, coalesce(e.changed_at > s.last_turn_at, false) AS is_changed
                  FROM webhook_states s JOIN webhook_endpoints e ON e.id = s.endpoint_id
                  WHERE s.endpoint_id = ANY($2) AND {_FREE} FOR NO KEY UPDATE OF s SKIP LOCKED) AS f
            WHERE s.endpoint_id = f.endpoint_id
            RETURNING s.endpoint_id, s.claim, s.failure_count, s.pause_count, s.paused_until, s.failing_since,
              s.is_slow, s.last_account_id, f.is_changed""",
        now,
        endpoint_ids,
        uuid.uuid4(),
    )
    return [Claim(row[0], row[1], backoff.EndpointHealth(*row[2:7]), *row[7:]) for row in rows]
