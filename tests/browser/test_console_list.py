"""The console's list of instances in a real Chromium, in both languages, with the demo account."""

import asyncio
import datetime as dt
import json
import re
from collections.abc import AsyncIterator

import pytest
from playwright import async_api
from playwright.async_api import expect

from graphql_api.rest import console
from renewals.demo import loader
from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.instances import policy, selection
from tests.browser import chromium, pages
from tests.support import live_server
from tests.support.fixtures import World

FIRST_PAGE_BYTES_MAX = 400_000
"""The maximum size of all files that the list loads, in bytes after gzip."""

pytestmark = [*chromium.marks, pages.built]

SENTENCES = {
    "zh-CN": (
        *("费用中心", "续费管理", "账户余额", "代金券", "到期时间:", "产品名称:", "机房类型:"),
        "强关联关系实例无法进行批量操作，如：与KES一起下单的KEC、EBS等需要一起续费、退订的实例。",
        *("手动续费", "自动续费", "到期不续费", "无到期时间", "实例ID", "产品线", "配置信息", "计费方式"),
        *("包年包月", "产品属性:", "条/页", "跳至", "退出登录"),
    ),
    "en-US": (
        *("Billing Center", "Renewals", "Balance", "Vouchers", "Expiry:", "Product:", "Data center type:"),
        "Strongly associated instances cannot take part in batch operations.",
        *("Manual renewal", "Auto-renewal", "No renewal", "Without expiry", "Instance ID", "Configuration"),
        *("Prepaid", "/ page", "Go to", "Sign out"),
    ),
}


@pytest.fixture
async def address(world: World, database_url: str, redis_url: str) -> AsyncIterator[str]:
    """The address of an API with the demo account, with its key prefilled as by `renewals up`."""
    await loader.load(dt.datetime.now(dt.UTC).date())
    variables = {
        "REDIS_URL": redis_url,
        "RENEWALS_CONSOLE": "true",
        "RENEWALS_TRUSTED_DOCUMENTS_ONLY": "true",
        "RENEWALS_GRAPHIQL_KEY": await world.key(loader.ACCOUNT_ID),
    }
    async with live_server.served(database_url, **variables) as server:
        yield f"http://{server.address}/console/"


async def open_page(address: str, locale: str = "zh-CN") -> async_api.Page:
    """Open the list in a browser whose time zone is not the account's. The test fails if the page causes an error."""
    context = await chromium.new_context(locale=locale, viewport={"width": 1440, "height": 1000})
    page = await context.new_page()
    await page.goto(address)
    await page.locator("tbody tr.ant-table-row").first.wait_for(timeout=20_000)
    return page


@pytest.mark.parametrize("locale", SENTENCES)
async def test_the_list_shows_the_demo_account_and_requests_only_its_own_origin(
    address: str, locale: str
) -> None:
    urls: list[str] = []
    problems: list[str] = []
    context = await chromium.new_context(locale=locale)
    page = await context.new_page()
    page.on("request", lambda request: urls.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await page.goto(address)
    rows = page.locator("tbody tr.ant-table-row")
    await expect(rows).to_have_count(10, timeout=20_000)
    for sentence in SENTENCES[locale]:
        await expect(page.locator("body")).to_contain_text(sentence)
    await expect(page.locator(".ant-pagination-total-text")).to_have_text(
        re.compile(r"共 \d+ 条|\d+ instances")
    )
    assert re.search(r"\d{4}-\d\d-\d\d 23:59:59", await rows.first.inner_text())
    assert problems == []
    assert [url for url in urls if not url.startswith((address.removesuffix("/console/"), "data:"))] == []
    assert await context.cookies() == []
    await pages.expect_accessible(page)


async def test_the_first_page_loads_at_most_400_000_compressed_bytes(address: str) -> None:
    names: set[str] = set()
    context = await chromium.new_context()
    page = await context.new_page()
    page.on("request", lambda request: names.add(request.url.rpartition("/")[2]))
    await page.goto(address)
    await page.locator("tbody tr.ant-table-row").first.wait_for(timeout=20_000)
    files = [console.FOLDER / "assets" / f"{name}.gz" for name in names]
    loaded = [file.stat().st_size for file in files if file.is_file()]
    assert len(loaded) >= 2
    assert sum(loaded) <= FIRST_PAGE_BYTES_MAX


async def test_the_list_is_requested_in_parallel_with_the_account_and_shows_no_enum_value(
    address: str,
) -> None:
    page = await (await chromium.new_context(locale="zh-CN")).new_page()
    list_requested = asyncio.Event()
    codes: list[int] = []

    async def hold(route: async_api.Route) -> None:
        operation = json.loads(route.request.post_data or "{}").get("operationName")
        if operation == "InstanceList":
            list_requested.set()
        elif operation in {"Account", "Labels"}:
            await asyncio.wait_for(list_requested.wait(), 20)
        if operation == "Labels":
            codes.append(await page.get_by_text("MANUAL").count())
        await route.continue_()

    await page.route("**/graphql", hold)
    await page.goto(address)
    await page.locator("tbody tr.ant-table-row").first.wait_for(timeout=20_000)
    assert codes == [0]


async def test_the_language_is_switched_without_a_reload(address: str) -> None:
    page = await open_page(address)
    await page.locator("tbody tr.ant-table-row input[type=checkbox]:not([disabled])").first.check()
    await page.get_by_text("English", exact=True).click()
    await expect(page.get_by_role("heading", name="Renewals")).to_be_visible()
    await expect(page.get_by_text("1 selected")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.reload()
    await expect(page.get_by_role("heading", name="Renewals")).to_be_visible(timeout=20_000)


async def test_the_tab_the_search_and_the_sort_order_are_in_the_address(address: str) -> None:
    page = await open_page(address)
    await page.get_by_role("tab", name="自动续费").click()
    await page.get_by_placeholder("实例ID、名称或配置").fill("eip")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**tab=AUTO&search=eip")
    await page.get_by_role("columnheader", name="实例ID").click()
    await page.wait_for_url("**sort=ID")
    second_page = await page.context.new_page()
    await second_page.goto(page.url)
    await expect(second_page.get_by_role("tab", name="自动续费")).to_have_attribute("aria-selected", "true")
    await expect(second_page.locator("tbody .instance-id").first).to_be_visible(timeout=20_000)
    ids = await second_page.locator("tbody .instance-id").all_inner_texts()
    # The page shows its old rows until it has the new ones.
    await expect(page.locator("tbody .instance-id")).to_have_text(ids)
    await page.go_back()
    await page.wait_for_url("**tab=AUTO&search=eip")


async def test_a_selection_is_kept_when_the_page_or_the_rows_change(address: str) -> None:
    page = await open_page(address)
    boxes = page.locator("tbody tr.ant-table-row input[type=checkbox]:not([disabled])")
    first = await page.locator("tbody .instance-id").first.inner_text()
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    await page.get_by_role("listitem", name="2", exact=True).click()
    await page.wait_for_url("**page=2")
    await expect(page.get_by_text("已选择 2 项")).to_be_visible()
    await page.get_by_role("listitem", name="1", exact=True).click()
    await expect(page.locator("tbody tr.ant-table-row-selected")).to_have_count(2)

    changed_id = await page.locator("tbody .instance-id").nth(3).inner_text()
    request = policy.PolicyRequest(selection.ById((changed_id,)), model.RenewalMode.NONE)
    await policy.set_policy(loader.ACCOUNT_ID, request, clocks.utc_now)
    await expect(page.get_by_text(changed_id)).to_have_count(0, timeout=10_000)
    await expect(page.locator("tbody tr.ant-table-row-selected")).to_have_count(2)
    assert await page.locator("tbody .instance-id").first.inner_text() == first


async def test_all_matching_instances_can_be_selected_except_an_unchecked_instance(address: str) -> None:
    page = await open_page(address)
    select_all = page.get_by_role("button", name=re.compile("选择全部符合条件的"))
    count = int(re.findall(r"\d+", await select_all.inner_text())[0])
    await select_all.click()
    await expect(page.get_by_text(f"已选择全部符合条件的 {count} 项")).to_be_visible()
    await page.locator("tbody tr.ant-table-row input[type=checkbox]:not([disabled])").first.uncheck()
    await expect(page.get_by_text(f"已选择 {count - 1} 项")).to_be_visible()


async def test_a_tooltip_explains_why_a_member_of_a_bundle_cannot_be_selected(address: str) -> None:
    page = await open_page(f"{address}?search=kes&size=100")
    row = page.locator("tbody tr.ant-table-row", has_text="强关联").first
    box = row.locator("input[type=checkbox]")
    await expect(box).to_be_disabled()
    await row.locator(".ant-checkbox-wrapper, .ant-checkbox").first.hover()
    await expect(page.get_by_role("tooltip")).to_contain_text("强关联关系实例无法进行批量操作")


async def test_the_sign_in_refuses_a_wrong_key_and_stores_a_valid_key_for_the_session_only(
    address: str, world: World
) -> None:
    page = await open_page(address)
    await page.get_by_role("button", name="退出登录").click()
    await expect(page.get_by_text("已退出登录。")).to_be_visible()
    await page.get_by_label("API 密钥").fill("rk_00000000_wrong")
    await page.get_by_role("button", name="登 录").click()
    await expect(page.get_by_text("密钥无效或已过期")).to_be_visible()

    key = await world.key(loader.ACCOUNT_ID)
    await page.get_by_label("API 密钥").fill(key)
    await page.get_by_role("button", name="登 录").click()
    await page.locator("tbody tr.ant-table-row").first.wait_for(timeout=20_000)
    assert await page.evaluate("Object.values(sessionStorage)") == [key]
    assert key not in await page.evaluate("JSON.stringify(localStorage)")


async def test_a_viewer_sees_the_list_without_checkboxes(address: str, world: World) -> None:
    key = await world.key(loader.ACCOUNT_ID, role="VIEWER")
    context = await chromium.new_context(locale="zh-CN")
    await context.add_init_script(f"sessionStorage.setItem('renewals.token', '{key}')")
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator("tbody tr.ant-table-row")).to_have_count(10, timeout=20_000)
    await expect(page.locator("tbody tr.ant-table-row input[type=checkbox]")).to_have_count(0)
