"""Refusals as JSON, so that a repeated request gets the same facts in the language of that request."""

import datetime as dt
from typing import Any, TypedDict

from renewals.domain import stored_messages
from renewals.domain.errors import Refusal, RefusalCode, RefusalFacts
from renewals.domain.stored_messages import StoredMessage


class StoredRefusal(TypedDict):
    """A refusal as a JSON object; facts without a value are left out."""

    instance_id: str
    code: str
    message: StoredMessage
    bundle_instance_ids: list[str]
    facts: dict[str, Any]


def to_json(refusal: Refusal) -> StoredRefusal:
    """Return a refusal as a JSON object."""
    return {
        "instance_id": refusal.instance_id,
        "code": refusal.code.value,
        "message": stored_messages.to_json(refusal.message),
        "bundle_instance_ids": list(refusal.bundle_instance_ids),
        "facts": {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in refusal.facts._asdict().items()
            if value is not None
        },
    }


def from_json(stored: StoredRefusal) -> Refusal:
    """Return the refusal for which `to_json` returned this object."""
    facts = dict(stored["facts"])
    if "latest_expiry" in facts:
        facts["latest_expiry"] = dt.date.fromisoformat(facts["latest_expiry"])
    return Refusal(
        stored["instance_id"],
        RefusalCode(stored["code"]),
        stored_messages.from_json(stored["message"]),
        tuple(stored["bundle_instance_ids"]),
        RefusalFacts(**facts),
    )
