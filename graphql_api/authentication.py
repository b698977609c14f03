"""Whose request it is: an API key in the Authorization header, one account behind it."""

from starlette.requests import HTTPConnection

from renewals import api_keys, database

SCHEME = "bearer"


async def identify(connection: HTTPConnection) -> str | None:
    """The account of the bearer key, or None without a key that is known."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != SCHEME or not key.strip():
        return None
    return await api_keys.find_account(database.pool(), key.strip())
