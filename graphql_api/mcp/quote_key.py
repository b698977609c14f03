"""The idempotency key of a quote.

Equal quotes have the same key until the ledger has a new entry, so that two calls with them pay only once.
"""

import hashlib
import json
from typing import Any

_CHARACTERS = 40


def build_quote_key(
    operation: str, request: dict[str, object], quote: dict[str, Any], ledger: dict[str, Any]
) -> str:
    """Return the key of a quote.

    A payment or a refund changes the periods of the next quote and the latest entry of the ledger. So a quote for the
    next month has another key, and so has a quote for a period that was refunded and is bought again.
    """
    entries = ledger["ledger"]["nodes"]
    periods = [(line["instance"]["id"], line["startsAt"], line["expiresAt"]) for line in quote["lines"]]
    parts = [
        operation,
        request,
        quote["total"],
        quote["lineCount"],
        periods,
        [entry["id"] for entry in entries],
    ]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return f"mcp-{hashlib.sha256(text.encode()).hexdigest()[:_CHARACTERS]}"
