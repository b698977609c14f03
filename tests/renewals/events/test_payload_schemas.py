"""Each type of event has a documented schema. All tests check each appended event against it (see conftest)."""

import re
from pathlib import Path

import orjson
import pytest

from renewals.events import event_log, payload_schemas
from renewals.events.event_log import EventType
from scripts import event_schemas

PAGE = (Path(__file__).parents[3] / "docs/events.md").read_text(encoding="utf-8")
POLICY = {"renewalMode": "AUTO", "autoRenewMonths": 1}
CHANGED = {"before": POLICY, "after": POLICY}


def test_every_event_type_has_a_schema() -> None:
    assert set(payload_schemas.BY_TYPE) == set(EventType)


def test_the_published_schemas_equal_the_schemas_of_the_code() -> None:
    published = event_schemas.PAGE.read_text(encoding="utf-8")
    assert published == event_schemas.text(), "write the page again: python -m scripts.event_schemas"


def find_row(event_type: str) -> str:
    [row] = re.findall(rf"^\| `{re.escape(event_type)}` \|.*$", PAGE, re.MULTILINE)
    return str(row)


@pytest.mark.parametrize("event_type", EventType)
def test_the_page_of_events_names_every_member_of_each_type(event_type: EventType) -> None:
    row = find_row(event_type)
    for other in re.findall(r"\| as `([\w.]+)`", row):
        row += find_row(other)
    members = payload_schemas.json_schemas()[event_type]["properties"].keys() - {"testClock"}
    facts = payload_schemas.WithRefusal.model_json_schema()["properties"].keys()
    assert {member for member in members if f"`{member}`" not in (PAGE if member in facts else row)} == set()


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {**CHANGED, "undocumented": 1},
        {**CHANGED, "after": {**POLICY, "renewalMode": "SOMETIMES"}},
        {**CHANGED, "before": {"renewalMode": "AUTO"}},
        {**CHANGED, "testClock": False},
    ],
    ids=str,
)
def test_a_payload_that_does_not_fit_its_schema_fails_validation(payload: dict[str, object]) -> None:
    schema = payload_schemas.BY_TYPE[EventType.POLICY_CHANGED]
    schema.model_validate_json(orjson.dumps(CHANGED))
    schema.model_validate_json(orjson.dumps({**CHANGED, "testClock": True}))
    with pytest.raises(ValueError, match="validation error"):
        schema.model_validate_json(orjson.dumps(payload))


def test_each_event_that_a_test_appends_is_validated_against_its_schema() -> None:
    event = event_log.NewEvent("a", EventType.POLICY_CHANGED, "i-1", {"after": POLICY})
    with pytest.raises(ValueError, match="before"):
        event_log.encode_payload(event)
