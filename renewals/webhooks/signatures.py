"""The signatures of messages (Standard Webhooks)."""

import datetime as dt
from collections.abc import Iterable

from standardwebhooks import Webhook


def sign(keys: Iterable[str], message_id: str, body: bytes, now: dt.datetime) -> dict[str, str]:
    """Return the headers of a message, with one signature for each secret."""
    text = body.decode()
    signatures = [Webhook(key).sign(message_id, now.astimezone(dt.UTC), text) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
