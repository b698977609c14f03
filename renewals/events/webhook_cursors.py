"""This module alone writes `webhook_cursors`: how far an account's events were sent to an endpoint.

A row is made when an account has its first event for an endpoint; it has the number up to which all was
delivered, passed over, or put among the deliveries that wait, and the number of the account's last event. So what
an endpoint is behind with is found by an index, and a million events that were not sent are still one row.
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
"""The part of the statement that writes events which tells the endpoints: `streams` are the accounts with the
number of their last event, $1 and $2 the accounts and how many events are new."""


class Cursor(NamedTuple):
    """An endpoint has had the account's events up to `sequence`, of `last_sequence`."""

    account_id: str
    sequence: int
    last_sequence: int


async def read_lagging(
    connection: database.Connection, endpoint_id: uuid.UUID, after: str, count: int
) -> list[Cursor]:
    """The accounts of which an endpoint has not had everything, in turn: those after the one named come first."""
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


async def advance(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    steps: Mapping[str, tuple[int, int]],
    *,
    waiting: bool,
) -> dict[str, bool]:
    """Moves cursors from where they were read to where they are now; answers of each whether it was still there.

    It is not where a replay has moved it meanwhile. Without `waiting` those are left out whose events are just
    being written: whoever writes them may want another that this transaction has.
    """
    account_ids = sorted(steps)
    locking = "" if waiting else "SKIP LOCKED"
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
        [steps[account_id][0] for account_id in account_ids],
        [steps[account_id][1] for account_id in account_ids],
    )
    return {row["account_id"]: row["was_there"] for row in rows}


async def rewind(
    connection: database.Connection, endpoint_id: uuid.UUID, account_id: str, sequence: int
) -> None:
    """Has an endpoint get an account's events again, from the one of this number on."""
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
    """How many events each endpoint has not been looked through for."""
    rows: Sequence[database.Row] = await database.fetch(
        database.pool(),
        """SELECT endpoint_id, sum(last_sequence - sequence)::bigint AS count FROM webhook_cursors
           WHERE endpoint_id = ANY($1) AND sequence < last_sequence GROUP BY endpoint_id""",
        list(endpoint_ids),
    )
    return {row["endpoint_id"]: row["count"] for row in rows}
