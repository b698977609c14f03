"""Who asks: a key or a token in the Authorization header, behind it one account, or an operator of the provider."""

import datetime as dt

from graphql_api.auth import jwt_tokens
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import model
from renewals.domain.clock import Clock
from renewals.observability import request_record
from renewals.operators import audit_log

SCHEME = "bearer"
CUSTOMERS = (model.Role.RENEWER, model.Role.VIEWER)
"""The roles that see all of an account."""
DOTS_OF_A_TOKEN = 2
"""Between the three parts of a token; a key has none."""


async def identify(header: str, now: dt.datetime) -> str | None:
    """The account that whoever sends an Authorization header may see; None without a key or token for that."""
    principal = await identify_customer(header, now)
    return principal.account_id if principal else None


async def identify_customer(header: str, now: dt.datetime) -> api_keys.Principal | None:
    """The customer who sends an Authorization header, and what it may do."""
    principal = await _find(header, now)
    return principal if principal and principal.role in CUSTOMERS else None


def can_write(principal: api_keys.Principal) -> bool:
    """Whether a customer may change anything."""
    return principal.role is model.Role.RENEWER


async def is_still_valid(header: str, account_id: str | None, clock: Clock) -> bool:
    """Whether the key or token of an Authorization header still opens the account."""
    return account_id is not None and await identify(header, clock()) == account_id


async def identify_operator(header: str, now: dt.datetime) -> audit_log.Operator | None:
    """The operator whose key or token an Authorization header has; None without such a one."""
    principal = await _find(header, now)
    if principal is None or principal.role is not model.Role.OPERATOR:
        return None
    return audit_log.Operator(principal.key_id, principal.name, principal.issuer)


async def _find(header: str, now: dt.datetime) -> api_keys.Principal | None:
    scheme, _, sent = header.partition(" ")
    sent = sent.strip()
    if scheme.lower() != SCHEME or not sent:
        return None
    if sent.count(".") == DOTS_OF_A_TOKEN:
        return _noted(await jwt_tokens.find(sent, now))
    return await _look_up(sent, now)


async def _look_up(key: str, now: dt.datetime) -> api_keys.Principal | None:
    return _noted(await api_keys.authenticate(database.pool(), key, now))


def _noted(principal: api_keys.Principal | None) -> api_keys.Principal | None:
    if principal is not None:
        request_record.note_principal(principal.account_id, principal.role, principal.key_id)
    return principal


async def identify_calendar(header: str, token: str | None, now: dt.datetime) -> str | None:
    """The account whose calendar may be read: by a calendar token in the address, or as a customer by the header.

    An address is kept in many places, so no other key is looked for in it.
    """
    if token is None:
        return await identify(header, now)
    principal = await _look_up(token, now)
    return principal.account_id if principal and principal.role is model.Role.CALENDAR else None
