"""Who asks: an API key in the Authorization header, behind it one account, or an operator of the provider."""

import datetime as dt

from renewals import api_keys, audit, clocks, database, terms

SCHEME = "bearer"


async def identify(header: str, now: dt.datetime) -> str | None:
    """The account that the key of an Authorization header renews for; None without such a key."""
    bearer = await _find(header, now)
    return bearer.account_id if bearer and bearer.role is terms.Role.RENEWER else None


async def holds(header: str, account_id: str, clock: clocks.Clock) -> bool:
    """Whether the key of an Authorization header still renews for the account."""
    return await identify(header, clock()) == account_id


async def identify_operator(header: str, now: dt.datetime) -> audit.Operator | None:
    """The operator whose key an Authorization header has; None without such a key."""
    bearer = await _find(header, now)
    if bearer is None or bearer.role is not terms.Role.OPERATOR:
        return None
    return audit.Operator(bearer.key_id, bearer.name)


async def _find(header: str, now: dt.datetime) -> api_keys.Bearer | None:
    scheme, _, key = header.partition(" ")
    if scheme.lower() != SCHEME or not key.strip():
        return None
    return await api_keys.find(database.pool(), key.strip(), now)


async def identify_calendar(header: str, token: str | None, now: dt.datetime) -> str | None:
    """The account whose calendar may be read: by a calendar token in the address, or by a renewer's bearer key.

    An address is kept in many places, so no other key is looked for in it.
    """
    if token is None:
        return await identify(header, now)
    bearer = await api_keys.find(database.pool(), token, now)
    return bearer.account_id if bearer and bearer.role is terms.Role.CALENDAR else None
