"""The audit log: who changed what and when, with the values before and after.

An entry also stores the idempotency key and the answer of its request. Idempotency keys are unique across all
operators, because an operator may repeat a request with a new API key after the old API key was revoked.
"""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Concatenate, NamedTuple, ParamSpec

import orjson

from renewals import idempotency
from renewals.db import connection as database
from renewals.db import models, sql
from renewals.db.advisory_locks import AdvisoryLock, lock_text_in
from renewals.db.connection import Connection
from renewals.domain import model
from renewals.domain.clock import Clock

Arguments = ParamSpec("Arguments")


class Action(StrEnum):
    """The changes that the audit log records, named after the mutations of the operator API."""

    CREATE_ACCOUNT = "CREATE_ACCOUNT"
    UPDATE_ACCOUNT = "UPDATE_ACCOUNT"
    CREATE_API_KEY = "CREATE_API_KEY"
    REVOKE_API_KEY = "REVOKE_API_KEY"
    PUT_PRODUCTS = "PUT_PRODUCTS"
    PUT_DATA_CENTER_TYPES = "PUT_DATA_CENTER_TYPES"
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
    """The operator who makes a request.

    `key_id` is set for an API key, and `issuer` for a token, whose subject is the `name`; the command line has neither.
    """

    key_id: uuid.UUID | None
    name: str
    issuer: str | None = None

    @property
    def actor(self) -> model.Actor:
        """The operator as the actor of events."""
        return model.Actor(model.ActorKind.OPERATOR, self.name)


@dataclass(frozen=True, slots=True)
class OperatorRequest:
    """The operator, the idempotency key and the clock of one request."""

    operator: Operator
    idempotency_key: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class AuditedChange:
    """The outcome of a change: the answer to the request, the accounts concerned, and the values before and after.

    The audit log stores the first four fields, which must not contain a secret. It does not store `secret`, which is
    returned once.
    """

    answer: Mapping[str, object]
    account_ids: Sequence[str] = ()
    before: object = None
    after: object = None
    secret: str | None = None


class IdempotentResult(NamedTuple):
    """The answer to a request; `is_new` is False if an earlier request with the same key made the change.

    `secret` is None unless the result is new.
    """

    answer: Mapping[str, object]
    is_new: bool
    secret: str | None = None


class AuditRecord(NamedTuple):
    """A change with its idempotency key and its request as JSON, ready to be stored."""

    action: Action
    idempotency_key: str
    request_json: bytes
    change: AuditedChange

    @property
    def request_hash(self) -> bytes:
        """The hash that distinguishes a repetition of the request from a different request with the same key."""
        return idempotency.fingerprint(self.action, self.request_json)


async def run_once(
    call: OperatorRequest,
    action: Action,
    request: object,
    change_in: Callable[Concatenate[Connection, OperatorRequest, Arguments], Awaitable[AuditedChange]],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> IdempotentResult:
    """Make a change and write its entry in one transaction, or return the stored answer of the idempotency key.

    `change_in(connection, call, *args, **kwargs)` makes the change. `request` is stored, and compared if the key is
    repeated. A change that raises an error leaves no entry, so its key can be used again.
    Raises InvalidInputError for a malformed key and IdempotencyKeyReusedError for a key of another request (rule 18).
    """
    idempotency.check_idempotency_key(call.idempotency_key)

    def change(connection: Connection) -> Awaitable[AuditedChange]:
        return change_in(connection, call, *args, **kwargs)

    return await _run_once(call, action, idempotency.canonical_json(request), change)


@database.retry_on_conflict
@database.retry_on_unique_violation
async def _run_once(
    call: OperatorRequest,
    action: Action,
    request_json: bytes,
    change: Callable[[Connection], Awaitable[AuditedChange]],
) -> IdempotentResult:
    async with database.transaction() as connection:
        # The key is locked first, so that a concurrent request with the same key waits and then finds the entry.
        await lock_text_in(connection, AdvisoryLock.OPERATOR_IDEMPOTENCY_KEYS, call.idempotency_key)
        prior_results = await find_prior_results(connection, [call.idempotency_key])
        if prior_result := prior_results.get(call.idempotency_key):
            request_hash = idempotency.fingerprint(action, request_json)
            idempotency.check_same_request(call.idempotency_key, prior_result.request_hash, request_hash)
            return IdempotentResult(prior_result.answer, False)
        result = await change(connection)
        record = AuditRecord(action, call.idempotency_key, request_json, result)
        await write_records(connection, call.operator, [record], call.clock())
    return IdempotentResult(orjson.loads(idempotency.canonical_json(result.answer)), True, result.secret)


async def write_records(
    connection: Connection, operator: Operator, records: Sequence[AuditRecord], now: dt.datetime
) -> None:
    """Insert the entries of changes that were made in this transaction."""
    rows = [
        (
            record.action,
            # JSON, because the lists have different lengths and unnest() would flatten nested arrays.
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
    """The hash of the request that used an idempotency key, and the answer to that request."""

    request_hash: bytes
    answer: Mapping[str, object]


async def find_prior_results(
    connection: Connection, idempotency_keys: Sequence[str]
) -> dict[str, PriorResult]:
    """Return the prior results of the keys that were already used, by idempotency key."""
    entries = models.AuditEntry.filter(idempotency_key__in=idempotency_keys).using_db(connection)
    rows = await entries.values_list("idempotency_key", "request_hash", "answer")
    return {key: PriorResult(request_hash, answer) for key, request_hash, answer in rows}


def build_record(action: Action, idempotency_key: str, request: object, change: AuditedChange) -> AuditRecord:
    """Return a record for `write_records`."""
    return AuditRecord(action, idempotency_key, idempotency.canonical_json(request), change)


def _optional_json(value: object) -> str | None:
    return None if value is None else idempotency.canonical_json(value).decode()
