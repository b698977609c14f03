"""The only writer of `webhook_secrets`, which holds the secrets with which messages are signed (Standard Webhooks).

The table has a composite primary key, which a Tortoise model cannot have.
"""

import base64
import datetime as dt
import secrets
import uuid

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from renewals import config, idempotency
from renewals.db import connection as database
from renewals.domain import errors
from renewals.domain.messages import Message

BYTES = 32
"""The length of a secret; the specification allows 24 to 64 bytes."""
SECRETS_MAX = 3
"""The maximum number of an endpoint's active secrets; each message is signed with all of them."""
_ENCRYPTED_PREFIX = "fernet:"


async def issue_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    idempotency_key: str,
    now: dt.datetime,
    overlap: dt.timedelta | None = None,
) -> str:
    """Insert a new secret of an endpoint and return it; the caller has locked the endpoint's owner."""
    secret = generate()
    await database.execute(
        connection,
        """INSERT INTO webhook_secrets (endpoint_id, number, secret, created_at, idempotency_key, overlap)
           SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 FROM webhook_secrets WHERE endpoint_id = $1""",
        endpoint_id,
        encrypt(secret),
        now,
        idempotency_key,
        overlap,
    )
    return secret


async def rotate_in(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    idempotency_key: str,
    overlap: dt.timedelta,
    now: dt.datetime,
) -> str:
    """Insert a new secret and return it.

    If the idempotency key was used before, nothing is inserted, and the result of `read_issued_in` is returned.
    Messages are also signed with older secrets until `now + overlap` at the latest. Raises IdempotencyKeyReusedError if
    the key was used with another overlap, and InvalidInputError if `overlap` is not zero and SECRETS_MAX secrets are
    active. A line break, which no key of a client contains, distinguishes the stored idempotency key from the key of
    the endpoint's creation, which is in the same column.
    """
    stored_key = f"rotate\n{idempotency_key}"
    rows = await database.fetch(
        connection,
        "SELECT ends_at, idempotency_key, overlap FROM webhook_secrets WHERE endpoint_id = $1",
        endpoint_id,
    )
    for row in rows:
        if row["idempotency_key"] == stored_key:
            idempotency.check_same_request(idempotency_key, row["overlap"], overlap)
            return await read_issued_in(connection, endpoint_id, stored_key)
    if overlap and sum(row["ends_at"] is None or row["ends_at"] > now for row in rows) >= SECRETS_MAX:
        raise errors.InvalidInputError(
            "input.id",
            Message(
                "{count} secrets of the endpoint are active, which is the maximum; wait until one expires",
                count=SECRETS_MAX,
            ),
        )
    await database.execute(
        connection,
        "UPDATE webhook_secrets SET ends_at = least(ends_at, $2) WHERE endpoint_id = $1",
        endpoint_id,
        now + overlap,
    )
    # The rows of expired secrets remain, because they hold the used idempotency keys.
    await database.execute(
        connection,
        "UPDATE webhook_secrets SET secret = '' WHERE endpoint_id = $1 AND ends_at <= $2",
        endpoint_id,
        now,
    )
    return await issue_in(connection, endpoint_id, stored_key, now, overlap)


async def list_active(endpoint_id: uuid.UUID, now: dt.datetime) -> list[str]:
    """Return the secrets with which messages are signed at `now`, newest first. Raises SecretUnreadableError."""
    rows = await database.fetch(
        database.pool(),
        """SELECT secret FROM webhook_secrets
           WHERE endpoint_id = $1 AND (ends_at IS NULL OR ends_at > $2) AND secret <> '' ORDER BY number DESC""",
        endpoint_id,
        now,
    )
    return [decrypt(row["secret"]) for row in rows]


async def read_issued_in(
    connection: database.Connection, endpoint_id: uuid.UUID, idempotency_key: str
) -> str:
    """Return the secret that was issued under an idempotency key, or the newest secret if that secret was erased.

    Raises InvalidInputError if no key of the settings decrypts that secret.
    """
    [row] = await database.fetch(
        connection,
        """SELECT secret FROM webhook_secrets WHERE endpoint_id = $1
           ORDER BY idempotency_key = $2 AND secret <> '' DESC, number DESC LIMIT 1""",
        endpoint_id,
        idempotency_key,
    )
    try:
        return decrypt(row["secret"])
    except SecretUnreadableError:
        reason = Message(
            "was used, but the secret of that request can no longer be decrypted; "
            "call rotateWebhookSecret with a new key"
        )
        raise errors.InvalidInputError("input.idempotencyKey", reason) from None


def generate() -> str:
    """Return a new random secret in the format of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(BYTES)).decode()}"


def encrypt(secret: str) -> str:
    """Return a secret as it is stored: encrypted if the settings have a key, else in plain text."""
    fernet = _fernet()
    return _ENCRYPTED_PREFIX + fernet.encrypt(secret.encode()).decode() if fernet else secret


def decrypt(stored: str) -> str:
    """Return the secret in a stored text. Raises SecretUnreadableError if no key of the settings decrypts it."""
    if not stored.startswith(_ENCRYPTED_PREFIX):
        return stored
    fernet = _fernet()
    try:
        if fernet:
            return fernet.decrypt(stored.removeprefix(_ENCRYPTED_PREFIX)).decode()
    except InvalidToken:
        pass
    raise SecretUnreadableError


class SecretUnreadableError(Exception):
    """The error of a secret that was encrypted with a key that is not in the settings."""

    def __str__(self) -> str:
        return "the secret was encrypted with a key that is not in RENEWALS_WEBHOOK_KEYS"


def _fernet() -> MultiFernet | None:
    keys = config.get_settings().webhook_keys
    return MultiFernet([Fernet(key.get_secret_value()) for key in keys]) if keys else None
