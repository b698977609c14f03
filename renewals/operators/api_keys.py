"""The creation and revocation of API keys of accounts and operators."""

import dataclasses
import datetime as dt
import uuid
from dataclasses import dataclass

from renewals.accounts import api_keys
from renewals.db import models
from renewals.db.connection import Connection
from renewals.domain import errors, model, validation
from renewals.domain.messages import Message
from renewals.operators import accounts, audit_log
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest


@dataclass(frozen=True, slots=True)
class ApiKeyCreate:
    """An API key to be created; an operator's key has no account."""

    account_id: str | None
    role: model.Role
    name: str
    expires_at: dt.datetime | None = None


_NO_KEY = Message("there is no API key {id!r}")


async def create_key(call: OperatorRequest, request: ApiKeyCreate) -> IdempotentResult:
    """Create an API key; return its `key_id`, and its secret if the result is new.

    Raises InvalidInputError and NotFoundError.
    """
    validation.raise_if_invalid("name", validation.text(request.name, 0, validation.NAME_LENGTH_MAX))
    is_operator = request.role is model.Role.OPERATOR
    if is_operator and request.account_id is not None:
        raise errors.InvalidInputError("input.accountId", Message("must be null for an operator's key"))
    if not is_operator and request.account_id is None:
        reason = Message("is required for a {role} key", role=request.role.value)
        raise errors.InvalidInputError("input.accountId", reason)
    return await audit_log.run_once(call, Action.CREATE_API_KEY, request, _create_key_in, request)


async def _create_key_in(
    connection: Connection, call: OperatorRequest, request: ApiKeyCreate
) -> AuditedChange:
    if request.account_id is not None:
        await accounts.lock_account(connection, request.account_id)
    now = call.clock()
    validation.raise_if_invalid("expiresAt", validation.check_future(request.expires_at, now))
    # An expired key that is not revoked would prevent a new one.
    if request.role is model.Role.CALENDAR and await api_keys.revoke_expired_calendar_key(
        connection, request.account_id, now
    ):
        reason = Message("the account already has a calendar key; revoke it first")
        raise errors.InvalidInputError("input.role", reason)
    key = await api_keys.issue(
        connection,
        request.account_id,
        now,
        role=request.role,
        name=request.name,
        expires_at=request.expires_at,
    )
    return AuditedChange(
        {"key_id": key.key_id},
        _account_ids(request.account_id),
        after={"id": key.key_id, "prefix": key.prefix, **dataclasses.asdict(request)},
        secret=key.secret,
    )


async def revoke_key(call: OperatorRequest, key_id: str) -> IdempotentResult:
    """Revoke an API key; return its `key_id`. A key that is already revoked does not change.

    Raises NotFoundError.
    """
    try:
        key_uuid = uuid.UUID(key_id)
    except ValueError:
        reason = _NO_KEY.fill(id=validation.truncate(key_id))
        raise errors.NotFoundError("input.keyId", reason) from None
    request = {"key_id": key_uuid}
    return await audit_log.run_once(call, Action.REVOKE_API_KEY, request, _revoke_key_in, key_uuid)


async def _revoke_key_in(connection: Connection, call: OperatorRequest, key_id: uuid.UUID) -> AuditedChange:
    # The lock makes the second of two concurrent requests read the time at which the first request revoked the key.
    key = await models.ApiKey.filter(id=key_id).using_db(connection).select_for_update().first()
    if key is None:
        raise errors.NotFoundError("input.keyId", _NO_KEY.fill(id=str(key_id)))
    now = call.clock()
    await api_keys.revoke(connection, key_id, now)
    return AuditedChange(
        {"key_id": key_id},
        _account_ids(key.account_id),
        before={"revoked_at": key.revoked_at},
        after={"revoked_at": key.revoked_at or now},
    )


def _account_ids(account_id: str | None) -> list[str]:
    return [] if account_id is None else [account_id]
