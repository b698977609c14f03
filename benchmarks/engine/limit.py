"""PostgreSQL's own limit: set-based statements that write the same rows as the product's run.

The product's rows are first copied to the schema `staged`. The statements write those rows chunk by chunk, with as many
connections and commits as the product. The tables, constraints, triggers and indexes are those of the product. The
statements check no rule, take all values from the schema `staged`, and send no rows between client and server.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping

import asyncpg

STAGED: Mapping[str, str] = {
    "runs": "SELECT * FROM renewal_runs",
    "chunks": "SELECT * FROM renewal_chunks",
    "owners": "SELECT number AS chunk, unnest(account_ids) AS account_id FROM renewal_chunks",
    "orders": "SELECT w.chunk, o.* FROM orders o JOIN staged.owners w USING (account_id)",
    "lines": """SELECT w.chunk, l.* FROM order_lines l JOIN orders o ON o.id = l.order_id
        JOIN staged.owners w USING (account_id)""",
    "entries": """SELECT w.chunk, e.* FROM ledger_entries e JOIN staged.owners w USING (account_id)
        WHERE kind = 'RENEWAL'""",
    "attempts": """SELECT w.chunk, t.* FROM renewal_attempts t JOIN instances i ON i.id = t.instance_id
        JOIN staged.owners w USING (account_id)""",
    "streams": "SELECT w.chunk, s.* FROM event_streams s JOIN staged.owners w USING (account_id)",
    "events": "SELECT w.chunk, e.* FROM events e JOIN staged.owners w USING (account_id)",
    "instances": """SELECT w.chunk, i.id, i.expires_at, i.anchor_day FROM instances i
        JOIN staged.owners w USING (account_id)
        WHERE i.id IN (SELECT instance_id FROM order_lines)""",
    "accounts": """SELECT w.chunk, a.id, a.balance_cents, a.ledger_number FROM accounts a
        JOIN staged.owners w ON w.account_id = a.id""",
    "vouchers": """SELECT w.chunk, v.id, v.available_cents FROM vouchers v JOIN staged.owners w USING (account_id)
        WHERE v.id IN (SELECT voucher_id FROM ledger_entries WHERE kind = 'RENEWAL')""",
}
"""SQL that selects the rows of a run, by the name of the staged table.

All tables except `runs` and `chunks` have the column `chunk`: the number of the chunk that the row belongs to.
"""

OPEN_CHUNKS = """
INSERT INTO renewal_chunks (run_id, number, account_ids, due_count, renewed_count, refused_count, skipped_count,
  amount_cents)
SELECT run_id, number, account_ids, due_count, 0, 0, 0, 0 FROM staged.chunks
"""

CHUNK = (
    """INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, idempotency_key,
         request_hash, refusals, created_at)
       SELECT id, account_id, kind, total_cents, voucher_cents, balance_cents, idempotency_key, request_hash, refusals,
         created_at FROM staged.orders WHERE chunk = $1""",
    """INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents,
         anchor_day_before)
       SELECT order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents, anchor_day_before
       FROM staged.lines WHERE chunk = $1""",
    """INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, voucher_id,
         memo, created_at)
       SELECT account_id, number, kind, amount_cents, balance_after_cents, order_id, voucher_id, memo, created_at
       FROM staged.entries WHERE chunk = $1""",
    """UPDATE accounts a SET balance_cents = s.balance_cents, ledger_number = s.ledger_number
       FROM staged.accounts s WHERE s.chunk = $1 AND a.id = s.id""",
    """UPDATE vouchers v SET available_cents = s.available_cents
       FROM staged.vouchers s WHERE s.chunk = $1 AND v.id = s.id""",
    """UPDATE instances i SET expires_at = s.expires_at, anchor_day = s.anchor_day, status = 'RUNNING'
       FROM staged.instances s WHERE s.chunk = $1 AND i.id = s.id""",
    """INSERT INTO event_streams (account_id, last_sequence)
       SELECT account_id, last_sequence FROM staged.streams WHERE chunk = $1""",
    """INSERT INTO events (account_id, sequence, type, occurred_at, instance_id, payload, actor_kind, actor_name)
       SELECT account_id, sequence, type, occurred_at, instance_id, payload, actor_kind, actor_name
       FROM staged.events WHERE chunk = $1""",
    """INSERT INTO renewal_attempts (run_id, attempted_at, succeeded, instance_id, due_at, code, message, order_id)
       SELECT run_id, attempted_at, succeeded, instance_id, due_at, code, message, order_id
       FROM staged.attempts WHERE chunk = $1""",
    """UPDATE renewal_chunks c SET done_at = s.done_at, renewed_count = s.renewed_count,
         refused_count = s.refused_count, skipped_count = s.skipped_count, amount_cents = s.amount_cents
       FROM staged.chunks s WHERE s.number = $1 AND c.run_id = s.run_id AND c.number = s.number""",
)
"""The statements that write one chunk, in the product's order."""


async def stage(made_url: str, template_url: str) -> None:
    """Copy the rows of the run from its database to the schema `staged` of the template database."""
    run_connection, template = await asyncpg.connect(made_url), await asyncpg.connect(template_url)
    try:
        for connection in (run_connection, template):
            await connection.execute("CREATE SCHEMA staged")
        for name, select in STAGED.items():
            await run_connection.execute(f"CREATE TABLE staged.{name} AS {select}")
            await template.execute(f"CREATE TABLE staged.{name} AS {select} WITH NO DATA")
            with tempfile.TemporaryFile() as rows:
                await run_connection.copy_from_query(
                    f"SELECT * FROM staged.{name} ORDER BY 1", output=rows, format="binary"
                )
                rows.seek(0)
                await template.copy_to_table(name, schema_name="staged", source=rows, format="binary")
            if name not in ("runs", "chunks"):
                await template.execute(f"CREATE INDEX ON staged.{name} (chunk)")
        await template.execute("VACUUM (ANALYZE, FREEZE)")
        await template.execute("CHECKPOINT")
    finally:
        await run_connection.close()
        await template.close()


async def write(url: str, connections: int) -> None:
    """Write the run and its chunks, then the rows in one transaction for each chunk, on `connections` connections."""
    workers = [await asyncpg.connect(url) for _ in range(connections)]
    try:
        await workers[0].execute("INSERT INTO renewal_runs OVERRIDING SYSTEM VALUE SELECT * FROM staged.runs")
        await workers[0].execute(OPEN_CHUNKS)
        numbers = iter(
            [row["number"] for row in await workers[0].fetch("SELECT number FROM staged.chunks ORDER BY 1")]
        )
        await asyncio.gather(*(_write_chunks(worker, numbers) for worker in workers))
    finally:
        for worker in workers:
            await worker.close()


async def _write_chunks(connection: asyncpg.Connection, numbers: Iterator[int]) -> None:
    for number in numbers:
        async with connection.transaction():
            for statement in CHUNK:
                await connection.execute(statement, number)
