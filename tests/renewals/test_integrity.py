"""Invariants of the database: the violated invariant reports each kind of damage."""

import dataclasses
import datetime as dt
import re
from pathlib import Path

import pytest

from renewals import integrity
from renewals.accounts import api_keys
from renewals.auto_renewal import runs
from renewals.db import connection as database
from renewals.domain import planning
from renewals.instances import selection
from renewals.operators import accounts, audit_log, refunds
from renewals.orders import place_order, requests
from renewals.test_clocks import advance
from renewals.webhooks import endpoint_requests, endpoints
from tests.support.fixtures import NOW, World

DISABLE_TRIGGERS = "SET session_replication_role = replica"
"""A statement that disables triggers and foreign keys."""

DAMAGES = {
    "the ledger entries without a voucher add up to the balance of their account": (
        "UPDATE accounts SET balance_cents = balance_cents + 1"
    ),
    "the ledger entries of an account are numbered without gaps": (
        "UPDATE accounts SET ledger_number = ledger_number + 1"
    ),
    "the events of an account are numbered without gaps": (
        "UPDATE event_streams SET last_sequence = last_sequence + 1"
    ),
    "each ledger entry stores what remains in the balance or the voucher after the entry": (
        "UPDATE ledger_entries SET balance_after_cents = balance_after_cents + 1 WHERE number = 1"
    ),
    "the ledger entries of a voucher add up to its remaining amount, and its top-ups to its face value": (
        "UPDATE vouchers SET available_cents = available_cents + 1 WHERE available_cents < face_cents"
    ),
    "the total of an order is the sum of its lines": "UPDATE order_lines SET price_cents = price_cents - 1",
    "the renewal entries of an order add up to its payments by vouchers and from the balance": (
        "UPDATE orders SET voucher_cents = voucher_cents + 1, balance_cents = balance_cents - 1"
    ),
    "the order of a renewal entry, and the voucher of any entry, belong to the account of the entry": (
        "UPDATE ledger_entries SET order_id = NULL WHERE order_id IS NOT NULL AND voucher_id IS NULL"
    ),
    "an order extends instances of its own account only": "UPDATE instances SET account_id = 'b' WHERE id = 'i-1'",
    "each period without a refund starts at the end of the previous one": (
        "UPDATE order_lines SET starts_at = starts_at + interval '1 second' WHERE months = 2"
    ),
    "an instance expires at the end of its last period without a refund, or else at the start of its first period": (
        "UPDATE instances SET expires_at = expires_at + interval '1 day' WHERE id = 'i-1'"
    ),
    "the total of a refund is the sum of its lines, which have its order, its account and the prices that were paid": (
        "UPDATE refund_lines SET cents = cents - 1"
    ),
    "the entries of a refund have its order and account, and add up to its amounts for vouchers and the balance": (
        "UPDATE refunds SET voucher_cents = voucher_cents - 1, balance_cents = balance_cents + 1"
    ),
    "no voucher receives more from the refunds of an order than it paid for the order": (
        "UPDATE ledger_entries SET amount_cents = amount_cents + 5000 WHERE kind = 'REFUND' AND voucher_id IS NOT NULL"
    ),
    "the refund count of an instance is the number of its refunds": (
        "UPDATE instances SET refund_count = refund_count + 1"
    ),
    "the members of a bundle share account, expiry, anchor day and policy": (
        "UPDATE instances SET renewal_mode = 'AUTO' WHERE id = 'b-1'"
    ),
    "the members of a bundle are released together": (
        "UPDATE instances SET status = 'RELEASED' WHERE id = 'b-1'"
    ),
    "a successful attempt has an order line of its instance, and an automatic order has an attempt": (
        "UPDATE orders SET kind = 'AUTO_RENEWAL'"
    ),
    "each test clock is at the instant that its last move reached": (
        "UPDATE accounts SET test_clock = test_clock + interval '1 second' WHERE id = 't'"
    ),
    "each top-up in the audit log is in the ledger, except those of demo accounts": (
        """UPDATE audit_log SET request = '{"amount_cents": 2, "account_id": "a"}'"""
    ),
    "each API key that the audit log names is an operator's key": (
        "UPDATE api_keys SET role = 'RENEWER', account_id = 'a' WHERE role = 'OPERATOR'"
    ),
    "a webhook cursor stores the number of its account's last event, and its position is not beyond that number": (
        "UPDATE webhook_cursors SET last_sequence = last_sequence + 1"
    ),
    "each waiting or parked delivery has an event, and the webhook cursor has reached that event": (
        """INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts, parked_at)
           SELECT endpoint_id, account_id, sequence + 1, 'i-1', 13, now() FROM webhook_cursors"""
    ),
    "the first waiting delivery of a lane, and no other, has a time for its next attempt": (
        """INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts)
           SELECT endpoint_id, account_id, 1, 'i-1', 1 FROM webhook_cursors"""
    ),
    "each ended run has completed its chunks, and its counts and amount match its attempts": (
        "UPDATE renewal_runs SET renewed_count = renewed_count + 1"
    ),
    "each instance has its search text, and there are no other search texts": (
        "UPDATE search_texts SET text = 'another' WHERE instance_id = 'i-1'"
    ),
}


async def fill(world: World) -> None:
    """Create an account with one row of every kind."""
    await world.account("a", balance="2000.00")
    await world.account("b")
    await world.account("t", test_clock=NOW)
    move = advance.MoveRequest(NOW + dt.timedelta(days=1), "move")
    await advance.advance("t", move, lambda: NOW, seconds_max=60)
    request = endpoint_requests.EndpointRequest("https://hooks.example.com/", (), "k")
    await endpoints.create("a", request, lambda: NOW)
    await world.voucher("50.00")
    await world.instance("i-1", price="300.00")
    await world.instances(["b-1", "b-2"], bundle="b")
    for months in (1, 2):
        selector, extension = selection.ById(("i-1",)), planning.RenewFor(months)
        order = requests.OrderRequest(selector, extension, idempotency_key=f"k-{months}")
        await place_order.place_order("a", order, lambda: NOW)
    await runs.start_run(runs.Trigger.OPERATOR, NOW, NOW, clock_at=NOW)
    operator_key = await api_keys.authenticate(database.pool(), await world.operator_key(), NOW)
    assert operator_key is not None
    call = audit_log.OperatorRequest(audit_log.Operator(operator_key.key_id, "ops"), "key", lambda: NOW)
    await accounts.top_up(call, accounts.TopUp("a", 100, ""))
    await world.voucher("10.00")
    await world.instance("i-2", price="20.00")
    for instance_id in ("i-2", "i-1"):
        order = requests.OrderRequest(
            selection.ById((instance_id,)), planning.RenewFor(1), idempotency_key=f"k {instance_id}"
        )
        placed = await place_order.place_order("a", order, lambda: NOW)
        of_order = refunds.RefundRequest(str(placed.order_id), None, "No longer needed")
        await refunds.refund_order(
            dataclasses.replace(call, idempotency_key=f"refund {instance_id}"), of_order
        )


async def damage(sql: str) -> int:
    """Execute a statement without triggers and foreign keys, and return the number of rows."""
    async with database.transaction() as connection:
        await database.execute(connection, DISABLE_TRIGGERS)
        count = await database.execute(connection, sql)
        await database.execute(connection, "SET session_replication_role = origin")
    return count


async def read_violations() -> dict[str, list[integrity.Violation]]:
    return {
        rule: violations for rule, violations in (await integrity.check_invariants()).items() if violations
    }


def test_every_invariant_has_a_test() -> None:
    assert DAMAGES.keys() == integrity.RULES.keys()


def test_the_documentation_states_the_number_of_invariants() -> None:
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    numbers = re.findall(r"`renewals verify` checks (\w+) rules", page.read_text(encoding="utf-8"))
    assert numbers == [str(len(integrity.RULES))]


async def test_an_undamaged_database_violates_no_invariant(world: World) -> None:
    await fill(world)
    assert await read_violations() == {}


@pytest.mark.parametrize("rule", DAMAGES)
async def test_each_invariant_reports_the_damage_that_violates_it(world: World, rule: str) -> None:
    await fill(world)
    assert await damage(DAMAGES[rule]) > 0
    violations = await read_violations()
    assert rule in violations
    assert violations[rule][0]


LEDGER = "the entries of a refund have its order and account, and add up to its amounts for vouchers and the balance"
SUM = "the total of a refund is the sum of its lines, which have its order, its account and the prices that were paid"
TEXT = "each instance has its search text, and there are no other search texts"
EXPIRY = "an instance expires at the end of its last period without a refund, or else at the start of its first period"


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        (LEDGER, "DELETE FROM ledger_entries WHERE kind = 'REFUND'"),
        (
            LEDGER,
            """UPDATE ledger_entries SET kind = 'REFUND', refund_id = (SELECT min(id::text)::uuid FROM refunds)
               WHERE kind = 'TOP_UP' AND number = 1""",
        ),
        (
            LEDGER,
            """UPDATE ledger_entries e SET refund_id = r.id FROM refunds r
               WHERE e.kind = 'REFUND' AND r.id <> e.refund_id""",
        ),
        (SUM, "UPDATE refunds SET account_id = 'b'"),
        (SUM, "UPDATE refunds SET order_id = (SELECT min(id::text)::uuid FROM orders)"),
        (SUM, "DELETE FROM refund_lines"),
        (EXPIRY, "UPDATE instances SET expires_at = expires_at + interval '1 day' WHERE id = 'i-2'"),
        (TEXT, "DELETE FROM search_texts WHERE instance_id = 'i-2'"),
        (TEXT, "UPDATE search_texts SET account_id = 'b' WHERE instance_id = 'i-2'"),
        (
            TEXT,
            'UPDATE instances SET configuration = \'[{"label": "IP", "value": "10.1.2.3"}]\' WHERE id = \'i-2\'',
        ),
        (TEXT, "UPDATE instances SET configuration = '[{\"label\": \"IP\"}]' WHERE id = 'i-2'"),
        (TEXT, "UPDATE instances SET configuration = '[1]' WHERE id = 'i-2'"),
        (TEXT, "UPDATE instances SET configuration = 'null' WHERE id = 'i-2'"),
        (
            TEXT,
            """WITH deleted AS (DELETE FROM search_texts WHERE instance_id = 'i-2')
               UPDATE instances SET configuration = '[1]' WHERE id = 'i-2'""",
        ),
    ],
)
async def test_further_kinds_of_damage_are_reported_by_the_violated_invariant(
    world: World, rule: str, sql: str
) -> None:
    await fill(world)
    assert await damage(sql) > 0
    assert (await read_violations())[rule]
