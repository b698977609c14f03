"""Payments in the console during double clicks, changes of prices, lost responses and killed servers."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright import async_api
from playwright.async_api import expect

from renewals.db import connection as database
from tests.browser import chromium, dialogs, pages
from tests.support import integrity, live_server
from tests.support.fixtures import World
from tests.support.waiting import eventually

pytestmark = [*chromium.marks, pages.built]


@pytest.fixture
async def account(world: World) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00", product="kec")


@pytest.fixture
async def server(account: None, database_url: str, redis_url: str) -> AsyncIterator[live_server.LiveServer]:
    async with pages.served(database_url, redis_url) as served:
        yield served


def is_payment(request: async_api.Request) -> bool:
    return "idempotencyKey" in (request.post_data or "")


async def test_a_double_click_pays_once(world: World, server: live_server.LiveServer) -> None:
    async with dialogs.opened(world, server) as page:
        sent: list[async_api.Request] = []
        page.page.on("request", lambda request: sent.append(request) if is_payment(request) else None)
        await page.open_row("renew", "i-1")
        await page.shows("2027-02-28")
        await expect(page.button("pay")).to_be_enabled(timeout=pages.WAIT_MS_MAX)
        await page.button("pay").evaluate("button => { button.click(); button.click(); button.click(); }")
        await page.shows("paid")
    assert len(sent) == 1
    assert await dialogs.count_orders(world) == (1, 1)


async def test_instances_are_renewed_by_keyboard_alone_on_a_narrow_screen(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server, viewport={"width": 390, "height": 800}) as page:
        keyboard = page.page.keyboard
        await page.tab_to(page.row("i-1").get_by_role("checkbox"))
        await keyboard.press("Space")
        batch = page.page.locator("section").get_by_role("button", name=page.name("renew"))
        await page.tab_to(batch, key="Shift+Tab")
        await keyboard.press("Enter")
        await page.shows("2027-02-28")
        box = await page.dialog.locator(".ant-modal-container").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
        await page.close()
        await expect(batch).to_be_focused()

        await keyboard.press("Enter")
        await page.shows("2027-02-28")
        await page.tab_to(page.dialog.get_by_role("radio", name="1 个月"))
        await keyboard.press("ArrowRight")
        await page.shows("2027-03-31")
        await expect(page.button("pay")).to_be_enabled(timeout=pages.WAIT_MS_MAX)
        await page.tab_to(page.button("pay"))
        await keyboard.press("Enter")
        await page.shows("paid")
        await keyboard.press("Enter")
        await expect(page.dialog).to_have_count(0)
        await expect(page.page.locator("#content")).to_be_focused()  # nothing is selected anymore
        row_button = page.page.get_by_role("button", name="续费 i-1", exact=True)
        await page.tab_to(row_button)
        await keyboard.press("Enter")
        await page.press("pay")
        await page.shows("paid")
        await keyboard.press("Enter")
        await expect(row_button).to_be_focused()
    assert await world.expiry("i-1") == "2027-04-30"


async def test_a_changed_price_is_shown_before_the_customer_pays_it(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server) as page:
        await page.open_row("renew", "i-1")
        await page.shows("¥300.00")
        await world.put("i-1", monthly_price_cents=31_000)
        await page.press("pay")
        await page.shows("价格已由 ¥300.00 变为 ¥310.00，本次未扣款")
        await expect(page.dialog.locator(".total")).to_have_text("¥310.00")
        assert await dialogs.count_orders(world) == (0, 0)
        await page.press("pay")
        await page.shows("paid")
    assert await world.balance() == "690.00"


async def test_a_payment_is_refused_with_its_shortfall_if_the_money_was_spent_meanwhile(
    world: World, server: live_server.LiveServer
) -> None:
    await world.instance("i-2", expires="2027-01-31", price="800.00", product="kec")
    async with dialogs.opened(world, server) as page, dialogs.opened(world, server) as second_page:
        await page.page.route("**/graphql", without_events)
        await page.page.reload()
        await page.open_row("renew", "i-1")
        await page.shows("¥700.00")
        await second_page.open_row("renew", "i-2")
        await second_page.press("pay")
        await second_page.shows("paid")
        await page.press("pay")
        await page.shows("余额不足，本次未扣款：需要 ¥300.00，可用 ¥200.00", "请至少充值 ¥100.00")
        await expect(page.button("pay")).to_be_disabled()
    assert await world.expiry("i-1") == "2027-01-31"


async def test_a_payment_without_a_response_is_sent_again_with_the_same_key(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server) as page:
        keys: list[str] = []

        async def lose_the_first(route: async_api.Route) -> None:
            if is_payment(route.request):
                keys.append(key_of(route.request))
                if len(keys) == 1:
                    await route.fetch()
                    await route.abort()
                    return
            await route.continue_()

        await page.page.route("**/graphql", lose_the_first)
        await page.open_row("renew", "i-1")
        await page.press("pay")
        await page.shows("正在确认支付结果…")
        await page.shows("paid", "2027-02-28 23:59:59")
    assert len(keys) == 2 and len(set(keys)) == 1
    assert await dialogs.count_orders(world) == (1, 1)


@pytest.mark.parametrize("moment", ["before the charge", "after the charge"])
async def test_a_payment_creates_one_order_if_the_server_is_killed_and_restarted(
    world: World, database_url: str, redis_url: str, account: None, moment: str
) -> None:
    async with pages.served(database_url, redis_url) as first, dialogs.opened(world, first) as page:

        async def kill_before_the_response(route: async_api.Route) -> None:
            if is_payment(route.request) and first.process.is_alive:
                if moment == "after the charge":
                    await route.fetch()
                await first.process.kill()
                await route.abort()
            else:
                await route.continue_()

        if moment == "after the charge":
            await page.page.route("**/graphql", kill_before_the_response)
            await page.open_row("renew", "i-1")
            await page.press("pay")
        else:
            await page.open_row("renew", "i-1")
            await page.shows("2027-02-28")
            await kill_while_the_payment_waits_for_the_account(page, first)
        await page.shows("正在确认支付结果…")
        orders = 1 if moment == "after the charge" else 0
        assert (await dialogs.count_orders(world))[0] == orders
        async with pages.served(database_url, redis_url, port=first.port):
            await page.shows("paid", "2027-02-28 23:59:59", "¥700.00")
    assert await dialogs.count_orders(world) == (1, 1)
    assert await world.balance() == "700.00"
    await integrity.assert_holds()


async def test_a_test_clock_moves_once_if_the_server_is_killed_and_restarted(
    world: World, database_url: str, redis_url: str, account: None
) -> None:
    await world.instance("i-auto", expires="2027-01-31", price="300.00", mode="AUTO")
    async with pages.served(database_url, redis_url) as first, dialogs.opened(world, first) as page:
        bar = page.page.locator(".clock-bar")
        await page.page.get_by_role("button", name="前进 1 个月", exact=True).click()
        has_moved = "SELECT FROM test_clock_moves WHERE reached_at > from_at"
        await eventually(lambda: database.fetch(database.pool(), has_moved))
        await first.process.kill()
        await expect(bar).to_contain_text("恢复后将继续前进", timeout=pages.WAIT_MS_MAX)
        await expect(page.row("i-1")).to_be_visible()
        await expect(bar.get_by_role("button", name="前进 1 天", exact=True)).to_be_disabled()
        async with pages.served(database_url, redis_url, port=first.port):
            await expect(bar).to_contain_text("续费成功 1 次", timeout=60_000)
            await expect(bar).to_contain_text("2027-02-10 12:00:00")
    assert await world.count("test_clock_moves") == 1
    assert await dialogs.count_orders(world) == (1, 1)
    await integrity.assert_holds()


async def test_a_dialog_checks_an_unconfirmed_payment_before_it_allows_another_payment(
    world: World, server: live_server.LiveServer
) -> None:
    async with dialogs.opened(world, server) as page:
        is_offline = True

        async def lose(route: async_api.Route) -> None:
            if is_payment(route.request) and is_offline:
                await route.fetch()
                await route.abort()
            else:
                await route.continue_()

        await page.page.route("**/graphql", lose)
        await page.open_row("renew", "i-1")
        await page.press("pay")
        await page.shows("正在确认支付结果…")
        await page.page.reload()
        is_offline = False
        await page.open_batch("unify", "i-1")
        await page.shows("上一次支付的结果尚未确认", "续费：1 个实例，共 ¥300.00")
        assert await world.balance() == "700.00"
        await page.press("check")
        await page.shows("上一次支付已成功", "2027-02-28 23:59:59")
        await page.press("go on")
        await page.shows("2027-04-01")
        await page.close()
        assert await page.page.evaluate("Object.keys(sessionStorage)") == ["renewals.token"]
    assert await dialogs.count_orders(world) == (1, 1)


async def without_events(route: async_api.Route) -> None:
    """Block the stream of events, so that the page receives no changes."""
    if '"after":' not in (route.request.post_data or ""):
        await route.continue_()


def key_of(request: async_api.Request) -> str:
    """Return the idempotency key of a payment."""
    body = json.loads(request.post_data or "{}")
    return str(body["variables"]["input"]["idempotencyKey"])


async def kill_while_the_payment_waits_for_the_account(
    page: dialogs.DialogPage, server: live_server.LiveServer
) -> None:
    """Press the button, and kill the server while its transaction waits for the lock on the account's row."""
    waiting = """SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    async with database.transaction() as connection:
        await database.execute(connection, "SELECT FROM accounts WHERE id = 'a' FOR UPDATE")
        await page.press("pay")
        await eventually(lambda: database.fetch(database.pool(), waiting))
        await server.process.kill()
