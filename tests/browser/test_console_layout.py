"""The widths of the console in a real Chromium: no part of a table is hidden, however long the names are."""

from collections.abc import AsyncIterator

import pytest
from playwright import async_api
from playwright.async_api import expect

from tests.browser import chromium, dialogs, pages
from tests.support import live_server
from tests.support.fixtures import World

pytestmark = [*chromium.marks, pages.built]

LAPTOP: async_api.ViewportSize = {"width": 1280, "height": 800}
SMALL: async_api.ViewportSize = {"width": 1024, "height": 768}
LOCALES = ["zh-CN", "en-US"]
LONG_NAMED = "4c7e9d1c-7f2d-5e81-964a-a9473b8cb0fd"
UNBREAKABLE = "x" * 128

# The cells that are cut off at the right edge of their table, or hidden below the column of the operations.
_FIND_HIDDEN = """() => [...document.querySelectorAll(".ant-table-content")].flatMap((frame) => {
  const right = (element) => element.getBoundingClientRect().right;
  const end = frame.querySelector(":scope > table > thead .ant-table-cell-fix-end");
  const limit = end ? end.getBoundingClientRect().left : right(frame);
  const cells = [...frame.querySelectorAll(":scope > table > thead th, :scope > table > tbody > .ant-table-row > td")];
  const shown = cells.filter((cell) => !cell.matches(".ant-table-cell-fix-end"));
  return shown.filter((cell) => right(cell) > limit + 1).map((cell) => cell.textContent);
})"""

_FIND_OVERFLOWING = """() => [...document.querySelectorAll("tbody .ant-table-row > td")].flatMap((cell) =>
  [...cell.querySelectorAll("*")].filter((part) =>
    part.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1)
  .map((part) => part.textContent.slice(0, 40)))"""


@pytest.fixture
async def server(world: World, database_url: str, redis_url: str) -> AsyncIterator[live_server.LiveServer]:
    await pages.open_account(world, balance="100000.00")
    tags = {"k" * 64: "v" * 128, "env": "prod"}
    await world.instance(LONG_NAMED, expires="2027-01-31", product="ebs", name=UNBREAKABLE, tags=tags)
    await world.instances(["b-1", "b-2"], expires="2027-01-05", price="8000.00", bundle="b", product="kes")
    async with pages.served(database_url, redis_url) as served:
        yield served


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("viewport", [LAPTOP, SMALL], ids=["1280", "1024"])
async def test_no_column_of_the_list_is_hidden(
    world: World, server: live_server.LiveServer, locale: str, viewport: async_api.ViewportSize
) -> None:
    async with dialogs.opened(world, server, locale, viewport=viewport) as opened:
        page = opened.page
        await expect(page.locator("main thead th.ant-table-cell")).to_have_count(
            8 if viewport is LAPTOP else 7
        )
        assert await page.evaluate(_FIND_HIDDEN) == []
        assert await page.evaluate(_FIND_OVERFLOWING) == []


async def test_a_long_tag_is_truncated_in_the_list_and_complete_in_the_tooltip_and_the_drawer(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server, viewport=LAPTOP) as opened:
        tag = opened.page.locator("tbody .ant-tag", has_text="kkkk")
        whole = f"{'k' * 64}={'v' * 128}"
        await expect(tag).to_have_attribute("title", whole)
        assert await tag.evaluate("tag => tag.scrollWidth > tag.clientWidth")
        await opened.page.locator("tbody .instance-id").filter(has_text="4c7e9d1c").click()
        tag = opened.page.get_by_role("dialog").locator(".ant-tag", has_text="kkkk")
        await expect(tag).to_have_text(whole, timeout=pages.WAIT_MS_MAX)
        assert await tag.evaluate("tag => tag.scrollWidth <= tag.clientWidth")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("viewport", [LAPTOP, SMALL], ids=["1280", "1024"])
async def test_an_expanded_order_shows_the_prices_of_its_lines(
    world: World, server: live_server.LiveServer, locale: str, viewport: async_api.ViewportSize
) -> None:
    async with dialogs.opened(world, server, locale, viewport=viewport) as opened:
        page = opened.page
        await opened.open_row("renew bundle", "b-1")
        await opened.press("pay")
        await opened.shows("paid")
        await opened.press("done")
        await page.get_by_role("menuitem").nth(2).get_by_role("link").click()
        await page.locator(".ant-table-row-expand-icon").click(timeout=pages.WAIT_MS_MAX)
        price = page.locator(".ant-table-expanded-row tbody tr.ant-table-row td").nth(4)
        await expect(price).to_have_text("¥8,000.00", timeout=pages.WAIT_MS_MAX)
        box, frame = await price.bounding_box(), await page.locator(".ant-card").bounding_box()
        assert box is not None and frame is not None
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
        if viewport is LAPTOP:
            assert await page.evaluate(_FIND_HIDDEN) == []


async def test_a_long_name_hides_no_column_of_the_history(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server, viewport=LAPTOP) as opened:
        page = opened.page
        await opened.open_row("renew", LONG_NAMED)
        await opened.press("pay")
        await opened.shows("paid")
        await opened.press("done")
        await page.get_by_role("menuitem").nth(4).get_by_role("link").click()
        await page.locator("tbody tr.ant-table-row").first.wait_for(timeout=pages.WAIT_MS_MAX)
        await expect(page.locator("main tbody")).to_contain_text(UNBREAKABLE)
        assert await page.evaluate(_FIND_HIDDEN) == []
        assert await page.evaluate(_FIND_OVERFLOWING) == []


async def test_the_header_of_a_column_has_an_outline_when_it_has_the_focus(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server, viewport=LAPTOP) as opened:
        head = opened.page.get_by_role("columnheader", name="实例ID")
        await opened.tab_to(head)
        style = await head.evaluate(
            "head => [getComputedStyle(head).outlineStyle, getComputedStyle(head).outlineWidth]"
        )
        assert style == ["solid", "3px"]
