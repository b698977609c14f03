"""API keys: creation, revocation and authentication. Only this module writes `api_keys`.

The table stores a hash of each key; the key itself is returned once, when it is created.
"""

import asyncio
import contextlib
import datetime as dt
import hashlib
import logging
import secrets
import uuid
from collections.abc import AsyncIterator
from typing import NamedTuple

from tortoise.queryset import QuerySet

from renewals.accounts import repository
from renewals.db import connection as database
from renewals.db import models
from renewals.domain import model
from renewals.domain.clock import Clock
from renewals.events import pubsub

log = logging.getLogger(__name__)

PREFIX_LENGTH = 8
FLUSH_SECONDS = 60.0
"""The time between two writes of `last_used_at` by one process."""
LAST_USED_PRECISION = dt.timedelta(minutes=5)
"""The shortest time between two stored values of one key's `last_used_at`, across all processes."""


class Principal(NamedTuple):
    """The caller that a key or a token identifies: its role, its account (None for an operator) and its name.

    `key_id` is set for a key. `issuer` is set for a token, whose subject is the name. `test_clock` is set for a test
    account.
    """

    key_id: uuid.UUID | None
    role: model.Role
    account_id: str | None
    name: str
    issuer: str | None = None
    test_clock: dt.datetime | None = None

    def instant(self, now: dt.datetime) -> dt.datetime:
        """Return the current time of the caller's account: its test clock, or `now` if it has none (rule 37)."""
        return now if self.test_clock is None else self.test_clock

    @property
    def rate_limit_key(self) -> str:
        """The key of the rate limit that all requests of the principal share."""
        return str(self.key_id or (self.issuer, self.account_id, self.name))


class IssuedKey(NamedTuple):
    """A new key: its id and prefix, and the secret, which is not stored."""

    key_id: uuid.UUID
    prefix: str
    secret: str


async def create(
    connection: database.Connection,
    account_id: str | None,
    now: dt.datetime,
    *,
    role: model.Role = model.Role.RENEWER,
    name: str = "",
    expires_at: dt.datetime | None = None,
) -> str:
    """Create a key and return its secret, which cannot be read again."""
    issued = await issue(connection, account_id, now, role=role, name=name, expires_at=expires_at)
    return issued.secret


async def issue(
    connection: database.Connection,
    account_id: str | None,
    now: dt.datetime,
    *,
    role: model.Role,
    name: str,
    expires_at: dt.datetime | None,
) -> IssuedKey:
    """Create a key and return its secret with its id and prefix."""
    key_id = database.new_id()
    prefix = secrets.token_hex(PREFIX_LENGTH // 2)
    secret = f"rk_{prefix}_{secrets.token_urlsafe(32)}"
    await models.ApiKey.create(
        using_db=connection,
        id=key_id,
        account_id=account_id,
        role=role,
        name=name,
        prefix=prefix,
        secret_hash=_hash(secret),
        created_at=now,
        expires_at=expires_at,
    )
    return IssuedKey(key_id, prefix, secret)


async def revoke(connection: database.Connection, key_id: uuid.UUID, now: dt.datetime) -> bool:
    """Revoke a key and end its subscriptions; return False if the key is unknown or already revoked."""
    rows = await database.fetch(
        connection,
        "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING account_id",
        key_id,
        now,
    )
    if not rows:
        return False
    if (account_id := rows[0]["account_id"]) is not None:
        # This wakes the subscribers of the account, which then check their authorization again.
        database.after_commit(connection, lambda: pubsub.publish([account_id]))
    return True


async def rotate_calendar_token(account_id: str, clock: Clock) -> str:
    """Revoke the account's calendar key, if there is one; create a new key and return its secret."""
    async with repository.locked_account(account_id) as (connection, _):
        now = clock()
        await _calendar_keys(connection, account_id).update(revoked_at=now)
        return await create(connection, account_id, now, role=model.Role.CALENDAR)


async def revoke_expired_calendar_key(
    connection: database.Connection, account_id: str | None, now: dt.datetime
) -> bool:
    """Revoke the account's calendar key if it has expired; return whether the account has one that has not."""
    keys = _calendar_keys(connection, account_id)
    await keys.filter(expires_at__lte=now).update(revoked_at=now)
    return await keys.exists()


def _calendar_keys(connection: database.Connection, account_id: str | None) -> QuerySet[models.ApiKey]:
    """Return the query for the account's calendar key that is not revoked; an account has at most one."""
    keys = models.ApiKey.filter(account_id=account_id, role=model.Role.CALENDAR, revoked_at__isnull=True)
    return keys.using_db(connection)


async def authenticate(connection: database.Connection, key: str, now: dt.datetime) -> Principal | None:
    """Return the principal of a key; None if the key is unknown, revoked, or expired in real time."""
    rows = await database.fetch(
        connection,
        """SELECT k.id, k.role, k.account_id, k.name, a.test_clock
           FROM api_keys k LEFT JOIN accounts a ON a.id = k.account_id
           WHERE k.secret_hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)""",
        _hash(key),
        now,
    )
    if not rows:
        return None
    key_id, role, account_id, name, test_clock = rows[0]
    _used[key_id] = now
    return Principal(key_id, model.Role(role), account_id, name, test_clock=test_clock)


_used: dict[uuid.UUID, dt.datetime] = {}
"""The instant of the last use of each key since the last flush."""


@contextlib.asynccontextmanager
async def track_last_used() -> AsyncIterator[None]:
    """Flush the last uses of keys during the block and at its end, so that no request waits for a write."""
    writing = asyncio.create_task(_flush_periodically())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await flush_last_used()


async def _flush_periodically() -> None:
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        await flush_last_used()


async def flush_last_used() -> None:
    """Write `last_used_at` of the keys that were used since the last flush.

    A key is skipped if another transaction is writing it, or if its stored time is less than LAST_USED_PRECISION before
    the new one.
    """
    uses = dict(_used)
    _used.clear()
    if not uses:
        return
    try:
        await database.execute(
            database.pool(),
            """UPDATE api_keys k SET last_used_at = u.used_at
               FROM (SELECT k.id, n.used_at FROM unnest($1::uuid[], $2::timestamptz[]) AS n(id, used_at)
                     JOIN api_keys k ON k.id = n.id
                     WHERE k.last_used_at IS NULL OR k.last_used_at <= n.used_at - $3::interval
                     ORDER BY k.id FOR NO KEY UPDATE OF k SKIP LOCKED) AS u
               WHERE k.id = u.id""",
            list(uses),
            list(uses.values()),
            LAST_USED_PRECISION,
        )
    except Exception as error:  # noqa: BLE001 - the next use of a key is written by a later flush
        log.warning("cannot store the times of the last use of API keys: %r", error)


def _hash(key: str) -> bytes:
    # A key has 256 random bits, so a fast hash is safe against guessing.
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
