"""The constraints and triggers of the database, tested by SQL statements on the migrated schema."""

import datetime as dt

import pytest
from asyncpg import IntegrityConstraintViolationError

from renewals.db import connection as database
from renewals.domain import planning
from renewals.instances import selection
from renewals.orders import place_order, requests
from tests.support.fixtures import NOW, World

VOUCHER = "00000000-0000-0000-0000-00000000000c"
OTHER_ORDER = "00000000-0000-0000-0000-00000000000b"


@pytest.fixture
async def filled(world: World) -> World:
    """Create an account with an order of one line, paid from a voucher and the balance."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.voucher("50.00", voucher_id=VOUCHER)
    request = requests.OrderRequest(selection.ById(("i-1",)), planning.RenewFor(1), idempotency_key="key")
    await place_order.place_order("a", request, lambda: NOW)
    return world


async def assert_refused(world: World, statement: str, guard: str) -> None:
    """Execute a statement, and check that the named guard refuses it and nothing changes."""
    before = await world.snapshot()
    with pytest.raises(IntegrityConstraintViolationError, match=guard):
        await database.execute(database.pool(), statement)
    assert await world.snapshot() == before


def insert_order(
    *, total: int = 1, voucher: int = 0, balance: int = 1, key: str = "NULL", sha: str = "NULL"
) -> str:
    return f"""INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents,
      idempotency_key, request_hash, refusals, created_at)
      VALUES ('{OTHER_ORDER}', 'a', 'MANUAL_RENEWAL', {total}, {voucher}, {balance}, {key}, {sha}, '[]', now())"""


def insert_line(
    *,
    start: str = "2027-02-28",
    end: str = "2027-03-31",
    months: int = 1,
    full: int = 1,
    price: int = 1,
    refunds: int = 0,
) -> str:
    return f"""INSERT INTO order_lines
      (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents, anchor_day_before,
       refund_count)
      SELECT id, 'i-1', '{start} 15:59:59Z', '{end} 15:59:59Z', {months}, 0, {full}, {price}, 31, {refunds}
      FROM orders"""


def insert_entry(*, kind: str = "TOP_UP", amount: int = 1, after: int = 1, number: int = 99) -> str:
    return f"""INSERT INTO ledger_entries
      (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at)
      VALUES ('a', {number}, '{kind}', {amount}, {after}, '', now())"""


def insert_attempt(*, succeeded: bool, code: str) -> str:
    return f"""WITH run AS (
        INSERT INTO renewal_runs (trigger, scheduled_at, started_at, renewed_count, refused_count,
          skipped_count, amount_cents) VALUES ('START', now(), now(), 0, 0, 0, 0) RETURNING id)
      INSERT INTO renewal_attempts (run_id, instance_id, due_at, attempted_at, succeeded, code)
      SELECT id, 'i-1', now(), now(), {succeeded}, {code} FROM run"""


def insert_refund(*, cents: int = 1, by: int = 0) -> str:
    """Insert a refund of the order's line, and optionally a second one of the same line."""
    return f"""WITH refund AS (
        INSERT INTO refunds (id, order_id, account_id, total_cents, voucher_cents, balance_cents, reason, created_at)
        SELECT '{OTHER_ORDER}', id, 'a', 30000, {by}, 30000, '', now() FROM orders RETURNING order_id)
      INSERT INTO refund_lines (refund_id, order_line_id, cents)
      SELECT '{OTHER_ORDER}', l.id, {cents} FROM order_lines l JOIN refund r ON r.order_id = l.order_id"""


def insert_audit_entry(*, values: bool = False) -> str:
    row = "('ops', 'TOP_UP', '{a}', 'key', 'x', '{}', '{}', now())"
    columns = "operator_name, action, account_ids, idempotency_key, request_hash, request, answer, created_at"
    return row if values else f"INSERT INTO audit_log ({columns}) VALUES {row}"


REFUSED = {
    "a negative balance": ("UPDATE accounts SET balance_cents = -1", "balance_is_never_negative"),
    "lead days below 0": ("UPDATE accounts SET lead_days = -1", "lead_days_are_0_to_9"),
    "lead days above 9": ("UPDATE accounts SET lead_days = 10", "lead_days_are_0_to_9"),
    "a voucher below 0": ("UPDATE vouchers SET available_cents = -1", "available_is_within_face"),
    "a voucher above its face": ("UPDATE vouchers SET available_cents = 5001", "available_is_within_face"),
    "a voucher with the face value 0": (
        "UPDATE vouchers SET face_cents = 0, available_cents = 0",
        "available_is_within_face",
    ),
    "an unsupported product without a reason": (
        "UPDATE products SET renewable = false WHERE code = 'eip'",
        "unsupported_says_why",
    ),
    "a longest term of 0 months": ("UPDATE products SET max_term_months = 0", "terms_are_positive"),
    "a discount above 100 percent": ("UPDATE discount_tiers SET discount_bps = 10001", "tier_is_sensible"),
    "a second tier of the same months": (
        "INSERT INTO discount_tiers (product_code, months, discount_bps) VALUES ('eip', 12, 1)",
        "discount_tiers_once_per_months",
    ),
    "an expiry without an anchor": ("UPDATE instances SET anchor_day = NULL", "expiry_has_an_anchor"),
    "an anchor without an expiry": (
        "UPDATE instances SET expires_at = NULL, billing_mode = 'ONE_OFF'",
        "expiry_has_an_anchor",
    ),
    "an anchor on day 32": ("UPDATE instances SET anchor_day = 32", "anchor_is_a_day"),
    "prepaid without an expiry": (
        "UPDATE instances SET expires_at = NULL, anchor_day = NULL",
        "prepaid_expires",
    ),
    "pay-as-you-go with an expiry": (
        "UPDATE instances SET billing_mode = 'PAY_AS_YOU_GO'",
        "pay_as_you_go_does_not",
    ),
    "a price below 0": ("UPDATE instances SET monthly_price_cents = -1", "price_is_not_negative"),
    "automatic renewals for 0 months": (
        "UPDATE instances SET auto_renew_months = 0",
        "auto_renew_months_are_positive",
    ),
    "an agreed price below 0": ("UPDATE instances SET agreed_price_cents = -1", "agreed_price_is_another"),
    "an agreed price that equals the price": (
        "UPDATE instances SET agreed_price_cents = monthly_price_cents",
        "agreed_price_is_another",
    ),
    "a cap on price rises below 0": (
        "UPDATE accounts SET price_rise_cap_bps = -1",
        "price_rise_cap_is_not_negative",
    ),
    "a second entry of the audit log with the same key": (
        insert_audit_entry() + ", " + insert_audit_entry(values=True),
        "audit_log_once_per_key",
    ),
    "an unknown billing mode": ("UPDATE instances SET billing_mode = 'RENTED'", "words_are_known"),
    "an unknown status": ("UPDATE instances SET status = 'DEAD'", "words_are_known"),
    "an unknown renewal mode": ("UPDATE instances SET renewal_mode = 'auto'", "words_are_known"),
    "an order paid in part": (insert_order(total=3, voucher=1, balance=1), "order_is_paid_wholly"),
    "an order with a negative payment by vouchers": (
        insert_order(total=1, voucher=-1, balance=2),
        "order_is_paid_wholly",
    ),
    "a key without its request": (insert_order(key="'other'"), "key_has_its_request"),
    "a request without its key": (insert_order(sha="'x'"), "key_has_its_request"),
    "a second order with the same key": (insert_order(key="'key'", sha="'x'"), "orders_once_per_key"),
    "a second line with the same instance and start": (
        insert_line(start="2027-01-31"),
        "uid_order_lines_instanc_",
    ),
    "a refund with less than its total": (insert_refund(by=1), "refund_is_given_wholly"),
    "a refunded line below 0": (insert_refund(cents=-1), "refunded_is_not_negative"),
    "a line refunded twice": (
        insert_refund() + " CROSS JOIN generate_series(1, 2)",
        "refunded_once",
    ),
    "a count of refunds below 0": (
        "UPDATE instances SET refund_count = -1",
        "refund_count_is_not_negative",
    ),
    "a line that ends where it starts": (insert_line(end="2027-02-28"), "line_extends"),
    "a line of months below 0": (insert_line(months=-1), "line_extends"),
    "a line dearer than its list price": (insert_line(full=1, price=2), "line_price_is_sensible"),
    "an entry with the amount 0": (insert_entry(amount=0), "entry_changes_something"),
    "an entry with a negative balance after it": (insert_entry(after=-1), "balance_after_is_never_negative"),
    "a renewal that adds money": (insert_entry(kind="RENEWAL", amount=1), "sign_fits_kind"),
    "a top-up that takes money": (insert_entry(kind="TOP_UP", amount=-1), "sign_fits_kind"),
    "an entry of unknown kind": (insert_entry(kind="GIFT"), "sign_fits_kind"),
    "a second entry of the same number": (insert_entry(number=1), "uid_ledger_entr_account_"),
    "an attempt that succeeded without an order": (
        insert_attempt(succeeded=True, code="NULL"),
        "attempt_says_how_it_went",
    ),
    "an attempt that failed without a reason": (
        insert_attempt(succeeded=False, code="NULL"),
        "attempt_says_how_it_went",
    ),
    "deleting an account with ledger rows": ("DELETE FROM accounts", "foreign key constraint"),
    "deleting an instance with order lines": ("DELETE FROM instances", "foreign key constraint"),
    "deleting a voucher with ledger rows": ("DELETE FROM vouchers", "foreign key constraint"),
}


@pytest.mark.parametrize(("statement", "guard"), REFUSED.values(), ids=REFUSED)
async def test_an_invalid_statement_is_refused_by_its_constraint(
    filled: World, statement: str, guard: str
) -> None:
    await assert_refused(filled, statement, guard)


@pytest.mark.parametrize("table", ["ledger_entries", "orders", "order_lines"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_orders_their_lines_and_ledger_entries_cannot_be_changed_or_deleted(
    filled: World, table: str, change: str
) -> None:
    columns = {"ledger_entries": "memo = ''", "orders": "refusals = '[]'", "order_lines": "days = 0"}
    assert await filled.count(table) > 0
    await assert_refused(filled, change.format(table, columns[table]), "never changed or deleted")


@pytest.mark.parametrize("table", ["refunds", "refund_lines"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_refunds_and_their_lines_cannot_be_changed_or_deleted(
    filled: World, table: str, change: str
) -> None:
    await database.execute(database.pool(), insert_refund())
    columns = {"refunds": "reason = ''", "refund_lines": "cents = 0"}
    await assert_refused(filled, change.format(table, columns[table]), "never changed or deleted")


async def test_a_second_order_line_of_the_same_start_requires_a_higher_refund_count(filled: World) -> None:
    await assert_refused(filled, insert_line(start="2027-01-31"), "uid_order_lines_instanc_")
    await database.execute(database.pool(), insert_line(start="2027-01-31", refunds=1))
    await assert_refused(filled, insert_line(start="2027-01-31", refunds=1), "uid_order_lines_instanc_")


async def test_a_cascading_truncate_of_accounts_is_refused(filled: World) -> None:
    await assert_refused(filled, "TRUNCATE accounts CASCADE", "never changed or deleted")


async def test_valid_statements_pass_the_constraints_and_triggers(filled: World) -> None:
    """The valid statements pass, which proves that each of the others was refused for its one fault."""
    for statement in (
        insert_refund(),
        insert_line(),
        insert_entry(),
        insert_order(key="'other'", sha="'x'"),
        insert_audit_entry(),
    ):
        await database.execute(database.pool(), statement)
    await database.execute(database.pool(), insert_attempt(succeeded=False, code="'EXPIRED'"))
    tables = ("order_lines", "ledger_entries", "orders", "renewal_attempts")
    assert [await filled.count(table) for table in tables] == [1 + 1, 4 + 1, 1 + 1, 1]


async def test_two_accounts_may_use_the_same_idempotency_key(filled: World) -> None:
    await filled.account("b")
    other = insert_order(key="'key'", sha="'x'").replace("'a'", "'b'")
    await database.execute(database.pool(), other)
    assert await filled.rows("SELECT account_id FROM orders ORDER BY 1") == [("a",), ("b",)]


async def test_every_text_column_has_the_c_collation_and_sorts_by_bytes(world: World) -> None:
    wrong_columns = await world.rows("""SELECT table_name, column_name, data_type, collation_name
      FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name <> 'tortoise_migrations'
        AND data_type IN ('text', 'character varying', 'character')
        AND (data_type, collation_name) IS DISTINCT FROM ('text', 'C')""")
    assert wrong_columns == []
    await world.account("a")
    await world.instances(["b", "B", "ä", "中"])
    assert await world.rows("SELECT id FROM instances ORDER BY id") == [("B",), ("b",), ("ä",), ("中",)]


@pytest.mark.parametrize(
    ("old", "new", "guard"),
    [
        ("2030-01-31", "2030-01-30 23:59:59.999999", "a test clock moves forward only"),
        ("2030-01-31", None, "an account gets its test clock when it is created, or never"),
        (None, "2030-01-31", "an account gets its test clock when it is created, or never"),
    ],
)
async def test_a_test_clock_can_be_set_only_at_creation_and_moved_only_forward(
    world: World, old: str | None, new: str | None, guard: str
) -> None:
    clock = dt.datetime.fromisoformat(old).replace(tzinfo=dt.UTC) if old else None
    await world.account("a", test_clock=clock)
    value = f"'{new}Z'" if new else "NULL"
    await assert_refused(world, f"UPDATE accounts SET test_clock = {value}", guard)
    if old:
        assert await database.execute(database.pool(), "UPDATE accounts SET test_clock = '2030-02-01Z'") == 1
