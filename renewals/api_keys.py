"""This module alone writes `api_keys`: only a hash is kept, the key itself is shown once."""

import datetime as dt
import hashlib
import secrets
import uuid
from typing import NamedTuple

from renewals import clocks, database, ledger, terms

PREFIX_LENGTH = 8


class Bearer(NamedTuple):
    """Whoever sends a key: its id, what it may be used for, and the account, which an operator has not."""

    key_id: uuid.UUID
    role: terms.Role
    account_id: str | None
    name: str


class Issued(NamedTuple):
    """A new key as its row knows it, and the secret that is nowhere else."""

    key_id: uuid.UUID
    prefix: str
    secret: str


async def create(
    connection: database.Connection,
    account_id: str | None,
    now: dt.datetime,
    *,
    role: terms.Role = terms.Role.RENEWER,
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
    role: terms.Role,
    name: str,
    expires_at: dt.datetime | None,
) -> Issued:
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
    return Issued(key_id, prefix, key)


async def revoke(connection: database.Connection, key_id: uuid.UUID, now: dt.datetime) -> bool:
    """Ends a key for good; False if it had been before."""
    sql = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"
    return bool(await database.execute(connection, sql, key_id, now))


async def reset_calendar(account_id: str, clock: clocks.Clock) -> str:
    """Revokes an account's calendar key, if it has one, and answers a new one."""
    async with ledger.locked(account_id) as (connection, _):
        now = clock()
        await database.execute(
            connection,
            "UPDATE api_keys SET revoked_at = $3 WHERE account_id = $1 AND role = $2 AND revoked_at IS NULL",
            account_id,
            terms.Role.CALENDAR,
            now,
        )
        return await create(connection, account_id, now, role=terms.Role.CALENDAR)


async def find(connection: database.Connection, key: str, now: dt.datetime) -> Bearer | None:
    """Who sends this key; None for one that is unknown, revoked or out of date."""
    rows = await database.fetch(
        connection,
        """SELECT id, role, account_id, name FROM api_keys
           WHERE secret_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)""",
        _hash(key),
        now,
    )
    return (
        Bearer(rows[0]["id"], terms.Role(rows[0]["role"]), rows[0]["account_id"], rows[0]["name"])
        if rows
        else None
    )


def _hash(key: str) -> bytes:
    # A key carries 256 random bits, so a plain hash cannot be guessed back; a slow one would only cost time.
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
