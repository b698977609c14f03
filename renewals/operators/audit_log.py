"""This module alone writes `audit_log`: what the provider's operators did, who, when, from what to what.

An entry is also the memory of its idempotency key. Keys are one space for all operators: whoever asks again
with a new API key, because the old one was revoked, must not do it twice.
"""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import asyncpg
import orjson

from renewals import idempotency
from renewals.db import connection as database
from renewals.db import sql
from renewals.db.advisory_locks import AdvisoryLock, lock_text_in
from renewals.db.connection import Connection
from renewals.domain.clock import Clock


class Action(StrEnum):
    """What an operator can do, by the name of the mutation."""

    CREATE_ACCOUNT = "CREATE_ACCOUNT"
    UPDATE_ACCOUNT = "UPDATE_ACCOUNT"
    CREATE_API_KEY = "CREATE_API_KEY"
    REVOKE_API_KEY = "REVOKE_API_KEY"
    PUT_PRODUCTS = "PUT_PRODUCTS"
    PUT_DATA_CENTERS = "PUT_DATA_CENTERS"
    REGISTER_INSTANCES = "REGISTER_INSTANCES"
    CHANGE_PRICES = "CHANGE_PRICES"
    CONFIRM_PRICES = "CONFIRM_PRICES"
    MAKE_FORMAL = "MAKE_FORMAL"
    RELEASE_INSTANCES = "RELEASE_INSTANCES"
    TOP_UP = "TOP_UP"
    ISSUE_VOUCHERS = "ISSUE_VOUCHERS"
    RETRY_PARKED = "RETRY_PARKED"
    CREATE_WEBHOOK_ENDPOINT = "CREATE_WEBHOOK_ENDPOINT"
    UPDATE_WEBHOOK_ENDPOINT = "UPDATE_WEBHOOK_ENDPOINT"
    ROTATE_WEBHOOK_SECRET = "ROTATE_WEBHOOK_SECRET"  # noqa: S105 - the name of a mutation
    DELETE_WEBHOOK_ENDPOINT = "DELETE_WEBHOOK_ENDPOINT"
    REPLAY_WEBHOOK_DELIVERY = "REPLAY_WEBHOOK_DELIVERY"
    SEND_TEST_WEBHOOK = "SEND_TEST_WEBHOOK"
    REFUND_ORDER = "REFUND_ORDER"


class Operator(NamedTuple):
    """Who acts for the provider: by a key, by a token of an issuer, or without either the command line."""

    key_id: uuid.UUID | None
    name: str
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class OperatorRequest:
    """One call of an operator: who, under which idempotency key, by which clock."""

    operator: Operator
    idempotency_key: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class AuditedChange:
    """What was done: what the operator is told, which accounts it is about, and what was before and after.

    All of it is kept, so none of it may hold a secret.
    """

    answer: Mapping[str, Any]
    account_ids: Sequence[str] = ()
    before: object = None
    after: object = None


class IdempotentResult(NamedTuple):
    """What the operator is told, and whether it was done now or before under the same key."""

    answer: Mapping[str, Any]
    is_new: bool


class AuditRecord(NamedTuple):
    """A change as the log keeps it, under its key; `request_json` is the request."""

    action: Action
    idempotency_key: str
    request_json: bytes
    change: AuditedChange

    @property
    def request_hash(self) -> bytes:
        return idempotency.fingerprint(self.action, self.request_json)


Work = Callable[[Connection], Awaitable[AuditedChange]]


@database.retry_on_conflict
async def run_once(call: OperatorRequest, action: Action, request: object, work: Work) -> IdempotentResult:
    """Does the work and its entry in one transaction, or answers again what the key was answered first.

    Raises IdempotencyKeyReusedError where the key was for another request. A refusal of the work leaves no entry.
    """
    idempotency.check_idempotency_key(call.idempotency_key)
    sent = idempotency.canonical_json(request)
    for _ in range(database.ATTEMPTS_MAX - 1):
        try:
            return await _try(call, action, sent, work)
        except asyncpg.UniqueViolationError:
            continue  # another call was first with an id of its own choosing; that is seen from now on
    return await _try(call, action, sent, work)


async def _try(call: OperatorRequest, action: Action, sent: bytes, work: Work) -> IdempotentResult:
    async with database.transaction() as connection:
        # Before all else, so that what an earlier call of the key did is never taken for somebody else's doing.
        await lock_text_in(connection, AdvisoryLock.OPERATOR_IDEMPOTENCY_KEYS, call.idempotency_key)
        if earlier := (await find_prior_result(connection, [call.idempotency_key])).get(call.idempotency_key):
            request_hash = idempotency.fingerprint(action, sent)
            idempotency.check_same_request(call.idempotency_key, earlier.request_hash, request_hash)
            return IdempotentResult(orjson.loads(earlier.answer), False)
        change = await work(connection)
        record = AuditRecord(action, call.idempotency_key, sent, change)
        await write_records(connection, call.operator, [record], call.clock())
    return IdempotentResult(orjson.loads(idempotency.canonical_json(change.answer)), True)


async def write_records(
    connection: Connection, operator: Operator, records: Sequence[AuditRecord], now: dt.datetime
) -> None:
    """Writes entries of what was done in this transaction."""
    rows = [
        (
            record.action,
            # Lists of different lengths travel as JSON: unnest() would flatten them.
            orjson.dumps(sorted(record.change.account_ids)).decode(),
            record.idempotency_key,
            record.request_hash,
            record.request_json.decode(),
            _optional_json(record.change.before),
            _optional_json(record.change.after),
            idempotency.canonical_json(record.change.answer).decode(),
        )
        for record in records
    ]
    await database.execute(
        connection,
        """INSERT INTO audit_log (operator_key_id, operator_name, operator_issuer, created_at, action, account_ids,
             idempotency_key, request_hash, request, before, after, answer)
           SELECT $1, $2, $3, $4, r.action, array(SELECT json_array_elements_text(r.account_ids)),
             r.idempotency_key, r.request_hash, r.request, r.before, r.after, r.answer
           FROM unnest($5::text[], $6::json[], $7::text[], $8::bytea[], $9::json[], $10::json[], $11::json[],
             $12::json[]) AS r(action, account_ids, idempotency_key, request_hash, request, before, after, answer)""",
        *operator,
        now,
        *sql.transpose(rows, 8),
    )


class PriorResult(NamedTuple):
    """What a key was used for: the request, and what was answered, as JSON."""

    request_hash: bytes
    answer: str


async def find_prior_result(
    connection: Connection, idempotency_keys: Sequence[str]
) -> dict[str, PriorResult]:
    """What each of the keys was used for; those that were not are left out."""
    sql = "SELECT idempotency_key, request_hash, answer FROM audit_log WHERE idempotency_key = ANY($1)"
    rows = await database.fetch(connection, sql, idempotency_keys)
    return {key: PriorResult(request_hash, answer) for key, request_hash, answer in map(tuple, rows)}


def build_record(action: Action, idempotency_key: str, request: object, change: AuditedChange) -> AuditRecord:
    """A change as `write_records` takes it."""
    return AuditRecord(action, idempotency_key, idempotency.canonical_json(request), change)


def _optional_json(value: object) -> str | None:
    return None if value is None else idempotency.canonical_json(value).decode()
