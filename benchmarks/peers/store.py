"""PostgreSQL for the peers in Python: authentication, and a page of the list with its count as one statement."""

import contextlib
import datetime as dt
import hashlib
import os
from collections.abc import AsyncIterator, Sequence

import asyncpg
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

INDEX = """CREATE INDEX instances_for_peers ON instances (account_id, renewal_mode, expires_at, id)
  INCLUDE (product_code)
  WHERE NOT is_trial AND billing_mode <> 'ONE_OFF' AND status <> 'RELEASED'"""
"""The best index for this list. With it, PostgreSQL counts the matches without reading rows of the table."""
MATCHING = """i.account_id = $1 AND NOT i.is_trial AND i.billing_mode <> 'ONE_OFF' AND i.status <> 'RELEASED'
    AND i.renewal_mode = $2 AND i.expires_at >= $3 AND i.expires_at < $4
    AND i.product_code IN (SELECT code FROM products WHERE renewable)"""
PAGE = f"""SELECT i.id, i.name, i.billing_mode, i.is_trial, i.status, i.renewal_mode, i.auto_renew_months,
    i.expires_at, i.monthly_price_cents, i.created_at, p.name AS product_name, d.name AS data_center_name,
    (SELECT count(*) FROM instances i WHERE {MATCHING}) AS total
  FROM (SELECT * FROM instances i WHERE {MATCHING} ORDER BY expires_at, id LIMIT $5) AS i
    JOIN products p ON p.code = i.product_code JOIN data_centers d ON d.code = i.data_center_code
  ORDER BY i.expires_at, i.id"""
ACCOUNT = "SELECT account_id FROM api_keys WHERE secret_hash = $1"

pool: asyncpg.Pool


@contextlib.asynccontextmanager
async def opened(_: object) -> AsyncIterator[None]:
    """Open the pool for the lifetime of the application, as a lifespan of Starlette."""
    global pool
    size = int(os.environ["POOL_SIZE"])
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=size, max_size=size, reset=_keep
    ) as pool:
        yield


async def _keep(_: object) -> None:
    """Skip the reset, because no request changes the state of a session; this saves a round trip."""


def secret_hash(connection: HTTPConnection) -> bytes:
    """Return the hash of the bearer key. Raises HTTPException (401) if the authorization scheme is not Bearer."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    return hashlib.sha256(key.encode()).digest()


async def authenticate(connection: HTTPConnection) -> str:
    """Return the account of the bearer key. Raises HTTPException (401) if the key is missing or unknown."""
    account_id: str | None = await pool.fetchval(ACCOUNT, secret_hash(connection))
    if account_id is None:
        raise HTTPException(401)
    return account_id


async def fetch_instances(
    account_id: str, tab: str, expires_from: dt.datetime, expires_before: dt.datetime, first: int
) -> Sequence[asyncpg.Record]:
    """Return the first matching instances. The last column of each row is the number of all matches."""
    return list(await pool.fetch(PAGE, account_id, tab, expires_from, expires_before, first))


def money(cents: int) -> str:
    """Format cents as a decimal string."""
    return f"{cents // 100}.{cents % 100:02}"
