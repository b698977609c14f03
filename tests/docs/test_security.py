"""SECURITY.md names existing tests, and the lock files that it names contain hashes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| threat | defense | tested in | remaining risk |\n")[2]
ROWS = [[cell.strip() for cell in row.strip("|").split("|")] for row in TABLE.strip().splitlines()[1:]]
TEST = re.compile(r"^(?:async )?def test_", re.MULTILINE)


def test_every_test_file_that_the_page_names_contains_a_test() -> None:
    paths = set(re.findall(r"`(tests/[^`]+)`", PAGE))
    assert len(paths) > 20
    for path in sorted(paths):
        assert TEST.search((ROOT / path).read_text(encoding="utf-8")), path


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_threat_has_a_tested_mitigation_or_states_that_there_is_none(row: list[str]) -> None:
    _, mitigation, tested, remains = row
    assert "`tests/" in tested or (mitigation.startswith("nothing") and remains)


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_each_package_of_a_lock_has_a_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(packages) > 10
    for package in packages:
        assert "--hash=sha256:" in package, package.splitlines()[0]
