"""GraphiQL in a real Chromium, with no network access except to the API."""

import os
import urllib.parse
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright import async_api

from graphql_api.graphql import graphiql
from renewals.db import connection as database
from renewals.demo import loader
from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.instances import policy, selection
from tests.browser import chromium
from tests.support import live_server
from tests.support.fixtures import World

SCREENSHOT = os.environ.get("GRAPHIQL_SCREENSHOT")
"""The path at which the test saves a screenshot, if the variable is set."""

pytestmark = [
    *chromium.marks,
    pytest.mark.skipif(
        any(not (graphiql.FOLDER / asset.place).is_file() for asset in graphiql.assets()),
        reason="GraphiQL's files were not fetched: run `renewals graphiql-assets`",
    ),
]


@pytest.fixture
async def address(world: World, database_url: str, redis_url: str) -> AsyncIterator[str]:
    """The address of an API with the demo account, with its key prefilled as by `renewals up`."""
    await loader.load()
    variables = {
        "REDIS_URL": redis_url,
        "RENEWALS_GRAPHIQL": "true",
        "RENEWALS_INTROSPECTION": "true",
        "RENEWALS_GRAPHIQL_KEY": await world.key(loader.ACCOUNT_ID),
    }
    async with live_server.served(database_url, **variables) as server:
        yield server.url


async def test_the_example_runs_with_the_prefilled_key_and_requests_no_other_host(address: str) -> None:
    urls: list[str] = []
    errors: list[str] = []
    async with await chromium.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = await context.new_page()
        page.on("request", lambda request: urls.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(address)
        async with page.expect_response(_is_the_example) as response_info:
            await _execute(page, "WhatExpiresFirst")
        result = await (await response_info.value).json()
        await async_api.expect(page.locator(".result-window")).to_contain_text('"演示账户"')
        if SCREENSHOT:
            await page.wait_for_timeout(500)
            await page.screenshot(path=Path(SCREENSHOT))
    assert "errors" not in result
    assert result["data"]["instances"]["nodes"] and result["data"]["quoteRenewal"]["total"] != "0.00"
    host = address.removesuffix("/graphql")
    assert errors == []
    assert [url for url in urls if not url.startswith((host, "data:", "blob:"))] == []


@pytest.mark.parametrize("name", ["query", "q"])
async def test_the_address_sets_the_query_the_variables_and_the_operation(address: str, name: str) -> None:
    query = "query First { account { id } } query Second($n: Int!) { instances(first: $n) { totalCount } }"
    parameters = {name: query, "variables": '{"n": 1}', "operationName": "Second"}
    async with await chromium.new_context() as context:
        page = await context.new_page()
        await page.goto(f"{address}?{urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)}")
        result = page.locator(".result-window")
        await page.click("button.graphiql-execute-button")
        await async_api.expect(result).to_contain_text('"totalCount"')
        await async_api.expect(page.locator(".graphiql-query-editor")).to_contain_text("query Second")

        await page.locator(".graphiql-query-editor .CodeMirror").click()
        await page.keyboard.press("Control+End")
        # Inserted in one step: between two fast keystrokes, GraphiQL can restore an older text.
        await page.keyboard.insert_text(" # edited")
        await page.wait_for_url("**edited**")
        search = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)
        assert search == {"query": [f"{query} # edited"], "variables": ['{"n": 1}']}
        await _execute(page, "First")
        await async_api.expect(result).to_contain_text('"id": "demo"')


async def test_a_stored_key_of_an_earlier_start_is_replaced(address: str) -> None:
    async with await chromium.new_context() as context:
        page = await context.new_page()
        await page.goto(address)
        async with page.expect_response(_is_the_example):
            await _execute(page, "WhatExpiresFirst")
        await page.wait_for_timeout(1_000)  # GraphiQL stores its tabs after a delay
        stored_keys = await page.evaluate("Object.keys(localStorage)")
        await page.evaluate(
            """for (const key of Object.keys(localStorage))
                localStorage[key] = localStorage[key].replaceAll(/rk_[A-Za-z0-9_-]+/g, "rk_00000000_old")"""
        )
        await page.reload()
        async with page.expect_response(_is_the_example) as response_info:
            await _execute(page, "WhatExpiresFirst")
        assert (await (await response_info.value).json()).get("data"), stored_keys


async def test_the_root_path_redirects_to_graphiql(address: str) -> None:
    async with await chromium.new_context() as context:
        page = await context.new_page()
        await page.goto(address.removesuffix("graphql"))
        assert page.url == address
        await async_api.expect(page.locator("button.graphiql-execute-button")).to_be_visible()


async def test_a_subscription_shows_new_events(address: str) -> None:
    instance_id = await database.fetch(
        database.pool(),
        "SELECT id FROM instances WHERE renewal_mode = 'MANUAL' AND bundle_id IS NULL LIMIT 1",
    )
    pick = selection.ById((instance_id[0]["id"],))
    await policy.set_policy(
        loader.ACCOUNT_ID, policy.PolicyRequest(pick, model.RenewalMode.NONE), clocks.utc_now
    )
    query = urllib.parse.quote("subscription { events(after: 0) { sequence type instanceId } }")
    async with await chromium.new_context() as context:
        page = await context.new_page()
        await page.goto(f"{address}?query={query}")
        await page.click("button.graphiql-execute-button")
        result = page.locator(".result-window")
        await async_api.expect(result).to_contain_text("policy.changed")
        await policy.set_policy(
            loader.ACCOUNT_ID, policy.PolicyRequest(pick, model.RenewalMode.MANUAL), clocks.utc_now
        )
        await async_api.expect(result).to_contain_text('"sequence": 2', timeout=10_000)


async def _execute(page: async_api.Page, operation: str) -> None:
    """Choose an operation in the menu of the button. The menu exists once the editor has parsed its text."""
    await page.click("button.graphiql-execute-button[aria-haspopup=menu]")
    await page.get_by_role("menuitem", name=operation, exact=True).click()


def _is_the_example(response: async_api.Response) -> bool:
    return "WhatExpiresFirst" in (response.request.post_data or "")
