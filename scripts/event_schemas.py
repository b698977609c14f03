"""The page `docs/events.schema.json`, with the JSON Schema of each event type's payload.

`python -m scripts.event_schemas` writes it.
"""

import json
from pathlib import Path

from renewals.events import payload_schemas

PAGE = Path(__file__).parents[1] / "docs/events.schema.json"


def text() -> str:
    """Return the contents of `docs/events.schema.json`."""
    return json.dumps(payload_schemas.json_schemas(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
