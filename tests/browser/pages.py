"""The console's pages on a test account: the server, the page in a browser, and the checks of axe."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright import async_api

from graphql_api.rest import console
from tests.browser import chromium
from tests.support import fixtures, live_server
from tests.support.fixtures import World
from tests.support.waiting import free_port

WAIT_MS_MAX = 20_000
VIEWPORT: async_api.ViewportSize = {"width": 1280, "height": 1000}
NARROW_PX = 390
"""The width of a telephone's screen, at which each page must be usable."""
AXE = Path(__file__).parents[2] / "console/node_modules/axe-core/axe.min.js"
"""The accessibility checker axe, one of the console's development packages."""
built = pytest.mark.skipif(
    not (console.FOLDER / "index.html").is_file(),
    reason="the console is not built: run python -m scripts.build_console",
)
_FIND_VIOLATIONS = """async () => {
  const moving = document.getAnimations().filter((animation) => animation.effect.getTiming().iterations < Infinity);
  await Promise.allSettled(moving.map(({ finished }) => finished));
  const { violations } = await axe.run(document, {
    resultTypes: ["violations"], preload: false, elementRef: false,
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}"""

_MEASURE_WIDTH = """async (narrow) => {
  const width = () => document.scrollingElement.scrollWidth;
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
  const end = performance.now() + 5000;
  while (width() > narrow && performance.now() < end) await new Promise(requestAnimationFrame);
  return width();
}"""


@contextlib.asynccontextmanager
async def served(
    database_url: str, redis_url: str, *, port: int | None = None, **settings: str
) -> AsyncIterator[live_server.LiveServer]:
    """Serve the console, and execute only the documents of its build. Use a free port if none is given."""
    variables = {
        "REDIS_URL": redis_url,
        "RENEWALS_CONSOLE": "true",
        "RENEWALS_TRUSTED_DOCUMENTS_ONLY": "true",
    }
    async with live_server.served_at(port or free_port(), database_url, **variables, **settings) as server:
        yield server


@contextlib.asynccontextmanager
async def opened(
    world: World,
    server: live_server.LiveServer,
    path: str = "",
    *,
    locale: str = "zh-CN",
    role: str = "RENEWER",
    reduced_motion: chromium.Motion = "reduce",
) -> AsyncIterator[async_api.Page]:
    """Open a page of account `a`. The test fails if a script causes an error, or if the page uses another origin."""
    key = await world.key(role=role)
    origin = f"http://{server.address}"
    problems: list[str] = []
    async with await chromium.new_context(
        locale=locale, viewport=VIEWPORT, reduced_motion=reduced_motion
    ) as context:
        await context.add_init_script(f"sessionStorage.setItem('renewals.token', '{key}')")
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: problems.extend(_foreign(request.url, origin)))
        await page.goto(f"{origin}/console/{path}")
        # `expect` and locators by role use much processor time for each check while the page loads.
        await page.locator("h1").wait_for(timeout=WAIT_MS_MAX)
        yield page
    assert problems == []


def _foreign(url: str, origin: str) -> list[str]:
    return [] if url.startswith((origin, "data:", "blob:")) else [url]


async def expect_accessible(page: async_api.Page) -> None:
    """Fail with the violations that axe finds on the page in its present state."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run npm ci in console/")
    # The page's policy refuses an added script element, but not code that the browser's protocol evaluates.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = await page.evaluate(_FIND_VIOLATIONS)
    assert not found, "\n".join(found)


async def expect_no_sideways_scroll(page: async_api.Page) -> None:
    """Fail if the page is wider than a telephone's screen. Restore the width of the window afterwards."""
    viewport = page.viewport_size
    assert viewport is not None
    await page.set_viewport_size({"width": NARROW_PX, "height": viewport["height"]})
    # The page reads its width in the first frame, and is laid out in a later one.
    width = await page.evaluate(_MEASURE_WIDTH, NARROW_PX)
    await page.set_viewport_size(viewport)
    assert width <= NARROW_PX, f"{page.url}: {width} px"


async def open_account(world: World, *, balance: str) -> None:
    """Open account `a` as a test account whose clock is at NOW."""
    await world.account(balance=balance, test_clock=fixtures.NOW)


def row(page: async_api.Page, text: str) -> async_api.Locator:
    """Return the row of a table that contains a text."""
    return page.locator("tbody tr.ant-table-row", has_text=text)
