"""The PostgreSQL advisory locks of this program, each with its own number.

A transaction's lock is released when the transaction ends, and a session's lock when the connection closes.
"""

from enum import IntEnum, unique

import asyncpg

from renewals.db import connection as database


@unique
class AdvisoryLock(IntEnum):
    """The numbers of the advisory locks, and a seed from which `lock_text_in` computes further numbers."""

    MIGRATIONS = 7_236_001_842
    DEMO_ACCOUNT = 7_236_001_843
    PROVIDER_WEBHOOKS = 7_236_001_844
    OPERATOR_IDEMPOTENCY_KEYS = 7_236_001_845
    """A seed, not a lock: `lock_text_in` computes the lock of each idempotency key from it."""


async def lock_in(connection: database.Connection, lock: AdvisoryLock) -> None:
    """Take a lock for the rest of the caller's transaction."""
    await database.execute(connection, "SELECT pg_advisory_xact_lock($1)", lock)


async def lock_text_in(connection: database.Connection, lock: AdvisoryLock, text: str) -> None:
    """Take the lock whose number is computed from `text` and the seed `lock`, until the caller's transaction ends."""
    await database.execute(connection, "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", text, lock)


async def try_lock_session(connection: asyncpg.Connection, lock: AdvisoryLock) -> bool:
    """Take a lock for the session unless another session has it, and return whether it was taken."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock))


async def lock_session(connection: asyncpg.Connection, lock: AdvisoryLock) -> None:
    """Wait for a lock and take it for the session."""
    await connection.execute("SELECT pg_advisory_lock($1)", lock)
