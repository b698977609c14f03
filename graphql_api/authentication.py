"""Whose request it is: an API key in the Authorization header, one account behind it."""

import datetime as dt

from starlette.requests import HTTPConnection

from renewals import api_keys, database, terms

SCHEME = "bearer"


async def identify(connection: HTTPConnection, now: dt.datetime) -> str | None:
    """The account that the bearer key renews for, or None without such a key."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != SCHEME:
        return None
    return await account_of(key.strip(), now)


async def account_of(key: str, now: dt.datetime) -> str | None:
    """The account that a key renews for, or None if it is not such a key."""
    bearer = await api_keys.find(database.pool(), key, now) if key else None
    return bearer.account_id if bearer and bearer.role is terms.Role.RENEWER else None
