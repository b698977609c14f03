"""GraphiQL as a person meets it: in a real Chromium, with no network but the API itself."""

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright import async_api

from graphql_api import graphiql
from renewals import demo
from tests.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SCREENSHOT = os.environ.get("GRAPHIQL_SCREENSHOT")
"""Where a picture of the page goes, if one is wanted: docs/graphiql.png is made this way."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`"),
    pytest.mark.skipif(
        any(not (graphiql.FOLDER / asset.place).is_file() for asset in graphiql.assets()),
        reason="GraphiQL's files were not fetched: run `renewals graphiql-assets`",
    ),
]


@pytest.fixture
async def address(world: World, database_url: str) -> AsyncIterator[str]:
    """A served API with the demo account and its key filled in, as `renewals up` serves it."""
    await demo.load(dt.datetime.now(dt.UTC).date())
    key = await world.key(demo.ACCOUNT_ID)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "RENEWALS_PORT": str(port),
        "RENEWALS_GRAPHIQL": "true",
        "RENEWALS_GRAPHIQL_KEY": key,
        "RENEWALS_DATA_DIR": str(graphiql.FOLDER.parent.resolve()),
    }
    command = [sys.executable, "-m", "graphql_api", "serve"]
    server = subprocess.Popen(command, env=environment)  # noqa: ASYNC220 - returns at once
    try:
        await_health(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        server.terminate()
        server.wait(20)


def await_health(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except URLError:
            assert time.monotonic() < deadline, "the API did not start"
            time.sleep(0.05)
        else:
            return


async def test_the_example_runs_with_the_key_filled_in_and_nothing_else_is_asked(address: str) -> None:
    asked: list[str] = []
    errors: list[str] = []
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(address)
        async with page.expect_response(_is_the_example) as answered:
            await page.click("button.graphiql-execute-button")
        answer = await (await answered.value).json()
        await async_api.expect(page.locator(".result-window")).to_contain_text('"演示账户"')
        if SCREENSHOT:
            await page.wait_for_timeout(500)
            await page.screenshot(path=Path(SCREENSHOT))
        await browser.close()
    assert answer.keys() == {"data"}
    assert answer["data"]["instances"]["nodes"] and answer["data"]["quoteRenewal"]["total"] != "0.00"
    host = address.removesuffix("/graphql")
    assert errors == []
    assert [url for url in asked if not url.startswith((host, "data:", "blob:"))] == []


def _is_the_example(response: async_api.Response) -> bool:
    return "WhatExpiresFirst" in (response.request.post_data or "")
