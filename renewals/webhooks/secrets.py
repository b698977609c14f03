"""This module alone writes `webhook_secrets`: what messages are signed with, as Standard Webhooks has it."""

import base64
import datetime as dt
import secrets
import uuid
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from standardwebhooks import Webhook

from renewals import config, idempotency
from renewals.db import connection as database
from renewals.domain import errors

BYTES = 32
"""Of 24 to 64 that the specification allows."""
SECRETS_MAX = 3
"""So many of an endpoint's secrets sign at a time."""
_SEALED = "fernet:"


async def issue(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    idempotency_key: str,
    now: dt.datetime,
    overlap: dt.timedelta | None = None,
) -> str:
    """Makes an endpoint's next secret and answers it; the caller has the endpoint to itself."""
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


async def replace(
    connection: database.Connection,
    endpoint_id: uuid.UUID,
    idempotency_key: str,
    overlap: dt.timedelta,
    now: dt.datetime,
) -> str:
    """Makes a new secret, or answers the one made with this key; those before it sign as well for so long at most.

    Raises IdempotencyKeyReusedError where the key was for another overlap. The key of the endpoint's creation
    is another, though it may read the same.
    """
    kept_key = f"rotate {idempotency_key}"
    rows = await database.fetch(
        connection,
        "SELECT ends_at, idempotency_key, overlap FROM webhook_secrets WHERE endpoint_id = $1",
        endpoint_id,
    )
    for row in rows:
        if row["idempotency_key"] == kept_key:
            if row["overlap"] is not None:
                idempotency.check_same_request(idempotency_key, row["overlap"], overlap)
            return await read_of(connection, endpoint_id, kept_key)
    if overlap and sum(row["ends_at"] is None or row["ends_at"] > now for row in rows) >= SECRETS_MAX:
        raise errors.InvalidInputError(
            "input.id", f"{SECRETS_MAX} of its secrets sign already; wait for one to end"
        )
    await database.execute(
        connection,
        "UPDATE webhook_secrets SET ends_at = least(ends_at, $2) WHERE endpoint_id = $1",
        endpoint_id,
        now + overlap,
    )
    # What has ended is gone, but not that its key was used.
    await database.execute(
        connection,
        "UPDATE webhook_secrets SET secret = '' WHERE endpoint_id = $1 AND ends_at <= $2",
        endpoint_id,
        now,
    )
    return await issue(connection, endpoint_id, kept_key, now, overlap)


async def read(endpoint_id: uuid.UUID, now: dt.datetime) -> list[str]:
    """The secrets that sign now, the newest first; raises SecretUnreadableError."""
    rows = await database.fetch(
        database.pool(),
        """SELECT secret FROM webhook_secrets
           WHERE endpoint_id = $1 AND (ends_at IS NULL OR ends_at > $2) AND secret <> '' ORDER BY number DESC""",
        endpoint_id,
        now,
    )
    return [decrypt(row["secret"]) for row in rows]


async def read_of(connection: database.Connection, endpoint_id: uuid.UUID, idempotency_key: str) -> str:
    """The secret that was made with a key, or the newest if that one has ended."""
    [row] = await database.fetch(
        connection,
        """SELECT secret FROM webhook_secrets WHERE endpoint_id = $1
           ORDER BY idempotency_key = $2 AND secret <> '' DESC, number DESC LIMIT 1""",
        endpoint_id,
        idempotency_key,
    )
    return decrypt(row["secret"])


def generate() -> str:
    """A new secret, as its receiver is shown it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(BYTES)).decode()}"


def encrypt(secret: str) -> str:
    """A secret as it is stored: encrypted where the settings give a key, else as it is."""
    box = _box()
    return _SEALED + box.encrypt(secret.encode()).decode() if box else secret


def decrypt(stored: str) -> str:
    """The secret of what was stored; raises SecretUnreadableError if its key is not among the settings."""
    if not stored.startswith(_SEALED):
        return stored
    box = _box()
    try:
        if box:
            return box.decrypt(stored.removeprefix(_SEALED)).decode()
    except InvalidToken:
        pass
    raise SecretUnreadableError


class SecretUnreadableError(Exception):
    """A secret was stored under a key that is no longer there."""

    def __str__(self) -> str:
        return "its secret was stored under a key that is not in RENEWALS_WEBHOOK_KEYS"


def sign(keys: Iterable[str], message_id: str, body: bytes, now: dt.datetime) -> dict[str, str]:
    """The headers of a message, with a signature for each secret."""
    text = body.decode()
    signatures = [Webhook(key).sign(message_id, now.astimezone(dt.UTC), text) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _box() -> MultiFernet | None:
    keys = config.get_settings().webhook_keys
    return MultiFernet([Fernet(key.get_secret_value()) for key in keys]) if keys else None
