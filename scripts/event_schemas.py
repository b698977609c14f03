"""Write `docs/events.schema.json`: the JSON Schema of the payload of each type of events."""

import json
from pathlib import Path

from renewals.events import payload_schemas

PAGE = Path(__file__).parents[1] / "docs/events.schema.json"


def text() -> str:
    """Return the contents of the file."""
    return json.dumps(payload_schemas.json_schemas(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
