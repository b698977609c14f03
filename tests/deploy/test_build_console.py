"""The console's sources: the changes after which they are rebuilt, and their own checks and tests."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import build_console

HAS_TOOLS = (build_console.MODULES / "vitest").is_dir()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources that is marked as built."""
    folder = tmp_path / "console"
    ignored = shutil.ignore_patterns("node_modules", "generated")
    shutil.copytree(build_console.SOURCES, folder, ignore=ignored)
    (tmp_path / "schema.graphql").write_text("type Query { a: Int }")
    monkeypatch.setattr(build_console, "ROOT", tmp_path)
    monkeypatch.setattr(build_console, "SOURCES", folder)
    monkeypatch.setattr(build_console, "STAMP", tmp_path / "sources.sha256")
    build_console.STAMP.write_text(build_console.hash_sources())
    return folder


def test_unchanged_sources_are_not_built_again(sources: Path) -> None:
    (sources / "node_modules/react").mkdir(parents=True)
    (sources / "node_modules/react/index.js").write_text("")
    (sources / "src/api/generated").mkdir()
    (sources / "src/api/generated/graphql.ts").write_text("")
    assert build_console.build(is_tidy=False) is False


@pytest.mark.parametrize("change", ["src/new.ts", "package-lock.json", "../schema.graphql"])
def test_a_changed_source_file_lock_or_schema_requires_a_new_build(sources: Path, change: str) -> None:
    assert build_console.is_built()
    (sources / change).write_text("changed")
    assert not build_console.is_built()


def test_the_error_of_a_failed_build_contains_the_output_of_npm(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / "package.json").write_text("{")
    build_console.STAMP.write_text("")
    monkeypatch.setattr(build_console, "MODULES", sources / "node_modules")
    with pytest.raises(build_console.BuildError, match=r"npm ci failed:\n(?s:.*)package\.json"):
        build_console.build(is_tidy=True)


def test_the_lock_names_no_registry_and_matches_package_json() -> None:
    package = json.loads((build_console.SOURCES / "package.json").read_text("utf-8"))
    text = (build_console.SOURCES / "package-lock.json").read_text("utf-8")
    lock = json.loads(text)["packages"]
    assert '"resolved"' not in text
    for kind in ("dependencies", "devDependencies"):
        assert lock[""][kind] == package[kind]
    named = {name for entry in lock.values() for name in entry.get("optionalDependencies", {})}
    locked = {path.rpartition("node_modules/")[2] for path in lock}
    assert named <= locked  # npm ci refuses a lock that lacks an optional package


@pytest.mark.skipif(not HAS_TOOLS, reason="the console's npm packages are missing: run npm ci in console/")
@pytest.mark.parametrize("script", ["check", "test"])
def test_the_sources_pass_their_own_checks_and_tests(script: str) -> None:
    with build_console.found_node() as node:
        command = build_console.npm_command(node)
        done = subprocess.run(
            [*command, "run", script],
            cwd=build_console.SOURCES,
            env=build_console.npm_environment(node),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
