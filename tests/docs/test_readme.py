"""Every query and command of the tutorial and of both READMEs has the response on its page.

A worker has started before the first step. The demo account is a test account, so that the responses are equal on any
day. UPDATE_DOCS=1 writes the responses into the pages instead.
"""

import asyncio
import datetime as dt
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew, runs
from renewals.demo import loader
from renewals.instances import lifecycle
from tests.docs import pages
from tests.support.fixtures import World
from tests.support.graphql_client import Client

ROOT = Path(__file__).parents[2]
README, README_ZH, TUTORIAL = "README.md", "README.zh-CN.md", "docs/tutorial.md"
STEPS = {README: 1, README_ZH: 3, TUTORIAL: 13}
"""The number of steps of each page. test_chinese_pages.py checks that README.zh-CN.md has those of README.md."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TODAY = dt.datetime(2026, 11, 29, 10, 0, tzinfo=loader.ZONE)
OTHER_DAYS = ["2027-01-15 10:00", "2028-02-29 00:35", "2031-07-01 12:00"]
"""The days on which readers follow the page: its own day, and later ones."""


class Step(NamedTuple):
    """A step to run, and the block with its response."""

    language: str
    text: str
    answer: re.Match[str]


def steps(text: str) -> Iterator[Step]:
    blocks = list(BLOCK.finditer(text))
    for run, shown in itertools.pairwise(blocks):
        if shown[1] in ("json", "text"):
            yield Step(run[1], run[2], shown)


class Reader:
    """A reader who has run `make run`, and executes the steps while the clock is fixed."""

    def __init__(self, graphql: Client, database_url: str, folder: Path, now: dt.datetime) -> None:
        self.graphql, self.folder, self.now = graphql, folder, now
        self.environment = os.environ | {"DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}

    async def start(self, world: World) -> None:
        """Load the demo account, and do the work of the worker at its start and in its first minute."""
        await world.load_demo()
        self.graphql.key = await world.key(loader.ACCOUNT_ID)
        self.graphql.at(self.now)
        await runs.start_catch_up_run(self.now)
        await renew.renew_pending_runs(lambda: self.now)
        await lifecycle.expire_and_release(self.now)
        await balance_alerts.check_changed_accounts(lambda: self.now)

    async def answers(self, text: str) -> list[str]:
        return [await self.run(step) for step in steps(text)]

    async def run(self, step: Step) -> str:
        """Return the output of a query or a command. A command runs in the repository, on the reader's day."""
        if step.language == "graphql":
            return pretty(await self.graphql(step.text))
        [command] = [line for line in step.text.splitlines() if line.startswith(".venv/bin/renewals")]
        words = command.split()[1:]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.support.clocked_cli", self.now.isoformat(), *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", STEPS)
async def test_the_responses_match_the_readme_and_the_tutorial(
    world: World, database_url: str, graphql: Client, tmp_path: Path, page: str
) -> None:
    text = read(page)
    reader = Reader(graphql, database_url, tmp_path, TODAY)
    await reader.start(world)
    answers = await reader.answers(text)
    pages.check_output(ROOT / page, [step.answer for step in steps(text)], answers)
    assert len(answers) == STEPS[page]


@pytest.mark.parametrize("day", OTHER_DAYS)
@pytest.mark.parametrize("page", [README_ZH, TUTORIAL])
async def test_the_responses_match_the_readme_and_the_tutorial_on_any_day(
    world: World, database_url: str, graphql: Client, tmp_path: Path, page: str, day: str
) -> None:
    text = read(page)
    reader = Reader(
        graphql, database_url, tmp_path, dt.datetime.fromisoformat(day).replace(tzinfo=loader.ZONE)
    )
    await reader.start(world)
    assert await reader.answers(text) == [step.answer[2] for step in steps(text)]


def pretty(value: object, indent: str = "") -> str:
    """Format JSON with an indentation of two spaces, and short values on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    text = flat if len(indent + flat) <= 100 else _open(value, indent)
    return text if indent else text + "\n"


def _open(value: object, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, dict):
        inside = [f"{json.dumps(name)}: {pretty(each, deeper)}" for name, each in value.items()]
    elif isinstance(value, list):
        inside = [pretty(each, deeper) for each in value]
    else:
        return json.dumps(value, ensure_ascii=False)
    brackets = "{}" if isinstance(value, dict) else "[]"
    return f"{brackets[0]}\n{deeper}" + f",\n{deeper}".join(inside) + f"\n{indent}{brackets[1]}"
