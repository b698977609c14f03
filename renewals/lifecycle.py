"""What the clock does to an instance that nobody renewed: it expires, and later it is released (rule 22)."""

import datetime as dt
from dataclasses import dataclass

from renewals import database, inventory, ledger

_INSTANCES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Lapsed:
    """How many instances expired and how many were released."""

    expired_count: int
    released_count: int


async def lapse(now: dt.datetime) -> Lapsed:
    """Expires what has passed its expiry and releases what has outlived its retention."""
    return Lapsed(await _expire(now), await _release(now))


async def _expire(now: dt.datetime) -> int:
    expired_count = 0
    while True:
        async with database.transaction() as connection:
            rows = await database.fetch(
                connection,
                """SELECT DISTINCT account_id FROM (
                     SELECT account_id FROM instances WHERE status = 'RUNNING' AND expires_at < $1
                     ORDER BY expires_at LIMIT $2) AS passed""",
                now,
                _INSTANCES_AT_ONCE,
            )
            if not rows:
                return expired_count
            account_ids = [row["account_id"] for row in rows]
            await ledger.lock(connection, account_ids)
            expired_count += await inventory.expire(connection, account_ids, now)


async def _release(now: dt.datetime) -> int:
    """A bundle is released as a whole, with the longest retention of its members."""
    released_count = 0
    while True:
        async with database.transaction() as connection:
            rows = await database.fetch(
                connection,
                """SELECT i.id, i.account_id FROM instances i
                   JOIN accounts a ON a.id = i.account_id
                   CROSS JOIN LATERAL (
                     SELECT max(p.retention_days) AS days FROM products p
                     WHERE p.code = i.product_code OR (i.bundle_id IS NOT NULL AND p.code IN (
                       SELECT m.product_code FROM instances m WHERE m.bundle_id = i.bundle_id))) AS retention
                   WHERE i.status = 'EXPIRED' AND i.expires_at < $1
                     AND (i.expires_at AT TIME ZONE a.time_zone + make_interval(days => retention.days))
                         AT TIME ZONE a.time_zone < $1
                   ORDER BY i.expires_at LIMIT $2""",
                now,
                _INSTANCES_AT_ONCE,
            )
            if not rows:
                return released_count
            await ledger.lock(connection, [row["account_id"] for row in rows])
            released_count += await inventory.release(connection, [row["id"] for row in rows])
