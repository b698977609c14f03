"""API keys that the command line creates, for an account or for an operator."""

import uuid

from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.demo import loader
from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.operators import api_keys as operators_api_keys
from renewals.operators import audit_log


async def create_for_demo() -> str:
    """Create and return an API key for the demo account."""
    return await api_keys.create(database.pool(), loader.ACCOUNT_ID, clocks.utc_now())


async def create_for_operator(name: str) -> str:
    """Create and return an API key for the operator API."""
    return await create(operators_api_keys.ApiKeyCreate(None, model.Role.OPERATOR, name))


async def create(request: operators_api_keys.ApiKeyCreate) -> str:
    """Create and return an API key; the audit log names the command line as its source. Raises DomainError."""
    request_context = audit_log.OperatorRequest(
        audit_log.Operator(None, "command line"), str(uuid.uuid4()), clocks.utc_now
    )
    secret = (await operators_api_keys.create_key(request_context, request)).secret
    assert secret is not None
    return secret
