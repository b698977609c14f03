"""What holds in every database at every moment, whatever was done, killed, repeated or raced.

    await integrity.assert_holds()

Each rule is a statement that answers the rows against it, so that a failure names them.
"""

from renewals import database

RULES = {
    "the entries of an account add up to its balance": """
        SELECT a.id, a.balance_cents, coalesce(sum(e.amount_cents), 0) FROM accounts a
        LEFT JOIN ledger_entries e ON e.account_id = a.id AND e.voucher_id IS NULL
        GROUP BY a.id HAVING a.balance_cents <> coalesce(sum(e.amount_cents), 0)""",
    "the entries of a voucher add up to what is available of it, and begin with its face": """
        SELECT v.id, v.face_cents, v.available_cents, array_agg(e.amount_cents ORDER BY e.number)
        FROM vouchers v LEFT JOIN ledger_entries e ON e.voucher_id = v.id GROUP BY v.id
        HAVING sum(e.amount_cents) IS DISTINCT FROM v.available_cents
          OR (array_agg(e.amount_cents ORDER BY e.number))[1] IS DISTINCT FROM v.face_cents""",
    "an entry says what was left after it": """
        SELECT * FROM (
          SELECT account_id, number, balance_after_cents,
            sum(amount_cents) OVER (PARTITION BY account_id, voucher_id ORDER BY number) AS expected
          FROM ledger_entries) AS running WHERE balance_after_cents <> expected""",
    "the entries of an account are numbered without gaps": """
        SELECT a.id, a.ledger_number, count(e.id), max(e.number) FROM accounts a
        LEFT JOIN ledger_entries e ON e.account_id = a.id GROUP BY a.id
        HAVING a.ledger_number <> count(e.id) OR a.ledger_number <> coalesce(max(e.number), 0)""",
    "an order is the sum of its lines": """
        SELECT o.id, o.total_cents, sum(l.price_cents) FROM orders o
        LEFT JOIN order_lines l ON l.order_id = o.id GROUP BY o.id
        HAVING sum(l.price_cents) IS DISTINCT FROM o.total_cents""",
    "an order was paid by the entries that name it, vouchers and balance apart": """
        SELECT o.id, o.voucher_cents, o.balance_cents, array_agg(e.amount_cents) FROM orders o
        LEFT JOIN ledger_entries e ON e.order_id = o.id AND e.account_id = o.account_id GROUP BY o.id
        HAVING coalesce(-sum(e.amount_cents) FILTER (WHERE e.voucher_id IS NOT NULL), 0) <> o.voucher_cents
            OR coalesce(-sum(e.amount_cents) FILTER (WHERE e.voucher_id IS NULL), 0) <> o.balance_cents""",
    "an order renews what belongs to its account": """
        SELECT o.id, l.instance_id FROM orders o JOIN order_lines l ON l.order_id = o.id
        JOIN instances i ON i.id = l.instance_id WHERE i.account_id <> o.account_id""",
    "each period of an instance starts where the one before it ended": """
        SELECT * FROM (
          SELECT instance_id, starts_at,
            lag(expires_at) OVER (PARTITION BY instance_id ORDER BY starts_at) AS previous_end
          FROM order_lines) AS periods WHERE starts_at <> previous_end""",
    "an instance expires at the end of its last period": """
        SELECT i.id, i.expires_at, max(l.expires_at) FROM instances i
        JOIN order_lines l ON l.instance_id = i.id GROUP BY i.id HAVING i.expires_at <> max(l.expires_at)""",
    "the members of a bundle share account, expiry, anchor and policy": """
        SELECT bundle_id FROM instances WHERE bundle_id IS NOT NULL GROUP BY bundle_id
        HAVING count(DISTINCT (account_id, expires_at, anchor_day, renewal_mode, auto_renew_months)) > 1""",
    "a try that succeeded has an order with a line of its instance, and no order of the worker is without": """
        SELECT o.id, a.id, l.id FROM renewal_attempts a
        FULL JOIN (SELECT * FROM orders WHERE kind = 'AUTO_RENEWAL') AS o ON o.id = a.order_id
        LEFT JOIN order_lines l ON l.order_id = o.id AND l.instance_id = a.instance_id
        WHERE (a.id IS NULL OR a.succeeded) AND l.id IS NULL""",
    "a run that ended has done all its chunks, and counts what was tried": """
        SELECT r.id, r.renewed_count, r.refused_count, r.amount_cents, tried.* FROM renewal_runs r
        CROSS JOIN LATERAL (SELECT
            count(*) FILTER (WHERE a.succeeded) AS renewed, count(*) FILTER (WHERE NOT a.succeeded) AS refused
          FROM renewal_attempts a WHERE a.run_id = r.id) AS tried
        CROSS JOIN LATERAL (SELECT coalesce(sum(o.total_cents), 0) AS amount_cents FROM orders o
          WHERE o.id IN (SELECT a.order_id FROM renewal_attempts a WHERE a.run_id = r.id)) AS paid
        WHERE r.ended_at IS NOT NULL AND (
          (r.renewed_count, r.refused_count, r.amount_cents)
            <> (tried.renewed, tried.refused, paid.amount_cents)
          OR EXISTS (SELECT FROM renewal_chunks c WHERE c.run_id = r.id AND c.done_at IS NULL))""",
}


async def assert_holds() -> None:
    """Asserts every rule on the open database."""
    for rule, against in RULES.items():
        rows = [tuple(row) for row in await database.fetch(database.pool(), against)]
        assert rows == [], f"not so: {rule}"
