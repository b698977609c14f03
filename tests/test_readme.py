"""The README's walk-through, run as it stands: every query, every command, every answer.

UPDATE_README=1 writes the answers into the README instead.
"""

import asyncio
import datetime as dt
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from renewals import demo
from tests.client import Client
from tests.world import World

README = Path(__file__).parent.parent / "README.md"
PICTURE = README.parent / "docs" / "forecast.png"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOADED_ON = dt.date(2027, 1, 15)
TEN_IN_THE_MORNING = dt.datetime(2027, 1, 15, 10, 0, tzinfo=demo.ZONE)


class Step(NamedTuple):
    """Something to run, and the block that shows its answer."""

    language: str
    text: str
    answer: re.Match[str]


def steps(text: str) -> Iterator[Step]:
    blocks = list(BLOCK.finditer(text))
    for run, shown in itertools.pairwise(blocks):
        if shown[1] in ("json", "text"):
            yield Step(run[1], run[2], shown)


async def test_the_walk_through_answers_what_it_shows(
    world: World, database_url: str, graphql: Client, tmp_path: Path
) -> None:
    text = README.read_text(encoding="utf-8")
    await demo.load(LOADED_ON)
    graphql.key = await world.key(demo.ACCOUNT_ID)
    graphql.at(TEN_IN_THE_MORNING)
    answers = [await run(step, graphql, database_url, tmp_path) for step in steps(text)]
    shown = [step.answer[2] for step in steps(text)]
    if os.environ.get("UPDATE_README"):
        for step, answer in reversed(list(zip(steps(text), answers, strict=True))):
            text = text[: step.answer.start(2)] + answer + text[step.answer.end(2) :]
        README.write_text(text, encoding="utf-8")
        shutil.copy(tmp_path / PICTURE.name, PICTURE)
    else:
        assert shown == answers
    assert len(answers) == 10
    assert (tmp_path / PICTURE.name).read_bytes()[:8] == PICTURE.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


async def run(step: Step, graphql: Client, database_url: str, folder: Path) -> str:
    """What a query or a command answers; a command runs in the folder."""
    if step.language == "graphql":
        return pretty(await graphql(step.text))
    [command] = [line for line in step.text.splitlines() if line.startswith(".venv/bin/renewals")]
    words = [sys.executable, "-m", "graphql_api", *command.split()[1:]]
    environment = os.environ | {"DATABASE_URL": database_url}
    done = await asyncio.to_thread(
        subprocess.run, words, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def pretty(value: object, indent: str = "") -> str:
    """JSON of two spaces, with what fits kept on one line."""
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
