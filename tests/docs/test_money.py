"""Every query of docs/money.md has the response on the page. UPDATE_DOCS=1 writes the responses instead."""

import re
from pathlib import Path

from tests.docs import pages
from tests.docs.test_readme import pretty
from tests.support import integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

PAGE = Path(__file__).parents[2] / "docs" / "money.md"
STEP = re.compile(r"^```graphql( operator)?\n(.*?)^```\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_responses_match_the_page_about_money(
    world: World, operator: Operator, graphql: Client
) -> None:
    await world.account("cn-1001", balance="100.00")
    graphql.key = await world.key("cn-1001")
    await world.instance("vm-1", account="cn-1001", expires="2027-01-12", mode="AUTO", price="300.00")
    await world.instance("vm-2", account="cn-1001", expires="2027-01-31", price="320.00")
    text = PAGE.read_text(encoding="utf-8")
    steps = list(STEP.finditer(text))
    responses = [pretty(await (operator if step[1] else graphql)(step[2])) for step in steps]
    pages.check_output(PAGE, steps, responses)
    assert len(responses) == 6
    await integrity.assert_holds()
