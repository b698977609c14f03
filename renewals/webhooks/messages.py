"""The message that carries an event to an endpoint, in the format of Standard Webhooks."""

import datetime as dt
import uuid
from typing import NamedTuple

import orjson

from renewals.domain.model import Language
from renewals.events import summaries
from renewals.i18n import catalogs

ACCOUNT_LANE = ""
"""The second part of the lane of an account's own events."""


class WebhookMessage(NamedTuple):
    """An event to be sent, and the number of failed attempts so far; `payload` is JSON text.

    The summary contains the instance's current name, and is in the account's language (rule 27).
    """

    account_id: str
    sequence: int
    type: str
    occurred_at: dt.datetime
    instance_id: str | None
    payload: str
    actor_kind: str
    actor_name: str
    instance_name: str | None
    time_zone: str
    currency: str
    language: str
    attempts: int = 0

    @property
    def lane(self) -> tuple[str, str]:
        """The account id with the instance id, or with an empty string for an event of the account."""
        return self.account_id, self.instance_id or ACCOUNT_LANE

    @property
    def key(self) -> tuple[str, int]:
        """The account id and the sequence."""
        return self.account_id, self.sequence

    def id_for(self, endpoint_id: uuid.UUID) -> str:
        """Return the message id, which is unique to the event and endpoint and equal for every attempt."""
        return f"msg_{uuid.uuid5(endpoint_id, f'{self.sequence} {self.account_id}').hex}"

    @property
    def summary(self) -> str:
        """A short text about the event."""
        subject = summaries.Subject(self.instance_id, self.instance_name, self.time_zone, self.currency)
        message = summaries.summarize(self.type, self.payload, subject)
        return catalogs.translate(message, Language(self.language))

    @property
    def body(self) -> bytes:
        """The event as JSON in the format of Standard Webhooks."""
        return orjson.dumps(
            {
                "type": self.type,
                "timestamp": self.occurred_at,
                "data": {
                    "accountId": self.account_id,
                    "sequence": self.sequence,
                    "instanceId": self.instance_id,
                    "summary": self.summary,
                    "payload": orjson.Fragment(self.payload),
                    "actor": {"kind": self.actor_kind, "name": self.actor_name},
                },
            }
        )
