"""An account whose data causes an error is parked; it does not stop other accounts, and the next run tries it again."""

import asyncio
import datetime as dt
from collections.abc import Callable

import asyncpg
import pytest

from renewals.auto_renewal import chunks, renew, runs
from renewals.auto_renewal.finish_runs import finish_runs
from renewals.db import connection as database
from renewals.db import errors as db_errors
from tests.support import integrity
from tests.support.fixtures import World

AT = "2027-01-31 00:30"


async def poison(account_id: str) -> None:
    """Give the account's instances a product that causes an error: its longest term ends beyond the last year."""
    async with database.transaction() as connection:
        await database.execute(
            connection,
            """INSERT INTO products (code, name, name_zh, renewable, max_term_months, retention_days)
               VALUES ('bad', 'Bad', 'Bad', TRUE, 2000000000, 7)""",
        )
        await database.execute(
            connection, "UPDATE instances SET product_code = 'bad' WHERE account_id = $1", account_id
        )


async def cure() -> None:
    async with database.transaction() as connection:
        await database.execute(connection, "UPDATE products SET max_term_months = 36 WHERE code = 'bad'")


@pytest.fixture
async def three_accounts(world: World) -> World:
    for account_id in "abc":
        await world.account(account_id, balance="1000.00")
        await world.instance(f"{account_id}-1", account=account_id, expires="2027-01-31", mode="AUTO")
    await poison("b")
    return world


async def test_an_account_with_an_error_is_parked_and_the_other_accounts_of_its_chunk_are_renewed(
    three_accounts: World,
) -> None:
    world = three_accounts
    run = await renew.run_at(world.at(AT))
    assert (run.renewed_count, run.parked_count, run.ended_at is None) == (2, 1, False)
    [(account_id, error)] = await chunks.list_parked_accounts(run.id)
    assert (account_id, error.partition(":")[0]) == ("b", "ValueError")
    assert [await world.expiry(f"{letter}-1") for letter in "abc"] == [
        "2027-02-28",
        "2027-01-31",
        "2027-02-28",
    ]
    assert await world.balance("b") == "1000.00"
    await integrity.assert_holds()


async def test_a_parked_account_is_renewed_by_the_next_run_after_its_data_are_corrected(
    three_accounts: World,
) -> None:
    world = three_accounts
    await renew.run_at(world.at(AT))
    await cure()
    run = await renew.run_at(world.at("2027-01-31 01:30"))
    assert (run.renewed_count, run.parked_count) == (1, 0)
    assert await world.expiry("b-1") == "2027-02-28"
    assert await world.rows("SELECT instance_id, count(*) FROM order_lines GROUP BY 1 ORDER BY 1") == [
        ("a-1", 1),
        ("b-1", 1),
        ("c-1", 1),
    ]
    await integrity.assert_holds()


async def test_three_chunks_of_two_accounts_that_are_split_concurrently_become_six_chunks(
    world: World, settings_override: Callable[..., None]
) -> None:
    settings_override(instances_per_chunk=2)
    for account in ("a", "b", "c", "d", "e", "f"):
        await world.account(account, balance="10.00")
        await world.instance(f"{account}-1", account=account, expires="2027-01-31", mode="AUTO", price="1.00")
    at = world.at(AT)
    run_id = await runs.start_run(runs.Trigger.OPERATOR, at, at, clock_at=at)
    pending = await chunks.list_pending_chunks(run_id)
    assert len(pending) == 3
    await asyncio.gather(*(chunks.split_or_park(chunk, "poisoned", at) for chunk in pending))
    assert await world.value("SELECT count(*) FROM renewal_chunks WHERE done_at IS NULL") == 6


async def test_a_run_records_the_integrity_rules_that_were_violated_at_its_end(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO", price="1.00")
    clean = await renew.run_at(world.at(AT))
    assert clean.broken_rules == []
    await world.instance("i-3", expires="2027-01-31", mode="AUTO", price="1.00")
    async with database.transaction() as connection:
        await database.execute(connection, "UPDATE accounts SET balance_cents = balance_cents + 1")
    damaged = await renew.run_at(world.at("2027-01-31 01:30"))
    assert "the ledger entries without a voucher add up to the balance of their account" in (
        damaged.broken_rules or ()
    )


async def test_a_run_that_is_finished_after_another_worker_has_started_is_verified(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="1.00")
    at = world.at(AT)
    run_id = await runs.start_run(runs.Trigger.OPERATOR, at, at, clock_at=at)
    [chunk] = await chunks.list_pending_chunks(run_id)
    await renew.renew_chunk(chunk)
    await runs.start_run(runs.Trigger.START, at, at)  # another worker starts before this worker ends the run
    await finish_runs(lambda: at)
    assert run_id is not None
    assert (await runs.get_run(run_id)).broken_rules == []


async def create_unverified_run(world: World, at: dt.datetime) -> int:
    """Do a run that ends but is not verified, and return its id."""
    run_id = await runs.start_run(runs.Trigger.SCHEDULED, at, at)
    assert run_id is not None
    for chunk in await chunks.list_pending_chunks(run_id):
        await renew.renew_chunk(chunk, lambda: at)
    assert await runs.close_finished(at) == [run_id]
    assert (await runs.get_run(run_id)).broken_rules is None
    return run_id


async def test_a_run_that_was_killed_before_its_verification_is_verified_with_the_next_run(
    world: World,
) -> None:
    await world.account("a", balance="1000.00")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO", price="1.00")
    empty = await runs.start_run(
        runs.Trigger.START, world.at("2027-01-30 12:00"), world.at("2027-01-30 12:00")
    )
    killed = await create_unverified_run(world, world.at(AT))
    await world.instance("i-3", expires="2027-01-31", mode="AUTO", price="1.00")
    later = world.at("2027-01-31 01:30")
    next_run = await renew.run_at(later, lambda: later)
    assert next_run.broken_rules == (await runs.get_run(killed)).broken_rules == []
    assert empty is not None
    assert (await runs.get_run(empty)).broken_rules is None, "the run without due instances is not verified"


async def test_renewing_pending_runs_verifies_a_run_that_was_killed_before_its_verification(
    world: World,
) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="1.00")
    killed = await create_unverified_run(world, world.at(AT))
    async with database.transaction() as connection:
        await database.execute(connection, "UPDATE accounts SET balance_cents = balance_cents + 1")
    assert await renew.renew_pending_runs(lambda: world.at(AT)) == [], "the run had ended already"
    assert "the ledger entries without a voucher add up to the balance of their account" in (
        (await runs.get_run(killed)).broken_rules or ()
    )


async def test_lost_connections_and_deadlocks_count_as_unavailable_and_errors_of_data_do_not(
    world: World,
) -> None:
    for error in (ConnectionResetError(), asyncpg.AdminShutdownError(), asyncpg.DeadlockDetectedError()):
        assert db_errors.is_unavailable(error)
    for error in (
        ValueError(),
        AssertionError(),
        asyncpg.CheckViolationError(),
        asyncpg.FeatureNotSupportedError(),
    ):
        assert not db_errors.is_unavailable(error)


async def test_a_migration_during_a_run_delays_a_chunk_and_parks_no_account(three_accounts: World) -> None:
    """A connection's prepared statements have the old columns; after the first refusal, they are prepared again."""
    world = three_accounts
    await cure()
    assert (await renew.run_at(world.at(AT))).renewed_count == 3
    await database.execute(
        database.pool(), "ALTER TABLE accounts ALTER COLUMN price_rise_cap_bps TYPE bigint"
    )
    at = world.at("2027-02-28 00:30")
    run_id = await runs.start_run(runs.Trigger.OPERATOR, at, at, clock_at=at)
    assert run_id is not None
    [chunk] = await chunks.list_pending_chunks(run_id)
    with pytest.raises(asyncpg.InvalidCachedStatementError):
        await renew.process_chunk(chunk)
    assert await chunks.list_pending_chunks(run_id) == [chunk]
    assert await renew.process_chunk(chunk)
    assert await world.value("SELECT renewed_count FROM renewal_chunks WHERE run_id = $1", run_id) == 3
    assert await chunks.list_parked_accounts(run_id) == []
    await integrity.assert_holds()


async def test_a_deadlock_is_retried_up_to_the_maximum_number_of_attempts(world: World) -> None:
    tries: list[int] = []

    @database.retry_on_conflict
    async def work(losses: int) -> str:
        tries.append(losses)
        if len(tries) <= losses:
            raise asyncpg.DeadlockDetectedError("given up in favour of another")
        return "done"

    assert (await work(2), len(tries)) == ("done", 3)
    tries.clear()
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await work(99)
    assert len(tries) == database.ATTEMPTS_MAX
