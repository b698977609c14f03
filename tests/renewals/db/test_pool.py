"""The pool: accounts get connections alternately, and each request and each account has a limit."""

import asyncio
import random

import pytest

from renewals.db import connection as database
from renewals.db import connection_turns
from renewals.db import pool as db_pool
from renewals.events import event_log


async def test_concurrent_transactions_of_one_request_use_at_most_its_limit_of_connections(
    database_url: str,
) -> None:
    running = most = 0

    async def run_transaction() -> None:
        nonlocal running, most
        async with database.transaction() as connection:
            running += 1
            most = max(most, running)
            await database.fetch(connection, "SELECT pg_sleep(0.01)")
            running -= 1

    async with database.connect(database_url, pool_size=16):
        with db_pool.sharing("a"):
            await asyncio.gather(*(run_transaction() for _ in range(50)))
    assert most == connection_turns.REQUEST_CONNECTIONS_MAX


async def test_one_account_uses_at_most_half_of_the_pool_so_that_others_do_not_wait(
    database_url: str,
) -> None:
    async def run_statements(account_id: str, seconds: float) -> None:
        with db_pool.sharing(account_id):
            await database.fetch(database.pool(), "SELECT pg_sleep($1)", seconds)

    async with database.connect(database_url, pool_size=8):
        await database.fetch(
            database.pool(), "SELECT 1"
        )  # opens the pool, which can be slow on a busy machine
        busy = [asyncio.create_task(run_statements("a", 20.0)) for _ in range(30)]
        await asyncio.sleep(0.5)
        pool = database.pool()._pool
        assert pool.get_size() - pool.get_idle_size() == 4
        async with asyncio.timeout(15):
            await asyncio.gather(*(run_statements("b", 0) for _ in range(10)))
            await database.fetch(database.pool(), "SELECT 1")
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def test_accounts_get_connections_alternately_even_if_one_has_many_statements(
    database_url: str,
) -> None:
    order: list[str] = []

    async def run_statements(account_id: str) -> None:
        with db_pool.sharing(account_id):
            await database.fetch(database.pool(), "SELECT 1")
            order.append(account_id)

    async with database.connect(database_url, pool_size=1):
        await database.fetch(database.pool(), "SELECT 1")  # opens the pool, as above
        many = [asyncio.create_task(run_statements("many")) for _ in range(60)]
        await asyncio.sleep(0)
        few = [asyncio.create_task(run_statements(account_id)) for account_id in ("b", "c", "b")]
        await asyncio.gather(*many, *few)
    assert [account_id for account_id in order[:8] if account_id != "many"] == ["b", "c", "b"]


async def test_requests_cancelled_at_any_moment_return_all_their_connections(database_url: str) -> None:
    chance = random.Random(18)

    async def run_statements(account_id: str) -> None:
        with db_pool.sharing(account_id):
            await asyncio.gather(*(database.fetch(database.pool(), "SELECT 1") for _ in range(6)))

    async with database.connect(database_url, pool_size=3):
        for _ in range(40):
            requests = [asyncio.create_task(run_statements(chance.choice("abc"))) for _ in range(6)]
            for task in requests:
                await asyncio.sleep(chance.uniform(0, 0.002))
                if chance.random() < 0.6:
                    task.cancel()
            await asyncio.gather(*requests, return_exceptions=True)
        async with asyncio.timeout(5):
            await asyncio.gather(*(run_statements(account_id) for account_id in "abc"))
        pool = database.pool()._pool
        assert (
            pool.get_idle_size() == pool.get_size() and not pool._turns._in_use and not pool._turns._waiting
        )


async def test_the_event_subscriptions_of_an_account_use_at_most_half_of_the_pool(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = most = 0

    async def read(account_id: str, after: int) -> list[event_log.Event]:
        nonlocal running, most
        async with database.transaction() as connection:
            running += 1
            most = max(most, running)
            await database.fetch(connection, "SELECT pg_sleep(0.01)")
            running -= 1
        return []

    monkeypatch.setattr(event_log, "read_events", read)
    async with database.connect(database_url, pool_size=8):
        await asyncio.gather(*(event_log._read_through_outages("a", 0) for _ in range(30)))
    assert most == 4
