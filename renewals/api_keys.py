"""This module alone writes `api_keys`: only a hash is kept, the key itself is shown once."""

import datetime as dt
import hashlib
import secrets
import uuid

from renewals import database

PREFIX_LENGTH = 8


async def create(connection: database.Connection, account_id: str, now: dt.datetime) -> str:
    """Makes a key for an account and answers it; it cannot be read again."""
    prefix = secrets.token_hex(PREFIX_LENGTH // 2)
    key = f"rk_{prefix}_{secrets.token_urlsafe(32)}"
    await database.execute(
        connection,
        "INSERT INTO api_keys (id, account_id, prefix, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
        uuid.uuid4(),
        account_id,
        prefix,
        _hash(key),
        now,
    )
    return key


async def find_account(connection: database.Connection, key: str) -> str | None:
    """The id of the account the key belongs to."""
    rows = await database.fetch(
        connection, "SELECT account_id FROM api_keys WHERE secret_hash = $1", _hash(key)
    )
    return rows[0]["account_id"] if rows else None


def _hash(key: str) -> bytes:
    # A key carries 256 random bits, so a plain hash cannot be guessed back; a slow one would only cost time.
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
