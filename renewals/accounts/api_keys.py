"""This module alone writes `api_keys`: only a hash is kept, the key itself is shown once."""

import asyncio
import contextlib
import datetime as dt
import hashlib
import logging
import secrets
import uuid
from collections.abc import AsyncIterator
from typing import NamedTuple

from renewals.accounts import repository
from renewals.db import connection as database
from renewals.domain import model
from renewals.domain.clock import Clock
from renewals.events import pubsub

log = logging.getLogger(__name__)

PREFIX_LENGTH = 8
USES_SECONDS = 60.0
"""So often a process writes down which keys were used meanwhile."""
USED_AGAIN_AFTER = dt.timedelta(minutes=5)
"""So often a key in steady use is written at most, in however many processes it is used."""


class Principal(NamedTuple):
    """Whoever sends a key or a token: what it may be used for, and the account, which an operator has not.

    A key has an id and a name; a token has an issuer, and its subject for a name.
    """

    key_id: uuid.UUID | None
    role: model.Role
    account_id: str | None
    name: str
    issuer: str | None = None

    @property
    def rate_limit_key(self) -> str:
        """Whose requests are counted together: those of a key, or of a subject of an issuer."""
        return str(self.key_id or (self.issuer, self.account_id, self.name))


class IssuedKey(NamedTuple):
    """A new key as its row knows it, and the secret that is nowhere else."""

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
    """Makes a key and answers it; it cannot be read again."""
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
    """Makes a key and answers it with what is kept of it."""
    key_id = database.new_id()
    prefix = secrets.token_hex(PREFIX_LENGTH // 2)
    key = f"rk_{prefix}_{secrets.token_urlsafe(32)}"
    await database.execute(
        connection,
        """INSERT INTO api_keys (id, account_id, role, name, prefix, secret_hash, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        key_id,
        account_id,
        role,
        name,
        prefix,
        _hash(key),
        now,
        expires_at,
    )
    return IssuedKey(key_id, prefix, key)


async def revoke(connection: database.Connection, key_id: uuid.UUID, now: dt.datetime) -> bool:
    """Ends a key for good, and at once what it is followed with; False if it had been before."""
    rows = await database.fetch(
        connection,
        "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING account_id",
        key_id,
        now,
    )
    account_ids = [row["account_id"] for row in rows if row["account_id"] is not None]
    # Who is woken asks again whether it is admitted.
    database.after_commit(connection, lambda: pubsub.publish(account_ids))
    return bool(rows)


async def rotate_calendar_token(account_id: str, clock: Clock) -> str:
    """Revokes an account's calendar key, if it has one, and answers a new one."""
    async with repository.locked_account(account_id) as (connection, _):
        now = clock()
        await database.execute(
            connection,
            "UPDATE api_keys SET revoked_at = $3 WHERE account_id = $1 AND role = $2 AND revoked_at IS NULL",
            account_id,
            model.Role.CALENDAR,
            now,
        )
        return await create(connection, account_id, now, role=model.Role.CALENDAR)


async def authenticate(connection: database.Connection, key: str, now: dt.datetime) -> Principal | None:
    """Who sends this key; None for one that is unknown, revoked or out of date."""
    rows = await database.fetch(
        connection,
        """SELECT id, role, account_id, name FROM api_keys
           WHERE secret_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)""",
        _hash(key),
        now,
    )
    if not rows:
        return None
    key_id, role, account_id, name = rows[0]
    _used[key_id] = now
    return Principal(key_id, model.Role(role), account_id, name)


_used: dict[uuid.UUID, dt.datetime] = {}
"""When each key was last used, of those used since that was last written down."""


@contextlib.asynccontextmanager
async def track_last_used() -> AsyncIterator[None]:
    """Writes down now and then when keys were last used, for as long as the block runs: no request waits for it."""
    writing = asyncio.create_task(_write_now_and_then())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await flush_last_used()


async def _write_now_and_then() -> None:
    while True:
        await asyncio.sleep(USES_SECONDS)
        await flush_last_used()


async def flush_last_used() -> None:
    """Writes down the uses since the last time; a key that another process is writing is left out."""
    used = dict(_used)
    _used.clear()
    if not used:
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
            list(used),
            list(used.values()),
            USED_AGAIN_AFTER,
        )
    except Exception as problem:  # noqa: BLE001 - a note that nobody waits for, and that is made again
        log.warning("when keys were last used is not written down: %r", problem)


def _hash(key: str) -> bytes:
    # A key carries 256 random bits, so a plain hash cannot be guessed back; a slow one would only cost time.
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
