"""The writer of `webhook_cursors`: the position of each endpoint in the events of each account.

Besides this module, only `webhooks.deliveries.delete_orphans` writes the table: it deletes the rows of deleted
endpoints. The first event of an account for an endpoint inserts a row, and so can a replay. `sequence` is the last
event that was delivered, skipped or stored in `webhook_deliveries`. `last_sequence` is the last event of the account.
An index of the rows in which the two differ finds lagging endpoints. The row suffices even if a million events are
undelivered. The table has a composite key, so it has no Tortoise model.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from renewals.db import connection as database

ADVANCE_CURSORS = """
  INSERT INTO webhook_cursors (endpoint_id, account_id, sequence, last_sequence)
  SELECT e.id, s.account_id, s.last_sequence - n.count, s.last_sequence
  FROM streams s JOIN unnest($1::text[], $2::bigint[]) AS n(account_id, count) ON n.account_id = s.account_id
  JOIN LATERAL (SELECT id FROM webhook_endpoints WHERE account_id = s.account_id
                UNION ALL SELECT id FROM webhook_endpoints WHERE account_id IS NULL) AS e ON true
  ON CONFLICT (endpoint_id, account_id) DO UPDATE SET last_sequence = excluded.last_sequence"""
"""SQL that sets `last_sequence` in the cursors of all receiving endpoints, within the statement that appends events.

`streams` holds each account with its last sequence. $1 contains the account ids, and $2 how many new events each
account has.
"""


class Cursor(NamedTuple):
    """The position of an endpoint in an account's events: `sequence` of `last_sequence` events have been passed."""

    account_id: str
    sequence: int
    last_sequence: int


async def read_lagging(
    connection: database.Connection, endpoint_id: uuid.UUID, after: str, count: int
) -> list[Cursor]:
    """Return at most `count` lagging cursors of an endpoint, sorted by account id.

    The cursors whose account id is after `after` come first, followed by the remaining cursors.
    """
    rows = await database.fetch(
        connection,
        """(SELECT account_id, sequence, last_sequence FROM webhook_cursors
            WHERE endpoint_id = $1 AND sequence < last_sequence AND account_id > $2 ORDER BY account_id LIMIT $3)
           UNION ALL
           (SELECT account_id, sequence, last_sequence FROM webhook_cursors
            WHERE endpoint_id = $1 AND sequence < last_sequence AND account_id <= $2 ORDER BY account_id LIMIT $3)
           LIMIT $3""",
        endpoint_id,
        after,
        count,
    )
    return [Cursor(*row) for row in rows]


async def advance_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    moves: Mapping[str, tuple[int, int]],
    *,
    waits: bool,
) -> dict[str, bool]:
    """Move an endpoint's cursors, and return by account id whether the cursor moved.

    `moves` has the start and the end of each move by account id. A cursor does not move if it is no longer at the
    start, because a replay has moved it. If `waits` is false, cursors that another transaction has locked are
    omitted from the result, because waiting for that transaction could deadlock.
    """
    account_ids = sorted(moves)
    locking = "" if waits else "SKIP LOCKED"
    rows = await database.fetch(
        connection,
        f"""WITH free AS (
              SELECT c.endpoint_id, c.account_id, c.sequence = u.was AS was_there, u.becomes FROM webhook_cursors c
              JOIN unnest($2::text[], $3::bigint[], $4::bigint[]) AS u(account_id, was, becomes)
                ON u.account_id = c.account_id
              WHERE c.endpoint_id = $1 ORDER BY c.account_id FOR NO KEY UPDATE OF c {locking}),
            moved AS (
              UPDATE webhook_cursors c SET sequence = f.becomes FROM free f
              WHERE c.endpoint_id = f.endpoint_id AND c.account_id = f.account_id AND f.was_there)
            SELECT account_id, was_there FROM free""",
        endpoint_id,
        account_ids,
        [moves[account_id][0] for account_id in account_ids],
        [moves[account_id][1] for account_id in account_ids],
    )
    return {row["account_id"]: row["was_there"] for row in rows}


async def rewind_in(
    connection: database.Connection, endpoint_id: uuid.UUID, account_id: str, sequence: int
) -> None:
    """Move an endpoint's cursor back, so that the endpoint receives an account's events again from `sequence` on."""
    await database.execute(
        connection,
        """INSERT INTO webhook_cursors (endpoint_id, account_id, sequence, last_sequence)
           SELECT $1, account_id, $3 - 1, last_sequence FROM event_streams WHERE account_id = $2
           ON CONFLICT (endpoint_id, account_id)
             DO UPDATE SET sequence = least(webhook_cursors.sequence, excluded.sequence)""",
        endpoint_id,
        account_id,
        sequence,
    )


async def count_behind(endpoint_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the number of events that each lagging endpoint of `endpoint_ids` has not yet passed, by endpoint id."""
    rows: Sequence[database.Row] = await database.fetch(
        database.pool(),
        """SELECT endpoint_id, sum(last_sequence - sequence)::bigint AS count FROM webhook_cursors
           WHERE endpoint_id = ANY($1) AND sequence < last_sequence GROUP BY endpoint_id""",
        list(endpoint_ids),
    )
    return {row["endpoint_id"]: row["count"] for row in rows}
