"""The page about the provider's side, run as it stands.

UPDATE_README=1 writes the answers into the page instead.
"""

import os
from pathlib import Path

from tests.operator.client import Operator
from tests.test_readme import pretty, steps
from tests.world import World

PAGE = Path(__file__).parents[2] / "docs" / "operator.md"


async def test_every_example_answers_what_it_shows(world: World, operator: Operator) -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = list(steps(text))
    answers = [pretty(await operator(step.text)) for step in found]
    if os.environ.get("UPDATE_README"):
        for step, answer in reversed(list(zip(found, answers, strict=True))):
            text = text[: step.answer.start(2)] + answer + text[step.answer.end(2) :]
        PAGE.write_text(text, encoding="utf-8")
    else:
        assert [step.answer[2] for step in found] == answers
    assert len(answers) == 9
