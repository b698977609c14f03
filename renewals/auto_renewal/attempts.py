"""The attempts that runs make on instances (rule 24).

Besides this module, only the reset of the demo account writes `renewal_attempts`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from renewals.db import connection as database
from renewals.db import sql
from renewals.db.connection import Connection, Row
from renewals.domain import stored_messages
from renewals.domain.messages import Message
from renewals.events.event_log import NewEvent


class Attempt(NamedTuple):
    """A run's attempt to renew one instance: the price in cents, or the code and the message of the refusal."""

    account_id: str
    instance_id: str
    price_cents: int | None
    code: str | None
    message: Message | None


async def insert_attempts_in(
    connection: Connection, run_id: int, now: dt.datetime, rows: Sequence[Sequence[object]]
) -> None:
    """Insert the attempts `rows`, each with instance id, due time, refusal code and message (JSON), and order id."""
    await database.execute(
        connection,
        """INSERT INTO renewal_attempts
             (run_id, attempted_at, succeeded, instance_id, due_at, code, message, order_id)
           SELECT $1, $2, u.order_id IS NOT NULL, u.*
           FROM unnest($3::text[], $4::timestamptz[], $5::text[], $6::json[], $7::uuid[])
             AS u(instance_id, due_at, code, message, order_id)""",
        run_id,
        now,
        *sql.transpose(rows, 5),
    )


async def filter_new_failures_in(connection: Connection, failures: Sequence[NewEvent]) -> list[NewEvent]:
    """Return the failures for which there is no earlier attempt with the same instance, due time and code.

    A run that refuses an instance again for the same reason must not notify the customer again.
    """
    if not failures:
        return []
    keys = [(event.instance_id, event.payload["dueAt"], event.payload["code"]) for event in failures]
    rows = await database.fetch(
        connection,
        """SELECT u.place FROM unnest($1::text[], $2::timestamptz[], $3::text[]) WITH ORDINALITY
             AS u(instance_id, due_at, code, place)
           WHERE NOT EXISTS (SELECT FROM renewal_attempts a WHERE a.instance_id = u.instance_id
                             AND a.due_at = u.due_at AND a.code = u.code) ORDER BY u.place""",
        *sql.transpose(keys, 3),
    )
    return [failures[row["place"] - 1] for row in rows]


async def list_attempts(run_id: int, account_id: str | None, *, failed: bool, count: int) -> list[Attempt]:
    """Return the first `count` attempts of a run, sorted by account, and for each account in the order of insertion.

    If `account_id` is given, only the attempts of that account are returned; if `failed` is true, only failed
    attempts.
    """
    rows = await database.fetch(
        database.pool(),
        """SELECT i.account_id, t.instance_id, l.price_cents, t.code, t.message
           FROM renewal_attempts t JOIN instances i ON i.id = t.instance_id
           LEFT JOIN order_lines l ON l.order_id = t.order_id AND l.instance_id = t.instance_id
           WHERE t.run_id = $1 AND ($2::text IS NULL OR i.account_id = $2) AND NOT ($3 AND t.succeeded)
           ORDER BY i.account_id, t.id LIMIT $4""",
        run_id,
        account_id,
        failed,
        count,
    )
    return [_attempt(*row) for row in rows]


def _attempt(account_id: str, instance_id: str, price_cents: int | None, *reason: str | None) -> Attempt:
    code, stored = reason
    message = None if stored is None else stored_messages.from_json(orjson.loads(stored))
    return Attempt(account_id, instance_id, price_cents, code, message)


async def fetch_attempts(
    connection: Connection, account_id: str, instance_ids: Sequence[str], first: int
) -> dict[str, list[Row]]:
    """Return at most `first` attempts of each given instance of the account, newest first, by instance id."""
    rows = await database.fetch(
        connection,
        """SELECT a.* FROM instances i CROSS JOIN LATERAL (
             SELECT t.run_id || ':' || t.instance_id AS id, t.instance_id, t.due_at, t.attempted_at, t.succeeded,
               t.code, t.message, t.order_id
             FROM renewal_attempts t WHERE t.instance_id = i.id ORDER BY t.id DESC LIMIT $3) AS a
           WHERE i.account_id = $1 AND i.id = ANY($2)""",
        account_id,
        instance_ids,
        first,
    )
    return sql.group_by_column(rows, "instance_id")
