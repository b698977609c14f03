"""The console in a real Chromium when one of its files fails to load, or its key cannot be sent."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from playwright import async_api
from playwright.async_api import expect

from tests.browser import chromium, dialogs, pages
from tests.support import live_server
from tests.support.fixtures import World

pytestmark = [*chromium.marks, pages.built]

FAILED = {
    "zh-CN": "页面加载失败，请检查网络后重试。",
    "en-US": "This page could not be loaded. Check the network and try again.",
}
RETRY = {"zh-CN": "重 试", "en-US": "Try again"}
PAGE = "**/assets/OrdersPage-*.js"
DIALOG = "**/assets/OperationDialog-*.js"
DRAWER = "**/assets/InstanceDrawer-*.js"


@pytest.fixture
async def server(world: World, database_url: str, redis_url: str) -> AsyncIterator[live_server.LiveServer]:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00", product="kec")
    async with pages.served(database_url, redis_url) as served:
        yield served


class FailingFile:
    """A file of the page. The first `times` requests for it fail."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.request_count = 0

    async def __call__(self, route: async_api.Route) -> None:
        self.request_count += 1
        if self.request_count <= self.times:
            await route.fulfill(status=404)
        else:
            await route.continue_()


def find_failure(page: async_api.Page, locale: str) -> async_api.Locator:
    return page.get_by_role("alert").filter(has_text=FAILED[locale])


@pytest.mark.parametrize("locale", FAILED)
async def test_a_page_that_fails_to_load_shows_a_message_and_loads_after_a_click_on_retry(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    async with dialogs.opened(world, server, locale) as opened:
        page, file = opened.page, FailingFile(times=1_000)
        await page.evaluate("sessionStorage.setItem('renewals.pendingPayment.other', '{}')")
        await page.route(PAGE, file)
        await page.get_by_role("menuitem").nth(2).get_by_role("link").click()
        await expect(find_failure(page, locale)).to_be_visible()
        assert file.request_count == 2
        assert page.url.endswith("/console/orders")
        await pages.expect_accessible(page)
        await pages.expect_no_sideways_scroll(page)

        await page.get_by_role("menuitem").nth(0).get_by_role("link").click()
        await expect(opened.row("i-1")).to_be_visible()
        await page.get_by_role("menuitem").nth(2).get_by_role("link").click()
        await expect(find_failure(page, locale)).to_be_visible()
        assert file.request_count == 4
        file.times = 0
        await page.get_by_role("button", name=RETRY[locale]).click()
        await expect(page.locator("main .ant-card")).to_be_visible()
        await expect(find_failure(page, locale)).to_have_count(0)
        assert page.url.endswith("/console/orders")
        assert await page.evaluate("sessionStorage.getItem('renewals.pendingPayment.other')") == "{}"


async def test_a_file_that_fails_to_load_once_is_requested_again_without_a_message(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server) as opened:
        file = FailingFile(times=1)
        await opened.page.route(PAGE, file)
        await opened.page.get_by_role("menuitem").nth(2).get_by_role("link").click()
        await expect(opened.page.get_by_role("heading", level=1)).to_have_text("订单")
        await expect(find_failure(opened.page, "zh-CN")).to_have_count(0)
        assert file.request_count == 2


async def test_a_dialog_that_fails_to_load_keeps_the_selection_and_loads_at_the_next_click(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server) as opened:
        page, file = opened.page, FailingFile(times=2)
        await page.route(DIALOG, file)
        await opened.row("i-1").get_by_role("checkbox").check()
        await page.get_by_role("button", name="续费 i-1", exact=True).click()
        await expect(find_failure(page, "zh-CN")).to_be_visible()
        await find_failure(page, "zh-CN").get_by_role("button", name="关闭").click()
        await expect(find_failure(page, "zh-CN")).to_have_count(0)
        await expect(opened.row("i-1").get_by_role("checkbox")).to_be_checked()
        await opened.open_row("renew", "i-1")
        await opened.shows("2027-02-28")


async def test_the_next_dialog_loads_while_the_message_about_a_failed_dialog_is_shown(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server) as opened:
        page, file = opened.page, FailingFile(times=2)
        await page.route(DIALOG, file)
        await page.get_by_role("button", name="续费 i-1", exact=True).click()
        await expect(find_failure(page, "zh-CN")).to_be_visible()
        await opened.open_row("renew", "i-1")
        await opened.shows("2027-02-28")
        await expect(find_failure(page, "zh-CN")).to_have_count(0)
        await opened.close()
        await expect(page.get_by_role("button", name="续费 i-1", exact=True)).to_be_focused()


async def test_the_next_drawer_loads_while_the_message_about_a_failed_drawer_is_shown(
    world: World, server: live_server.LiveServer
) -> None:
    await world.instance("i-2", expires="2027-01-31", price="300.00", product="kec")
    async with dialogs.opened(world, server) as opened:
        page, file = opened.page, FailingFile(times=2)
        await page.route(DRAWER, file)
        await opened.row("i-1").get_by_role("link", name="i-1", exact=True).click()
        await expect(find_failure(page, "zh-CN")).to_be_visible()
        await opened.row("i-2").get_by_role("link", name="i-2", exact=True).click()
        await expect(page.locator(".ant-drawer")).to_contain_text("i-2", timeout=pages.WAIT_MS_MAX)
        await expect(find_failure(page, "zh-CN")).to_have_count(0)
        assert file.request_count == 3


@contextlib.asynccontextmanager
async def open_sign_in(server: live_server.LiveServer, stored: str | None) -> AsyncIterator[async_api.Page]:
    """Open the console in a browser tab with or without a stored key."""
    async with await chromium.new_context(locale="zh-CN") as context:
        page = await context.new_page()
        if stored is not None:
            await context.add_init_script(f"sessionStorage.setItem('renewals.token', '{stored}')")
        await page.goto(f"http://{server.address}/console/")
        yield page


async def test_the_sign_in_is_shown_for_a_stored_key_with_invalid_characters(
    server: live_server.LiveServer,
) -> None:
    async with open_sign_in(server, stored="密钥") as page:
        await expect(page.get_by_text("密钥无效或已过期，请检查后重新输入。")).to_be_visible()
        await expect(page.get_by_label("API 密钥")).to_be_visible()


@pytest.mark.parametrize("typed", ["密钥", "rk_1\u200b"])
async def test_a_typed_key_with_invalid_characters_is_refused_without_a_request(
    server: live_server.LiveServer, typed: str
) -> None:
    async with open_sign_in(server, stored=None) as page:
        requested_urls: list[str] = []
        page.on("request", lambda request: requested_urls.append(request.url))
        await page.get_by_label("API 密钥").fill(typed)
        requested_urls.clear()
        await page.get_by_role("button", name="登 录").click()
        await expect(page.get_by_text("密钥无效或已过期，请检查后重新输入。")).to_be_visible()
        assert [url for url in requested_urls if url.endswith("/graphql")] == []
        assert await page.evaluate("sessionStorage.length") == 0
