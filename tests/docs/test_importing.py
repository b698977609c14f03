"""Every command of docs/importing.md, with the example files, has the output on the page. UPDATE_DOCS=1 writes it."""

import re
import shlex
from pathlib import Path

import pytest

from renewals.imports import grouping, row_types
from tests.docs import pages
from tests.support.cli import Renewals

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "importing.md"
BLOCK = re.compile(r"^```sh\n(renewals .*?)\n```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RATE = re.compile(r"[\d,]+ lines/s")


def test_every_command_prints_the_documented_output(
    renewals: Renewals, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    text = PAGE.read_text(encoding="utf-8")
    steps = list(BLOCK.finditer(text))
    answers = []
    for step in steps:
        command = shlex.split(step[1])
        done = renewals(*command[1:], DATABASE_URL=database_url)
        answers.append(RATE.sub("1,000 lines/s", f"{done.stderr}{done.stdout}"))
    pages.check_output(PAGE, steps, answers)
    assert len(answers) == 6


def test_the_table_of_columns_matches_the_import_formats() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| **accounts**")[2].partition("\n\n")[0]
    shown: dict[str, list[str]] = {"accounts": []}
    for line in table.splitlines()[1:]:
        cell = line.split("|")[1].strip()
        if cell.startswith("**"):
            shown[cell.strip("*")] = []
        elif cell != "`configuration.GPU`":
            shown[list(shown)[-1]].append(cell)
    assert shown == {
        command: [
            f"`{name}`" + ("\\*" if name in import_format.required_columns else "")
            for name in import_format.column_names
        ]
        for command, import_format in row_types.BY_COMMAND.items()
    }


def test_the_page_states_the_limits_of_bundles_and_batches() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"All lines of a bundle must be within {grouping.GROUP_LINES_MAX:,} lines" in text
    assert f"each batch of about {grouping.BATCH_LINES:,} lines in one transaction" in text
