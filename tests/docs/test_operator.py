"""Execute the examples of `docs/operator.md`.

With UPDATE_DOCS=1 the responses are written into the page instead.
"""

from pathlib import Path

from renewals.domain import planning
from renewals.instances import selection
from renewals.orders import place_order, requests
from tests.docs import pages
from tests.docs.test_readme import pretty, steps
from tests.support.fixtures import NOW, World
from tests.support.operator_client import Operator

ORDER_ID = "019b0f3e-6e2f-7a51-8d0c-3f2f5f0a9c11"
"""The placeholder on the page for the id of the order."""
PAGE = Path(__file__).parents[2] / "docs" / "operator.md"


async def test_the_responses_match_the_page_about_the_operator_api(world: World, operator: Operator) -> None:
    text = PAGE.read_text(encoding="utf-8")
    examples = list(steps(text))
    answers = [await run(step.text, operator) for step in examples]
    pages.check_output(PAGE, [step.answer for step in examples], answers)
    assert len(answers) == 10


async def run(query: str, operator: Operator) -> str:
    """Execute a query of the page as the operator. Before a refund, place the order that it names."""
    if ORDER_ID not in query:
        return pretty(await operator(query))
    request = requests.OrderRequest(
        selection.ById(("gpu-1", "gpu-2")), planning.RenewFor(1), idempotency_key="k"
    )
    outcome = await place_order.place_order("cn-1001", request, lambda: NOW)
    return pretty(await operator(query.replace(ORDER_ID, str(outcome.order_id))))
