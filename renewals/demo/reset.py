"""The reset of the demo account: its rows in the tables of DELETED are deleted, and the demo is loaded again.

Only this module deletes payments, and a database trigger allows it to delete only those of the demo account. Only this
module writes to the tables of other modules.
"""

import datetime as dt
import logging
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.demo import loader

log = logging.getLogger(__name__)

DELETED: dict[str, str] = {
    "renewal_attempts": "instance_id IN (SELECT id FROM instances WHERE account_id = $1)",
    "refund_lines": "refund_id IN (SELECT id FROM refunds WHERE account_id = $1)",
    "ledger_entries": "account_id = $1",
    "refunds": "account_id = $1",
    "order_lines": "order_id IN (SELECT id FROM orders WHERE account_id = $1)",
    "orders": "account_id = $1",
    "vouchers": "account_id = $1",
    "reminders": "instance_id IN (SELECT id FROM instances WHERE account_id = $1)",
    "instances": "account_id = $1",
    "search_texts": "account_id = $1",
    "bundles": "account_id = $1",
    "account_watches": "account_id = $1",
    "test_clock_moves": "account_id = $1",
}
"""The SQL condition of the rows to delete, by table, in the order of deletion; $1 is the account's id."""

KEPT = {
    "accounts": "its values are those of a new account",
    "api_keys": "clients and open pages continue to work",
    "event_streams": "subscribers continue from the last number",
    "events": "their numbers have no gaps",
    "webhook_endpoints": "with their secrets, cursors and deliveries, which refer to events",
    "webhook_secrets": "see webhook_endpoints",
    "webhook_cursors": "see webhook_endpoints",
    "webhook_deliveries": "see webhook_endpoints",
    "audit_log": "the audit log is never deleted",
}
"""The tables whose rows of the account are kept, each with the reason."""

_LOCK_RUNS = """
SELECT FROM renewal_runs WHERE id IN (
  SELECT t.run_id FROM renewal_attempts t JOIN instances i ON i.id = t.instance_id WHERE i.account_id = $1)
ORDER BY id FOR NO KEY UPDATE"""

# `verify` compares the counts of a run with its attempts, so the deleted attempts are subtracted.
_SUBTRACT_FROM_RUNS = """
WITH tried AS (
  SELECT t.run_id, count(*) FILTER (WHERE t.succeeded) AS renewed, count(*) FILTER (WHERE NOT t.succeeded) AS refused,
    (SELECT coalesce(sum(o.total_cents), 0) FROM orders o WHERE o.account_id = $1 AND o.id IN (
       SELECT a.order_id FROM renewal_attempts a WHERE a.run_id = t.run_id)) AS cents
  FROM renewal_attempts t JOIN instances i ON i.id = t.instance_id WHERE i.account_id = $1 GROUP BY t.run_id),
chunks AS (
  UPDATE renewal_chunks c SET renewed_count = c.renewed_count - t.renewed,
    refused_count = c.refused_count - t.refused, amount_cents = c.amount_cents - t.cents
  FROM tried t WHERE c.run_id = t.run_id AND $1 = ANY(c.account_ids) AND c.done_at IS NOT NULL
    AND c.renewed_count >= t.renewed AND c.refused_count >= t.refused)
UPDATE renewal_runs r SET renewed_count = r.renewed_count - t.renewed,
  refused_count = r.refused_count - t.refused, amount_cents = r.amount_cents - t.cents
FROM tried t WHERE r.id = t.run_id AND r.ended_at IS NOT NULL"""


class DemoContents(NamedTuple):
    """The numbers of instances, orders and ledger entries that a reset would delete."""

    instances: int
    orders: int
    ledger_entries: int


async def count() -> DemoContents | None:
    """Return how many instances, orders and ledger entries a reset would delete, or None if there is no demo account.

    Raises InvalidInputError if the account with the id of the demo account is not the demo account.
    """
    async with database.transaction() as connection:
        if not await loader.lock(connection):
            return None
        [row] = await database.fetch(
            connection,
            """SELECT (SELECT count(*) FROM instances WHERE account_id = $1) AS instances,
                 (SELECT count(*) FROM orders WHERE account_id = $1) AS orders,
                 (SELECT count(*) FROM ledger_entries WHERE account_id = $1) AS ledger_entries""",
            loader.ACCOUNT_ID,
        )
    return DemoContents(*row)


@database.retry_on_conflict
async def reset(day: dt.date = loader.DAY) -> None:
    """Reset the demo account to its data as of a day, in one transaction; if it does not exist, load it.

    Raises InvalidInputError and changes nothing if another account has the id of the demo account, or an instance or
    bundle with an id that the demo uses.
    """
    async with database.transaction() as connection:
        exists = await loader.lock(connection)
        if exists:
            await database.execute(connection, "SET LOCAL renewals.resets_demo = 'on'")
            await _delete(connection)
            await accounts_repository.reset_demo(
                connection,
                loader.ACCOUNT_ID,
                name=loader.ACCOUNT_NAME,
                lead_days=loader.LEAD_DAYS,
                language=loader.LANGUAGE,
                now=loader.opened_at(day),
            )
            await database.execute(connection, "SET LOCAL renewals.resets_demo = 'off'")
            await loader.fill(connection, day)
    if exists:
        log.info("the demo account was reset as of %s", day)
    else:
        await loader.load(day)


async def _delete(connection: database.Connection) -> None:
    await database.fetch(connection, _LOCK_RUNS, loader.ACCOUNT_ID)
    await database.execute(connection, _SUBTRACT_FROM_RUNS, loader.ACCOUNT_ID)
    for table, condition in DELETED.items():
        await database.execute(connection, f"DELETE FROM {table} WHERE {condition}", loader.ACCOUNT_ID)
