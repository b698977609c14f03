"""The files for GitHub and for pre-commit are valid, and refer only to existing files and targets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FORMS = [path for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"]
FIELD_TYPES = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
MANIFESTS = {
    "pip": ("pyproject.toml", "run.txt"),
    "npm": ("package.json",),
    "github-actions": ("",),
    "docker": ("Dockerfile",),
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_valid(path: Path) -> None:
    form = load(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in form["body"]} <= FIELD_TYPES
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_dependabot_checks_existing_manifests_and_every_package_json() -> None:
    config = load(ROOT / ".github/dependabot.yml")
    assert config["version"] == 2
    for update in config["updates"]:
        for directory in update.get("directories") or [update["directory"]]:
            folder = ROOT / directory.lstrip("/")
            assert any((folder / name).exists() for name in MANIFESTS[update["package-ecosystem"]]), update
    covered = {update.get("directory") for update in config["updates"]}
    assert {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("*/package.json")} <= covered


def test_the_pre_commit_hooks_are_commands_of_make_check() -> None:
    checks = re.findall(r"^\t\$\(BIN\)/(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    hooks = load(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    entries = [hook["entry"].removeprefix(".venv/bin/") for hook in hooks]
    assert [entry for entry in entries if entry not in checks and f"{entry} ." not in checks] == []
    assert len({hook["id"] for hook in hooks}) == len(hooks) > 5
