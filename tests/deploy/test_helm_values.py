"""The values of deploy/helm: each is described, and a misspelled or impossible one is refused with a sentence."""

import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import environments
from tests.deploy import helm_chart as charts
from tests.deploy.helm_values import EVERYTHING, LITTLE, SECRETS

SCHEMA = charts.CHART / "values.schema.json"
TEXT = (charts.CHART / "values.yaml").read_text(encoding="utf-8")
VALUES: dict[str, Any] = yaml.safe_load(TEXT)
README = (charts.CHART / "README.md").read_text(encoding="utf-8")
GLOBAL = "global"
"""The value that Helm passes to every chart that is part of another chart."""


def read_schema() -> dict[str, Any]:
    return dict(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_chart_has_the_version_of_the_program() -> None:
    chart = yaml.safe_load((charts.CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["version"] == chart["appVersion"] == environments.VERSION


def test_the_schema_of_the_values_has_every_configurable_setting() -> None:
    """With UPDATE_DOCS=1, write the settings into the schema instead."""
    schema = read_schema()
    if os.environ.get("UPDATE_DOCS"):
        schema["$defs"]["settings"] = charts.settings_schema()
        SCHEMA.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    assert schema["$defs"]["settings"] == charts.settings_schema()


def test_the_schema_of_the_values_has_each_value_and_allows_no_others() -> None:
    schema = read_schema()

    def check(part: dict[str, Any], values: dict[str, Any]) -> None:
        assert part["additionalProperties"] is False
        assert part["properties"].keys() - {GLOBAL} == values.keys()
        for name, value in values.items():
            inner = part["properties"][name]
            if "properties" in inner and value:
                check(inner, value)

    check(schema, VALUES)
    references = set(re.findall(r"#/\$defs/(\w+)", json.dumps(schema)))
    assert references == schema["$defs"].keys()


def test_each_value_has_a_comment_a_test_value_and_an_entry_in_the_readme() -> None:
    blocks = TEXT.split("\n\n")
    assert [block for block in blocks if not block.startswith("# ")] == []
    assert [name for name in VALUES if f"`{name}`" not in README] == []
    assert EVERYTHING.keys() == VALUES.keys()
    for name, value in VALUES.items():
        if isinstance(value, dict) and value and name != "settings":
            assert EVERYTHING[name].keys() == value.keys(), name


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"setings": {}}, "additional properties 'setings' not allowed"),
        ({"api": {"replica": 2}}, "at '/api': additional properties 'replica' not allowed"),
        ({"settings": {"RENEWALS_METRIC": True}}, "additional properties 'RENEWALS_METRIC' not allowed"),
        ({"worker": {"settings": {"RENEWALS_PORT": 1}}}, "additional properties 'RENEWALS_PORT' not allowed"),
        ({"settings": {"DATABASE_URL": "x"}}, "additional properties 'DATABASE_URL' not allowed"),
        ({"settings": {"RENEWALS_WORKERS": 0}}, "at '/settings/RENEWALS_WORKERS': minimum: got 0, want 1"),
        ({"settings": {"RENEWALS_METRICS": "yes"}}, "got string, want boolean"),
        ({"settings": {"RENEWALS_LOG_FORMAT": "xml"}}, "value must be one of 'json', 'text'"),
        ({"api": {"replicas": "two"}}, "at '/api/replicas': got string, want integer"),
        (
            {"image": {"pullPolicy": "Sometimes"}},
            "value must be one of '', 'Always', 'IfNotPresent', 'Never'",
        ),
        ({"secret": {"values": {"PASSWORD": "x"}}}, "additional properties 'PASSWORD' not allowed"),
        (
            {"secret": {"values": SECRETS}},
            'secret.values is not used while secret.existingName is "renewals-secrets": set that to ""',
        ),
        (
            {"secret": {"existingName": "", "values": {"DATABASE_URL": "postgres://x"}}},
            "secret.values.REDIS_URL is missing: set it, or name an existing Secret in secret.existingName",
        ),
        (
            {"api": {"autoscaling": {"minReplicas": 5}}},
            "api.autoscaling.minReplicas must be at most api.autoscaling.maxReplicas, which is 4",
        ),
        (
            {"ingress": {"enabled": True}},
            "ingress.hosts is empty: name at least one host, or set ingress.enabled to false",
        ),
        (
            {"serviceMonitor": {"enabled": True}, "settings": {"RENEWALS_METRICS": False}},
            "serviceMonitor.enabled needs settings.RENEWALS_METRICS: true, without which the APIs serve no metrics",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_a_message(
    helm: ProcessPoolExecutor, values: dict[str, Any], sentence: str
) -> None:
    rendered = helm.submit(charts.render, values, "renewals").result(timeout=60)
    assert rendered.texts == {}
    assert rendered.error.strip().endswith(sentence)


@pytest.mark.parametrize("values", [{}, EVERYTHING, LITTLE], ids=["defaults", "everything", "little"])
def test_the_notes_have_numbered_steps_and_name_only_existing_objects_and_commands(
    helm: ProcessPoolExecutor, values: dict[str, Any]
) -> None:
    notes = charts.texts(helm, values)["NOTES.txt"]
    objects = charts.documents(helm, values)
    names = {name for _, name in objects}
    for kind, name in re.findall(r"\b(deployment|service)/([\w-]+)", notes):
        assert (kind.capitalize(), name) in objects
    for name in re.findall(r"http://([\w-]+)/", notes):
        assert name in names
    for command in re.findall(r"-- renewals ([\w-]+)|`renewals (\w+)`", notes):
        assert environments.accepts_command([next(filter(None, command))])
    steps = [int(number) for number in re.findall(r"^(\d)\. ", notes, re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) == (5 if values is EVERYTHING else 4)
    assert ("create secret generic renewals-secrets" in notes) == (values is not EVERYTHING)
    assert all(secret not in notes for secret in SECRETS.values())
    assert max(map(len, notes.splitlines())) < 120


def test_the_package_has_the_files_of_the_chart(helm: ProcessPoolExecutor, tmp_path: Path) -> None:
    names = set(helm.submit(charts.package, str(tmp_path)).result(timeout=60))
    assert {"README.md", "templates/api.yaml", "templates/NOTES.txt"} <= names
    templates = {f"templates/{path.name}" for path in (charts.CHART / "templates").iterdir()}
    assert {name for name in names if name.startswith("templates/")} == templates


def test_the_values_of_the_readme_render(helm: ProcessPoolExecutor) -> None:
    [example] = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    values = yaml.safe_load(example)
    objects = charts.documents(helm, values)
    [rule] = objects["Ingress", "renewals-api"]["spec"]["rules"]
    assert [rule["host"]] == values["ingress"]["hosts"]
    assert "/console" in [path["path"] for path in rule["http"]["paths"]]
