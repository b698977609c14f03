"""The console's pages in a real Chromium: time machine, drawer, lists, forecast, exports, settings."""

import datetime as dt
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.browser import chromium, pages
from tests.support import live_server
from tests.support.fixtures import World

pytestmark = [*chromium.marks, pages.built]

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
    """An account with one instance that renews automatically, and one that its owner renews."""
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-auto", expires="2027-01-31", price="300.00", mode="AUTO")
    await world.instance("i-manual", expires="2027-03-31", price="20.00")


@pytest.mark.parametrize("locale", ["zh-CN"])
async def test_moving_the_test_clock_renews_an_instance_and_updates_the_table(
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
        await pages.expect_accessible(page)


async def test_a_viewer_sees_the_clock_and_cannot_move_it(
    world: World, account: None, server: live_server.LiveServer
) -> None:
    async with pages.opened(world, server, role="VIEWER") as page:
        await expect(page.get_by_test_id("test-clock")).to_be_visible(timeout=pages.WAIT_MS_MAX)
        await expect(page.locator(".clock-bar button")).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh-CN"])
async def test_an_open_drawer_is_in_the_address_and_shows_the_outlook_of_its_instance(
    world: World, account: None, server: live_server.LiveServer, locale: str
) -> None:
    async with pages.opened(world, server, "?tab=AUTO", locale=locale) as page:
        await page.get_by_role("link", name="i-auto", exact=True).click(timeout=pages.WAIT_MS_MAX)
        drawer = page.get_by_role("dialog")
        await expect(drawer).to_contain_text("2027-01-31 00:30:00", timeout=pages.WAIT_MS_MAX)
        await expect(drawer).to_contain_text("¥300.00")
        assert "instance=i-auto" in page.url
        await pages.expect_accessible(page)
        await page.keyboard.press("Escape")
        await page.wait_for_url(re.compile(r"tab=AUTO$"))
        await expect(page.get_by_role("link", name="i-auto", exact=True)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(drawer).to_contain_text("¥300.00", timeout=pages.WAIT_MS_MAX)
        await pages.expect_no_sideways_scroll(page)


@pytest.mark.parametrize("locale", ["en-US"])
async def test_orders_and_the_ledger_show_an_automatic_renewal_with_its_price(
    world: World, account: None, server: live_server.LiveServer, locale: str
) -> None:
    async with pages.opened(world, server, "orders", locale=locale) as page:
        await page.get_by_role("button", name=CLOCK[locale][0], exact=True).click(timeout=pages.WAIT_MS_MAX)
        await expect(pages.row(page, "¥300.00")).to_be_visible(timeout=60_000)
        await page.locator(".ant-table-row-expand-icon").click()
        await expect(page.get_by_role("link", name="i-auto", exact=True)).to_be_visible(
            timeout=pages.WAIT_MS_MAX
        )
        await pages.expect_accessible(page)
        await page.get_by_role("menuitem").nth(3).get_by_role("link").click()
        await expect(pages.row(page, "-¥300.00")).to_contain_text("¥700.00", timeout=pages.WAIT_MS_MAX)
        await pages.expect_accessible(page)
        await pages.row(page, "-¥300.00").get_by_role("link").click()
        await page.wait_for_url("**/orders?order=*")
        await expect(page.get_by_role("link", name="i-auto", exact=True)).to_be_visible(
            timeout=pages.WAIT_MS_MAX
        )


PAGES = ("", "forecast", "orders", "ledger", "history", "exports", "calendar", "webhooks")


@pytest.mark.parametrize("locale", CLOCK)
async def test_every_page_is_accessible_and_has_its_title(
    world: World, account: None, server: live_server.LiveServer, locale: str
) -> None:
    async with pages.opened(world, server, locale=locale) as page:
        for number, path in enumerate(PAGES):
            link = page.get_by_role("menuitem").nth(number).get_by_role("link")
            name = await link.inner_text()
            await link.click()
            await expect(page.get_by_role("heading", level=1)).to_have_text(name, timeout=pages.WAIT_MS_MAX)
            await expect(page).to_have_title(re.compile(f"^{name} - "))
            assert page.url.partition("/console/")[2] == path
            await expect(page.locator(".ant-spin-spinning, .ant-skeleton-active")).to_have_count(0)
            if locale == "zh-CN":  # this check does not depend on the language
                await pages.expect_accessible(page)
            await pages.expect_no_sideways_scroll(page)


async def test_the_forecast_is_a_chart_and_a_table_by_day_or_by_product(
    world: World, account: None, server: live_server.LiveServer
) -> None:
    async with pages.opened(world, server, "forecast") as page:
        await expect(pages.row(page, "2027-01-31")).to_contain_text("¥300.00", timeout=pages.WAIT_MS_MAX)
        await expect(page.locator(".forecast-chart canvas")).to_be_visible(timeout=pages.WAIT_MS_MAX)
        await page.get_by_text("按产品", exact=True).click()
        await page.wait_for_url("**by=PRODUCT")
        await expect(page.locator("tbody tr.ant-table-row")).to_have_count(1, timeout=pages.WAIT_MS_MAX)
        await expect(page.locator("tbody tr.ant-table-row")).to_contain_text("¥300.00")


async def test_the_history_shows_the_actor_and_the_time_of_a_renewal(
    world: World, account: None, server: live_server.LiveServer
) -> None:
    async with pages.opened(world, server, "history?of=i-auto") as page:
        await page.get_by_role("button", name="前进 1 个月", exact=True).click(timeout=pages.WAIT_MS_MAX)
        row = page.locator("tbody tr.ant-table-row", has=page.get_by_text("续费成功", exact=True))
        await expect(row).to_contain_text("系统", timeout=60_000)
        await expect(row).to_contain_text("2027-01-31 00:30:00")
        await row.get_by_role("link").first.click()
        await expect(page.get_by_role("dialog")).to_contain_text("i-auto")


async def test_lists_are_downloaded_as_csv(
    world: World, account: None, server: live_server.LiveServer
) -> None:
    async with pages.opened(world, server, "exports") as page:
        for table, part in (("实例", "i-auto"), ("收支明细", "1000.00")):
            await page.locator(".ant-segmented").get_by_text(table, exact=True).click()
            async with page.expect_download() as downloading:
                await page.get_by_role("button", name=re.compile(r"^下\s?载$")).click()
            download = await downloading.value
            assert download.suggested_filename.endswith(".csv")
            assert part in (await download.path()).read_text("utf-8-sig")
            await expect(page.get_by_role("status")).to_contain_text(download.suggested_filename)


async def test_the_address_of_the_calendar_is_shown_only_until_a_reload(
    world: World, account: None, server: live_server.LiveServer
) -> None:
    async with pages.opened(world, server, "calendar") as page:
        await page.get_by_role("button", name="生成订阅地址").click(timeout=pages.WAIT_MS_MAX)
        await page.get_by_role("tooltip").get_by_role("button", name="生成订阅地址").click()
        address = page.get_by_role("status").locator("code")
        await expect(address).to_contain_text("/calendar.ics?token=", timeout=pages.WAIT_MS_MAX)
        answer = await page.request.get(await address.inner_text())
        assert "BEGIN:VCALENDAR" in await answer.text()
        await page.reload()
        await expect(page.get_by_role("button", name="生成订阅地址")).to_be_visible(timeout=pages.WAIT_MS_MAX)
        await expect(address).to_have_count(0)


async def test_a_viewer_sees_the_webhooks_and_the_calendar_without_controls_to_change_them(
    world: World, account: None, server: live_server.LiveServer
) -> None:
    async with pages.opened(world, server, "webhooks", role="VIEWER") as page:
        await expect(page.get_by_text("尚未添加接收地址")).to_be_visible(timeout=pages.WAIT_MS_MAX)
        await expect(page.get_by_role("button", name="添加地址")).to_have_count(0)
        await page.get_by_role("menuitem").nth(6).get_by_role("link").click()
        await expect(page.get_by_text("当前账户只有查看权限")).to_be_visible(timeout=pages.WAIT_MS_MAX)
