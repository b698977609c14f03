"""Idempotency keys: their format, the fingerprint of a request, and the check of a repeated key (rules 18 and 26).

The result of a request with a key is stored in a row, together with the key and with the request or its fingerprint.
These modules write such rows: `orders.repository`, `operators.audit_log`, `test_clocks.moves`, `webhooks.endpoints` and
`webhooks.secrets`.
"""

import hashlib
import uuid

import orjson

from renewals.domain import errors, limits, stored_messages, validation
from renewals.domain.messages import Message


def check_idempotency_key(idempotency_key: str) -> None:
    """Raise InvalidInputError unless the key has 1 to 64 printable characters (rule 26)."""
    length_max = limits.IDEMPOTENCY_KEY_LENGTH_MAX
    if not 1 <= len(idempotency_key) <= length_max or not idempotency_key.isprintable():
        raise errors.InvalidInputError("input.idempotencyKey", validation.printable(length_max))


def canonical_json(value: object) -> bytes:
    """Return the JSON of a value, the same for equal values: names are sorted, and lists keep their order."""
    return orjson.dumps(value, default=_to_plain_value, option=orjson.OPT_SORT_KEYS)


def fingerprint(operation: str, request_json: bytes) -> bytes:
    """Return the SHA-256 digest of an operation's name and its request; equal requests must have equal JSON."""
    return hashlib.sha256(f"{operation} ".encode() + request_json).digest()


def check_same_request(idempotency_key: str, first_request: object, request: object) -> None:
    """Raise IdempotencyKeyReusedError if the key's first request differs from this one (rule 18).

    Both are fingerprints or, if the table stores requests instead of fingerprints, the requests themselves.
    """
    if first_request != request:
        raise errors.IdempotencyKeyReusedError(idempotency_key)


def _to_plain_value(value: object) -> object:
    """Convert a named tuple, a message or a UUID of asyncpg, which orjson rejects. Raises TypeError for other types."""
    if isinstance(value, Message):
        return stored_messages.to_json(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    raise TypeError(type(value).__name__)
