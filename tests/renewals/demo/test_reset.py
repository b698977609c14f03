"""A reset demo account equals a loaded one, and a reset deletes no row of another account."""

import asyncio
import contextlib
import datetime as dt

import asyncpg
import pytest

from renewals import catalog
from renewals.accounts import api_keys
from renewals.alerts import balance_alerts
from renewals.db import connection as database
from renewals.db import migrate
from renewals.demo import data, instances, loader, reset
from renewals.domain import errors, model, planning
from renewals.instances import policy, selection
from renewals.operators import accounts, audit_log, refunds, run_now
from renewals.orders import place_order, requests
from renewals.webhooks import endpoint_requests, endpoints
from tests.renewals.test_clocks import lives
from tests.support import integrity
from tests.support.fixtures import NOW, World, fixed_clock

DAY, OTHER_DAY = dt.date(2027, 1, 15), dt.date(2027, 1, 31)
TEN = dt.datetime(2027, 1, 15, 10, tzinfo=loader.ZONE)
CALL = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), "top-up", lambda: TEN)
PAID = ("ledger_entries", "orders", "order_lines", "refunds", "refund_lines")


async def use_account(account_id: str, instance_id: str, world: World) -> None:
    """Write rows to every table of an account: orders, a refund, policies, and a run."""
    by_hand = requests.OrderRequest(
        selection.ById((instance_id,)), planning.RenewFor(3), idempotency_key="by hand"
    )
    order = await place_order.place_order(account_id, by_hand, lambda: TEN)
    key = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), f"refund {account_id}", lambda: TEN)
    await refunds.refund_order(key, refunds.RefundRequest(str(order.order_id), None, "Outage"))
    request = policy.PolicyRequest(selection.ById((instance_id,)), model.RenewalMode.AUTO)
    await policy.set_policy(account_id, request, lambda: TEN)
    await world.key(account_id)
    await endpoints.create(
        account_id,
        endpoint_requests.EndpointRequest("https://example.com/", (), f"k {account_id}"),
        lambda: TEN,
    )
    for days in (2, 3, 40):
        at = TEN + dt.timedelta(days)
        await run_now.run_now(at, fixed_clock(at))
        await balance_alerts.check_changed_accounts(fixed_clock(at))
        if account_id == loader.ACCOUNT_ID:
            await lives.move(account_id, at)


async def fill_other(world: World) -> None:
    """Create another account with rows of every kind."""
    await world.account("a", balance="1000.00")
    await world.voucher("30.00")
    await world.instances(["i-1", "i-2", "i-3"], expires="2027-01-17", mode="AUTO", price="10.00")
    await world.instances(["k-1", "k-2"], expires="2027-02-20", product="kec", bundle="k")


async def read_rows(table: str) -> list[str]:
    """Return the rows of a table. Omit the numbers that the database assigns to the rows of the ledger."""
    without = "'id'" if "ledger_entries" in table else "'no column'"
    rows = await database.fetch(
        database.pool(), f"SELECT (to_jsonb(t) - {without})::text AS row FROM {table} t ORDER BY 1"
    )
    return [row["row"] for row in rows]


async def read_demo_rows() -> dict[str, list[str]]:
    return {
        table: await read_rows(
            f"(SELECT * FROM {table} WHERE {condition.replace('$1', repr(loader.ACCOUNT_ID))})"
        )
        for table, condition in reset.DELETED.items()
    } | {"accounts": await read_rows(f"(SELECT * FROM accounts WHERE id = {loader.ACCOUNT_ID!r})")}


async def read_other_rows() -> dict[str, list[str]]:
    """Return every row that is not the demo account's. Omit runs, because their counts include all accounts."""
    rows = {}
    for table, condition in reset.DELETED.items():
        of_demo = condition.replace("$1", repr(loader.ACCOUNT_ID))
        rows[table] = await read_rows(f"(SELECT * FROM {table} WHERE NOT ({of_demo}))")
    for table in (
        "products",
        "data_centers",
        "data_center_types",
        "discount_tiers",
        "audit_log",
        "events",
        "api_keys",
        "webhook_endpoints",
    ):
        rows[table] = await read_rows(table)
    rows["accounts"] = await read_rows("(SELECT * FROM accounts WHERE id <> 'demo')")
    return rows


async def test_a_reset_demo_account_equals_a_newly_loaded_demo_account(
    database_url: str, empty_database_url: str
) -> None:
    await migrate.migrate(empty_database_url)
    async with database.connect(empty_database_url):
        await loader.load(OTHER_DAY)
        fresh = await read_demo_rows()
    async with database.connect(database_url):
        world = World()
        await loader.load(DAY)
        await use_account(loader.ACCOUNT_ID, "61779fb8-1b30-4110-a7c4-1361ef021014", world)
        await accounts.top_up(CALL, accounts.TopUp(loader.ACCOUNT_ID, 100_00, "by an operator"))
        used = await read_demo_rows()
        assert all(used.values()), {table for table, rows in used.items() if not rows}
        await reset.reset(OTHER_DAY)
        assert await read_demo_rows() == fresh
        await integrity.assert_holds()


async def test_a_reset_changes_no_row_of_another_account_and_keeps_the_integrity_rules(world: World) -> None:
    await fill_other(world)
    await loader.load(DAY)
    await use_account(loader.ACCOUNT_ID, "61779fb8-1b30-4110-a7c4-1361ef021014", world)
    before = await read_other_rows()
    runs = await world.rows("SELECT renewed_count FROM renewal_runs ORDER BY id")
    await reset.reset(OTHER_DAY)
    assert await read_other_rows() == before
    assert before["order_lines"]
    counts = "SELECT count(*) FROM renewal_attempts t WHERE t.run_id = r.id AND t.succeeded"
    now = await world.rows(f"SELECT renewed_count, ({counts}) FROM renewal_runs r ORDER BY id")
    assert (
        [recorded for recorded, _ in now]
        == [counted for _, counted in now]
        != [recorded for (recorded,) in runs]
    )
    await integrity.assert_holds()


async def test_a_reset_keeps_the_keys_and_events_of_the_demo_account(world: World) -> None:
    await loader.load(DAY)
    key = await world.key(loader.ACCOUNT_ID)
    await use_account(loader.ACCOUNT_ID, "61779fb8-1b30-4110-a7c4-1361ef021014", world)
    events = await read_rows("events")
    await reset.reset(DAY)
    assert await api_keys.authenticate(database.pool(), key, TEN) is not None
    assert await read_rows("events") == events
    await lives.move(loader.ACCOUNT_ID, TEN + dt.timedelta(hours=1))
    assert await world.value("SELECT count(*) FROM events") > len(events)
    await integrity.assert_holds()


async def test_a_reset_without_a_demo_account_loads_the_demo_account(opened: str) -> None:
    assert await reset.count() is None
    await reset.reset(DAY)
    assert await reset.count() == reset.DemoContents(300, 0, len(data.INCOME))


async def test_a_start_loads_the_demo_account_into_an_empty_database_and_finds_the_account_later(
    opened: str,
) -> None:
    assert await loader.load_into_empty(DAY)
    world = World()
    await world.put_catalogue()
    await world.account("a")
    assert await loader.load_into_empty(DAY), "the demo account existed before the account a"


@pytest.mark.parametrize("account_id", ["a", loader.ACCOUNT_ID])
async def test_a_start_loads_no_demo_account_into_a_database_with_a_real_account(
    world: World, account_id: str
) -> None:
    await world.account(account_id)
    before = await world.snapshot()
    assert not await loader.load_into_empty(DAY)
    assert await world.snapshot() == before


async def test_a_real_account_with_the_demo_id_is_neither_loaded_nor_reset(world: World) -> None:
    await world.account(loader.ACCOUNT_ID, balance="10.00")
    await world.instance("i-1", account=loader.ACCOUNT_ID)
    before = await world.snapshot()
    for change in (loader.load, reset.reset):
        with pytest.raises(errors.InvalidInputError, match="was not created by `renewals demo`"):
            await change(DAY)
    with pytest.raises(errors.InvalidInputError, match="was not created by `renewals demo`"):
        await reset.count()
    assert await world.snapshot() == before


async def test_a_load_and_a_reset_do_not_change_the_products_of_the_provider(world: World) -> None:
    await loader.load(DAY)
    products = {entry.code: entry for entry in await catalog.list_products(database.pool())}
    assert products["eip"].retention_days == 7
    assert products["kec"].retention_days == 365, "the value of the test's catalog"
    await reset.reset(DAY)
    assert {entry.code: entry for entry in await catalog.list_products(database.pool())} == products


@pytest.mark.parametrize("table", PAID)
async def test_the_database_refuses_to_delete_paid_rows_outside_a_reset_or_of_another_account(
    world: World, table: str
) -> None:
    await fill_other(world)
    await loader.load(DAY)
    for account_id, instance_id in (
        ("a", "i-1"),
        (loader.ACCOUNT_ID, "61779fb8-1b30-4110-a7c4-1361ef021014"),
    ):
        by_hand = requests.OrderRequest(
            selection.ById((instance_id,)), planning.RenewFor(1), idempotency_key="k"
        )
        order = await place_order.place_order(account_id, by_hand, lambda: NOW)
        call = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), account_id, lambda: NOW)
        await refunds.refund_order(call, refunds.RefundRequest(str(order.order_id), None, "Outage"))
    before = await world.snapshot()
    for setting, condition in (
        ("off", f"NOT ({reset.DELETED[table]})"),
        ("off", reset.DELETED[table]),
        ("on", f"NOT ({reset.DELETED[table]})"),
        ("on", "TRUE OR $1 = ''"),
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changed or deleted"):
            await delete_rows(table, condition, setting)
    assert await world.snapshot() == before


async def delete_rows(table: str, condition: str, setting: str) -> None:
    async with database.transaction() as connection:
        await database.execute(connection, f"SET LOCAL renewals.resets_demo = '{setting}'")
        await database.execute(connection, f"DELETE FROM {table} WHERE {condition}", loader.ACCOUNT_ID)


async def test_only_an_empty_account_with_the_demo_id_becomes_the_demo_account_and_permanently(
    world: World,
) -> None:
    await world.account("a")
    await world.account(loader.ACCOUNT_ID)
    mark = "UPDATE accounts SET is_demo = NOT is_demo WHERE id = $1"
    with pytest.raises(asyncpg.CheckViolationError, match="demo_has_its_id"):
        await database.execute(database.pool(), mark, "a")
    await world.instance("i-1", account=loader.ACCOUNT_ID)
    with pytest.raises(
        asyncpg.RestrictViolationError, match="only an empty account can become the demo account"
    ):
        await database.execute(database.pool(), mark, loader.ACCOUNT_ID)
    await world.account("b", balance="1.00")
    await database.execute(database.pool(), "DELETE FROM instances")
    await database.execute(database.pool(), mark, loader.ACCOUNT_ID)
    with pytest.raises(
        asyncpg.RestrictViolationError, match="only an empty account can become the demo account"
    ):
        await database.execute(database.pool(), mark, loader.ACCOUNT_ID)


async def test_every_table_with_rows_of_an_account_is_listed_as_deleted_or_as_kept(world: World) -> None:
    """Every table must be in one of the two lists."""
    links = await world.rows(
        """SELECT DISTINCT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"""
    )
    reached = {"accounts"}
    while more := {table for table, of in links if of in reached and table not in reached}:
        reached |= more
    named = await world.rows(
        """SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'
           AND column_name IN ('account_id', 'account_ids', 'instance_id')"""
    )
    reached |= {table for (table,) in named}
    assert reached - {"renewal_chunks"} == reset.DELETED.keys() | reset.KEPT.keys()
    assert not reset.DELETED.keys() & reset.KEPT.keys()


async def test_resets_that_are_concurrent_with_renewals_keep_the_integrity_rules(world: World) -> None:
    await loader.load(DAY)
    at = TEN + dt.timedelta(2)

    async def renew(number: int) -> None:
        ids = ("61779fb8-1b30-4110-a7c4-1361ef021014",)
        request = requests.OrderRequest(
            selection.ById(ids), planning.RenewFor(1), idempotency_key=f"{number}"
        )
        await place_order.place_order(loader.ACCOUNT_ID, request, lambda: at)

    async def move() -> None:
        with contextlib.suppress(errors.InvalidInputError):  # a reset has deleted the move
            await lives.move(loader.ACCOUNT_ID, at)

    await asyncio.gather(
        move(),
        move(),
        *(renew(number) for number in range(4)),
        *(reset.reset(DAY) for _ in range(2)),
        run_now.run_now(at, lambda: at),
        run_now.run_now(at, lambda: at),
    )
    await integrity.assert_holds()
    assert await world.value("SELECT count(*) FROM instances WHERE account_id = 'demo'") == 300


async def test_a_failed_reset_changes_no_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await loader.load(DAY)
    before = await world.snapshot()
    monkeypatch.setattr(instances, "build_instances", lambda day: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await reset.reset(OTHER_DAY)
    assert await world.snapshot() == before
