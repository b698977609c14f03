"""The console's pages in a real Chromium: time machine, drawer, orders, ledger."""

import datetime as dt
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from graphql_api.rest import console
from tests.browser import chromium, pages
from tests.support import live_server
from tests.support.fixtures import World

pytestmark = [
    pytest.mark.browser,
    chromium.needed,
    pytest.mark.skipif(
        not (console.FOLDER / "index.html").is_file(),
        reason="the console is not built: run python -m scripts.build_console",
    ),
]

CLOCK = {
    "zh-CN": ("前进 1 个月", "续费成功 1 次", "查看实例", "续费成功"),
    "en-US": ("+1 month", "1 renewed", "Open instance", "renewed"),
}


@pytest.fixture
async def server(database_url: str, redis_url: str) -> AsyncIterator[live_server.LiveServer]:
    async with pages.served(database_url, redis_url) as served:
        yield served


@pytest.fixture
async def account(world: World) -> None:
    """An account with an automatic renewal to come, and one by hand."""
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-auto", expires="2027-01-31", price="300.00", mode="AUTO")
    await world.instance("i-manual", expires="2027-03-31", price="20.00")


@pytest.mark.parametrize("locale", CLOCK)
async def test_the_clock_is_moved_and_the_table_follows(
    world: World, account: None, server: live_server.LiveServer, locale: str
) -> None:
    month, renewed, *_ = CLOCK[locale]
    async with pages.opened(world, server, "?tab=AUTO", locale=locale) as page:
        await expect(pages.row(page, "i-auto")).to_contain_text(
            "2027-01-31 23:59:59", timeout=pages.WAIT_MS_MAX
        )
        before = await page.get_by_test_id("test-clock").inner_text()
        await page.get_by_role("button", name=month, exact=True).click()
        await expect(page.get_by_role("status").filter(has_text=renewed)).to_be_visible(timeout=60_000)
        await expect(pages.row(page, "i-auto")).to_contain_text("2027-02-28 23:59:59")
        after = await page.get_by_test_id("test-clock").inner_text()
        assert dt.datetime.fromisoformat(after).month == dt.datetime.fromisoformat(before).month % 12 + 1
        await page.locator(".clock-bar button[aria-expanded]").click()
        await expect(page.locator(".event-list li").filter(has_text="i-auto").first).to_be_visible()


async def test_a_viewer_sees_the_clock_and_cannot_move_it(
    world: World, account: None, server: live_server.LiveServer
) -> None:
    async with pages.opened(world, server, role="VIEWER") as page:
        await expect(page.get_by_test_id("test-clock")).to_be_visible(timeout=pages.WAIT_MS_MAX)
        await expect(page.locator(".clock-bar button")).to_have_count(0)


@pytest.mark.parametrize("locale", CLOCK)
async def test_the_drawer_is_in_the_address_and_shows_the_outlook(
    world: World, account: None, server: live_server.LiveServer, locale: str
) -> None:
    async with pages.opened(world, server, "?tab=AUTO", locale=locale) as page:
        await page.get_by_role("link", name="i-auto", exact=True).click(timeout=pages.WAIT_MS_MAX)
        drawer = page.get_by_role("dialog")
        await expect(drawer).to_contain_text("2027-01-31 00:30:00", timeout=pages.WAIT_MS_MAX)
        await expect(drawer).to_contain_text("¥300.00")
        assert "instance=i-auto" in page.url
        await page.keyboard.press("Escape")
        await page.wait_for_url(re.compile(r"tab=AUTO$"))


@pytest.mark.parametrize("locale", CLOCK)
async def test_orders_and_the_ledger_show_what_was_paid(
    world: World, account: None, server: live_server.LiveServer, locale: str
) -> None:
    async with pages.opened(world, server, "orders", locale=locale) as page:
        await page.get_by_role("button", name=CLOCK[locale][0], exact=True).click(timeout=pages.WAIT_MS_MAX)
        await expect(pages.row(page, "¥300.00")).to_be_visible(timeout=60_000)
        await page.locator(".ant-table-row-expand-icon").click()
        await expect(page.get_by_role("link", name="i-auto", exact=True)).to_be_visible(
            timeout=pages.WAIT_MS_MAX
        )
        await page.get_by_role("menuitem").nth(2).get_by_role("link").click()
        await expect(pages.row(page, "-¥300.00")).to_contain_text("¥700.00", timeout=pages.WAIT_MS_MAX)
        await pages.row(page, "-¥300.00").get_by_role("link").click()
        await page.wait_for_url("**/orders?order=*")
        await expect(page.get_by_role("link", name="i-auto", exact=True)).to_be_visible(
            timeout=pages.WAIT_MS_MAX
        )
