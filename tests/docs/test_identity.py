"""Every request of the page about keys and tokens has the response on the page. UPDATE_DOCS=1 writes them instead."""

import itertools
import json
import re
from pathlib import Path

from renewals.accounts import api_keys
from tests.docs import pages
from tests.docs.test_readme import BLOCK, pretty
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client
from tests.support.issuer import Issuer
from tests.support.operator_client import OPERATOR_URL

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"
PREFIX = "5f0c9d1e"
"""The prefix that the page shows in place of the key's."""


async def test_the_responses_match_the_page_about_identity(world: World, api: Client, issuer: Issuer) -> None:
    await world.account("cn-1001")
    keys = {"# As an operator.": await world.operator_key()}
    text = PAGE.read_text(encoding="utf-8")
    blocks_shown, responses, prefix = [], [], PREFIX
    for block, after in itertools.pairwise(BLOCK.finditer(text)):
        if '"iss"' in block[2]:
            claims = json.loads(block[2])
            keys["# With the token."] = issuer.sign(claims | {"iss": issuer.url})
        if block[1] != "graphql":
            continue
        who = block[2].splitlines()[0]
        api.key, api.url = keys[who], OPERATOR_URL if who == "# As an operator." else URL
        query = block[2].replace(PREFIX, prefix).replace("{ apiKey {", "{ secret apiKey {")
        response = (await api.post(query)).json()
        await api_keys.flush_last_used()
        if "secret" in query:
            keys["# With that key."] = secret = response["data"]["createApiKey"].pop("secret")
            prefix = secret.split("_")[1]
        responses.append(
            pretty(response if "errors" in response else response["data"]).replace(prefix, PREFIX)
        )
        blocks_shown.append(after)
    pages.check_output(PAGE, blocks_shown, responses)
    assert len(responses) == 4


def test_the_page_and_the_configuration_name_the_same_settings() -> None:
    pages = (PAGE, PAGE.with_name("configuration.md"))
    names_by_page = [
        set(re.findall(r"RENEWALS_JWT_[A-Z_]+", page.read_text(encoding="utf-8"))) for page in pages
    ]
    assert names_by_page[0] == names_by_page[1]
