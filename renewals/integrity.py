"""Invariants of the database that hold at every moment, such as those of rules 11 and 15 to 24.

For each invariant, an SQL statement returns the rows that violate it. PostgreSQL computes the sums, so this process
needs memory only for the violations. For search texts, the statement returns all rows, and this module compares them
one by one, because only `domain.search_text` can fold a text.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence

from renewals.db import connection as database
from renewals.db import row_stream
from renewals.domain import search_text
from renewals.domain.messages import Message

VIOLATIONS_MAX = 100
"""The maximum number of violations that are returned for one invariant."""


_ROWS_PER_READ = 1_000

Violation = Mapping[str, object]
"""A row that violates an invariant: its values by column name."""

_SEARCH_TEXTS = Message("each instance has its search text, and there are no other search texts")
_STATEMENTS: Mapping[Message, str] = {
    Message("the ledger entries without a voucher add up to the balance of their account"): """
        SELECT a.id AS account_id, a.balance_cents, coalesce(e.sum_cents, 0) AS sum_cents FROM accounts a
        LEFT JOIN (SELECT account_id, sum(amount_cents) AS sum_cents FROM ledger_entries
                   WHERE voucher_id IS NULL GROUP BY account_id) AS e ON e.account_id = a.id
        WHERE a.balance_cents <> coalesce(e.sum_cents, 0)""",
    Message("the ledger entries of an account are numbered without gaps"): """
        SELECT a.id AS account_id, a.ledger_number, e.count, e.last FROM accounts a
        LEFT JOIN (SELECT account_id, count(*) AS count, max(number) AS last FROM ledger_entries
                   GROUP BY account_id) AS e ON e.account_id = a.id
        WHERE a.ledger_number <> coalesce(e.count, 0) OR a.ledger_number <> coalesce(e.last, 0)""",
    Message("each ledger entry stores what remains in the balance or the voucher after the entry"): """
        SELECT * FROM (
          SELECT account_id, number, voucher_id, balance_after_cents,
            sum(amount_cents) OVER (PARTITION BY account_id, voucher_id ORDER BY number) AS expected_cents
          FROM ledger_entries) AS running WHERE balance_after_cents <> expected_cents""",
    Message(
        "the ledger entries of a voucher add up to its remaining amount, and its top-ups to its face value"
    ): """
        SELECT v.id AS voucher_id, v.account_id, v.face_cents, v.available_cents, e.sum_cents, e.given_cents
        FROM vouchers v
        LEFT JOIN (SELECT voucher_id, sum(amount_cents) AS sum_cents,
                     sum(amount_cents) FILTER (WHERE kind = 'TOP_UP') AS given_cents
                   FROM ledger_entries WHERE voucher_id IS NOT NULL GROUP BY voucher_id) AS e ON e.voucher_id = v.id
        WHERE (v.available_cents, v.face_cents) IS DISTINCT FROM (e.sum_cents::bigint, e.given_cents::bigint)""",
    Message("the total of an order is the sum of its lines"): """
        SELECT o.id AS order_id, o.account_id, o.total_cents, l.sum_cents FROM orders o
        LEFT JOIN (SELECT order_id, sum(price_cents) AS sum_cents FROM order_lines GROUP BY order_id) AS l
          ON l.order_id = o.id
        WHERE l.sum_cents IS DISTINCT FROM o.total_cents""",
    Message("the renewal entries of an order add up to its payments by vouchers and from the balance"): """
        SELECT o.id AS order_id, o.account_id, o.voucher_cents, o.balance_cents,
          coalesce(e.voucher_cents, 0) AS taken_from_vouchers_cents, coalesce(e.balance_cents, 0) AS taken_cents
        FROM orders o
        LEFT JOIN (SELECT order_id, account_id,
                     -sum(amount_cents) FILTER (WHERE voucher_id IS NOT NULL) AS voucher_cents,
                     -sum(amount_cents) FILTER (WHERE voucher_id IS NULL) AS balance_cents
                   FROM ledger_entries WHERE kind = 'RENEWAL' GROUP BY order_id, account_id) AS e
          ON e.order_id = o.id AND e.account_id = o.account_id
        WHERE o.voucher_cents <> coalesce(e.voucher_cents, 0) OR o.balance_cents <> coalesce(e.balance_cents, 0)""",
    Message(
        "the order of a renewal entry, and the voucher of any entry, belong to the account of the entry"
    ): """
        SELECT e.account_id, e.number, e.order_id, e.voucher_id FROM ledger_entries e
        LEFT JOIN orders o ON o.id = e.order_id LEFT JOIN vouchers v ON v.id = e.voucher_id
        WHERE (e.kind = 'RENEWAL' AND o.account_id IS DISTINCT FROM e.account_id)
           OR (e.voucher_id IS NOT NULL AND v.account_id <> e.account_id)""",
    Message("an order extends instances of its own account only"): """
        SELECT o.id AS order_id, o.account_id, l.instance_id FROM orders o
        JOIN order_lines l ON l.order_id = o.id JOIN instances i ON i.id = l.instance_id
        WHERE i.account_id <> o.account_id""",
    Message("each period without a refund starts at the end of the previous one"): """
        SELECT * FROM (
          SELECT l.instance_id, l.starts_at,
            lag(l.expires_at) OVER (PARTITION BY l.instance_id ORDER BY l.starts_at) AS previous_end
          FROM order_lines l LEFT JOIN refund_lines f ON f.order_line_id = l.id
          WHERE f.order_line_id IS NULL) AS periods WHERE starts_at <> previous_end""",
    Message(
        "an instance expires at the end of its last period without a refund, or else at the start of its first period"
    ): """
        SELECT i.id AS instance_id, i.expires_at, l.last_end FROM instances i
        JOIN (SELECT l.instance_id, coalesce(max(l.expires_at) FILTER (WHERE f.order_line_id IS NULL),
                     min(l.starts_at)) AS last_end
              FROM order_lines l LEFT JOIN refund_lines f ON f.order_line_id = l.id GROUP BY l.instance_id) AS l
          ON l.instance_id = i.id
        WHERE i.expires_at IS DISTINCT FROM l.last_end""",
    Message(
        "the total of a refund is the sum of its lines, which have its order, its account and the prices that were paid"
    ): """
        SELECT r.id AS refund_id, r.account_id, r.total_cents, l.sum_cents FROM refunds r
        JOIN orders o ON o.id = r.order_id
        LEFT JOIN (SELECT f.refund_id, sum(f.cents) AS sum_cents, min(l.order_id::text) AS first_order,
                     max(l.order_id::text) AS last_order, bool_and(f.cents = l.price_cents) AS is_what_it_cost
                   FROM refund_lines f JOIN order_lines l ON l.id = f.order_line_id GROUP BY f.refund_id) AS l
          ON l.refund_id = r.id
        WHERE l.sum_cents IS DISTINCT FROM r.total_cents OR NOT l.is_what_it_cost OR r.account_id <> o.account_id
          OR (l.first_order, l.last_order) IS DISTINCT FROM (r.order_id::text, r.order_id::text)""",
    Message(
        "the entries of a refund have its order and account, and add up to its amounts for vouchers and the balance"
    ): """
        SELECT coalesce(r.id, e.refund_id) AS refund_id, e.order_id, e.account_id, r.voucher_cents, r.balance_cents,
          e.voucher_cents AS returned_to_vouchers_cents, e.balance_cents AS returned_cents
        FROM refunds r
        FULL JOIN (SELECT refund_id, order_id, account_id,
                     sum(amount_cents) FILTER (WHERE voucher_id IS NOT NULL) AS voucher_cents,
                     sum(amount_cents) FILTER (WHERE voucher_id IS NULL) AS balance_cents
                   FROM ledger_entries WHERE kind = 'REFUND' GROUP BY refund_id, order_id, account_id) AS e
          ON e.refund_id = r.id AND e.order_id = r.order_id AND e.account_id = r.account_id
        WHERE r.id IS NULL OR (r.voucher_cents, r.balance_cents)
          IS DISTINCT FROM (coalesce(e.voucher_cents, 0), coalesce(e.balance_cents, 0))""",
    Message("no voucher receives more from the refunds of an order than it paid for the order"): """
        SELECT order_id, voucher_id, sum(amount_cents) AS excess_cents FROM ledger_entries
        WHERE voucher_id IS NOT NULL AND kind IN ('RENEWAL', 'REFUND') GROUP BY order_id, voucher_id
        HAVING sum(amount_cents) > 0""",
    Message("the refund count of an instance is the number of its refunds"): """
        SELECT i.id AS instance_id, i.refund_count, coalesce(f.count, 0) AS refunded FROM instances i
        LEFT JOIN (SELECT l.instance_id, count(*) AS count FROM refund_lines f
                   JOIN order_lines l ON l.id = f.order_line_id GROUP BY l.instance_id) AS f
          ON f.instance_id = i.id
        WHERE i.refund_count <> coalesce(f.count, 0)""",
    Message("the members of a bundle share account, expiry, anchor day and policy"): """
        SELECT bundle_id FROM instances WHERE bundle_id IS NOT NULL GROUP BY bundle_id
        HAVING count(DISTINCT (account_id, expires_at, anchor_day, renewal_mode, auto_renew_months)) > 1""",
    Message("the members of a bundle are released together"): """
        SELECT bundle_id FROM instances WHERE bundle_id IS NOT NULL GROUP BY bundle_id
        HAVING count(DISTINCT status = 'RELEASED') > 1""",
    Message(
        "a successful attempt has an order line of its instance, and an automatic order has an attempt"
    ): """
        SELECT o.id AS order_id, a.run_id, a.instance_id FROM renewal_attempts a
        FULL JOIN (SELECT id FROM orders WHERE kind = 'AUTO_RENEWAL') AS o ON o.id = a.order_id
        LEFT JOIN order_lines l ON l.order_id = o.id AND l.instance_id = a.instance_id
        WHERE (a.id IS NULL OR a.succeeded) AND l.id IS NULL""",
    Message("the events of an account are numbered without gaps"): """
        SELECT coalesce(s.account_id, e.account_id) AS account_id, s.last_sequence, e.count, e.last
        FROM event_streams s
        FULL JOIN (SELECT account_id, count(*) AS count, max(sequence) AS last FROM events GROUP BY account_id) AS e
          ON e.account_id = s.account_id
        WHERE (s.last_sequence, s.last_sequence) IS DISTINCT FROM (e.count, e.last)""",
    Message("each test clock is at the instant that its last move reached"): """
        SELECT a.id AS account_id, a.test_clock, m.reached_at FROM accounts a
        JOIN (SELECT DISTINCT ON (account_id) account_id, reached_at FROM test_clock_moves
              ORDER BY account_id, from_at DESC) AS m ON m.account_id = a.id
        WHERE a.test_clock IS DISTINCT FROM m.reached_at""",
    Message("each top-up in the audit log is in the ledger, except those of demo accounts"): """
        SELECT l.id AS entry_id, l.account_ids, l.request->>'amount_cents' AS amount_cents FROM audit_log l
        LEFT JOIN ledger_entries e ON e.account_id = l.answer->>'account_id' AND e.kind = 'TOP_UP'
          AND e.number = (l.answer->>'number')::bigint AND e.amount_cents = (l.request->>'amount_cents')::bigint
        WHERE l.action = 'TOP_UP' AND e.id IS NULL AND coalesce(l.answer->>'account_id', '') NOT IN (
          SELECT id FROM accounts WHERE is_demo)""",
    Message("each API key that the audit log names is an operator's key"): """
        SELECT l.id AS entry_id, l.operator_key_id, k.role FROM audit_log l
        JOIN api_keys k ON k.id = l.operator_key_id WHERE k.role <> 'OPERATOR'""",
    Message(
        "a webhook cursor stores the number of its account's last event, and its position is not "
        "beyond that number"
    ): """
        SELECT c.endpoint_id, c.account_id, c.sequence, c.last_sequence, s.last_sequence AS last
        FROM webhook_cursors c LEFT JOIN event_streams s ON s.account_id = c.account_id
        WHERE c.last_sequence IS DISTINCT FROM s.last_sequence OR c.sequence > c.last_sequence""",
    Message(
        "each waiting or parked delivery has an event, and the webhook cursor has reached that event"
    ): """
        SELECT d.endpoint_id, d.account_id, d.sequence FROM webhook_deliveries d
        LEFT JOIN webhook_cursors c ON c.endpoint_id = d.endpoint_id AND c.account_id = d.account_id
        LEFT JOIN events e ON e.account_id = d.account_id AND e.sequence = d.sequence
        WHERE e.sequence IS NULL OR (d.sequence <= c.sequence) IS NOT TRUE""",
    Message("the first waiting delivery of a lane, and no other, has a time for its next attempt"): """
        SELECT endpoint_id, account_id, sequence, lane FROM (
          SELECT *, row_number() OVER (PARTITION BY endpoint_id, account_id, lane ORDER BY sequence) AS place
          FROM webhook_deliveries WHERE parked_at IS NULL) AS waiting
        WHERE (place = 1) <> (next_attempt_at IS NOT NULL)""",
    Message("each ended run has completed its chunks, and its counts and amount match its attempts"): """
        SELECT r.id AS run_id, r.renewed_count, r.refused_count, r.amount_cents,
          tried.renewed_count AS renewed, tried.refused_count AS refused, coalesce(paid.cents, 0) AS paid_cents
        FROM renewal_runs r
        LEFT JOIN (SELECT run_id, count(*) FILTER (WHERE succeeded) AS renewed_count,
                     count(*) FILTER (WHERE NOT succeeded) AS refused_count
                   FROM renewal_attempts GROUP BY run_id) AS tried ON tried.run_id = r.id
        LEFT JOIN (SELECT run_id, sum(total_cents) AS cents FROM (
                     SELECT DISTINCT a.run_id, o.id, o.total_cents
                     FROM renewal_attempts a JOIN orders o ON o.id = a.order_id) AS run_orders GROUP BY run_id) AS paid
          ON paid.run_id = r.id
        WHERE r.ended_at IS NOT NULL AND (
          r.renewed_count <> coalesce(tried.renewed_count, 0) OR r.refused_count <> coalesce(tried.refused_count, 0)
          OR r.amount_cents <> coalesce(paid.cents, 0)
          OR EXISTS (SELECT FROM renewal_chunks c WHERE c.run_id = r.id AND c.done_at IS NULL))""",
    _SEARCH_TEXTS: """
        SELECT coalesce(i.account_id, s.account_id) AS account_id, coalesce(i.id, s.instance_id) AS instance_id,
          s.text, i.name, i.configuration
        FROM instances i
        FULL JOIN search_texts s ON s.account_id = i.account_id AND s.instance_id = i.id""",
}
RULES: Mapping[str, str] = {str(rule): statement for rule, statement in _STATEMENTS.items()}
"""The statements by the names of their invariants, which are English sentences."""
_MESSAGES: Mapping[str, Message] = {str(rule): rule for rule in _STATEMENTS}


def label(rule: str) -> Message:
    """Return the name of an invariant as a message; a name that this version does not have is not translated."""
    return _MESSAGES.get(rule) or Message("{name}", name=rule)


async def check_invariants(
    on_rule: Callable[[str, Sequence[Violation]], None] = lambda rule, violations: None,
) -> dict[str, list[Violation]]:
    """Return at most VIOLATIONS_MAX violations of each invariant, by its name; call `on_rule` after each invariant.

    All statements read the same snapshot.
    """
    violations: dict[str, list[Violation]] = {}
    async with database.read_snapshot() as connection:
        for rule, statement in RULES.items():
            if rule == str(_SEARCH_TEXTS):
                rows: Sequence[database.Row] = await _find_wrong_texts(connection, statement)
            else:
                rows = await database.fetch(connection, f"{statement} LIMIT {VIOLATIONS_MAX}")
            violations[rule] = [dict(row) for row in rows]
            on_rule(rule, violations[rule])
    return violations


async def _find_wrong_texts(connection: database.Connection, statement: str) -> list[database.Row]:
    """Return at most VIOLATIONS_MAX rows in which the search text is wrong or missing, or the instance is missing."""
    wrong: list[database.Row] = []
    async with contextlib.aclosing(
        row_stream.stream_rows(connection, statement, size=_ROWS_PER_READ)
    ) as pages:
        async for rows in pages:
            wrong += [
                row for row in rows if None in (row["name"], row["text"]) or row["text"] != _build_text(row)
            ]
            if len(wrong) >= VIOLATIONS_MAX:
                break
    return wrong[:VIOLATIONS_MAX]


def _build_text(row: database.Row) -> str | None:
    """Return the text that the instance should have; None if its configuration is not a list of labels and values."""
    with contextlib.suppress(KeyError, TypeError):
        return search_text.build_search_text(row["instance_id"], row["name"], row["configuration"])
    return None
