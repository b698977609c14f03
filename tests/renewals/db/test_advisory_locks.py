"""Advisory locks: each has its own number, and one enum has all numbers."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from renewals.db import connection as database
from renewals.db.advisory_locks import AdvisoryLock, lock_in, lock_session, lock_text_in, try_lock_session

ROOT = Path(__file__).parents[3]
PACKAGES = ("renewals", "schema", "graphql_api", "workers")
WAIT_SECONDS = 0.3


def test_every_advisory_lock_has_its_own_number() -> None:
    """Two locks with the same number would make unrelated work wait."""
    assert len({lock.value for lock in AdvisoryLock}) == len(AdvisoryLock.__members__)


def test_only_the_module_advisory_locks_calls_the_lock_functions_of_postgresql() -> None:
    lock_call = re.compile(r"pg_(try_)?advisory_")
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(modules) > 100
    callers = [path.name for path in modules if lock_call.search(path.read_text(encoding="utf-8"))]
    assert callers == ["advisory_locks.py"]


async def test_a_transaction_lock_is_released_when_its_transaction_ends(opened: str) -> None:
    other = await asyncpg.connect(opened)
    try:
        async with database.transaction() as connection:
            await lock_in(connection, AdvisoryLock.DEMO_ACCOUNT)
            await lock_text_in(connection, AdvisoryLock.OPERATOR_IDEMPOTENCY_KEYS, "a key")
            assert not await try_lock_session(other, AdvisoryLock.DEMO_ACCOUNT)
            for lock in set(AdvisoryLock) - {AdvisoryLock.DEMO_ACCOUNT}:
                assert await try_lock_session(other, lock)
        assert await try_lock_session(other, AdvisoryLock.DEMO_ACCOUNT)
    finally:
        await other.close()


@pytest.mark.parametrize("lock", AdvisoryLock)
async def test_a_session_lock_excludes_only_the_same_lock_of_another_session(
    database_url: str, lock: AdvisoryLock
) -> None:
    first, second = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        assert await try_lock_session(first, lock)
        assert not await try_lock_session(second, lock)
        for other in set(AdvisoryLock) - {lock}:
            assert await try_lock_session(second, other)
        waiting = asyncio.create_task(lock_session(second, lock))
        await asyncio.sleep(WAIT_SECONDS)
        assert not waiting.done()
        await first.close()
        await asyncio.wait_for(waiting, 5)
    finally:
        await first.close()
        await second.close()
