"""The layers of the packages: imports of a higher layer are refused, and so are imports hidden from static analysis."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PACKAGES = ("graphql_api", "renewals", "schema", "workers")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the packages and the contracts, so that an import can be planted."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(folder: Path, module: str, line: str) -> None:
    with (folder / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def contracts_broken(folder: Path) -> list[str]:
    command = [str(BIN / "lint-imports"), "--no-cache"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    broken = re.findall(r"^(.+) BROKEN$", process.stdout, re.MULTILINE)
    assert process.returncode == (1 if broken else 0), process.stdout + process.stderr
    return broken


def test_the_unchanged_packages_keep_the_import_contracts(copy: Path) -> None:
    assert contracts_broken(copy) == []


def test_an_upward_import_is_refused(copy: Path) -> None:
    plant(copy, "renewals/accounts/ledger.py", "from renewals.orders import place_order as place_order")
    assert "Features of renewals depend downwards only" in contracts_broken(copy)


def test_an_import_of_the_api_by_the_schema_is_refused(copy: Path) -> None:
    plant(copy, "schema/loaders.py", "from graphql_api import responses as responses")
    assert "Nothing imports the API" in contracts_broken(copy)


@pytest.mark.parametrize(
    "line",
    [
        'import importlib\n\nplace_order = importlib.import_module("renewals.orders.place_order")',
        'from importlib import import_module\n\nplace_order = import_module("renewals.orders.place_order")',
    ],
)
def test_a_hidden_circular_import_is_refused(copy: Path, line: str) -> None:
    plant(copy, "renewals/accounts/ledger.py", line)
    command = [str(BIN / "ruff"), "check", "--no-cache", "--select", "TID251", "renewals"]
    process = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "TID251" in process.stdout and "a circle could hide behind it" in process.stdout


def test_no_module_is_imported_by_name() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert files
    for path in files:
        assert not re.search(r"\b(import_module|__import__)\(", path.read_text(encoding="utf-8")), path


def test_every_package_is_in_a_layer_and_states_its_purpose() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    floors = {
        container: {name for layer in contract["layers"] for name in layer.split(" | ")}
        for contract in contracts["contracts"]
        for container in contract.get("containers", ())
    }
    for container, names in floors.items():
        for folder in (path for path in (ROOT / container).iterdir() if (path / "__init__.py").exists()):
            assert folder.name in names
            text = (folder / "__init__.py").read_text(encoding="utf-8")
            docstring = ast.get_docstring(ast.parse(text)) or ""
            assert re.fullmatch(r"[A-Z`].*\.", docstring.partition("\n")[0]), folder
