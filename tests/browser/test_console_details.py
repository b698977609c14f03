"""The console's messages about a lost response to a payment, refusals that change, and lists that are cut off."""

from collections.abc import AsyncIterator

import pytest
from playwright import async_api
from playwright.async_api import expect

from tests.browser import chromium, dialogs, pages
from tests.support import live_server
from tests.support.fixtures import World
from tests.support.waiting import eventually

pytestmark = [*chromium.marks, pages.built]


@pytest.fixture
async def server(database_url: str, redis_url: str) -> AsyncIterator[live_server.LiveServer]:
    async with pages.served(database_url, redis_url) as served:
        yield served


class LostResponses:
    """A route that loses payments or, with `are_sent`, only their responses, until a test sets `are_lost` to False."""

    def __init__(self, *, are_sent: bool) -> None:
        self.are_sent = are_sent
        self.are_lost = True
        self.refused: tuple[int, str] | None = None
        """The status and the code with which the next request is refused before it reaches the server."""

    async def __call__(self, route: async_api.Route) -> None:
        if "idempotencyKey" not in (route.request.post_data or ""):
            await route.continue_()
        elif self.are_lost:
            if self.are_sent:
                await route.fetch()
            await route.abort()
        elif self.refused:
            (status, code), self.refused = self.refused, None
            error = {"message": code, "extensions": {"code": code}}
            await route.fulfill(status=status, json={"errors": [error]})
        else:
            await route.continue_()


def find_hint(page: async_api.Page) -> async_api.Locator:
    """Return the alert that offers to check the result of a payment."""
    return page.locator("main .ant-alert", has_text="上一次支付的结果尚未确认")


async def lose_payment(opened: dialogs.DialogPage, *, are_sent: bool) -> LostResponses:
    """Renew `i-1`, lose the payment or its response, and return the route once the dialog requests the result."""
    responses = LostResponses(are_sent=are_sent)
    await opened.page.route("**/graphql", responses)
    await opened.open_row("renew", "i-1")
    await opened.press("pay")
    await opened.shows("正在确认支付结果…")
    return responses


@pytest.mark.parametrize(
    ("was_paid", "refused"),
    [(True, None), (False, None), (True, (429, "RATE_LIMITED"))],
    ids=["paid", "not paid", "paid, and the server is busy"],
)
async def test_the_list_offers_to_check_the_result_of_a_payment_without_a_response(
    world: World, server: live_server.LiveServer, was_paid: bool, refused: tuple[int, str] | None
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    async with dialogs.opened(world, server) as opened:
        page, responses = opened.page, LostResponses(are_sent=was_paid)
        hint = find_hint(page)
        await page.route("**/graphql", responses)
        await opened.open_row("renew", "i-1")
        await expect(opened.button("pay")).to_be_enabled(timeout=pages.WAIT_MS_MAX)
        await expect(hint).to_have_count(0)
        await opened.press("pay")
        await opened.shows("正在确认支付结果…")
        await expect(hint).to_have_count(0)
        await opened.close()
        await expect(hint).to_be_visible()
        await page.reload()
        await expect(hint).to_be_visible(timeout=pages.WAIT_MS_MAX)
        await pages.expect_accessible(page)
        await pages.expect_no_sideways_scroll(page)

        responses.are_lost, responses.refused = False, refused
        if not was_paid:
            await world.put("i-1", monthly_price_cents=31_000)
        await hint.get_by_role("button", name="确认支付结果").click()
        await opened.shows("续费：1 个实例，共 ¥300.00")
        await opened.press("check")
        if was_paid:
            await opened.shows("上一次支付已成功", "2027-02-28 23:59:59")
            await expect(opened.button("go on")).to_have_count(0)
        else:
            await opened.shows("上一次支付未成功", "价格已由 ¥300.00 变为 ¥310.00，本次未扣款")
        assert responses.refused is None
        await opened.press("done")
        await expect(opened.dialog).to_have_count(0)
        await expect(hint).to_have_count(0)
        assert await page.evaluate("Object.keys(sessionStorage)") == ["renewals.token"]
    assert await dialogs.count_orders(world) == ((1, 1) if was_paid else (0, 0))


async def test_the_result_of_a_payment_can_be_checked_after_a_new_sign_in(
    world: World, server: live_server.LiveServer
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    async with dialogs.opened(world, server) as opened:
        page, hint = opened.page, find_hint(opened.page)
        responses = await lose_payment(opened, are_sent=True)
        await page.reload()
        responses.are_lost, responses.refused = False, (401, "UNAUTHENTICATED")
        await hint.get_by_role("button", name="确认支付结果").click()
        await opened.press("check")
        await page.get_by_label("API 密钥").fill(await world.key())
        await page.get_by_role("button", name="登 录").click()
        await hint.get_by_role("button", name="确认支付结果").click()
        await opened.press("check")
        await opened.shows("上一次支付已成功", "2027-02-28 23:59:59")
    assert await dialogs.count_orders(world) == (1, 1)


async def test_a_customer_can_dismiss_an_unconfirmed_payment_and_open_another_renewal(
    world: World, server: live_server.LiveServer
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    async with dialogs.opened(world, server) as opened:
        page, hint = opened.page, find_hint(opened.page)
        await lose_payment(opened, are_sent=False)
        await opened.close()
        await hint.get_by_role("button", name="确认支付结果").click()
        await opened.press("do not check")
        await expect(opened.dialog).to_have_count(0)
        await expect(hint).to_have_count(0)
        await expect(page.locator("#content")).to_be_focused()
        await opened.open_row("renew", "i-1")
        await opened.shows("2027-02-28")
        assert await page.evaluate("Object.keys(sessionStorage)") == ["renewals.token"]
    assert await dialogs.count_orders(world) == (0, 0)


async def test_a_late_response_to_a_dismissed_payment_keeps_the_record_of_the_next_payment(
    world: World, server: live_server.LiveServer
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.instance("i-2", expires="2027-01-31", price="200.00")
    async with dialogs.opened(world, server) as opened:
        page = opened.page
        hint = find_hint(page)
        held_requests: list[async_api.Route] = []

        async def lose_the_first_and_hold_the_others(route: async_api.Route) -> None:
            if "idempotencyKey" not in (route.request.post_data or ""):
                await route.continue_()
                return
            held_requests.append(route)
            if len(held_requests) == 1:
                await route.abort()

        await page.route("**/graphql", lose_the_first_and_hold_the_others)
        await opened.open_row("renew", "i-1")
        await opened.press("pay")
        await eventually(lambda: _has_count(held_requests, 2))
        await opened.close()
        await expect(hint).to_be_visible()
        await hint.get_by_role("button", name="确认支付结果").click()
        await opened.press("do not check")
        await expect(opened.dialog).to_have_count(0)
        await opened.open_row("renew", "i-2")
        await opened.press("pay")
        await eventually(lambda: _has_count(held_requests, 3))
        await held_requests[1].continue_()
        await expect(opened.row("i-1")).to_contain_text("2027-02-28", timeout=pages.WAIT_MS_MAX)
        stored = await page.evaluate("sessionStorage.getItem('renewals.pendingPayment.a')")
        assert stored is not None and "i-2" in stored
        await expect(hint).to_have_count(0)
        await held_requests[2].continue_()
        await opened.shows("paid", "2027-02-28 23:59:59")
        assert await page.evaluate("Object.keys(sessionStorage)") == ["renewals.token"]
    assert await dialogs.count_orders(world) == (2, 2)


async def _has_count(held_requests: list[async_api.Route], count: int) -> bool:
    return len(held_requests) >= count


async def test_the_list_of_refusals_stays_expanded_when_the_reason_changes(
    world: World, server: live_server.LiveServer
) -> None:
    await pages.open_account(world, balance="9000.00")
    await world.instance("i-1", expires="2027-01-31", price="100.00")
    await world.instance("i-2", expires="2029-06-30", price="100.00")
    async with dialogs.opened(world, server) as opened:
        await opened.open_batch("renew", "i-1", "i-2")
        await opened.choose("1 year")
        await opened.shows("too long")
        await expect(opened.dialog.locator("ul.refusals")).to_contain_text("i-2")
        await world.put("i-2", is_trial=True)
        await opened.dialog.locator("label").filter(has_text="6 个月").click()
        await expect(opened.dialog.locator(".refusal-alert")).to_contain_text("试用")
        await expect(opened.dialog.locator("ul.refusals")).to_be_visible()


async def test_the_drawer_states_that_it_shows_only_the_latest_20_attempts(
    world: World, server: live_server.LiveServer
) -> None:
    await pages.open_account(world, balance="1.00")
    await world.instance("i-auto", expires="2027-01-31", price="300.00", mode="AUTO", product="kec")
    async with pages.opened(world, server, "?tab=AUTO") as page:
        await page.get_by_role("button", name="前进 1 个月", exact=True).click(timeout=pages.WAIT_MS_MAX)
        await expect(page.get_by_text("续费失败 24 次")).to_be_visible(timeout=60_000)
        await page.get_by_role("link", name="i-auto", exact=True).first.click()
        latest = page.get_by_text("仅显示最近 20 条记录")
        await expect(latest).to_be_visible(timeout=pages.WAIT_MS_MAX)
        attempts = page.locator(".ant-drawer ul", has=latest).locator("li")
        await expect(attempts).to_have_count(21)
