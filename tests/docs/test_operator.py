"""The page about the provider's side, run as it stands.

UPDATE_README=1 writes the answers into the page instead.
"""

import os
from pathlib import Path

from renewals.domain import planning
from renewals.instances import selection
from renewals.orders import place_order, requests
from tests.docs.test_readme import pretty, steps
from tests.support.fixtures import NOW, World
from tests.support.operator_client import Operator

ORDER_ID = "019b0f3e-6e2f-7a51-8d0c-3f2f5f0a9c11"
"""Stands on the page for that of the order."""
PAGE = Path(__file__).parents[2] / "docs" / "operator.md"


async def test_every_example_answers_what_it_shows(world: World, operator: Operator) -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = list(steps(text))
    answers = [await run(step.text, operator) for step in found]
    if os.environ.get("UPDATE_README"):
        for step, answer in reversed(list(zip(found, answers, strict=True))):
            text = text[: step.answer.start(2)] + answer + text[step.answer.end(2) :]
        PAGE.write_text(text, encoding="utf-8")
    else:
        assert [step.answer[2] for step in found] == answers
    assert len(answers) == 10


async def run(query: str, operator: Operator) -> str:
    """What the operator is answered; before there is a refund, the customer has bought."""
    if ORDER_ID not in query:
        return pretty(await operator(query))
    request = requests.OrderRequest(
        selection.ById(("gpu-1", "gpu-2")), planning.RenewFor(1), idempotency_key="k"
    )
    placed = await place_order.place_order("cn-1001", request, lambda: NOW)
    return pretty(await operator(query.replace(ORDER_ID, str(placed.order_id))))
