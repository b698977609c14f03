"""Whose request it is: an API key in the Authorization header, one account behind it."""

import datetime as dt

from renewals import api_keys, database, terms

SCHEME = "bearer"


async def identify(header: str, now: dt.datetime) -> str | None:
    """The account that the key of an Authorization header renews for; None without such a key."""
    scheme, _, key = header.partition(" ")
    if scheme.lower() != SCHEME or not key.strip():
        return None
    bearer = await api_keys.find(database.pool(), key.strip(), now)
    return bearer.account_id if bearer and bearer.role is terms.Role.RENEWER else None
