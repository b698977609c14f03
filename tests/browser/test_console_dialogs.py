"""The console's dialogs in a real Chromium, in both languages: renewal mode, renewal, unify, refusals, bundles."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.browser import chromium, dialogs, pages
from tests.support import live_server
from tests.support.fixtures import World

pytestmark = [*chromium.marks, pages.built]

both_languages = pytest.mark.parametrize("locale", dialogs.TEXTS)
# Each kind of dialog is tested in both languages, and its other functions only in one, because a test takes seconds.
in_chinese = pytest.mark.parametrize("locale", ["zh-CN"])
in_english = pytest.mark.parametrize("locale", ["en-US"])


@pytest.fixture
async def server(database_url: str, redis_url: str) -> AsyncIterator[live_server.LiveServer]:
    async with pages.served(database_url, redis_url) as served:
        yield served


@both_languages
async def test_the_mode_auto_is_set_after_a_preview_of_changes_and_refusals(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", price="300.00")
    await world.instance("i-3", expires="2027-01-05", product="kec")
    async with dialogs.opened(world, server, locale) as page:
        await page.open_batch("set auto", "i-1", "i-2", "i-3")
        await page.shows("will change 2", "auto", "2027-01-31 00:30:00", "¥300.00")
        await page.shows("1 cannot be set", "expired", "i-3")
        await pages.expect_accessible(page.page)
        assert (await world.read("i-1")).renewal_mode == "MANUAL"
        await page.press("confirm")
        await page.shows("set")
        await pages.expect_accessible(page.page)
        await page.press("done")
        await expect(page.row("i-1")).to_have_count(0)
        await expect(page.row("i-3")).to_be_visible()
    assert [(await world.read(i)).renewal_mode for i in ("i-1", "i-2", "i-3")] == ["AUTO", "AUTO", "MANUAL"]


@both_languages
async def test_one_instance_is_renewed_for_a_year_with_discount_and_vouchers(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="3000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.voucher("100.00", expires="2027-06-30")
    await world.voucher("50.00", expires="2027-03-31")
    async with dialogs.opened(world, server, locale) as page:
        await page.open_row("renew", "i-1")
        await page.shows("2027-02-28", "discount")
        await page.choose("1 year")
        await page.shows("2028-01-31", "¥3,600.00", "-¥612.00", "¥2,988.00", "from vouchers", "¥150.00")
        vouchers = await page.dialog.locator("ol.voucher-payments li").all_inner_texts()
        assert [text.split(" ")[0] for text in vouchers] == ["¥50.00", "¥100.00"]
        await page.shows("¥2,838.00", "balance after", "¥162.00")
        await pages.expect_no_sideways_scroll(page.page)
        await page.press("pay")
        await page.shows("paid", "2028-01-31 23:59:59", "¥162.00")
        await pages.expect_accessible(page.page)
        [(order_id,)] = await world.rows("SELECT id::text FROM orders")
        await page.shows(order_id)
        await page.press("done")
        await expect(page.row("i-1")).to_contain_text("2028-01-31 23:59:59")
    assert await world.balance() == "162.00"


@in_chinese
async def test_several_instances_are_renewed_in_one_order(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instances(["i-1", "i-2", "i-3"], expires="2027-01-31", price="100.00")
    async with dialogs.opened(world, server, locale, reduced_motion="no-preference") as page:
        await page.open_batch("renew", "i-1", "i-3")
        await page.shows("¥200.00")
        await page.press("pay")
        await page.shows("paid", "i-1", "i-3", "2027-02-28 23:59:59")
        await page.press("done")
        await expect(page.page.locator("tr.ant-table-row-selected")).to_have_count(0)
    assert await dialogs.count_orders(world) == (1, 2)
    assert await world.expiry("i-2") == "2027-01-31"


@in_english
async def test_the_renewal_of_a_member_renews_the_whole_bundle(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instances(["b-1-kec", "b-1-kes"], expires="2027-01-31", price="100.00", bundle="b-1")
    await world.instance("i-1", expires="2027-01-31")
    async with dialogs.opened(world, server, locale) as page:
        await expect(page.row("b-1-kec").get_by_role("checkbox")).to_be_disabled()
        await page.open_row("renew bundle", "b-1-kec")
        await page.shows("bundle", "b-1-kec", "b-1-kes", "¥200.00")
        await pages.expect_accessible(page.page)
        await page.press("pay")
        await page.shows("paid")
    assert await dialogs.count_orders(world) == (1, 2)
    assert {await world.expiry(i) for i in ("b-1-kec", "b-1-kes")} == {"2027-02-28"}
    assert await world.expiry("i-1") == "2027-01-31"


@in_chinese
async def test_expiries_are_unified_to_a_date(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="100.00")
    await world.instance("i-2", expires="2027-02-10", price="100.00")
    async with dialogs.opened(world, server, locale) as page:
        more = page.page.get_by_role("button", name=f"{page.texts['more']} i-1", exact=True)
        await more.press("Enter")
        await page.page.get_by_role("menuitem", name=page.texts["unify"]).press("Enter")
        await expect(page.dialog).to_be_visible(timeout=pages.WAIT_MS_MAX)
        await page.close()
        await expect(more).to_be_focused()
        await page.open_batch("unify", "i-1", "i-2")
        await page.choose("to a date")
        await expect(page.button("pay")).to_be_disabled()
        await page.dialog.locator(".ant-picker input").fill("2027-03-31")
        await page.page.keyboard.press("Enter")
        await page.shows("2027-01-31", "2027-02-10", "2027-03-31")
        await pages.expect_accessible(page.page)
        await page.press("pay")
        await page.shows("paid", "2027-03-31 23:59:59")
    assert {await world.expiry(i) for i in ("i-1", "i-2")} == {"2027-03-31"}
    assert await dialogs.count_orders(world) == (1, 2)


@in_english
async def test_expiries_are_unified_to_a_day_of_the_month(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="2000.00")
    await world.instance("i-1", expires="2027-01-20", price="300.00", product="kec")
    await world.instance("i-2", expires="2027-02-05", price="300.00", product="kec")
    async with dialogs.opened(world, server, locale) as page:
        await page.open_batch("unify", "i-1", "i-2")
        await page.shows("2027-01-20", "2027-03-01", "2027-02-05", "2027-04-01")
        total = await page.dialog.locator(".total").inner_text()
        await page.press("pay")
        await page.shows("paid", total)
    assert [await world.expiry(i) for i in ("i-1", "i-2")] == ["2027-03-01", "2027-04-01"]


@in_chinese
async def test_refused_instances_are_named_and_the_others_are_renewed_on_request(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="9000.00")
    await world.instance("i-1", expires="2027-01-31", price="100.00")
    await world.instance("i-2", expires="2029-06-30", price="100.00")
    async with dialogs.opened(world, server, locale) as page:
        await page.open_batch("renew", "i-1", "i-2")
        await page.choose("1 year")
        await page.shows("too long", "i-2")
        await expect(page.button("pay")).to_be_disabled()
        await page.choose("the others")
        await page.press("pay")
        await page.shows("paid", "2028-01-31 23:59:59", "too long")
    assert await dialogs.count_orders(world) == (1, 1)
    assert await world.expiry("i-2") == "2029-06-30"


@in_chinese
async def test_a_renewal_with_a_shortfall_can_be_paid_only_after_a_top_up(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="100.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    async with dialogs.opened(world, server, locale) as page:
        await page.open_row("renew", "i-1")
        await page.shows("missing", "余额支付", "¥100.00")
        await pages.expect_accessible(page.page)
        await expect(page.button("pay")).to_be_disabled()
        await world.top_up("200.00")
        await page.press("refresh")
        await page.press("pay")
        await page.shows("paid")
    assert await world.balance() == "0.00"


@in_english
async def test_a_viewer_sees_disabled_buttons_with_the_reason(
    world: World, server: live_server.LiveServer, locale: str
) -> None:
    await pages.open_account(world, balance="100.00")
    await world.instance("i-1", expires="2027-01-31")
    async with dialogs.opened(world, server, locale, role="VIEWER") as page:
        buttons = page.page.locator("section").get_by_role("button", name=page.name("set auto"))
        await expect(buttons).to_be_disabled()
        await expect(page.page.locator("section").get_by_text(page.texts["read only"])).to_be_visible()
        renew = page.page.get_by_role("button", name=f"{page.texts['renew']} i-1", exact=True)
        await expect(renew).to_be_disabled()


async def test_tags_are_edited_for_a_selection_and_for_one_instance(
    world: World, server: live_server.LiveServer
) -> None:
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", tags={"env": "test", "old": ""})
    await world.instance("i-2", expires="2027-01-31", tags={f"k{number}": "" for number in range(20)})
    async with dialogs.opened(world, server) as page:
        await page.open_batch("tags", "i-1", "i-2")
        await page.press("confirm")
        await page.shows("请输入标签键")
        await page.dialog.get_by_label("标签键", exact=True).fill("team")
        await page.dialog.get_by_label("标签值（可为空）").fill("shop")
        await page.dialog.get_by_label("要删除的标签键").fill("old")
        await page.page.keyboard.press("Enter")
        await page.press("confirm")
        await page.shows("已更新 1 个实例", "1 个实例未能更新标签", "i-2", "21")
        await page.press("done")
        await expect(page.row("i-1")).to_contain_text("team=shop")
        await expect(page.row("i-1")).not_to_contain_text("old")

        await page.page.get_by_role("combobox", name="标签").fill("team=shop")
        await page.page.keyboard.press("Enter")
        await expect(page.row("i-2")).to_have_count(0)
        await page.page.get_by_role("link", name="i-1", exact=True).click()
        await page.page.locator(".ant-drawer").get_by_role("button", name=page.name("tags")).click()
        dialog = page.page.locator(".ant-modal")
        await expect(dialog.get_by_label("标签键", exact=True)).to_have_count(2)
        await dialog.get_by_label("标签值（可为空）").first.fill("prod")
        await dialog.get_by_role("button", name="移除").last.click()
        await pages.expect_no_sideways_scroll(page.page)
        await dialog.get_by_role("button", name=page.name("confirm")).click()
        await expect(page.page.locator(".ant-drawer")).to_contain_text("env=prod")
        await expect(page.page.locator(".ant-drawer")).not_to_contain_text("team")
    assert await world.rows("SELECT id FROM instances WHERE tags::text LIKE '%team%'") == []
