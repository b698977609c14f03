"""A tool enforces the schema policy: it refuses breaking changes, and lists dangerous ones."""

import pytest

from scripts import node_packages, schema_policy

BEFORE = """
type Query { instance(id: ID!, first: Int = 10): Instance  old: Int @deprecated(reason: "Use instance.") }
type Instance { id: ID!  name: String  mode: Mode! }
enum Mode { AUTO MANUAL }
input Filter { ids: [ID!] }
"""
CHANGES = {
    "id: ID!  name: String": ("id: ID!", "BREAKING"),
    "MANUAL }": ("}", "BREAKING"),
    "mode: Mode!": ("mode: Mode", "BREAKING"),
    "first: Int = 10": ("first: Int = 20", "BREAKING"),
    "ids: [ID!]": ("ids: [ID!]!", "BREAKING"),
    "AUTO MANUAL": ("AUTO MANUAL NONE", "DANGEROUS"),
    'old: Int @deprecated(reason: "Use instance.")': ("", "DANGEROUS"),
    "name: String": ("name: String!", "NON_BREAKING"),
    "ids: [ID!] ": ("ids: [ID!] names: [String!] ", "NON_BREAKING"),
}
pytestmark = node_packages.schema_tools_needed


def test_breaking_changes_are_refused_and_dangerous_changes_are_listed() -> None:
    for old in CHANGES:
        assert old in BEFORE
    planted = {
        f"{number}": BEFORE.replace(old, new) for number, (old, (new, _)) in enumerate(CHANGES.items())
    }
    changes = schema_policy.compare(dict.fromkeys(planted, BEFORE), planted)
    assert {change.name: change.level for change in changes} == {
        str(number): level for number, (_, level) in enumerate(CHANGES.values())
    }
    is_allowed, text = schema_policy.report(changes, "v1")
    assert not is_allowed
    assert "0: breaking: Field 'name' was removed from object type 'Instance'" in text.splitlines()
    assert text.endswith("breaking changes since v1: 5; deprecate first (docs/schema-policy.md)")
    additions = [change for change in changes if change.level != "BREAKING"]
    is_allowed, text = schema_policy.report(additions, "v1")
    assert is_allowed
    assert "5: dangerous: Enum value 'NONE' was added to enum 'Mode'" in text.splitlines()


def test_the_schemas_have_no_breaking_change_and_a_renamed_field_is_detected() -> None:
    before, present = schema_policy.read_before(schema_policy.last_tag()), schema_policy.read_present()
    changes = schema_policy.compare(before, present)
    assert schema_policy.report(changes, "the baseline")[0], changes
    for name in schema_policy.NAMES:
        renamed = {name: present[name].replace("  timeZone: String!\n", "  zone: String!\n", 1)}
        detected = schema_policy.compare({name: present[name]}, renamed)
        assert ("BREAKING", True) in {(change.level, "timeZone" in change.message) for change in detected}


def test_the_comparison_is_skipped_with_a_message_without_its_npm_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node_packages, "are_installed", lambda _: False)
    assert schema_policy.main([]) == 0
    assert capsys.readouterr().out.startswith(
        "The comparison of the schemas was skipped: its npm packages are"
    )
