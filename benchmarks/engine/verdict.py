"""The check of a contender's result: the invariants hold, and the rows equal those of the staged run."""

import asyncpg

from benchmarks.engine import night
from renewals import integrity
from renewals.db import connection as database

AGAINST = {
    "balances": """SELECT count(*) FROM staged.accounts s JOIN accounts a USING (id)
        WHERE (a.balance_cents, a.ledger_number) <> (s.balance_cents, s.ledger_number) AND a.id <= $1""",
    "vouchers": """SELECT count(*) FROM staged.vouchers s JOIN vouchers v USING (id)
        WHERE v.available_cents <> s.available_cents AND v.account_id <= $1""",
    "instances": """SELECT count(*) FROM staged.instances s JOIN instances i USING (id)
        WHERE (i.expires_at, i.anchor_day) <> (s.expires_at, s.anchor_day) AND i.account_id <= $1""",
    "lines": """SELECT count(*) FROM (
          SELECT s.* FROM staged.lines s JOIN instances i ON i.id = s.instance_id AND i.account_id <= $1) AS s
        FULL JOIN order_lines l USING (instance_id, starts_at, expires_at, months, days, list_cents, price_cents)
        WHERE s.chunk IS NULL OR l.id IS NULL""",
    "attempts": """SELECT count(*) FROM (
          SELECT s.* FROM staged.attempts s JOIN instances i ON i.id = s.instance_id AND i.account_id <= $1) AS s
        FULL JOIN renewal_attempts t USING (instance_id, due_at, succeeded)
        WHERE s.chunk IS NULL OR t.id IS NULL""",
}
"""SQL by kind of row: each statement counts the rows of accounts up to the id $1 that differ from the staged rows."""
TRIED_ONCE = """
SELECT count(*) FROM instances i LEFT JOIN (
  SELECT instance_id, count(*) AS tries, count(*) FILTER (WHERE succeeded) AS successes FROM renewal_attempts
  GROUP BY instance_id) AS t ON t.instance_id = i.id
LEFT JOIN (SELECT instance_id, count(*) AS lines FROM order_lines GROUP BY instance_id) AS l ON l.instance_id = i.id
WHERE i.account_id <= $1 AND split_part(i.id, '-', 3)::int < $2
  AND (t.tries IS DISTINCT FROM 1 OR coalesce(l.lines, 0) <> t.successes)
"""
"""SQL that counts the due instances without exactly one attempt, or with more or fewer order lines than successes."""


async def check(url: str, accounts: int, *, staged: bool = True) -> None:
    """Check a run over `accounts` accounts; if `staged` is true, compare it with staged rows. Raises AssertionError."""
    async with database.connect(url, pool_size=2):
        violations = await integrity.check_invariants()
    broken = [rule for rule, damages in violations.items() if damages]
    assert not broken, broken
    last = f"a-{accounts - 1:07}"
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval(TRIED_ONCE, last, night.DUE_PER_ACCOUNT) == 0
        for table, sql in AGAINST.items() if staged else ():
            differing = await connection.fetchval(sql, last)
            assert differing == 0, f"{differing} {table} differ from those of the staged run"
    finally:
        await connection.close()
