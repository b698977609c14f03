"""Authentication by an API key or a token (JWT) in the Authorization header, as a customer or as an operator.

The calendar also accepts a calendar token in the URL.
"""

import datetime as dt

from graphql_api.auth import jwt_tokens
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.domain import model
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.observability import request_record
from renewals.operators import audit_log

SCHEME = "bearer"
CUSTOMERS = (model.Role.RENEWER, model.Role.VIEWER)
"""The roles that can read all data of an account."""
TOKEN_DOTS = 2
"""The number of dots between the three parts of a JWT. An API key has none."""


KEY_NEEDED = Message(
    "The request has no API key or token that is valid for this API. Send the header Authorization: Bearer <key>."
)


async def identify_customer(header: str, now: dt.datetime) -> api_keys.Principal | None:
    """Return the customer of a header's key or token; None if the header has no valid key or token of a customer."""
    principal = await _find(header, now)
    return principal if principal and principal.role in CUSTOMERS else None


def can_write(principal: api_keys.Principal) -> bool:
    """Return whether a customer may execute mutations."""
    return principal.role is model.Role.RENEWER


async def is_still_valid(header: str, account_id: str, clock: Clock) -> bool:
    """Return whether a header's key or token can still read the account."""
    customer = await identify_customer(header, clock())
    return customer is not None and customer.account_id == account_id


async def identify_operator(header: str, now: dt.datetime) -> audit_log.Operator | None:
    """Return the operator of a header's key or token; None if the header has no valid key or token of an operator."""
    principal = await _find(header, now)
    if principal is None or principal.role is not model.Role.OPERATOR:
        return None
    return audit_log.Operator(principal.key_id, principal.name, principal.issuer)


async def _find(header: str, now: dt.datetime) -> api_keys.Principal | None:
    scheme, _, credential = header.partition(" ")
    credential = credential.strip()
    if scheme.lower() != SCHEME or not credential:
        return None
    if credential.count(".") == TOKEN_DOTS:
        return _note(await jwt_tokens.find(credential, now))
    return await _find_by_key(credential, now)


async def _find_by_key(key: str, now: dt.datetime) -> api_keys.Principal | None:
    return _note(await api_keys.authenticate(database.pool(), key, now))


def _note(principal: api_keys.Principal | None) -> api_keys.Principal | None:
    if principal is not None:
        request_record.note_principal(principal.account_id, principal.role, principal.key_id)
    return principal


async def identify_calendar(header: str, token: str | None, now: dt.datetime) -> api_keys.Principal | None:
    """Return the holder of a URL's calendar token; if `token` is None, the customer of the header's key or token.

    Return None if the key or the token is not valid. URLs are stored in many places, such as logs, so a URL may contain
    only a calendar token.
    """
    if token is None:
        return await identify_customer(header, now)
    principal = await _find_by_key(token, now)
    return principal if principal and principal.role is model.Role.CALENDAR else None
