"""This module alone writes `webhook_states`: which worker sends to an endpoint, and how the endpoint fares.

A worker that sends to an endpoint has claimed it for a while; what it writes counts only as long as it has.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from renewals.db import connection as database
from renewals.webhooks import http_client, retry_policy

CLAIM_SECONDS = 30
"""A claim that was not renewed for so long is anybody's: its worker is gone."""


class Claim(NamedTuple):
    """An endpoint that this worker alone sends to for now, and how it fares."""

    endpoint_id: uuid.UUID
    token: uuid.UUID
    health: retry_policy.EndpointHealth
    last_account_id: str
    is_changed: bool = False
    """Whether its owner changed it since its last turn."""


class ClaimLostError(Exception):
    """Another worker has the endpoint by now, or it was deleted."""


# What an endpoint is behind with, or what is due, or waits and was changed: one look into an index for each endpoint
# that has something.
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
"""Nobody sends to it, and it is not paused; an endpoint that was changed since is tried at once."""


async def find_claimable(now: dt.datetime, *, count: int, degraded_count: int) -> list[uuid.UUID]:
    """The endpoints that have something to be sent, so many at most, and of failing and slow ones no more than said.

    Those come first that have waited longest.
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


async def claim(
    connection: database.Connection, endpoint_ids: Sequence[uuid.UUID], now: dt.datetime
) -> list[Claim]:
    """Claims those of the endpoints that are still free."""
    await database.execute(
        connection,
        "INSERT INTO webhook_states (endpoint_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
        sorted(endpoint_ids),
    )
    claimed = await database.fetch(
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
    return [Claim(row[0], row[1], retry_policy.EndpointHealth(*row[2:7]), *row[7:]) for row in claimed]


async def release_claim(claim: Claim) -> None:
    """Gives an endpoint back to whoever is next."""
    await database.execute(
        database.pool(),
        "UPDATE webhook_states SET claim = NULL, claimed_until = NULL WHERE endpoint_id = $1 AND claim = $2",
        claim.endpoint_id,
        claim.token,
    )


async def renew_claim(connection: database.Connection, claim: Claim) -> None:
    """Renews a claim; raises ClaimLostError."""
    held = await database.execute(
        connection,
        f"""UPDATE webhook_states SET claimed_until = clock_timestamp() + make_interval(secs => {CLAIM_SECONDS})
            WHERE endpoint_id = $1 AND claim = $2""",
        claim.endpoint_id,
        claim.token,
    )
    if not held:
        raise ClaimLostError


async def record_state(
    connection: database.Connection,
    claim: Claim,
    *,
    delivered_count: int,
    last: http_client.WebhookResponse | None,
    now: dt.datetime,
) -> None:
    """Keeps with the claim how the endpoint fares, what it answered last, and whose turn was last."""
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
            last.error,
            last.excerpt,
        )


async def lock_claim(connection: database.Connection, endpoint_id: uuid.UUID) -> None:
    """Keeps the worker that sends to an endpoint from writing meanwhile, and others from claiming it."""
    await database.execute(
        connection,
        """INSERT INTO webhook_states (endpoint_id) VALUES ($1)
           ON CONFLICT (endpoint_id) DO UPDATE SET endpoint_id = excluded.endpoint_id""",
        endpoint_id,
    )
