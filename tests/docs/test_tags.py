"""Every query of docs/tags.md has the response on the page. UPDATE_DOCS=1 writes the responses instead."""

import re
from pathlib import Path

from tests.docs import pages
from tests.docs.test_readme import pretty
from tests.support.fixtures import World
from tests.support.graphql_client import Client

PAGE = Path(__file__).parents[2] / "docs" / "tags.md"
STEP = re.compile(r"^```graphql\n(.*?)^```\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_responses_match_the_page_about_tags(world: World, graphql: Client) -> None:
    await world.account("cn-1001", balance="500.00")
    graphql.key = await world.key("cn-1001")
    for number, expires in enumerate(("2027-01-15", "2027-01-31", "2027-02-05"), 1):
        tags = {"temporary": "yes"} if number == 1 else {}
        await world.instance(f"vm-{number}", account="cn-1001", expires=expires, mode="AUTO", tags=tags)
    steps = list(STEP.finditer(PAGE.read_text(encoding="utf-8")))
    responses = [pretty(await graphql(step[1])) for step in steps]
    pages.check_output(PAGE, steps, responses)
    assert len(responses) == 3
