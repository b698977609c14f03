"""PostgreSQL for the peers that use asyncpg: authentication, and the list as two statements that join the names.

Imports nothing of the project, because some peers run in an environment of their own.
"""

import contextlib
import datetime as dt
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

POOL_SIZE = 10
SOURCE = """instances i JOIN products p ON p.code = i.product_code
  JOIN data_centers d ON d.code = i.data_center_code
  WHERE i.account_id = $1 AND p.renewable AND NOT i.is_trial AND i.billing_mode <> 'ONE_OFF' AND i.status <> 'RELEASED'
    AND i.renewal_mode = $2 AND i.expires_at >= $3 AND i.expires_at < $4"""
COUNT = f"SELECT count(*) FROM {SOURCE}"
PAGE = f"""SELECT i.id, i.name, i.billing_mode, i.is_trial, i.status, i.renewal_mode, i.auto_renew_months,
  i.expires_at, i.monthly_price_cents, i.created_at, p.name AS product_name, d.name AS data_center_name
  FROM {SOURCE} ORDER BY i.expires_at, i.id LIMIT $5"""
ACCOUNT = "SELECT account_id FROM api_keys WHERE secret_hash = $1"

pool: asyncpg.Pool


@contextlib.asynccontextmanager
async def opened(_: object, **options: Any) -> AsyncIterator[None]:
    """Open the pool for the lifetime of the application; a Starlette lifespan."""
    global pool
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=1, max_size=POOL_SIZE, **options
    ) as pool:
        yield


def secret_hash(connection: HTTPConnection) -> bytes:
    """Return the hash of the bearer key; 401 without a key."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    return hashlib.sha256(key.encode()).digest()


async def authenticate(connection: HTTPConnection) -> str:
    """Return the account of the bearer key; 401 for an unknown key."""
    account_id: str | None = await pool.fetchval(ACCOUNT, secret_hash(connection))
    if account_id is None:
        raise HTTPException(401)
    return account_id


async def fetch_instances(
    account_id: str, tab: str, expires_from: dt.datetime, expires_before: dt.datetime, first: int
) -> tuple[int, Sequence[Any]]:
    """Return the number of matching instances, and the first of them."""
    async with pool.acquire() as connection:
        total = await connection.fetchval(COUNT, account_id, tab, expires_from, expires_before)
        rows = await connection.fetch(PAGE, account_id, tab, expires_from, expires_before, first)
    return total, rows


def money(cents: int) -> str:
    """Format cents as a decimal string."""
    return f"{cents // 100}.{cents % 100:02}"


def node(row: Any) -> dict[str, Any]:
    """Return a row with GraphQL's names; the encoder formats instants."""
    return {
        "id": row["id"],
        "name": row["name"],
        "billingMode": row["billing_mode"],
        "isTrial": row["is_trial"],
        "status": row["status"],
        "renewalMode": row["renewal_mode"],
        "autoRenewMonths": row["auto_renew_months"],
        "expiresAt": row["expires_at"],
        "monthlyPrice": money(row["monthly_price_cents"]),
        "createdAt": row["created_at"],
        "product": {"name": row["product_name"]},
        "dataCenter": {"name": row["data_center_name"]},
    }
