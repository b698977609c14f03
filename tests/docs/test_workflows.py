"""GitHub's workflows are valid, run only existing commands, and test the versions that docs/versions.md lists."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))


def steps(workflow: Any) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_pins_its_actions_and_runs_only_existing_commands(path: Path) -> None:
    workflow = load(path.name)
    assert workflow["permissions"] == {"contents": "read"}
    jobs = workflow["jobs"]
    for job in jobs.values():
        needs = job.get("needs", [])
        assert {needs} <= jobs.keys() if isinstance(needs, str) else set(needs) <= jobs.keys()
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+\.\d+)?", step["uses"])
            continue
        for target in re.findall(r"\bmake ([a-z-]+)", step["run"]):
            assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
        for module in re.findall(r"-m (scripts\.\w+)", step["run"]):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
        for name in re.findall(r"(?:^|\s)(\.ci/\w+|scripts/\w+\.py|requirements/\S+)", step["run"]):
            assert (ROOT / name).is_file(), name


def test_a_release_is_published_after_its_checks_only() -> None:
    jobs = load("release.yml")["jobs"]
    assert jobs["smoke"]["needs"] == "build"
    assert set(jobs["publish"]["needs"]) == {"smoke", "image"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}, "a password instead of trusted publishing"


@pytest.mark.parametrize("page", ["docs/versions.md", "docs/zh/versions.md"])
def test_the_page_of_versions_lists_the_versions_that_the_workflow_tests(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = load("ci.yml")["jobs"]["versions"]["strategy"]["matrix"]["include"]
    images = {"redis": "Redis", "valkey/valkey": "Valkey"}
    tested = {f"Python {row['python']}" for row in rows} | {f"PostgreSQL {row['postgres']}" for row in rows}
    tested |= {f"{images[name]} {version}" for name, version in (row["redis"].split(":") for row in rows)}
    listed = set(re.findall(r"^\| ((?:Python|PostgreSQL|Redis|Valkey) [\d.]+) \|", text, re.MULTILINE))
    assert listed == tested


def test_the_package_declares_only_python_versions_that_the_workflow_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = load("ci.yml")["jobs"]["versions"]["strategy"]["matrix"]["include"]
    tested = {row["python"] for row in rows}
    declared = {name.rpartition(" ")[2] for name in project["classifiers"] if "Python :: 3." in name}
    assert declared <= tested
    assert project["requires-python"] == f">={min(tested, key=lambda version: int(version[2:]))}"
