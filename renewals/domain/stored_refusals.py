"""Refusals as JSON, so that a repeated request gets the same facts, in the language of the repetition."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from renewals.domain import stored_messages
from renewals.domain.errors import Refusal, RefusalCode, RefusalFacts


def to_json(refusal: Refusal) -> dict[str, Any]:
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


def from_json(stored: Mapping[str, Any]) -> Refusal:
    """Return the refusal that `to_json` stored."""
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
